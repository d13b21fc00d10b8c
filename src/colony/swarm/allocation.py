"""Which agent gets the next evaluations: a bandit on gain per cost, with a floor so that none starves.

Every agent has a target share, and the next evaluations go to the waiting agent that is owed most of its own. A share
follows from the agent's pace: the part of its recent cost that went into batches which improved the colony's best. Only
whether a batch improved counts, never by how much, so that any monotone change of the metric leaves every choice as it
is. What is recent grows with the run: a tenth of all evaluations so far. Agents of one kind are first tried one after
the other, and share what is known of their kind, so that hundreds of agents do not each have to be learnt.

There is no randomness: the same calls give the same choices, so the state is a fold over what was recorded.
It evaluates nothing, and knows nothing of what the agents do. Reasons and measurements: docs/explanation/allocation.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from colony.problems.space import Vector

Number = TypeVar("Number", int, float)

TRUST: Mapping[str, float] = {
    "model-cma-es": 10.0,
    "hop": 10.0,
    "tour": 10.0,
    "coordinate-search": 6.0,
    "exhaustive": 2.0,
    "multistart": 1.0,
}
"""How much pace is expected of a kind before anything is known; `TRUST_DEFAULT` for kinds that do not stand here."""

TRUST_DEFAULT = 0.05
TRUST_EVALUATIONS = 60.0  # how many evaluations of evidence the expectation is worth
SUCCESSOR = 0.25  # the expectation of each further agent of a kind, relative to the one before it
RECENT_SHARE, RECENT_MIN = 0.1, 50.0  # what is recent: this part of all evaluations so far, at least so many
SECONDS_MIN = 1e-6  # an evaluation is taken to last at least so long
COST_RATIO_MAX = 16.0  # how much dearer or cheaper than the average its seconds can make an agent's evaluations


def trust_for(offers: frozenset[str]) -> Mapping[str, float]:
    """The trust where a problem offers these functions: with a gradient, descents are worth much more."""
    return {**TRUST, "multistart": 4.0 * TRUST["multistart"]} if "gradient" in offers else TRUST


@dataclass(frozen=True, slots=True)
class AllocationStatistics:
    """By agent: target `shares` (sum 1), `evaluations` had so far, and evaluations `owed` (below 0: had too many)."""

    shares: Mapping[str, float]
    evaluations: Mapping[str, int]
    owed: Mapping[str, float]


class Allocator:
    """`kinds` maps agent names to their kinds, in the order in which agents of a kind are tried and ties are broken.

    `floor` is the part of all evaluations that is dealt out evenly. `trust` replaces `TRUST`. With `use_seconds` the
    cost of a batch is its evaluations times the root of how much longer they take than the average; else seconds are
    ignored.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        *,
        floor: float = 0.05,
        use_seconds: bool = False,
        trust: Mapping[str, float] | None = None,
    ) -> None:
        self._floor = floor
        self._use_seconds = use_seconds
        self._index = {name: i for i, name in enumerate(kinds)}
        names = list(dict.fromkeys(kinds.values()))
        self._kind = np.asarray([names.index(kind) for kind in kinds.values()])
        turns = [list(kinds.values())[:i].count(kind) for i, kind in enumerate(kinds.values())]
        self._succession = SUCCESSOR ** np.asarray(turns, dtype=float)
        expected = np.asarray([(TRUST if trust is None else trust).get(kind, TRUST_DEFAULT) for kind in names])
        self._trust = expected / expected.sum()
        self._improving, self._cost = np.zeros(len(kinds)), np.zeros(len(kinds))  # recent evidence by agent
        self._spent = np.zeros(len(kinds), dtype=int)
        self._owed = np.zeros(len(kinds))
        self._evaluations, self._seconds = 0, 0.0
        self._shares = self._targets()

    def choose(self, waiting: Collection[str], *, under_way: Mapping[str, int] | None = None) -> str:
        """The agent among `waiting` (not empty) that is owed most.

        `under_way` are evaluations that agents were given and that are not booked yet.
        """
        given = under_way or {}

        def claim(name: str) -> tuple[float, float, int]:
            at = self._index[name]
            return self._owed[at] - given.get(name, 0), self._shares[at], -at

        return max(waiting, key=claim)

    def grant(self, offered: int, agent: str) -> int:
        """How many of `offered` evaluations to give to an agent at once: twice its share of them, at least 1.

        So a small budget is not spent on the first long batch of an agent of whom little is expected.
        """
        return max(1, min(offered, round(2 * offered * float(self._shares[self._index[agent]]))))

    def observe(self, agent: str, *, evaluations: int, seconds: float, gain: float) -> None:
        """Book what a batch of `agent` cost, and whether it improved the colony's best (`gain` above 0)."""
        at = self._index[agent]
        self._evaluations += evaluations
        self._seconds += seconds
        self._spent[at] += evaluations
        self._settle(at, evaluations)
        keep = 0.5 ** (evaluations / self._recent)
        self._improving *= keep
        self._cost *= keep
        cost = self._cost_of(evaluations, seconds)
        self._cost[at] += cost
        self._improving[at] += cost * (gain > 0)
        self._shares = self._targets()

    @property
    def _recent(self) -> float:
        return max(RECENT_MIN, RECENT_SHARE * self._evaluations)

    def _settle(self, at: int, evaluations: int) -> None:
        """Owe each agent its share of what one of them had, but none more than its share of what is recent."""
        self._owed += evaluations * self._shares
        self._owed[at] -= evaluations
        most = self._shares * self._recent
        over = np.maximum(self._owed - most, 0.0)
        open_shares = np.where(over > 0.0, 0.0, self._shares)
        self._owed -= over
        if open_shares.any():
            self._owed += over.sum() * open_shares / open_shares.sum()

    def _cost_of(self, evaluations: int, seconds: float) -> float:
        if not self._use_seconds or not evaluations:
            return float(evaluations)
        ratio = (seconds / evaluations + SECONDS_MIN) / (self._seconds / self._evaluations + SECONDS_MIN)
        return float(evaluations * np.sqrt(np.clip(ratio, 1 / COST_RATIO_MAX, COST_RATIO_MAX)))

    def _targets(self) -> Vector:
        """The target share of each agent, shape (agents,)."""
        improving = self._kind_sums(self._improving)
        pace = _drawn(improving, self._kind_sums(self._cost), self._trust)
        own = _drawn(self._improving, self._cost, pace[self._kind] * self._succession)
        within = own / self._kind_sums(own)[self._kind]
        return np.asarray(self._floor / len(within) + (1.0 - self._floor) * (pace / pace.sum())[self._kind] * within)

    def _kind_sums(self, values: Vector) -> Vector:
        return np.bincount(self._kind, values, len(self._trust)).astype(np.float64)

    def shares(self) -> Mapping[str, float]:
        """The target share of each agent: they sum to 1, and none is below the floor divided by their number."""
        return self._by_name(self._shares.tolist())

    def statistics(self) -> AllocationStatistics:
        """Shares, evaluations so far, and what each agent is owed."""
        return AllocationStatistics(
            self.shares(), self._by_name(self._spent.tolist()), self._by_name(self._owed.tolist())
        )

    def _by_name(self, values: list[Number]) -> dict[str, Number]:
        return dict(zip(self._index, values, strict=True))


def _drawn(improving: Vector, cost: Vector, expected: Vector) -> Vector:
    """Paces, drawn towards what is expected of them while the evidence is thin."""
    return np.asarray((improving + expected * TRUST_EVALUATIONS) / (cost + TRUST_EVALUATIONS))
