"""Local search on one permutation, black box: reversed and moved stretches, and small disturbances after that.

A descent takes the first move that improves: reverse a stretch (2-opt, Croes 1958), or move up to three neighbours
elsewhere (Or 1976). It looks only round elements whose neighbours changed (Bentley 1992), so that a disturbance, two
neighbouring stretches exchanged (the double bridge of Martin, Otto and Felten 1991), costs little to repair. Each order
looked at is one evaluation; no distance is known here, only the metric, so that it serves other problems of order too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from colony.agents.searches.chain import Chain
from colony.agents.searches.smooth import End, judged
from colony.problems.oracle import Exhausted, Oracle
from colony.problems.space import Values

STRETCH_MAX = 3
WINDOW = 30


def search(oracle: Oracle, values: Values | None, spec: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Go on from `values` at `spec["cost"]`, or from a random order, until the evaluations are spent.

    `spec`: the state of the chain, and `trial`, an order and the elements to look at, where the last job ended within a
    descent. Returns the notes: the chain as it is now, `trial`, and `tallies` of the one move, `bridge`.
    """
    name = oracle.space.permutation
    assert name is not None, "this search works on a space that is one permutation"
    chain = Chain.resumed(values, spec)
    descent = Descent(oracle, name, rng)
    trial = spec.get("trial")
    try:
        while oracle.left > 0:
            chain.hop(descent.run(*(trial or _trial(chain, name, oracle.space.dimension, rng))), rng, "bridge")
            trial = None
    except Exhausted:
        pass
    notes = chain.notes()
    return notes if descent.is_done else {**notes, "trial": descent.open}


def _trial(chain: Chain, name: str, count: int, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Where the next descent starts and what it looks at first."""
    if chain.values is None:
        order = rng.permutation(count).tolist()
        return order, order
    order = list(chain.values[name])
    bridged = double_bridge(order, rng)
    return bridged, changed(order, bridged)


class Descent:
    """Descends over orders of one oracle; `open` is where it stands when the evaluations run out."""

    def __init__(self, oracle: Oracle, name: str, rng: np.random.Generator) -> None:
        self._oracle, self._name, self._rng = oracle, name, rng
        self.open: tuple[list[int], list[int]] = ([], [])

    @property
    def is_done(self) -> bool:
        """True where the last descent ended by itself."""
        return not self.open[1]

    def run(self, order: list[int], waiting: list[int]) -> End:
        """The end of a descent from `order` that looks round the elements `waiting`, and wherever something changes.

        Raises:
            Exhausted: the evaluations are spent; `open` is where to go on.

        """
        waiting = list(dict.fromkeys(waiting))
        self.open = (order, waiting)
        here = self._judged(order)
        while waiting:
            element = waiting[0]
            better = self._first_better(here, element)
            if better is None:
                waiting.remove(element)
                continue
            touched = changed(here.values[self._name], better.values[self._name])
            waiting += [e for e in dict.fromkeys(touched) if e not in waiting]
            here = better
            self.open = (here.values[self._name], waiting)
        return here

    def _first_better(self, here: End, element: int) -> End | None:
        for order in neighbours(here.values[self._name], element, self._rng):
            there = self._judged(order)
            if there.cost < here.cost:
                return there
        return None

    def _judged(self, order: list[int]) -> End:
        return judged(self._oracle, {self._name: order})


def neighbours(order: list[int], element: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Orders one move away: a stretch that begins or ends at `element` reversed, or a short one from there moved."""
    at = order.index(element)
    for to in rng.permutation(len(order)).tolist():
        low, high = min(at, to), max(at, to) + 1
        for first, last in ((low, high), (low + 1, high), (low, high - 1)):
            if last - first > 1:
                yield order[:first] + order[first:last][::-1] + order[last:]
        for length in range(1, STRETCH_MAX + 1):
            stretch, rest = order[at : at + length], order[:at] + order[at + length :]
            if len(stretch) == length and to <= len(rest) and to != at:
                yield rest[:to] + stretch + rest[to:]
                if length > 1:
                    yield rest[:to] + stretch[::-1] + rest[to:]


def double_bridge(order: list[int], rng: np.random.Generator) -> list[int]:
    """Two neighbouring stretches within a random window exchanged."""
    window = min(WINDOW, len(order))
    start = int(rng.integers(len(order) - window + 1))
    a, b, c = start + np.sort(rng.integers(window + 1, size=3))
    return order[:a] + order[b:c] + order[a:b] + order[c:]


def changed(before: list[int], after: list[int]) -> list[int]:
    """The elements that have a new neighbour, the first and the last being neighbours too."""
    links = {frozenset(link) for link in zip(before, before[1:] + before[:1], strict=True)}
    return [e for link in zip(after, after[1:] + after[:1], strict=True) if frozenset(link) not in links for e in link]
