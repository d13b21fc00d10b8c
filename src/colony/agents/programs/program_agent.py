"""What the agents for programs share: choose a parent, change it, never propose the same twice, learn what pays.

A subclass says how a parent becomes a child (`operators`, `child`). Nothing here knows how a program is evaluated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import libcst as cst
import numpy as np

from colony.agents.programs.parents import Cost, Parent, Parents, cost_of
from colony.agents.programs.pieces import Files, Place, pieces, text_of, tidied, tree_of, with_piece
from colony.agents.programs.sites import open_ended, unresolved
from colony.agents.proposer import Outcome, Proposal, View
from colony.primitives.limits import KNOWN_CANDIDATES_MAX
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

ATTEMPTS_PER_PROPOSAL = 20
BATCH_MAX = 16
GROWTH_MAX = 4
GROWTH_CHARACTERS = 600


class ProgramAgent(ABC):
    """A proposer of programs. Implements `Proposer`; deterministic given `seed` and the calls made."""

    kind = "program"
    operators: tuple[str, ...] = ()

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        assert problem.program is not None, "an agent for programs needs a program problem"
        self.name = name
        self.problem = problem
        self.program = problem.program
        self.rng = np.random.default_rng(seed)
        self.parents = Parents(problem, self.rng)
        self._costs: dict[str, Cost] = {}
        self._credit = dict.fromkeys(self.operators, 1.0)
        self._seen = {problem.seed.hash: None}
        self._characters_max = GROWTH_MAX * self._characters(self.program.files) + GROWTH_CHARACTERS

    @staticmethod
    def _characters(files: Files) -> int:
        """How much may change: the length of all mutable pieces."""
        return sum(map(len, pieces(files).values()))

    def choose(self, view: View) -> Parent:
        """What to build on next."""
        return self.parents.choose(view, self.rng)

    @abstractmethod
    def child(self, operator: str, parent: Parent, view: View) -> tuple[Files, tuple[str, ...]] | None:
        """The files that an operator makes of a parent, and the other experiments it drew on; None where it cannot."""

    def finished(self, files: Files, place: Place, tree: cst.Module) -> Files | None:
        """The files with a changed piece, tidied; None where a name or a returned value may be missing."""
        text = pieces(files)[place]
        before = tree_of(text)
        tree = tidied(tree)
        if before is None or not (unresolved(tree) <= unresolved(before) and open_ended(tree) <= open_ended(before)):
            return None
        return with_piece(files, place, text_of(tree, text))

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """New candidates, none that this agent proposed before; fewer where nothing new was found."""
        wanted = min(evaluations, view.proposals_max, BATCH_MAX)
        proposals: list[Proposal] = []
        for _ in range(wanted * ATTEMPTS_PER_PROPOSAL):
            if len(proposals) == wanted:
                break
            proposals += self._attempt(view)
        return proposals

    def _attempt(self, view: View) -> list[Proposal]:
        parent = self.choose(view)
        operator = self._operator()
        made = self.child(operator, parent, view)
        if made is None:
            return []
        files, others = made
        candidate = Candidate.program(files)
        if candidate.hash in self._seen or not self._is_allowed(candidate):
            return []
        self._seen[candidate.hash] = None
        if len(self._seen) > KNOWN_CANDIDATES_MAX:
            del self._seen[next(iter(self._seen))]
        self._costs[candidate.hash] = parent.cost
        experiments = tuple(dict.fromkeys(e for e in (parent.experiment, *others) if e))
        return [Proposal(candidate, operator, parents=experiments)]

    def _operator(self) -> str:
        weights = np.array([self._credit[name] for name in self.operators])
        return self.operators[int(self.rng.choice(len(weights), p=weights / weights.sum()))]

    def _is_allowed(self, candidate: Candidate) -> bool:
        return self._characters(candidate.content) <= self._characters_max and not self.problem.faults(candidate)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Remember what was good, and give operators credit for children that beat their parent."""
        self.parents.remember(outcomes)
        for outcome in outcomes:
            before = self._costs.pop(outcome.proposal.candidate.hash, None) if outcome.proposal.candidate else None
            if before is None or outcome.proposal.operator not in self._credit:
                continue
            after = cost_of(self.problem, outcome)
            won = after is not None and after < before
            credit = self._credit[outcome.proposal.operator]
            self._credit[outcome.proposal.operator] = max(0.2, 0.99 * credit) + (0.5 if won else 0.0)
