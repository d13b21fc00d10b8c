"""The tutorial and the guides are executed: what they tell a reader to type works, in that order."""

import sys

import pytest
from documents import ROOT, blocks, cheap, commands

DOCS = ROOT / "docs"


@pytest.mark.parametrize("page", ["tutorial.md", "guides/folder-problem.md"])
def test_the_commands_of_a_page(place, page):
    """Every command of the page works in an empty folder, one after the other."""
    lines = [line for block in blocks(DOCS / page, "console") for line in commands(block)]
    assert lines
    for line in lines:
        place.colony(cheap(line))


def test_the_problem_in_python(place):
    """The example of the guide finds a verified best."""
    (code,) = blocks(DOCS / "guides" / "python-problem.md", "python")
    (place.folder / "example.py").write_text(code)
    value, status = place.run([sys.executable, "example.py"]).stdout.split()
    assert status == "verified"
    assert float(value) < 0.1


def test_every_budget_that_is_named_is_understood():
    """The lines of the guide on budgets are budgets."""
    from colony.problems.metric import Budget

    lines = blocks(DOCS / "guides" / "budgets.md", "")[0].splitlines()
    budgets = [Budget.parse(line.split()[1]) for line in lines]
    assert budgets[0].evaluations == 300
    assert budgets[-1].as_record() == {"evaluations": 10_000, "wall_seconds": 300.0}


def test_hold_out_of_a_folder(place):
    """A folder's holdout.py is asked once, for the verified best, and its value stands beside the result."""
    place.colony("problems new seen")
    source = "from evaluate import evaluate\n\n\ndef holdout(x, y):\n    return evaluate(x, y) + 100.0\n"
    (place.folder / "seen" / "holdout.py").write_text(f'"""What nobody saw."""\n\n{source}')
    found = place.json("solve seen --budget 60e --no-baseline")
    assert found["holdout"] == pytest.approx(found["best"]["value"] + 100.0)
