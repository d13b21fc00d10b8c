"""Perturb and resolve: disturb the current optimum, descend again, keep what is better or only a little worse.

Basin hopping (Wales and Doye 1997) with a threshold that is a small part of the usual change, and with moves on items
(see `moves`). One job is a piece of one chain; the state that goes from job to job travels in `spec` and in the notes.
It never restarts: that is the agent's decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colony.agents.searches.moves import Moves
from colony.agents.searches.smooth import Descent, End
from colony.problems.oracle import Exhausted, Oracle
from colony.problems.space import Values

WARMTH = 0.05  # the mean tolerance for something worse, as a part of the usual change
FORGETTING = 0.05
GAIN_MIN = 1e-9


@dataclass(slots=True)
class Chain:
    """Where a chain is: the current values and cost, its best cost, hops since then, the usual change of a hop."""

    values: Values | None = None
    cost: float = math.inf
    best: float = math.inf
    idle: int = 0
    spread: float = 0.0
    tallies: dict[str, list[int]] = field(default_factory=dict)

    def hop(self, end: End, rng: np.random.Generator) -> bool:
        """Move to `end` or stay; whether the hop improved the current cost."""
        change = end.cost - self.cost
        if math.isfinite(change) and abs(change) > GAIN_MIN:
            self.spread += (abs(change) - self.spread) * (FORGETTING if self.spread else 1.0)
        if end.cost <= self.cost + WARMTH * self.spread * rng.exponential():
            self.values, self.cost = end.values, end.cost
        self.idle = 0 if end.cost < self.best - GAIN_MIN else self.idle + 1
        self.best = min(self.best, end.cost)
        return change < -GAIN_MIN

    def notes(self) -> dict[str, Any]:
        """What the agent is told; costs are absent where nothing feasible was found."""
        state = {"idle": self.idle, "spread": self.spread, "tallies": self.tallies}
        return {**state, "values": self.values, "cost": self.cost, "best": self.best} if self.values is not None else state


def search(oracle: Oracle, values: Values | None, spec: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Hop on from `values` at `spec["cost"]`, or from a random optimum, until the evaluations are spent.

    `spec`: `cost`, `best`, `idle`, `spread` of the chain, as the notes of its last job gave them, and `weights`, how often
    to use each move. Returns the notes: where the chain is now, and `tallies`, uses and gains of each move.
    """
    chain = Chain(values, **{k: spec[k] for k in ("cost", "best", "idle", "spread") if k in spec})
    moves, descend = Moves(oracle.space), Descent(oracle)
    names = list(moves.named)
    weights = np.asarray([spec.get("weights", {}).get(name, 1.0) for name in names])
    try:
        while chain.values is None or not math.isfinite(chain.cost):
            start = chain.values or oracle.repaired(oracle.space.decode(rng.random(oracle.space.dimension)))
            chain.hop(descend(start), rng)
        while oracle.left > 0:
            name = str(rng.choice(names, p=weights / weights.sum()))
            moved = oracle.space.decode(moves(name, oracle.space.encode(chain.values), rng))
            tally = chain.tallies.setdefault(name, [0, 0])
            tally[1] += chain.hop(descend(oracle.repaired(moved)), rng)
            tally[0] += 1
    except Exhausted:
        pass
    return chain.notes()
