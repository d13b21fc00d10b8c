"""The examples of the guide run, one after the other in an empty folder, and say what the guide says."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "experiment-research.md"


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    """Facts with their places, a broken document passed over, a source and an extractor of one's own."""
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    for block in re.findall(r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        exec(compile(block, str(GUIDE), "exec"), names)
    said = capsys.readouterr().out
    assert "pipes.md: Pipes, line 3: A pipe joins two processes." in said
    assert "child.txt: line 1: The child of a process inherits every open pipe." in said
    assert "2 facts in 2 documents; 3 tried" in said
    assert "not read: torn.pdf" in said
    assert "wednesday: lost" in said
    assert said.endswith("2 facts\n")
