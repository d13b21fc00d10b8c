"""What every agent that proposes single points of the unit cube shares: candidates out, merits in.

A subclass says which point comes next and learns the merit of the points it gave, by their running number; this file
turns points into candidates, remembers what they became, and never proposes a candidate twice: a point that decodes
to a known candidate (usual on integers and choices) is answered from memory and costs nothing.
It holds no search of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.primitives.limits import KNOWN_CANDIDATES_MAX
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.space import Choice, Integer, Space, Vector

Merit: TypeAlias = tuple[int, float]
"""What orders points, smaller is better: (0, cost) feasible, (1, violation) infeasible, (2, 0.0) failed (Deb 2000)."""

REPEATS_MAX = 64  # known candidates in a row, after which the agent pauses: it has nothing new to try for now


def merit_of(outcome: Outcome, sign: float) -> Merit:
    """The merit of an outcome; `sign` is the metric's (it turns values into costs)."""
    if outcome.status == "ok" and outcome.value is not None:
        return 0, sign * outcome.value
    return (1, outcome.violation) if outcome.status == "infeasible" else (2, 0.0)


def costs_of(merits: Sequence[Merit]) -> Vector:
    """Finite costs in the order of `merits`, shape (n,), for methods that need numbers.

    Feasible points keep their cost; infeasible ones lie above the worst feasible, failed ones above all.
    """
    worst = max((cost for rank, cost in merits if rank == 0), default=0.0)
    penalised = [cost if rank == 0 else worst + cost for rank, cost in merits]
    ceiling = max(penalised, default=0.0) + 1.0 + abs(worst)
    return np.asarray([ceiling if rank == 2 else cost for (rank, _), cost in zip(merits, penalised, strict=True)])


def smallest_steps(space: Space) -> Vector:
    """The step size per coordinate below which a discrete coordinate would never change again; 0 for floats."""
    steps: list[float] = []
    for variable in space.variables.values():
        match variable:
            case Integer():
                width = 1.0 / (variable.high - variable.low + 1)
            case Choice():
                width = 1.0 / len(variable.options)
            case _:
                width = 0.0
        steps += [0.2 * width] * variable.dimension
    return np.asarray(steps)


class PointAgent(ABC):
    """An agent whose proposals are single points; see `Proposer` for its obligations."""

    kind: str

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        assert problem.space is not None, "point agents work on spaces of parameters"
        self.name = name
        self._space = problem.space
        self._sign = problem.metric.sign
        self._seed_point = self._space.encode(problem.seed.content)
        self._rng = np.random.default_rng(seed)
        self._given = 0
        self._worst = 0.0
        self._pending: dict[str, list[int]] = {}
        self._known: dict[str, Merit] = {}

    @abstractmethod
    def _point(self, view: View) -> Vector | None:
        """The next point of the unit cube, shape (dimension,), or None while results are awaited."""

    @abstractmethod
    def _learn(self, number: int, merit: Merit) -> None:
        """Take note that the point that was given as the `number`-th (from 0) has this merit."""

    def _penalised(self, merit: Merit) -> float:
        """One finite cost for a merit, on a scale that only grows: above every feasible cost seen where it is not."""
        rank, amount = merit
        if rank == 0:
            self._worst = max(self._worst, amount)
            return amount
        return self._worst + amount + (1.0 + abs(self._worst)) * (rank - 1)

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """At most `evaluations` points, and no more than the view allows, that were never proposed before."""
        proposals: list[Proposal] = []
        repeats = 0
        while len(proposals) < min(evaluations, view.proposals_max) and repeats < REPEATS_MAX:
            point = self._point(view)
            if point is None:
                break
            proposal = self._propose(point)
            if proposal is None:
                repeats += 1
            else:
                proposals.append(proposal)
        return proposals

    def _propose(self, point: Vector) -> Proposal | None:
        candidate = Candidate.parameters(self._space.decode(point))
        number, self._given = self._given, self._given + 1
        if (merit := self._known.get(candidate.hash)) is not None:
            self._learn(number, merit)
        elif candidate.hash in self._pending:
            self._pending[candidate.hash].append(number)
        else:
            self._pending[candidate.hash] = [number]
            return Proposal(candidate, self.kind)
        return None

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn the merit of proposed points."""
        for outcome in outcomes:
            assert outcome.proposal.candidate is not None, "a point agent proposes candidates"
            key = outcome.proposal.candidate.hash
            merit = merit_of(outcome, self._sign)
            self._known[key] = merit
            if len(self._known) > KNOWN_CANDIDATES_MAX:
                del self._known[next(iter(self._known))]
            for number in self._pending.pop(key, ()):
                self._learn(number, merit)
