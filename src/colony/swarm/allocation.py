"""Which agent gets the next evaluations: a bandit on gain per cost, with a floor so that none starves.

Every agent has a target share, and the next evaluations go to the waiting agent that is furthest behind its own (stride
scheduling). A share follows from the agent's pace: the part of its recent cost that went into batches which improved the
colony's best. Only whether a batch improved counts, never by how much, so that any monotone change of the metric
leaves every choice as it is. What is recent grows with the run: the memory halves over a tenth of all evaluations so far.
Agents of one kind are first tried one after the other, and share what is known of the kind.

There is no randomness: the same calls give the same choices, so the state is a fold over what was recorded.
It evaluates nothing, and knows nothing of what the agents do. Derivation and measurements: docs/explanation/allocation.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import sqrt

TRUST: Mapping[str, float] = {"model-cma-es": 10.0, "hop": 10.0, "multistart": 1.0, "coordinate-search": 1.0}
"""How much pace is expected of a kind before anything is known; `TRUST_DEFAULT` for kinds that do not stand here."""

TRUST_DEFAULT = 0.1
TRUST_EVALUATIONS = 60.0  # how many evaluations of evidence the expectation is worth
HALVING_SHARE, HALVING_MIN = 0.1, 50.0  # the memory halves over this part of all evaluations, at least so many
SUCCESSOR = 0.25  # the expectation of each further agent of a kind, relative to the one before it
COST_RATIO_MAX = 16.0  # how much dearer or cheaper than the average an agent's seconds can make its evaluations


@dataclass(slots=True)
class Pace:
    """Decayed evidence: cost, and the part of it that was spent in improving batches."""

    improving: float = 0.0
    cost: float = 0.0

    def decay(self, keep: float) -> None:
        """Forget all but a part."""
        self.improving *= keep
        self.cost *= keep

    def add(self, cost: float, *, improved: bool) -> None:
        """Enter one batch."""
        self.cost += cost
        self.improving += cost * improved

    def towards(self, expected: float) -> float:
        """The pace, drawn towards what is expected of it while the evidence is thin."""
        return (self.improving + expected * TRUST_EVALUATIONS) / (self.cost + TRUST_EVALUATIONS)


@dataclass(frozen=True, slots=True)
class AllocationStatistics:
    """`shares` sum to 1; `evaluations` is what each agent has had so far; `owed` what it is behind (or ahead, below 0)."""

    shares: Mapping[str, float]
    evaluations: Mapping[str, int]
    owed: Mapping[str, float]


class Allocator:
    """`kinds` maps agent names to their kinds, in the order in which agents of a kind are tried and ties are broken.

    `floor` is the part of all evaluations that is dealt out evenly. `trust` replaces `TRUST`. With `use_seconds` a cost is
    evaluations times the root of how much longer they take than the average; without it seconds are ignored.
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
        self._members: dict[str, list[str]] = {}
        for name, kind in kinds.items():
            self._members.setdefault(kind, []).append(name)
        expected = {kind: (TRUST if trust is None else trust).get(kind, TRUST_DEFAULT) for kind in self._members}
        self._trust = {kind: value / sum(expected.values()) for kind, value in expected.items()}
        self._kinds = dict(kinds)
        self._agents = {name: Pace() for name in kinds}
        self._of_kind = {kind: Pace() for kind in self._members}
        self._spent = dict.fromkeys(kinds, 0)
        self._total = Pace()  # undecayed: evaluations and seconds of the whole colony, for the average
        self._owed = dict.fromkeys(kinds, 0.0)
        self._shares: dict[str, float] | None = None

    def choose(self, waiting: Collection[str]) -> str:
        """The agent among `waiting` (not empty) that is owed most."""
        shares = self.shares()
        return max((name for name in self._kinds if name in waiting), key=lambda name: (self._owed[name], shares[name]))

    def grant(self, offered: int, agent: str) -> int:
        """How many of `offered` evaluations to give to an agent at once: its share of them, doubled, at least 1.

        So a small budget is not spent on the first long batch of an agent that nobody expects much of.
        """
        return max(1, min(offered, round(2 * offered * self.shares()[agent])))

    def observe(self, agent: str, *, evaluations: int, seconds: float, gain: float) -> None:
        """Book what a batch of `agent` cost, and whether it improved the colony's best (`gain` above 0)."""
        for name, share in self.shares().items():
            self._owed[name] += evaluations * share
        self._owed[agent] -= evaluations
        self._spent[agent] += evaluations
        self._total.cost += evaluations
        self._total.improving += seconds
        keep = 0.5 ** (evaluations / max(HALVING_MIN, HALVING_SHARE * self._total.cost))
        for pace in (*self._agents.values(), *self._of_kind.values()):
            pace.decay(keep)
        cost = self._cost(evaluations, seconds)
        for pace in (self._agents[agent], self._of_kind[self._kinds[agent]]):
            pace.add(cost, improved=gain > 0)
        self._shares = None

    def _cost(self, evaluations: int, seconds: float) -> float:
        if not self._use_seconds or not self._total.improving or not evaluations:
            return float(evaluations)
        ratio = (seconds / evaluations) / (self._total.improving / self._total.cost)
        return evaluations * sqrt(min(max(ratio, 1 / COST_RATIO_MAX), COST_RATIO_MAX))

    def shares(self) -> Mapping[str, float]:
        """The target share of each agent: they sum to 1, and none is below the floor divided by their number."""
        if self._shares is None:
            kinds = {kind: pace.towards(self._trust[kind]) for kind, pace in self._of_kind.items()}
            total = sum(kinds.values())
            even = self._floor / len(self._kinds)
            self._shares = dict.fromkeys(self._kinds, even)
            for kind, pace in kinds.items():
                for name, part in self._within(kind, pace).items():
                    self._shares[name] += (1.0 - self._floor) * pace / total * part
        return self._shares

    def _within(self, kind: str, pace: float) -> dict[str, float]:
        """How the agents of a kind divide its share: by pace, untried ones expected to do worse one after the other."""
        paces = {n: self._agents[n].towards(pace * SUCCESSOR**i) for i, n in enumerate(self._members[kind])}
        total = sum(paces.values())
        return {name: own / total if total else 1 / len(paces) for name, own in paces.items()}

    def statistics(self) -> AllocationStatistics:
        """Shares, evaluations so far, and what each agent is owed."""
        return AllocationStatistics(dict(self.shares()), dict(self._spent), dict(self._owed))
