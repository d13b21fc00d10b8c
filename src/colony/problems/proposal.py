"""A proposal: what an agent wants evaluated, as a value that can be recorded, sent to a worker and asked again.

Either one candidate, or a *search*: a named method that runs next to the evaluator in a sandbox, from a start, within a
number of evaluations. It says nothing about whether it may run: that is a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from colony.primitives.encoding import canonical
from colony.problems.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agent wants evaluated.

    `candidate` is the point itself, or the start of a search (None: the method chooses). `method` is None for a point,
    else "module:function" under `colony.agents`. `evaluations` is what it may cost at most. `parents` are the ids of
    the experiments that it builds on, `operator` how it was made (a short stable word).
    """

    candidate: Candidate | None
    operator: str
    evaluations: int = 1
    method: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    parents: tuple[str, ...] = ()

    def as_record(self, experiment: str) -> dict[str, Any]:
        """The JSON-able form under the id of its experiment; what is at its default is left out."""
        record: dict[str, Any] = {"id": experiment, "operator": self.operator}
        if self.candidate is not None:
            record["candidate"] = self.candidate.hash
            record["content"] = dict(self.candidate.content)
        if self.method is not None:
            record.update(method=self.method, spec=dict(self.spec), seed=self.seed)
        if self.evaluations != 1:
            record["evaluations"] = self.evaluations
        if self.parents:
            record["parents"] = list(self.parents)
        return record


def experiment_id(problem: str, agent: str, number: int, proposal: Proposal) -> str:
    """The 32 hex digits that name one experiment: who proposed what, as its how-manieth, for which problem hash."""
    what = proposal.candidate.hash if proposal.candidate is not None else ""
    if proposal.method is None:
        text = f"{problem}\n{agent}\n{number}\n{what}"
        return sha256(text.encode()).hexdigest()[:32]
    how = canonical({"method": proposal.method, "spec": dict(proposal.spec), "seed": proposal.seed})
    return sha256(f"{problem}\n{agent}\n{number}\n{what}\n".encode() + how).hexdigest()[:32]
