"""Perturb-and-resolve agents: chains of basin hopping that live in worker jobs and travel between them.

An agent has several chains, so that its jobs may overlap; each keeps its own point. A chain that has not improved for
long starts anew, sometimes from an elite of the colony, mostly from nowhere: that is what keeps the chains apart.
Which moves to use is learnt from what they gained. No hopping happens here; see `searches.hop`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

EVALUATIONS_PER_JOB = 1_500
IDLE_MAX = 200
ELITE_SHARE = 0.25
CHAINS_MAX = 16
METHOD = "colony.agents.searches.hop:search"
TRIALS_BEFORE = 20.0  # uses of a move that its first weight is worth


@dataclass(frozen=True, slots=True)
class Resting:
    """A chain between two jobs."""

    candidate: Candidate
    state: Mapping[str, Any]
    experiment: str


@dataclass(slots=True)
class Tally:
    """How often a move was used and how often it gained."""

    uses: int = 0
    gains: int = 0

    @property
    def weight(self) -> float:
        """The expected gains of a use, held up so that no move is forgotten."""
        return (self.gains + 1.0) / (self.uses + TRIALS_BEFORE)


@dataclass
class Hop:
    """Proposes pieces of basin hopping chains, for spaces of floats."""

    name: str
    problem: Problem
    seed: int
    kind: str = field(default="hop", init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._resting: list[Resting] = []
        self._running = 0
        self._tallies: dict[str, Tally] = {}

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """One job: the chain that has rested longest goes on, or a new one starts; none where too many are running."""
        if not self._resting and self._running >= CHAINS_MAX:
            return []
        granted = min(evaluations, EVALUATIONS_PER_JOB)
        self._running += 1
        seed = int(self._rng.integers(2**31))
        chain = self._resting.pop(0) if self._resting else None
        if chain is None or chain.state["idle"] > IDLE_MAX:
            chain = self._fresh(view)
        spec: dict[str, Any] = {"weights": {name: tally.weight for name, tally in self._tallies.items()}}
        if chain is None:
            return [Proposal(None, "hop", granted, METHOD, spec, seed)]
        spec.update(chain.state)
        return [Proposal(chain.candidate, "hop", granted, METHOD, spec, seed, (chain.experiment,))]

    def _fresh(self, view: View) -> Resting | None:
        """A chain that starts at an elite, or None for one that starts from nowhere."""
        if not view.elites or self._rng.random() >= ELITE_SHARE:
            return None
        elite = view.elites[self._rng.integers(len(view.elites))]
        cost = self.problem.metric.sign * elite.value
        return Resting(elite.candidate, {"cost": cost, "best": cost, "idle": 0}, elite.experiment)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Take back the chains and what their moves gained."""
        for outcome in outcomes:
            self._running -= 1
            notes = outcome.notes or {}
            for name, (uses, gains) in notes.get("tallies", {}).items():
                tally = self._tallies.setdefault(name, Tally())
                tally.uses += uses
                tally.gains += gains
            if notes.get("values") is not None:
                state = {key: notes[key] for key in ("cost", "best", "idle", "spread")}
                self._resting.append(Resting(Candidate.parameters(notes["values"]), state, outcome.experiment))
