"""Which model first, and which next: the order of least expected cost, its cost in closed form, and when to give up.

A cascade tries models one after the other until one succeeds. If an attempt of option i costs c_i and succeeds with
chance p_i whatever failed before it, the cost is the sum of c_i times the product of (1 - p_j) over all j before i, and
it is least in the order of c / p: swapping two neighbours changes it by c_i p_j - c_j p_i (W. E. Smith's exchange
argument of 1956). The chance that any of them succeeds does not depend on the order. What this file does not do: know
models (router.py) or outcomes (evidence.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from colony.routing.evidence import Chance

STALL_WINDOW_STEPS: Final = 6
STALL_STEPS: Final = 3


class Option(NamedTuple):
    """One model that could be tried: its chance of success, and what an attempt costs in dollars."""

    name: str
    chance: float
    dollars: float


def in_order(options: Iterable[Option]) -> tuple[Option, ...]:
    """The options in the order of least expected cost; names decide between equals."""
    return tuple(sorted(options, key=lambda each: (_ratio(each), each.dollars, each.name)))


def expected_dollars(order: Sequence[Option]) -> float:
    """What trying them in this order until one succeeds costs on average."""
    cost, reached = 0.0, 1.0
    for option in order:
        cost += reached * option.dollars
        reached *= 1.0 - option.chance
    return cost


def success_chance(order: Iterable[Option]) -> float:
    """The chance that one of them succeeds; the same in any order."""
    return 1.0 - math.prod(1.0 - option.chance for option in order)


def sampled(chances: Mapping[str, Chance], stream: np.random.Generator) -> dict[str, float]:
    """One draw from each distribution, in the order of the names (Thompson sampling).

    A model is then chosen as often as it is believed to be the best, so that what is uncertain is tried, and what has
    been tried enough is not.
    """
    names = sorted(chances)
    draws = stream.beta([chances[name].wins for name in names], [chances[name].losses for name in names])
    return dict(zip(names, map(float, draws), strict=True))


class Step(NamedTuple):
    """One step of an attempt: what was done (a call with its arguments, or its hash), and whether it failed."""

    action: str
    failed: bool = False


def stall(steps: Sequence[Step], *, elapsed_seconds: float, seconds_max: float) -> str | None:
    """Why an attempt should be given up for the next model, or None while it goes on.

    It has stalled where three of its last six steps failed, or were the same, or where its time is over.
    """
    recent = steps[-STALL_WINDOW_STEPS:]
    failed = sum(step.failed for step in recent)
    if failed >= STALL_STEPS:
        return f"{failed} of the last {len(recent)} steps failed"
    action, times = Counter(step.action for step in recent).most_common(1)[0] if recent else ("", 0)
    if times >= STALL_STEPS:
        return f"{times} of the last {len(recent)} steps were the same: {action:.80}"
    if elapsed_seconds >= seconds_max:
        return f"{elapsed_seconds:.0f} s have passed, of {seconds_max:.0f}"
    return None


def _ratio(option: Option) -> float:
    return option.dollars / option.chance if option.chance > 0 else math.inf
