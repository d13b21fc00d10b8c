"""Published puzzles, and equivalent forms of a puzzle.

The puzzles are facts of others, restated with who published them. What this file does not do: make new puzzles, or
read those of users (grid.py).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random

from colony.experiments.sudoku.grid import CELLS


@dataclass(frozen=True, slots=True)
class Published:
    """A puzzle of 81 digits, and who published it; `task` says what it takes, where the comparison uses it."""

    puzzle: str
    by: str
    task: str = ""


@cache
def published_puzzles() -> dict[str, Published]:
    """All named puzzles that ship with this package; do not change the result."""
    return {name: Published(**entry) for name, entry in tomllib.loads(_shipped("puzzles.toml")).items()}


def seventeen_clues() -> list[str]:
    """Fifty puzzles of 17 clues, in the order of their publication."""
    return [line for line in _shipped("seventeen.txt").splitlines() if not line.startswith("#")]


def equivalent(puzzle: str, stream: Random) -> str:
    """The same puzzle in another form: digits renamed, rows, columns, bands and stacks permuted, perhaps transposed.

    Whatever can be deduced from one form can be deduced from the other, so both are equally hard; but for 81 digits
    nobody sees that they are the same.
    """
    names = "0" + "".join(stream.sample("123456789", 9))
    rows, columns = _shuffled_lines(stream), _shuffled_lines(stream)
    moved = [puzzle[9 * rows[cell // 9] + columns[cell % 9]] for cell in CELLS]
    if stream.random() < 0.5:
        moved = [moved[9 * (cell % 9) + cell // 9] for cell in CELLS]
    return "".join(names[int(digit)] for digit in moved)


def _shuffled_lines(stream: Random) -> list[int]:
    """The nine lines with the three bands, and the three lines of each band, in random order."""
    return [3 * band + line for band in stream.sample(range(3), 3) for line in stream.sample(range(3), 3)]


def _shipped(name: str) -> str:
    return resources.files("colony.experiments.sudoku").joinpath(name).read_text(encoding="utf-8")
