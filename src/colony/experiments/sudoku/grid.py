"""The geometry of a grid and its text: 81 cells, 27 units, digits as bits, puzzles read and checked.

A cell is a number from 0 to 80, row by row. A set of digits is nine bits: digit d is bit d-1, so that a cell's
candidates are one small integer. What this file does not do: deduce anything (strategies.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from colony.primitives.errors import UsageError

CELLS: Final = range(81)
EVERY: Final = 0b111_111_111
"""All nine digits."""

ROWS: Final = tuple(tuple(range(9 * r, 9 * r + 9)) for r in range(9))
COLUMNS: Final = tuple(tuple(range(c, 81, 9)) for c in range(9))
BOXES: Final = tuple(
    tuple(27 * band + 9 * r + 3 * stack + c for r in range(3) for c in range(3))
    for band in range(3)
    for stack in range(3)
)
UNITS: Final = ROWS + COLUMNS + BOXES
UNITS_OF: Final = tuple(tuple(number for number, unit in enumerate(UNITS) if cell in unit) for cell in CELLS)
"""The numbers of the three units of each cell, in the order of `UNITS`: its row, its column, its box."""

_BLANKS: Final = "0."
_SEPARATORS: Final = " \t\r\n|-+"


class Contradiction(Exception):  # noqa: N818  # no error: an assumption, or a puzzle, turned out to be impossible
    """No solution is left."""


def bit(digit: int) -> int:
    """The set that holds one digit."""
    return 1 << (digit - 1)


def digits(candidates: int) -> tuple[int, ...]:
    """The digits of a set, in their order."""
    return tuple(digit for digit in range(1, 10) if candidates & bit(digit))


def is_single(candidates: int) -> bool:
    """Whether a set holds exactly one digit."""
    return candidates != 0 and candidates & (candidates - 1) == 0


def name(cell: int) -> str:
    """What people call a cell: r1c1 to r9c9."""
    return f"r{cell // 9 + 1}c{cell % 9 + 1}"


def text(masks: Iterable[int]) -> str:
    """A grid of candidates as 81 digits; 0 stands where more than one is left."""
    return "".join(str(mask.bit_length()) if is_single(mask) else "0" for mask in masks)


def parse_puzzle(source: str) -> str:
    """Read a puzzle: 81 digits with 0 or . for a blank, in one line or several, spaces and | - + between them ignored.

    Returns 81 digits, 0 for a blank.

    Raises:
        UsageError: another number of cells, a character that is none of these (its position is named), or two givens
            that contradict each other (both are named).
    """
    cells: list[str] = []
    for position, character in enumerate(source, 1):
        if character in "123456789" or character in _BLANKS:
            cells.append("0" if character in _BLANKS else character)
        elif character not in _SEPARATORS:
            raise UsageError(
                f"puzzle: character {position} is {character!r}; write digits, and 0 or . where a cell is blank"
            )
    if len(cells) != len(CELLS):
        raise UsageError(f"puzzle: {len(cells)} cells; a puzzle has {len(CELLS)}, row by row")
    puzzle = "".join(cells)
    _check_givens(puzzle)
    return puzzle


def _check_givens(puzzle: str) -> None:
    for kind, units in (("row", ROWS), ("column", COLUMNS), ("box", BOXES)):
        for number, unit in enumerate(units, 1):
            first: dict[str, int] = {}
            for cell in unit:
                given = puzzle[cell]
                if given != "0" and first.setdefault(given, cell) != cell:
                    raise UsageError(
                        f"puzzle: {name(first[given])} and {name(cell)} are both {given}, and both in {kind} {number}"
                    )


def is_solution(grid: str, puzzle: str | None = None) -> bool:
    """Whether 81 digits keep every rule, and agree with the givens of `puzzle`."""
    if not all({grid[cell] for cell in unit} == set("123456789") for unit in UNITS):
        return False
    return puzzle is None or all(given in ("0", digit) for given, digit in zip(puzzle, grid, strict=True))


def first_difference(one: Sequence[str], other: Sequence[str]) -> str:
    """The name of the first cell in which two grids differ."""
    return name(next(cell for cell in CELLS if one[cell] != other[cell]))
