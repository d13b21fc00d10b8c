"""A chain of local optima: where it is, what it accepts, and how it travels from job to job.

The threshold is a small part of the usual change of a hop, so that it needs no scale of the metric. The state travels
as the notes of one job and the `spec` of the next. It neither disturbs nor descends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colony.agents.searches.smooth import End
from colony.problems.space import Values

WARMTH = 0.05  # the mean tolerance for something worse, as a part of the usual change
FORGETTING = 0.05
GAIN_MIN = 1e-9
STATE = ("cost", "best", "idle", "spread")


@dataclass(slots=True)
class Chain:
    """The current values and cost, the best cost, hops since then, the usual change of a hop, tallies of each move."""

    values: Values | None = None
    cost: float = math.inf
    best: float = math.inf
    idle: int = 0
    spread: float = 0.0
    tallies: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def resumed(cls, values: Values | None, spec: Mapping[str, Any]) -> Chain:
        """The chain at `values` in the state that `spec` tells."""
        return cls(values, **{key: spec[key] for key in STATE if key in spec})

    @property
    def is_lost(self) -> bool:
        """True where there is nothing feasible to go on from."""
        return self.values is None or not math.isfinite(self.cost)

    def hop(self, end: End, rng: np.random.Generator, move: str | None = None) -> None:
        """Go to `end` or stay, and count what `move` gained."""
        change = end.cost - self.cost
        if math.isfinite(change) and abs(change) > GAIN_MIN:
            self.spread += (abs(change) - self.spread) * (FORGETTING if self.spread else 1.0)
        if end.cost <= self.cost + WARMTH * self.spread * rng.exponential():
            self.values, self.cost = end.values, end.cost
        self.idle = 0 if end.cost < self.best - GAIN_MIN else self.idle + 1
        self.best = min(self.best, end.cost)
        if move is not None:
            tally = self.tallies.setdefault(move, [0, 0])
            tally[0] += 1
            tally[1] += change < -GAIN_MIN

    def notes(self) -> dict[str, Any]:
        """What the agent is told: `values` and the state, absent where the chain is lost, and the tallies."""
        if self.is_lost:
            return {"tallies": self.tallies}
        return {"tallies": self.tallies, "values": self.values, **{key: getattr(self, key) for key in STATE}}
