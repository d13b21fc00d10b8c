"""Diversity, measured at every step: whether this is still a swarm, or one idea many times over.

Cheap numbers: the evenness of operators and of agents over a decayed window (Shannon entropy over the logarithm of how
many there are; Pielou 1966), the share of the elites that go back to one lineage, and how far the elites lie apart. It
measures and governs nothing; allocation and the archive do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WINDOW_EXPERIMENTS = 500.0
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True)
class DiversityStatistics:
    """How many-sided the colony is now.

    `operators` and `agents` go from 0 (only one is used) to 1 (all alike); `leading_lineage` is the part of the elites
    that go back to the largest lineage; `spacing` the mean distance between neighbouring elites, in sides of the grid.
    """

    operators: float
    agents: float
    leading_lineage: float
    spacing: float = 0.0

    def as_record(self) -> dict[str, float]:
        """The JSON-able form."""
        return {
            "operators": round(self.operators, 4),
            "agents": round(self.agents, 4),
            "leading_lineage": round(self.leading_lineage, 4),
            "spacing": round(self.spacing, 4),
        }


class Shares:
    """Decayed counts by name."""

    def __init__(self) -> None:
        self._counts: dict[str, float] = {}

    def add(self, names: Iterable[str], *, decay: float) -> None:
        """Let what was counted fade by `decay`, then count `names`."""
        for name in list(self._counts):
            self._counts[name] *= decay
            if self._counts[name] < NEGLIGIBLE:
                del self._counts[name]
        for name, count in Counter(names).items():
            self._counts[name] = self._counts.get(name, 0.0) + count

    def evenness(self) -> float:
        """Entropy over its maximum: 1 where all are used alike, 0 where there is only one."""
        total = sum(self._counts.values())
        if len(self._counts) < 2 or total <= 0:
            return 0.0
        shares = [count / total for count in self._counts.values()]
        return -sum(p * math.log(p) for p in shares if p > 0) / math.log(len(shares))


class Diversity:
    """Folds batches into shares; `statistics` at any time."""

    def __init__(self) -> None:
        self._operators = Shares()
        self._agents = Shares()

    def observe(self, agent: str, operators: Sequence[str]) -> None:
        """Note one batch: who made it, and the operator of each experiment."""
        decay = 0.5 ** (len(operators) / WINDOW_EXPERIMENTS)
        self._operators.add(operators, decay=decay)
        self._agents.add([agent] * len(operators), decay=decay)

    def evenness(self) -> float:
        """The evenness of operators lately."""
        return self._operators.evenness()

    def statistics(self, lineages: Sequence[str] = (), spacing: float = 0.0) -> DiversityStatistics:
        """The numbers now; `lineages` names the lineage of each elite, `spacing` is the archive's."""
        largest = max(Counter(lineages).values(), default=0)
        share = largest / len(lineages) if lineages else 0.0
        return DiversityStatistics(self._operators.evenness(), self._agents.evenness(), share, spacing)
