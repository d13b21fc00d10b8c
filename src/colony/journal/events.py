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


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "run.started/1": Kind("A run began: its problem, budgets, seed and settings.", {"run": str}),
        "run.resumed/1": Kind("A run that had stopped goes on.", {"run": str}),
        "run.finished/1": Kind("A run ended, with the reason and the final figures.", {"run": str}),
        "identity.delegated/1": Kind("One key lets another act in its name.", {"run": str}),
        "evaluator.attacked/1": Kind("The evaluator was given cheats, and its noise was measured.", {"run": str}),
        "experiment.proposed/1": Kind("An agent proposed experiments.", {"run": str}),
        "experiment.decided/1": Kind("Experiments were allowed, before any of them ran.", {"run": str}),
        "experiment.evaluated/1": Kind("Experiments ended, each with its score or its failure.", {"run": str}),
        "candidate.claimed/1": Kind("Its author claims that a candidate is a new best.", {"run": str}),
        "verdict.given/1": Kind("Somebody else re-executed a claim and says what came out.", {"run": str}),
        "holdout.scored/1": Kind("The verified best was scored once by the evaluator no agent sees.", {"run": str}),
        "baseline.measured/1": Kind("The best plain baseline at the same number of evaluations.", {"run": str}),
        "allocation.changed/1": Kind("The shares of the next evaluations among agents moved.", {"run": str}),
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
