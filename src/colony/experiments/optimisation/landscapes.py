"""The landscapes of the optimisation experiment: the seed's function, Rastrigin, NK, and twenty-six circles.

A landscape has points (tuples of numbers), a score to maximise, and regions, numbered from 0, that tile it. `random`
and `best` fix the scale of quality: 0 is the mean score of random points, 1 the best score there is (exact for the
function, Rastrigin and NK; the known record for the circles). What it does not do: search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from random import Random
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, ...]


class Landscape(Protocol):
    """Something to climb."""

    @property
    def regions(self) -> int:
        """How many regions there are."""

    @property
    def best(self) -> float:
        """The best score there is, or the best known."""

    @property
    def random(self) -> float:
        """The mean score of random points."""

    def score(self, point: Point) -> float:
        """The score of a point; higher is better."""

    def sample(self, region: int, stream: Random) -> Point:
        """A random point of a region."""

    def vary(self, point: Point, stream: Random) -> Point:
        """A random neighbour; mostly near, sometimes far."""


class _Box:
    """Real coordinates between `low` and `high`; `cells` along each of the first `split` axes make the regions."""

    def __init__(self, dimensions: int, low: float, high: float, *, split: int, cells: int) -> None:
        self.regions = cells**split
        self._dimensions, self._low, self._high, self._split, self._cells = dimensions, low, high, split, cells

    def sample(self, region: int, stream: Random) -> Point:
        """A uniform point of the region."""
        width = self._high - self._low
        point = [self._low + width * stream.random() for _ in range(self._dimensions)]
        for axis in range(self._split):
            region, cell = divmod(region, self._cells)
            point[axis] = self._low + width * (cell + stream.random()) / self._cells
        return tuple(point)

    def vary(self, point: Point, stream: Random) -> Point:
        """Move one to all coordinates by a Gaussian step between a thousandth and a third of the box."""
        step = (self._high - self._low) * 10 ** stream.uniform(-3, -0.5)
        chosen = stream.sample(range(len(point)), min(len(point), 1 + int(stream.expovariate(0.5))))
        moved = list(point)
        for axis in chosen:
            moved[axis] = min(self._high, max(self._low, moved[axis] + stream.gauss(0.0, step)))
        return tuple(moved)


class Wave(_Box):
    """The seed's function, sin(x) cos(y) sin(z) + exp(-(x-2)^2 - (y-3)^2 - (z-1)^2) over [0, 5]^3, in unit cubes."""

    best = 1.000454693192454  # at (4.70991, 3.14146, 1.57027); three near-ties lie within 0.0005
    random = 0.036913882613  # the integral over the cube, divided by 125

    def __init__(self) -> None:
        super().__init__(3, 0.0, 5.0, split=3, cells=5)

    def score(self, point: Point) -> float:
        """f(x, y, z), as above."""
        x, y, z = point
        bump = math.exp(-((x - 2) ** 2) - (y - 3) ** 2 - (z - 1) ** 2)
        return math.sin(x) * math.cos(y) * math.sin(z) + bump


class Rastrigin(_Box):
    """Minus Rastrigin's function in ten dimensions, its optimum moved at random; 1,024 orthants are its regions."""

    best = 0.0

    def __init__(self, seed: int) -> None:
        super().__init__(10, -5.12, 5.12, split=10, cells=2)
        stream = Random(f"rastrigin/{seed}")  # noqa: S311
        self._optimum = tuple(stream.uniform(-3.0, 3.0) for _ in range(10))

    @cached_property
    def random(self) -> float:
        """Exact mean over the box: of (x - o)^2 and of the cosine, axis by axis."""
        half = 5.12
        wave = math.sin(2 * math.pi * half) / (2 * math.pi * half)
        mean = (half**2 / 3 + o * o + 10 - 10 * math.cos(2 * math.pi * o) * wave for o in self._optimum)
        return -sum(mean)

    def score(self, point: Point) -> float:
        """Minus the sum over the axes of 10 + y^2 - 10 cos(2 pi y), with y the distance to the optimum's."""
        total = 0.0
        for x, o in zip(point, self._optimum, strict=True):
            y = x - o
            total += y * y + 10 - 10 * math.cos(2 * math.pi * y)
        return -total


NK_BITS: Final = 64
NK_EPISTASIS: Final = 6
_REGION_BITS: Final = 8


class NK:
    """Kauffman's NK model on a ring: each of 64 bits contributes by itself and its six right neighbours.

    The contributions are uniform random numbers; the score is their mean. The best is exact, by dynamic programming
    around the ring (Wright, Thompson and Zhang 2000). A region is the value of the first eight bits.
    """

    regions = 1 << _REGION_BITS
    random = 0.5

    def __init__(self, seed: int, bits: int = NK_BITS) -> None:
        self._bits = bits
        generator = np.random.default_rng([20, seed])
        self._table = generator.random((bits, 1 << (NK_EPISTASIS + 1)))
        self._rows: list[list[float]] = self._table.tolist()

    @cached_property
    def best(self) -> float:
        """Max-plus products of one matrix for each bit: from seven bits to the seven one place further."""
        states = 1 << NK_EPISTASIS
        sums = np.full((states, states), -np.inf)  # from the first six bits, to the last six
        np.fill_diagonal(sums, 0.0)
        for row in self._table:
            sums = _advance(sums, row, states)
        return float(np.max(np.diag(sums))) / self._bits

    def score(self, point: Point) -> float:
        """The mean contribution."""
        bits = [int(bit) for bit in point]
        window = 0
        for bit in bits[:NK_EPISTASIS]:
            window = window << 1 | bit
        mask = (1 << (NK_EPISTASIS + 1)) - 1
        total = 0.0
        for row, bit in zip(self._rows, bits[NK_EPISTASIS:] + bits[:NK_EPISTASIS], strict=True):
            window = (window << 1 | bit) & mask
            total += row[window]
        return total / self._bits

    def sample(self, region: int, stream: Random) -> Point:
        """The region's eight bits, and random ones."""
        head = [region >> place & 1 for place in range(_REGION_BITS)]
        return tuple(head + [stream.getrandbits(1) for _ in range(self._bits - _REGION_BITS)])

    def vary(self, point: Point, stream: Random) -> Point:
        """Flip one to a few bits."""
        flipped = list(point)
        for place in stream.sample(range(len(point)), 1 + int(stream.expovariate(1.0))):
            flipped[place] = 1 - flipped[place]
        return tuple(flipped)


def _advance(sums: NDArray[np.float64], row: NDArray[np.float64], states: int) -> NDArray[np.float64]:
    further = np.full_like(sums, -np.inf)
    for state in range(states):
        for bit in (0, 1):
            window = state << 1 | bit
            target = window & (states - 1)
            further[:, target] = np.maximum(further[:, target], sums[:, state] + row[window])
    return further


class Circles(_Box):
    """Twenty-six circles in the unit square: a point is their centres, its score the greatest sum of radii.

    The radii are the solution of a linear programme: no two overlap and none leaves the square. A region says in which
    quarter the first four centres lie.
    """

    best = 2.6359830849  # the known record of the ready problem circles-26
    random = 1.297  # mean of a thousand random points
    _count = 26

    def __init__(self) -> None:
        super().__init__(2 * self._count, 0.0, 1.0, split=8, cells=2)
        self._first, self._second = np.triu_indices(self._count, 1)

    def score(self, point: Point) -> float:
        """The greatest sum of radii around these centres."""
        from scipy.optimize import linprog  # noqa: PLC0415  # slow to import; only this landscape needs it

        centres = np.asarray(point).reshape(-1, 2)
        walls = np.minimum(centres, 1 - centres).min(axis=1)
        gaps: Any = centres[self._first] - centres[self._second]
        distances = np.hypot(gaps[:, 0], gaps[:, 1])
        near = distances < walls[self._first] + walls[self._second]
        pairs, rows = int(near.sum()), np.arange(int(near.sum()))
        matrix = np.zeros((pairs, self._count))
        matrix[rows, self._first[near]] = matrix[rows, self._second[near]] = 1.0
        bounds = np.column_stack([np.zeros(self._count), walls])
        solve: Any = linprog  # its stubs know no plain arrays
        return -float(solve(-np.ones(self._count), A_ub=matrix, b_ub=distances[near], bounds=bounds).fun)


TASKS: Final[Mapping[str, Callable[[int], Landscape]]] = MappingProxyType(
    {"wave-3d": lambda _: Wave(), "rastrigin-10": Rastrigin, "nk-64": NK, "circles-26": lambda _: Circles()}
)
"""Each task's landscape for a seed, which draws the instance where there are many."""
