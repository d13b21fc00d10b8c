"""Perturb-and-resolve agents: chains of local optima that live in worker jobs and travel between them.

An agent has several chains, so that its jobs may overlap; each keeps its own point. A chain that has not improved for
long starts anew, sometimes from an elite of the colony, mostly from nowhere: that is what keeps the chains apart.
Which moves to use is learnt from what they gained. No hopping happens here; see `searches.hop`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.agents.searches.chain import STATE
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

IDLE_MAX = 200
ELITE_SHARE = 0.25
CHAINS_MAX = 16
TRIALS_BEFORE = 20.0  # uses of a move that its first weight is worth


@dataclass(frozen=True, slots=True)
class Resting:
    """A chain between two jobs; `candidate` is None where it has found nothing yet."""

    candidate: Candidate | None
    state: Mapping[str, Any]
    parents: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """How often a move was used and how often it gained."""

    uses: int = 0
    gains: int = 0

    @property
    def weight(self) -> float:
        """The expected gains of a use, held up so that no move is forgotten."""
        return (self.gains + 1.0) / (self.uses + TRIALS_BEFORE)


class Hop:
    """Proposes pieces of basin hopping chains, for spaces of floats."""

    kind = "hop"
    method = "colony.agents.searches.hop:search"
    evaluations_per_job = 1_500

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        self.name = name
        self._sign = problem.metric.sign
        self._rng = np.random.default_rng(seed)
        self._resting: list[Resting] = []
        self._running = self._distrust = 0
        self._tallies: dict[str, Tally] = {}

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """One job: the chain that has rested longest goes on, or a new one starts; none where too many are running."""
        if not self._resting and self._running >= CHAINS_MAX:
            return []
        self._running += 1
        chain = self._resting.pop(0) if self._resting else None
        if chain is None or chain.state.get("idle", 0) > IDLE_MAX:
            chain = self._fresh(view)
        weights = {name: tally.weight for name, tally in self._tallies.items()}
        spec = {**chain.state, "weights": weights, "distrust": self._distrust}
        granted, seed = min(evaluations, self.evaluations_per_job), int(self._rng.integers(2**31))
        return [Proposal(chain.candidate, self.kind, granted, self.method, spec, seed, chain.parents)]

    def _fresh(self, view: View) -> Resting:
        """A chain that starts at an elite or, more often, from nowhere."""
        if not view.elites or self._rng.random() >= ELITE_SHARE:
            return Resting(None, {}, ())
        elite = view.elites[self._rng.integers(len(view.elites))]
        cost = self._sign * elite.value
        return Resting(elite.candidate, {"cost": cost, "best": cost}, (elite.experiment,))

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Take back the chains and what their moves gained."""
        for outcome in outcomes:
            self._running -= 1
            notes = outcome.notes or {}
            self._distrust = notes.get("distrust", self._distrust)
            for name, (uses, gains) in notes.get("tallies", {}).items():
                tally = self._tallies.setdefault(name, Tally())
                tally.uses += uses
                tally.gains += gains
            state = {key: notes[key] for key in (*STATE, "trial") if key in notes}
            if state:
                candidate = Candidate.parameters(notes["values"]) if "values" in notes else None
                self._resting.append(Resting(candidate, state, (outcome.experiment,)))
