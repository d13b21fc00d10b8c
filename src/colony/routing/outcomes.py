"""One outcome for every routed attempt: the body of a `task.attempted/1` record, as a value.

`success` is the verifier's word and nobody else's; None is an attempt that nobody has verified, which costs but teaches
nothing about success. What this file does not do: fold outcomes (ledger.py), or sign and store records.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from colony.journal.record import SignedRecord
from colony.primitives.errors import UsageError
from colony.routing.tiers import Tier

ATTEMPTED: Final = "task.attempted/1"

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "task": (str,),
    "kind": (str,),
    "agent": (str,),
    "model": (str, type(None)),
    "tier": (int,),
    "tokens_in": (int,),
    "tokens_out": (int,),
    "cost_microdollars": (int,),
    "seconds": (int, float),
    "success": (bool, type(None)),
    "fingerprint": (str, type(None)),
    "error": (str, type(None)),
    "commit": (str, type(None)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt at a task ended. `model` is None where solvers did it."""

    task: str
    kind: str
    agent: str
    model: str | None
    tier: Tier
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microdollars: int = 0
    seconds: float = 0.0
    success: bool | None = None
    fingerprint: str | None = None
    """Of the error it ended with; see fingerprints.py."""
    error: str | None = None
    """The error's normalised text, where it is kept: it makes similar errors findable."""
    commit: str | None = None

    def body(self) -> dict[str, Any]:
        """The body of its record; what is not known is left out."""
        values = {name: getattr(self, name) for name in _TYPES}
        return {name: int(v) if name == "tier" else v for name, v in values.items() if v is not None}


def outcome_from(body: Mapping[str, Any]) -> Outcome:
    """The outcome of a record's body; keys of others are passed over.

    Raises:
        UsageError: a field is missing, of another type, or out of range; it is named.

    """
    needed = ("task", "kind", "agent", "tier")
    for name, types in _TYPES.items():
        value = body.get(name)
        if (value is None and name in needed) or (value is not None and not _is(value, types)):
            raise UsageError(f"outcome: {name}: must be {types[0].__name__}, not {value!r:.80}")
    found = {name: body[name] for name in _TYPES if body.get(name) is not None}
    amounts = ("tokens_in", "tokens_out", "cost_microdollars", "seconds")
    for name in amounts:
        if not 0 <= found.get(name, 0) < math.inf:
            raise UsageError(f"outcome: {name}: must be finite and at least 0, not {found[name]!r}")
    if not Tier.T0 <= found["tier"] <= Tier.T5:
        raise UsageError(f"outcome: tier: 0 to 5, not {found['tier']}")
    return Outcome(**{"model": None, **found, "tier": Tier(found["tier"])})


def outcomes_in(
    records: Iterable[SignedRecord], *, believed: Callable[[str], bool]
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """The outcomes among some records by authors who are `believed`, and the ids of those records that make no sense.

    Each record counts once. The order is (at, author, n, id), alike on every replica, so equal records make equal
    ledgers.
    """
    attempts = {signed.id: signed for signed in records if signed.record.kind == ATTEMPTED}
    outcomes, senseless = [], []
    for signed in sorted(attempts.values(), key=lambda s: (s.record.at, s.record.author, s.record.n, s.id)):
        if believed(signed.record.author):
            try:
                outcomes.append(outcome_from(signed.record.body))
            except UsageError:
                senseless.append(signed.id)
    return tuple(outcomes), tuple(senseless)


def _is(value: Any, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)
