"""The guide on sharing memory between processes is executed: its node, its agents, and the past they leave."""

import sys

from documents import ROOT, blocks

PAGE = ROOT / "docs" / "guides" / "share-memory-between-processes.md"


def test_the_scripts_of_the_guide(place):
    """The node sells out through two processes, and the journal tells the same story with the same hash."""
    for name, code in zip(("node.py", "agent.py", "past.py"), blocks(PAGE, "python"), strict=True):
        (place.folder / name).write_text(code)
    sold, digest = place.run([sys.executable, "node.py"]).stdout.splitlines()
    assert sold == "sold 10"
    values, again, *told = place.run([sys.executable, "past.py"]).stdout.splitlines()
    assert (values, again) == ("0 10", digest)
    assert [int(line.split()[1]) for line in told] == list(range(9, -1, -1))
    assert {line.split()[0] for line in told} <= {"ann", "bob"}
