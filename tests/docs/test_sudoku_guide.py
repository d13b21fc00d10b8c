"""The guide on Sudoku is executed: its examples solve, prove, and take a strategy that the page adds."""

import sys

from documents import ROOT, blocks, commands

from colony.experiments.sudoku.strategies import STRATEGIES

PAGE = ROOT / "docs" / "guides" / "experiment-sudoku.md"


def test_the_examples_in_python(place):
    """The first example shows a proven solution and two of many, the second one uses the strategy that it adds."""
    solving, adding = blocks(PAGE, "python")
    (place.folder / "solving.py").write_text(solving)
    (place.folder / "adding.py").write_text(adding)
    solution, _, several = place.run([sys.executable, "solving.py"]).stdout.splitlines()
    assert solution.startswith("162857493534129678")
    assert several.startswith("several r")
    assert place.run([sys.executable, "adding.py"]).stdout.startswith("98765432124617398535192")


def test_the_commands(place):
    """The commands of the page work as they stand, with a puzzle in a file where one is named."""
    (place.folder / "puzzle.txt").write_text(
        "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9"
    )
    for line in (line for block in blocks(PAGE, "console") for line in commands(block)):
        place.colony(line)


def test_every_strategy_is_described():
    """The table names each strategy."""
    table = PAGE.read_text("utf-8").split("## Who does what")[1]
    assert all(strategy in table for strategy in STRATEGIES)
