"""Ways to disturb a good candidate of a space of floats, for searches that descend again afterwards.

Many candidates are collections of like *items*: points, circles. Items are found by shape: float arrays whose first
axis has the same length, at least 3, belong together, row by row; the first that has a second axis holds the places.
Moves on items relocate, swap or shake rows; where there are none, only the shaking of all coordinates remains.
Everything happens in the unit cube. Nothing here knows a problem, and nothing here evaluates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from colony.problems.space import Float, Space, Vector

ITEMS_MIN = 3
PLACES_TRIED = 20
NEIGHBOURS_MAX = 8
SHAKE_ALL, SHAKE_SOME = (-2.0, -1.0), (-1.5, -0.5)  # decimal logarithms of the standard deviations
MOVED_COUNTS = (1, 1, 2, 3)

Indices = NDArray[np.intp]
Move = Callable[[Vector, np.random.Generator], None]


class Moves:
    """The moves that suit a space, by name in `named`; each changes a unit-cube vector in place."""

    def __init__(self, space: Space) -> None:
        places, others = items(space)
        self._places, self._others = places, others
        self.named: dict[str, Move] = {"shake": self._shake}
        if places.size:
            self.named |= {"relocate": self._relocate, "shake_some": self._shake_some}
        if places.ndim > 1 and places.shape[1] > 1:
            self.named["fill_hole"] = self._fill_hole
        if others.size:
            self.named["swap"] = self._swap

    def __call__(self, name: str, unit: Vector, rng: np.random.Generator) -> Vector:
        """A disturbed copy of `unit`, clipped to the unit cube."""
        moved = unit.copy()
        self.named[name](moved, rng)
        return np.clip(moved, 0.0, 1.0)

    def _shake(self, unit: Vector, rng: np.random.Generator) -> None:
        """Everything a little."""
        unit += 10.0 ** rng.uniform(*SHAKE_ALL) * rng.standard_normal(len(unit))

    def _shake_some(self, unit: Vector, rng: np.random.Generator) -> None:
        """The places of one item and its neighbours, a lot."""
        places = unit[self._places]
        apart = np.square(places - places[rng.integers(len(places))]).sum(axis=1)
        near = self._places[np.argsort(apart)[: rng.integers(2, NEIGHBOURS_MAX + 1)]]
        unit[near] += 10.0 ** rng.uniform(*SHAKE_SOME) * rng.standard_normal(near.shape)

    def _relocate(self, unit: Vector, rng: np.random.Generator) -> None:
        """A few items anywhere."""
        for item in self._some(rng):
            self._put(unit, item, _anywhere(unit[self._places], 1, rng)[0])

    def _fill_hole(self, unit: Vector, rng: np.random.Generator) -> None:
        """A few items to where it is empty: of several places the one farthest from every other item."""
        for item in self._some(rng):
            others = unit[np.delete(self._places, item, axis=0)]
            tried = _anywhere(others, PLACES_TRIED, rng)
            apart = np.square(tried[:, None] - others).sum(axis=2).min(axis=1)
            self._put(unit, item, tried[apart.argmax()])

    def _swap(self, unit: Vector, rng: np.random.Generator) -> None:
        """Two items exchange places and keep the rest of themselves."""
        one, other = self._places[rng.choice(len(self._places), 2, replace=False)]
        unit[one], unit[other] = unit[other], unit[one]

    def _some(self, rng: np.random.Generator) -> Indices:
        """One item, sometimes two or three."""
        count = int(rng.choice(MOVED_COUNTS))
        return rng.permutation(len(self._places))[:count]

    def _put(self, unit: Vector, item: int, place: Vector) -> None:
        """Put an item at `place`; the rest of it becomes ordinary."""
        unit[self._places[item]] = place
        unit[self._others[item]] = np.median(unit[self._others], axis=0)


def items(space: Space) -> tuple[Indices, Indices]:
    """Which unit-cube coordinates hold the items' places, shape (n, d), and the rest of them, (n, e).

    Both have shape (0, 0) where there are no items.
    """
    assert all(isinstance(v, Float) for v in space.variables.values()), "moves work on spaces of floats"
    shapes = [v.shape for v in space.variables.values() if isinstance(v, Float)]
    counts = Counter(shape[0] for shape in shapes if shape and shape[0] >= ITEMS_MIN)
    if not counts:
        return np.empty((0, 0), dtype=np.intp), np.empty((0, 0), dtype=np.intp)
    count = counts.most_common(1)[0][0]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    blocks = [
        np.arange(end - math.prod(shape), end).reshape(count, -1)
        for shape, end in zip(shapes, ends, strict=True)
        if shape and shape[0] == count
    ]
    blocks.sort(key=lambda block: block.shape[1] == 1)  # stable: the first with a second axis comes first
    return blocks[0], np.concatenate([np.empty((count, 0), dtype=np.intp), *blocks[1:]], axis=1)


def _anywhere(places: Vector, count: int, rng: np.random.Generator) -> Vector:
    """Random places, shape (count, d): half in the whole cube, half round the items, which may fill a part."""
    dimension = places.shape[1]
    corners = places[rng.integers(len(places), size=(count, 2))]
    between = corners[:, 0] + rng.uniform(-0.5, 1.5, (count, 1)) * (corners[:, 1] - corners[:, 0])
    free = rng.random((count, dimension))
    return np.clip(np.where(rng.random((count, 1)) < 0.5, free, between), 0.0, 1.0)
