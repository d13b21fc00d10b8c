"""How difficult a task is, from inputs with signatures, and the tier that this asks for.

A tier is a total, monotone function of a real number: `tier_of`. The number is a sum of stated terms, each with the
identity that signed its input: what would raise the tier counts only where the signer's role may raise it, and anybody
may lower it. Where a task stands in the graph is no difficulty, so it moves a task by one tier at most.

The third seed's own sum is `literal_complexity`: stars + critical path weight + dependencies + heat. It stands beside
ours because heat contains minus the dependencies, so that they cancel, and because nothing in it says how hard the work
itself is. What this file does not do: count dependencies (tasks/), or choose a model (router.py).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Generic, NamedTuple, TypeVar

from colony.primitives.errors import UsageError
from colony.tasks.state.roles import ACTS
from colony.tasks.task import Size

T = TypeVar("T")

COMPLEXITY_MAX: Final = 12.0
MAY_RAISE: Final = frozenset(role for role, acts in ACTS.items() if "raise" in acts)
"""The roles whose word may raise a tier."""
UNDECLARED: Final[Size] = "small"
"""What a task without a size counts as, and the most that a size counts for where its signer may not raise."""

_BANDS: Final = (2.0, 4.0, 6.0, 9.0)  # the last complexity of T0, T1, T2 and T3
_SIZES: Final[dict[Size, float]] = {"small": 3.0, "medium": 5.0, "large": 7.0, "critical": 10.0}
_DEPENDENCIES_FULL: Final = 4  # so many and more count alike


class Tier(IntEnum):
    """How much intelligence a task asks for; T5 is no more of it, but what may not leave this machine."""

    T0 = 0
    """Solvers and scripts, and no model at all."""
    T1 = 1
    """Small edits: documentation, lint."""
    T2 = 2
    """A competent coding agent."""
    T3 = 3
    """Complex reasoning and debugging."""
    T4 = 4
    """Architecture, consensus of several."""
    T5 = 5
    """Secure: local models only."""


def tier_of(complexity: float, *, secure: bool = False) -> Tier:
    """The tier of a complexity: up to 2 T0, up to 4 T1, up to 6 T2, up to 9 T3, above T4; `secure` is always T5.

    What lies between two of the seed's bands belongs to the upper one (2.5 is T1): rather a little too able than a
    failed attempt. Negatives are T0, and what exceeds 12 is T4, infinities included.

    Raises:
        UsageError: the complexity is not a number.

    """
    if math.isnan(complexity):
        raise UsageError("complexity: not a number; give 0 to 12")
    return Tier.T5 if secure else Tier(bisect_left(_BANDS, complexity))


class Signed(NamedTuple, Generic[T]):
    """An input, and who answers for it."""

    value: T
    by: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is known of a task's difficulty; what nobody has stated is None."""

    size: Signed[Size] | None = None
    stars: Signed[int] | None = None
    dependencies: Signed[int] | None = None
    """Direct hard dependencies."""
    critical_share: Signed[float] | None = None
    """The share of the longest remaining path that runs through the task, 0 to 1."""
    heat: Signed[float] | None = None
    """Pressure; only the seed's literal sum uses it."""
    override: Signed[float] | None = None
    """A complexity that replaces the sum."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a complexity: what it counts for, and why."""

    name: str
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class Complexity:
    """A complexity with the terms that add up to it; `value` is bounded to 0..12, the terms are not."""

    value: float
    terms: tuple[Term, ...]

    def explain(self) -> tuple[str, ...]:
        """One sentence for each term, and the sum."""
        parts = [f"{term.name} {term.value:+g}: {term.why}" for term in self.terms]
        return (*parts, f"complexity {self.value:g} of {COMPLEXITY_MAX:g}")


def complexity_of(inputs: Inputs, *, may_raise: Collection[str] = MAY_RAISE) -> Complexity:
    """The size of the work, a point for each star, and up to a point each for dependencies and the critical path.

    A size stands at the lower end of the band that the seed's table gives it: small 3, medium 5, large 7, critical 10.
    An override replaces the sum where its signer may raise, or where it is lower.

    Raises:
        UsageError: an input is not a number.

    """
    terms = [_size(inputs.size, may_raise)]
    if inputs.stars is not None:
        terms.append(_raising("stars", inputs.stars, float(inputs.stars.value), "one point each", may_raise))
    if inputs.dependencies is not None:
        count = inputs.dependencies.value
        points = min(max(count, 0), _DEPENDENCIES_FULL) / _DEPENDENCIES_FULL
        why = f"{count} to agree with; {_DEPENDENCIES_FULL} are a full point"
        terms.append(_raising("dependencies", inputs.dependencies, points, why, may_raise))
    if inputs.critical_share is not None:
        share = min(max(_number("critical_share", inputs.critical_share.value), 0.0), 1.0)
        why = f"{share:.0%} of the critical path runs through it"
        terms.append(_raising("critical path", inputs.critical_share, share, why, may_raise))
    total = sum(term.value for term in terms)
    if inputs.override is not None:
        terms.append(_override(inputs.override, total, may_raise))
        total += terms[-1].value
    return Complexity(_bounded(total), tuple(terms))


def literal_complexity(inputs: Inputs, *, may_raise: Collection[str] = MAY_RAISE) -> Complexity:
    """The third seed's sum: stars + critical path weight + dependencies + heat; unstated inputs count nothing.

    The seed does not define the weight; it is read as the share of the critical path.

    Raises:
        UsageError: an input is not a number.

    """
    named = (
        ("stars", inputs.stars),
        ("critical path weight", inputs.critical_share),
        ("dependencies", inputs.dependencies),
        ("heat", inputs.heat),
    )
    terms = tuple(
        _raising(name, signed, _number(name, signed.value), "the seed's literal term", may_raise)
        for name, signed in named
        if signed is not None
    )
    return Complexity(_bounded(sum(term.value for term in terms)), terms)


def _size(signed: Signed[Size] | None, may_raise: Collection[str]) -> Term:
    if signed is None:
        return Term("size", _SIZES[UNDECLARED], f"nobody has stated it, so it counts as {UNDECLARED}")
    if signed.value not in _SIZES:
        raise UsageError(f"size: one of {', '.join(_SIZES)}, not {signed.value!r}")
    points = _SIZES[signed.value]
    if points > _SIZES[UNDECLARED] and signed.role not in may_raise:
        return Term("size", _SIZES[UNDECLARED], f"{signed.value}, but {_refused(signed)}: counts as {UNDECLARED}")
    return Term("size", points, f"{signed.value}, by {signed.by} ({signed.role})")


def _raising(name: str, signed: Signed[Any], points: float, why: str, may_raise: Collection[str]) -> Term:
    if points > 0 and signed.role not in may_raise:
        return Term(name, 0.0, _refused(signed))
    return Term(name, points, f"{why}, by {signed.by} ({signed.role})")


def _override(signed: Signed[float], total: float, may_raise: Collection[str]) -> Term:
    wanted = _number("override", signed.value)
    if wanted > total and signed.role not in may_raise:
        return Term("override", 0.0, _refused(signed))
    return Term("override", wanted - total, f"set to {wanted:g} by {signed.by} ({signed.role})")


def _refused(signed: Signed[Any]) -> str:
    return f"{signed.by} ({signed.role}) may not raise a tier"


def _number(name: str, value: float) -> float:
    if math.isnan(value):
        raise UsageError(f"{name}: not a number")
    return float(value)


def _bounded(value: float) -> float:
    return min(max(value, 0.0), COMPLEXITY_MAX)
