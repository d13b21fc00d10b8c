"""Policies of routing replayed over a synthetic world, all over the same drawn outcomes, with what each costs.

A policy names the next model of a task until one succeeds or all have been tried; it learns from each attempt when it
is over. The router under test is the real one, `router.route`, with the real ledger. What this file does not do: invent
the world (synthetic.py), or draw (bench/routing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from colony.routing.ledger import EMPTY, Ledger
from colony.routing.outcomes import Outcome
from colony.routing.prices import Tokens
from colony.routing.router import Available, Request, route
from colony.routing.synthetic import CHEAPEST, MODELS, NAMES, TOKENS, Floats, World, synthetic_table
from colony.routing.table import Learning
from colony.routing.tiers import Complexity, Tier

_COMPLEXITY = {Tier.T1: 3.0, Tier.T2: 5.0, Tier.T3: 7.0, Tier.T4: 10.0}


class Policy(Protocol):
    """Who names the next model."""

    def next_model(self, task: int, tried: Sequence[str]) -> str | None:
        """The model to try next, or None to give up."""
        ...

    def learn(self, outcome: Outcome) -> None:
        """What came of the attempt."""
        ...


class Fixed:
    """A policy that learns nothing: an order for each task, of which at most `attempts_max` models are tried."""

    def __init__(self, order: Callable[[int], Sequence[str]], *, attempts_max: int = len(MODELS)) -> None:
        self._order, self._attempts_max = order, attempts_max

    def next_model(self, task: int, tried: Sequence[str]) -> str | None:
        """The next of the order."""
        return self._order(task)[len(tried)] if len(tried) < self._attempts_max else None

    def learn(self, outcome: Outcome) -> None:
        """Nothing."""


class Routed:
    """The router, with its ledger. Without a `stream` it does not explore; with `learns` off it keeps its priors."""

    def __init__(
        self, world: World, learning: Learning, *, stream: np.random.Generator | None, learns: bool = True
    ) -> None:
        self._world, self._stream, self._learns = world, stream, learns
        self._table = synthetic_table(learning)
        self._available = Available(providers=frozenset(self._table.providers))
        self.ledger: Ledger = EMPTY

    def next_model(self, task: int, tried: Sequence[str]) -> str | None:
        """What the router says."""
        if len(tried) == len(MODELS):
            return None
        kind = int(self._world.kinds[task])
        request = Request(
            task=str(task),
            kind=str(kind),
            complexity=Complexity(_COMPLEXITY[self._world.tiers[kind]], ()),
            ceiling=Tier.T4,
            at_milliseconds=0,
            tokens=Tokens(TOKENS, 0),
            tried=frozenset(tried),
        )
        return route(
            request, self._table, prices=_NoList(), available=self._available, ledger=self.ledger, stream=self._stream
        ).model

    def learn(self, outcome: Outcome) -> None:
        """The ledger's next fold."""
        if self._learns:
            self.ledger = self.ledger.with_outcomes([outcome], evidence_max=self._table.learning.evidence_max)


class _NoList:
    def dollars(self, provider: str, model: str, tokens: Tokens) -> float | None:
        """Nothing: every price of the synthetic world stands in its table."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a policy came to, task by task; all shapes are (tasks,)."""

    costs: Floats
    """Dollars, waiting included."""
    succeeded: Floats
    """1 where some attempt succeeded."""
    cheap: Floats
    """1 where the task ended with a model of the two cheapest tiers."""
    attempts: Floats


def replayed(world: World, policy: Policy) -> Replay:
    """Run a policy over every task of a world."""
    rows = [_task(world, policy, task) for task in range(len(world.kinds))]
    return Replay(*np.array(rows, dtype=np.float64).T)


def _task(world: World, policy: Policy, task: int) -> tuple[float, bool, bool, int]:
    tried: list[str] = []
    cost, success = 0.0, False
    while not success and (name := policy.next_model(task, tried)) is not None:
        tried.append(name)
        place = NAMES.index(name)
        success = bool(world.succeeds[task, place])
        dollars, seconds = float(world.dollars[task, place]), float(world.seconds[task, place])
        cost += dollars + seconds * world.hour_dollars / 3600
        policy.learn(
            Outcome(
                task=str(task),
                kind=str(int(world.kinds[task])),
                agent="anybody",
                model=name,
                tier=world.tiers[int(world.kinds[task])],
                cost_microdollars=round(dollars * 1e6),
                seconds=seconds,
                success=success,
            )
        )
    return cost, success, tried[-1] in CHEAPEST, len(tried)
