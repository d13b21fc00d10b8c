"""What an agent builds on: the elites of the colony, its own finds, and at first the seed.

Each agent keeps finds of its own, so that many agents do not all stand on the one best candidate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TypeAlias, TypeVar

import numpy as np

from colony.agents.proposer import Outcome, View
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

Cost: TypeAlias = tuple[float, float]
KEPT_MAX = 64
KEPT_PER_COST_MAX = 3
RIVALS_MAX = 32
T = TypeVar("T")


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of the items, each as likely."""
    return items[int(rng.integers(len(items)))]


@dataclass(frozen=True, slots=True)
class Parent:
    """A candidate to build on; `cost` orders it (see `cost_of`), `experiment` is empty for the seed."""

    candidate: Candidate
    cost: Cost = (math.inf, math.inf)
    experiment: str = ""

    @property
    def characters(self) -> int:
        """How long its files are together."""
        return sum(map(len, self.candidate.content.values()))


def cost_of(problem: Problem, outcome: Outcome) -> Cost | None:
    """What an outcome costs: first what it violates, then its value turned to be minimised; None where it has none."""
    if outcome.status not in ("ok", "infeasible") or outcome.value is None:
        return None
    return outcome.violation, problem.metric.sign * outcome.value


def ranked(parents: Iterable[Parent]) -> list[Parent]:
    """Best first; of equals only the few shortest, because a change to a program without ballast more often matters.

    Without that, programs that differ in nothing that counts crowd out the rest.
    """
    levels = groupby(
        sorted(parents, key=lambda parent: (parent.cost, parent.characters)), key=lambda parent: parent.cost
    )
    return [parent for _cost, level in levels for parent in islice(level, KEPT_PER_COST_MAX)]


class Parents:
    """An agent's memory of good candidates, best first, and how it chooses among them and the colony's elites.

    A parent is the best of some that are drawn at random. How many varies from choice to choice, because both are
    needed: polishing the best, and trying what could become of others. `sociable` is how often they are the colony's.
    """

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self._problem = problem
        self._seed = Parent(problem.seed)
        self._own: list[Parent] = []
        self.sociable = float(rng.uniform(0.1, 0.6))

    def remember(self, outcomes: Iterable[Outcome]) -> None:
        """Keep what was scored."""
        for outcome in outcomes:
            candidate = outcome.candidate or outcome.proposal.candidate
            cost = cost_of(self._problem, outcome)
            if cost is not None and candidate is not None:
                self._own.append(Parent(candidate, cost, outcome.experiment))
        self._own = ranked(self._own)[:KEPT_MAX]

    def ranking(self, view: View, rng: np.random.Generator) -> Sequence[Parent]:
        """The colony's elites or the agent's own finds, best first; never empty."""
        sign = self._problem.metric.sign
        elites = ranked(Parent(e.candidate, (0.0, sign * e.value), e.experiment) for e in view.elites)
        first, second = (elites, self._own) if rng.random() < self.sociable else (self._own, elites)
        return first or second or [self._seed]

    def choose(self, view: View, rng: np.random.Generator) -> Parent:
        """The best of 1 to `RIVALS_MAX` parents drawn at random; each doubling of their number is as likely."""
        ranking = self.ranking(view, rng)
        rivals = int(RIVALS_MAX ** rng.random())
        return ranking[int(rng.integers(len(ranking), size=rivals).min())]
