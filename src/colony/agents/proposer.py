"""The seam between the swarm and an agent: ask for proposals, tell what became of them.

Agents are synchronous and deterministic: everything they know
comes through `ask`, `tell` and their own random stream, so that the same run asks the same questions again on replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from colony.memory.elite import Elite
from colony.problems.candidate import Candidate
from colony.problems.proposal import Proposal

__all__ = ["Elite", "Outcome", "OutcomeStatus", "Proposal", "Proposer", "View"]


OutcomeStatus = Literal["ok", "infeasible", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one proposal. For a search, `candidate` and `value` are the best it found."""

    experiment: str
    proposal: Proposal
    status: OutcomeStatus
    value: float | None = None
    candidate: Candidate | None = None
    violation: float = 0.0
    evaluations: int = 1
    reason: str = ""
    notes: Any = None


def never_visited(_candidate: Candidate) -> int:
    """The visits of a region where nobody keeps count."""
    return 0


@dataclass(frozen=True, slots=True)
class View:
    """What an agent sees of the colony when it is asked: the elites, best first, and how far the run is.

    `proposals_max` is how many proposals may be made this time; `visits` says how often the region of a candidate has
    been visited by anybody.
    """

    elites: tuple[Elite, ...] = ()
    evaluations_used: int = 0
    evaluations_left: int | None = None
    proposals_max: int = 64
    visits: Callable[[Candidate], int] = never_visited

    @property
    def best(self) -> Elite | None:
        """The best candidate of the colony, if there is one."""
        return self.elites[0] if self.elites else None


class Proposer(Protocol):
    """An agent's mind. Obligations: deterministic given its seed and the calls made; quick (no evaluation inside)."""

    name: str
    kind: str

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """Proposals worth at most `evaluations` in total; none where it waits for results or has nothing to try."""
        ...

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Learn what became of its own proposals; called once for each, in any order across asks."""
        ...
