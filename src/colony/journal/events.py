"""The closed list of kinds of records, with the fields that each body must have, and the way old bodies become new.

A kind is a stable name with a version; a change that old readers would misread is a new version, and `upcast` turns the
old one into it on reading. A body may hold more fields than these. What this file does not do: import a class for a
kind; names never follow code.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from colony.primitives.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Body: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: a sentence that says what such a record states, and the type of each required field of its body."""

    about: str
    fields: Mapping[str, type | tuple[type, ...]]


_NUMBER: Final = (int, float)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "identity.delegated/1": Kind(
            "The replica's key lets the keys of one run act for it.",
            {"run": str, "root": str, "delegates": dict, "signature": str},
        ),
        "run.started/1": Kind(
            "A run began: its problem, budgets, seed, settings, agents and isolation.",
            {
                "run": str,
                "colony": str,
                "problem": dict,
                "seed": int,
                "settings": dict,
                "budget": dict,
                "agents": list,
                "archive": dict,
                "isolation": dict,
                "offers": list,
            },
        ),
        "evaluator.attacked/1": Kind(
            "The seed was measured, its noise too, and the evaluator was given cheats.",
            {
                "run": str,
                "attacks": list,
                "winners": list,
                "accepted": bool,
                "noise": dict,
                "evaluations": int,
                "seed": dict,
            },
        ),
        "experiment.proposed/1": Kind(
            "An agent proposed a batch of experiments.",
            {"run": str, "batch": int, "agent": str, "grant": int, "proposals_max": int, "experiments": list},
        ),
        "experiment.decided/1": Kind(
            "Batches were decided on, before any of them ran: what was reserved, what was refused and why.",
            {"run": str, "isolation": str, "batches": list},
        ),
        "experiment.evaluated/1": Kind(
            "Batches ended, each experiment with its score or its failure.",
            {"run": str, "isolation": str, "batches": list},
        ),
        "candidate.claimed/1": Kind(
            "An agent claims that its candidate is a new best.",
            {"run": str, "experiment": str, "agent": str, "value": _NUMBER, "candidate": str, "content": dict},
        ),
        "verdict.given/1": Kind(
            "The verifier re-executed a claim in another sandbox and says what came out.",
            {
                "run": str,
                "experiment": str,
                "candidate": str,
                "verdict": str,
                "values": list,
                "evaluations": int,
                "reason": str,
                "isolation": str,
                "cpu_seconds": _NUMBER,
            },
        ),
        "holdout.scored/1": Kind(
            "The verified best was scored once on data that no agent has seen.", {"run": str, "experiment": str}
        ),
        "baseline.measured/1": Kind(
            "The best plain method alone, at the same number of evaluations.",
            {"run": str, "name": str, "evaluations": int, "all": list},
        ),
        "run.finished/1": Kind(
            "A run ended, with the reason, its figures and the hash of its state.",
            {"run": str, "reason": str, "state_hash": str, "experiments": int, "evaluations": int},
        ),
        "run.resumed/1": Kind("A run that had stopped goes on.", {"run": str, "budget": dict}),
        "memory.committed/1": Kind(
            "A transaction on named shared memory was committed: who acted, and the new values by name.",
            {"run": str, "agent": str, "changes": dict},
        ),
        "trial.started/1": Kind(
            "Agents that share a memory began to work at a task of an experiment.",
            {"run": str, "experiment": str, "task": str, "agents": int, "seed": int},
        ),
        "trial.ended/1": Kind(
            "They ended, with what they reached and the hash of the memory they shared.",
            {"run": str, "state_hash": str, "quality": _NUMBER, "solved": bool, "evaluations": int},
        ),
        "task.added/1": Kind("Tasks came to be: the id, the title and what is not as usual of each.", {"tasks": list}),
        "task.set/1": Kind("Fields of tasks were given new values.", {"settings": list}),
        "task.moved/1": Kind(
            "Tasks were claimed, stolen, given back, finished, reopened or went a step, each as seen at a fence.",
            {"moves": list},
        ),
        "task.held/1": Kind("A human holds tasks, or ends holds that are named.", {"holds": list}),
        "task.linked/1": Kind("Tasks wait for others: before, after, and ^ (must) or ; (had better).", {"edges": list}),
        "task.unlinked/1": Kind(
            "Tasks no longer wait for others: as above, with the records whose word is ended.", {"edges": list}
        ),
        "task.deleted/1": Kind("Tasks were deleted for good.", {"deletions": list}),
        "task.attempted/1": Kind(
            "Somebody tried a task: with which model, at what cost, and what came out; the unknown is left out.",
            {"task": str, "kind": str, "agent": str, "tier": int},
        ),
    }
)

UPCASTS: Final[Mapping[str, Callable[[Body], tuple[str, Body]]]] = MappingProxyType({})


def check(kind: str, body: Body, *, kinds: Mapping[str, Kind] = KINDS) -> None:
    """Refuse a body that its kind does not allow.

    Raises:
        JournalError: the kind is unknown, or a required field is missing or of another type.
    """
    known = kinds.get(kind)
    if known is None:
        raise JournalError(f"the kind {kind!r} is not in the list of events; add it there before writing it")
    for field, wanted in known.fields.items():
        value = body.get(field)
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            found = type(value).__name__ if field in body else "missing"
            raise JournalError(f"field {field!r} of a {kind} must be {_name(wanted)}, and is {found}")


def upcast(
    kind: str, body: Body, *, upcasts: Mapping[str, Callable[[Body], tuple[str, Body]]] = UPCASTS
) -> tuple[str, Body]:
    """Return a stored kind and body in their current version; the stored bytes stay as they were signed."""
    while step := upcasts.get(kind):
        kind, body = step(body)
    return kind, body


def _name(wanted: type | tuple[type, ...]) -> str:
    return " or ".join(one.__name__ for one in (wanted if isinstance(wanted, tuple) else (wanted,)))
