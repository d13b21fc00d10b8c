"""The archive: the best candidate of every niche (MAP-Elites: Mouret and Clune 2015), so that second ideas survive.

A niche is a cell of a small fixed grid over a descriptor of the candidate. For parameters the descriptor is the place
in the unit cube: the coordinates themselves where there are few, else sums of coordinates with fixed signs (random-sign
projections, Achlioptas 2003; the signs come from SHA-256, so that every machine draws the same). For programs it is the
length and the number of branching words, both relative to the seed. The archive is bounded by its grid, is a pure fold
over the elites it was given, and judges nothing: what comes in has been evaluated.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np

from colony.memory.elite import Elite
from colony.primitives.limits import LINEAGES_MAX
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.space import Space, Vector, space_from

Cell: TypeAlias = tuple[int, ...]

BINS = {1: 64, 2: 16, 3: 8}  # along each axis, by the number of axes of the descriptor
AXES_MAX = 3
BRANCHING = re.compile(r"\b(?:if|elif|else|for|while|and|or|not|return|lambda|min|max)\b")


def archive_settings(problem: Problem) -> dict[str, Any]:
    """What an archive for `problem` needs to know, as JSON-able values that a run records."""
    if problem.space is not None:
        return {"space": problem.space.as_record()}
    length, branches = _shape(problem.seed)
    return {"length": length, "branches": branches}


class Archive:
    """Niches of elites; empty and without a descriptor (one niche) unless made by `from_record`."""

    def __init__(self, descriptor: Callable[[Candidate], Cell] = lambda _: (), sign: float = 1.0) -> None:
        self._descriptor = descriptor
        self._sign = sign
        self._niches: dict[Cell, Elite] = {}
        self._roots: dict[str, str] = {}
        self._ranked: tuple[Elite, ...] | None = ()
        self._spacing: float | None = 0.0
        self._visits: dict[Cell, int] = {}

    @classmethod
    def from_record(cls, settings: Mapping[str, Any], sign: float) -> Archive:
        """An empty archive with the settings that `archive_settings` made; `sign` is the metric's.

        A record keeps no order of names, so the axes of a place go by name.
        """
        if "space" in settings:
            return cls(_PlaceDescriptor(space_from(dict(sorted(settings["space"].items())))), sign)
        return cls(_ShapeDescriptor(settings["length"], settings["branches"]), sign)

    def __len__(self) -> int:
        return len(self._niches)

    def add(self, elite: Elite) -> bool:
        """Keep `elite` if it is the best of its niche so far; whether it was kept."""
        cell = self._descriptor(elite.candidate)
        self._visits[cell] = self._visits.get(cell, 0) + 1
        held = self._niches.get(cell)
        if held is not None and self._sign * (held.value - elite.value) <= 0:
            return False
        self._niches[cell] = elite
        self._ranked = self._spacing = None
        self._note_root(elite)
        return True

    def _note_root(self, elite: Elite) -> None:
        roots = (self._roots[parent] for parent in elite.parents if parent in self._roots)
        self._roots[elite.experiment] = next(roots, elite.experiment)
        if len(self._roots) > LINEAGES_MAX:
            del self._roots[next(iter(self._roots))]

    def remove(self, experiment: str) -> None:
        """Let the elite of this experiment leave its niche, if it is there: it was refuted."""
        for cell, elite in list(self._niches.items()):
            if elite.experiment == experiment:
                del self._niches[cell]
                self._ranked = self._spacing = None

    def elites(self, count: int | None = None) -> tuple[Elite, ...]:
        """The best elite of each niche, best niche first; at most `count`."""
        if self._ranked is None:
            order = sorted(self._niches.values(), key=lambda e: (self._sign * e.value, e.experiment))
            self._ranked = tuple(order)
        return self._ranked[:count]

    def visits(self, candidate: Candidate) -> int:
        """How many feasible candidates were seen in the region of this one."""
        return self._visits.get(self._descriptor(candidate), 0)

    def regions(self) -> dict[str, int]:
        """How many feasible candidates were seen in each cell, kept or not: what has been explored."""
        return {".".join(map(str, cell)): visits for cell, visits in self._visits.items()}

    def lineage(self, elite: Elite) -> str:
        """The experiment that the line of an elite goes back to, along first known parents."""
        return self._roots.get(elite.experiment, elite.experiment)

    def spacing(self) -> float:
        """The mean distance from an elite's cell to the nearest other's, in sides of the grid; 0 for fewer than two."""
        if self._spacing is None:
            cells = np.asarray(sorted(self._niches), dtype=np.float64)
            distances = np.linalg.norm(cells[:, None] - cells, axis=2)
            np.fill_diagonal(distances, np.inf)
            self._spacing = float(distances.min(axis=1).mean()) / BINS[cells.shape[1]] if len(cells) > 1 else 0.0
        return self._spacing

    def state(self) -> list[Any]:
        """The JSON-able state, for the hash of a run."""
        return [[list(cell), e.experiment, e.value] for cell, e in sorted(self._niches.items())]


class _PlaceDescriptor:
    """The cell of a point of a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        axes = min(space.dimension, AXES_MAX)
        self._bins = BINS[axes]
        self._axes = _projections(space.dimension) if space.dimension > AXES_MAX else np.eye(axes)

    def __call__(self, candidate: Candidate) -> Cell:
        place = self._axes @ (self._space.encode(candidate.content) - 0.5) + 0.5
        cell = np.clip(place * self._bins, 0, self._bins - 1)
        return tuple(cell.astype(int).tolist())


def _projections(dimension: int) -> Vector:
    """Signs over the square root of the dimension, shape (AXES_MAX, dimension): uniform points keep their spread."""
    digests = (sha256(f"archive axis {i}".encode()).digest() for i in range(math.ceil(AXES_MAX * dimension / 256)))
    bits = np.unpackbits(np.frombuffer(b"".join(digests), dtype=np.uint8))[: AXES_MAX * dimension]
    return np.asarray((2.0 * bits.reshape(AXES_MAX, dimension) - 1.0) / math.sqrt(dimension))


class _ShapeDescriptor:
    """The cell of a program: quarters of octaves of its length and of its branching words, relative to the seed."""

    def __init__(self, length: int, branches: int) -> None:
        self._seed = (length, branches)

    def __call__(self, candidate: Candidate) -> Cell:
        ratios = (math.log2((1 + now) / (1 + then)) for now, then in zip(_shape(candidate), self._seed, strict=True))
        return tuple(int(np.clip(round(4 * ratio), -8, 7)) for ratio in ratios)


def _shape(candidate: Candidate) -> Sequence[int]:
    """Length in characters without white space, and the number of branching words."""
    texts = [text for _, text in sorted(candidate.content.items())]
    return sum(len("".join(t.split())) for t in texts), sum(len(BRANCHING.findall(t)) for t in texts)
