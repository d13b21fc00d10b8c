"""What can be deduced from a few cells: strategies as pure functions, and the patterns that each examines.

A pattern is a group of cells that a strategy looks at together; what it sees there is a tuple of candidate sets, and
what it answers is a tuple of strikes: digits that a cell cannot have. A strike follows from what was seen and from
whatever it shrinks to later, since candidates only ever go; so it holds whenever it is carried out. A cell with one
candidate left is solved. Each strategy leaves every solution of a puzzle in place: none assumes that there is only one.

What this file does not do: know when a pattern is worth another look (agents.py), guess (guessing.py), or go beyond
X-wings: what no strategy deduces, a guess decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final, TypeAlias

from colony.experiments.sudoku.grid import BOXES, COLUMNS, EVERY, ROWS, UNITS, Contradiction

Seen: TypeAlias = tuple[int, ...]
Strike: TypeAlias = tuple[int, int]
"""A cell, and the digits it cannot have."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One examination: the candidates of `cells`, as far as they are in `digits`, tell `deduce` what to strike.

    `deduce` raises Contradiction where it sees that no solution is left.
    """

    strategy: str
    number: int
    cells: tuple[int, ...]
    deduce: Callable[[Seen], list[Strike]]
    digits: int = EVERY

    def see(self, masks: Sequence[int]) -> Seen:
        """What the pattern shows, where these are the candidates of its cells."""
        return tuple(masks) if self.digits == EVERY else tuple([mask & self.digits for mask in masks])


def settle(cells: Sequence[int], seen: Seen) -> list[Strike]:
    """Eliminate and place: a solved digit is nowhere else in the unit; a digit with one place left is there."""
    once = twice = solved = 0
    for mask in seen:
        twice |= once & mask
        once |= mask
        if not mask & (mask - 1):
            if solved & mask or not mask:
                raise Contradiction
            solved |= mask
    if once != EVERY:
        raise Contradiction
    last = once & ~twice
    strikes = []
    for cell, mask in zip(cells, seen, strict=True):
        if mask & (mask - 1):
            here = mask & last
            if here & (here - 1):
                raise Contradiction
            gone = mask & ~here if here else mask & solved
            if gone:
                strikes.append((cell, gone))
    return strikes


def naked_pairs(cells: Sequence[int], seen: Seen) -> list[Strike]:
    """Two cells of a unit with the same two candidates have them both; no other cell has either."""
    pairs = {mask for mask in seen if mask.bit_count() == 2 and seen.count(mask) == 2}
    return [
        (cell, mask & pair) for pair in pairs for cell, mask in zip(cells, seen, strict=True) if 0 < mask & pair != mask
    ]


def hidden_pairs(cells: Sequence[int], seen: Seen) -> list[Strike]:
    """Two digits with the same two places in a unit are there; those two cells have nothing else."""
    places: dict[tuple[int, ...], int] = {}
    for digit in (1 << d for d in range(9)):
        where = tuple(i for i, mask in enumerate(seen) if mask & digit)
        if len(where) == 2:
            places[where] = places.get(where, 0) | digit
    return [
        (cells[i], seen[i] & ~pair)
        for where, pair in places.items()
        if pair.bit_count() == 2
        for i in where
        if seen[i] & ~pair
    ]


def confined(cells: Sequence[int], crossing: Sequence[frozenset[int]], seen: Seen) -> list[Strike]:
    """A digit whose places in a unit all lie in another unit is nowhere else in that other one."""
    total = dict(zip(cells, seen, strict=True))
    strikes = []
    for other in crossing:
        inside = outside = 0
        for cell, mask in total.items():
            if cell in other:
                inside |= mask
            else:
                outside |= mask
        if only := inside & ~outside:
            strikes += [(cell, only) for cell in other if cell not in total]
    return strikes


def x_wing(lines: Sequence[Sequence[int]], across: Sequence[Sequence[int]], seen: Seen) -> list[Strike]:
    """A digit with the same two places in two lines takes both; it is nowhere else in the two lines across them."""
    digit = max(seen)
    places = [tuple(i for i, cell in enumerate(line) if seen[cell]) for line in lines]
    return [
        (cell, digit)
        for one, other in combinations(range(9), 2)
        if len(places[one]) == 2 and places[one] == places[other]
        for i in places[one]
        for cell in across[i]
        if seen[cell] and cell not in lines[one] and cell not in lines[other]
    ]


def _in_each(strategy: str, units: Sequence[tuple[int, ...]], deduce: Callable[..., list[Strike]]) -> list[Pattern]:
    return [Pattern(strategy, number, unit, partial(deduce, unit)) for number, unit in enumerate(units)]


def _crossing(unit: tuple[int, ...], others: Sequence[tuple[int, ...]]) -> list[frozenset[int]]:
    return [frozenset(other) for other in others if len(set(unit) & set(other)) == 3]


def _confined(
    strategy: str, units: Sequence[tuple[int, ...]], others: Sequence[tuple[int, ...]]
) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(strategy, number, unit, partial(confined, unit, _crossing(unit, others)))
        for number, unit in enumerate(units)
    )


def _x_wings() -> tuple[Pattern, ...]:
    whole = tuple(range(81))
    ways = ((ROWS, COLUMNS), (COLUMNS, ROWS))
    return tuple(
        Pattern("x-wing", 9 * way + d, whole, partial(x_wing, *ways[way]), digits=1 << d)
        for way in range(2)
        for d in range(9)
    )


STRATEGIES: Final[dict[str, tuple[Pattern, ...]]] = {
    "rows": tuple(_in_each("rows", ROWS, settle)),
    "columns": tuple(_in_each("columns", COLUMNS, settle)),
    "boxes": tuple(_in_each("boxes", BOXES, settle)),
    "pointing": _confined("pointing", BOXES, ROWS + COLUMNS),
    "box-line": _confined("box-line", ROWS + COLUMNS, BOXES),
    "naked pairs": tuple(_in_each("naked pairs", UNITS, naked_pairs)),
    "hidden pairs": tuple(_in_each("hidden pairs", UNITS, hidden_pairs)),
    "x-wing": _x_wings(),
}
"""Every strategy with its patterns, the cheapest to think first."""

SETTLING: Final = STRATEGIES["rows"] + STRATEGIES["columns"] + STRATEGIES["boxes"]
"""Eliminate and place, in the order of `UNITS`."""
