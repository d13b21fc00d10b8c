"""Which agent gets the next evaluations: a bandit on gain per cost, with a floor so that none starves.

Every agent has a target share. Its pace is what it gained per cost lately, drawn towards the pace of its kind, so that
many agents of one kind learn from each other. The next evaluations go to the waiting agent that is furthest behind its
share. There is no randomness: the same observations give the same choices, so the state is a fold over outcomes.
It evaluates nothing, and knows nothing of what the agents do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Ledger:
    """Decayed gain and cost of an agent or a kind."""

    gain: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class AllocationStatistics:
    """`shares` sum to 1; `evaluations` is what each agent has been given so far."""

    shares: Mapping[str, float]
    evaluations: Mapping[str, int]


class Allocator:
    """`kinds` maps agent names to their kinds, in the order in which ties are broken."""

    def __init__(
        self,
        kinds: Mapping[str, str],
        *,
        floor: float = 0.1,
        use_seconds: bool = False,
        memory_evaluations: float = 500.0,
    ) -> None:
        self._kinds = dict(kinds)
        self._floor = floor
        self._use_seconds = use_seconds
        self._memory = memory_evaluations
        self._agents = {name: Ledger() for name in kinds}
        self._by_kind = {kind: Ledger() for kind in kinds.values()}
        self._spent = dict.fromkeys(kinds, 0)
        self._behind = dict.fromkeys(kinds, 0.0)

    def choose(self, waiting: Collection[str]) -> str:
        """The agent among `waiting` (not empty) that is furthest behind its share."""
        return max((name for name in self._kinds if name in waiting), key=self._behind.__getitem__)

    def observe(self, agent: str, *, evaluations: int, seconds: float, gain: float) -> None:
        """Book what evaluations of `agent` cost and what they gained (0 or more)."""
        shares = self.shares()
        for name in self._behind:
            self._behind[name] += evaluations * shares[name]
        self._behind[agent] -= evaluations
        self._spent[agent] += evaluations
        cost = seconds if self._use_seconds else float(evaluations)
        keep = 0.5 ** (evaluations / self._memory)
        for ledger in (self._agents[agent], self._by_kind[self._kinds[agent]]):
            ledger.gain = ledger.gain * keep + gain
            ledger.cost = ledger.cost * keep + cost

    def shares(self) -> Mapping[str, float]:
        """The target share of each agent; they sum to 1 and none is below the floor divided by the number of agents."""
        paces = {name: self._pace(name) for name in self._kinds}
        total = sum(paces.values())
        count = len(paces)
        return {
            n: (self._floor + (1 - self._floor) * (p / total * count if total else 1.0)) / count
            for n, p in paces.items()
        }

    def _pace(self, name: str) -> float:
        own, kind = self._agents[name], self._by_kind[self._kinds[name]]
        prior = (kind.gain + 1.0) / (kind.cost + 1.0)
        return (own.gain + prior) / (own.cost + 1.0)

    def statistics(self) -> AllocationStatistics:
        """The shares and what has been spent."""
        return AllocationStatistics(self.shares(), dict(self._spent))
