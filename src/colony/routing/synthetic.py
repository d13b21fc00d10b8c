"""A SYNTHETIC benchmark of routing with known truth: tasks, models, chances, prices and durations, all invented.

No figure in it was measured on any model, and none says anything about one; it exists because a router can be judged
only where the truth is known. A world has twelve kinds of tasks, frequent easy and rare hard ones, and seven models of
rising ability and price. The chance of a success is a logistic function of ability minus difficulty, disturbed for
each kind and model, so that no rule that knows only tiers can be right. Attempts succeed independently, given kind and
model; with hardness they do not, since then each task has a difficulty of its own that all models share. With drift,
all disturbances are drawn anew half-way.

The **oracle** knows every chance, price and mean duration, and no outcome: it tries each model at most once, in the
order of least expected cost for independent attempts. What this file does not do: run policies (replay.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from colony.routing.cascade import Option, in_order
from colony.routing.table import Agent, Learning, Model, Price, Provider, Row, Table
from colony.routing.tiers import Tier

Floats = npt.NDArray[np.float64]

EASY: Final = (0.80, 0.15, 0.04, 0.01)
"""The shares of tasks at T1 to T4 in the third seed's economy."""
HARD: Final = (0.40, 0.30, 0.20, 0.10)
"""Shares that are less kind to cheap models."""
TOKENS: Final = 10_000  # of each call
_KINDS_AT: Final = (5, 4, 2, 1)  # how many kinds share the tasks of T1 to T4
_NORMAL: Final = ndtri((np.arange(64) + 0.5) / 64)  # a standard normal distribution in 64 equal parts
_STEEPNESS, _DISTURBANCE, _OUTCOME_SPREAD = 2.0, 0.7, 0.3  # of the logistic function, its argument, and cost and time


class Invented(NamedTuple):
    """An invented model: `ability` is the difficulty at which it succeeds half of the time."""

    name: str
    ability: float
    lowest: Tier
    highest: Tier
    dollars: float
    seconds: float


MODELS: Final = (
    Invented("free-small", 1.6, Tier.T1, Tier.T1, 0.0, 20.0),
    Invented("free-large", 2.0, Tier.T1, Tier.T1, 0.0, 60.0),
    Invented("mini", 2.6, Tier.T1, Tier.T2, 0.003, 20.0),
    Invented("plan", 2.9, Tier.T1, Tier.T2, 0.006, 30.0),
    Invented("code", 3.8, Tier.T2, Tier.T3, 0.04, 60.0),
    Invented("code-max", 4.2, Tier.T2, Tier.T3, 0.09, 90.0),
    Invented("strong", 5.4, Tier.T3, Tier.T4, 0.30, 150.0),
)
NAMES: Final = tuple(model.name for model in MODELS)
CHEAPEST: Final = frozenset(model.name for model in MODELS if model.lowest <= Tier.T1)
"""The models of the two cheapest tiers; T0 has none."""


@dataclass(frozen=True, slots=True)
class World:
    """Known truth and drawn outcomes. Arrays are indexed by phase (1, or 2 with drift), task, kind, model, as named."""

    tiers: tuple[Tier, ...]
    """By kind."""
    chances: Floats
    """(phases, kinds, models)"""
    costs: Floats
    """(kinds, models): mean dollars of an attempt, waiting included."""
    kinds: npt.NDArray[np.int64]
    """(tasks,)"""
    succeeds: npt.NDArray[np.bool_]
    """(tasks, models): what an attempt would come to, the same for whoever tries."""
    dollars: Floats
    """(tasks, models): money alone."""
    seconds: Floats
    """(tasks, models)"""
    hour_dollars: float

    def phase(self, task: int) -> int:
        """Which chances hold at a task."""
        return task * len(self.chances) // len(self.kinds)

    def options(self, task: int) -> tuple[Option, ...]:
        """The truth on each model at a task's kind."""
        kind = self.kinds[task]
        chances, costs = self.chances[self.phase(task), kind], self.costs[kind]
        return tuple(Option(n, float(p), float(c)) for n, p, c in zip(NAMES, chances, costs, strict=True))

    def oracle(self, task: int) -> tuple[str, ...]:
        """The order of least expected cost under the truth."""
        return tuple(option.name for option in in_order(self.options(task)))


def world(
    seed: int,
    *,
    tasks: int,
    shares: tuple[float, ...] = EASY,
    drift: bool = False,
    hardness: float = 0.0,
    hour_dollars: float = 1.0,
) -> World:
    """The world of a seed; the same on every machine. `hardness` is the spread of what tasks of a kind differ by."""
    stream = np.random.default_rng([seed, 20_261_121])
    tiers = tuple(Tier(1 + place) for place, count in enumerate(_KINDS_AT) for _ in range(count))
    difficulty = np.array(tiers) + stream.uniform(-0.5, 0.5, len(tiers))
    ability = np.array([model.ability for model in MODELS])
    disturbed = stream.normal(0, _DISTURBANCE, (2 if drift else 1, len(tiers), len(MODELS)))
    strength = _STEEPNESS * (ability - difficulty[:, None]) + disturbed
    sizes = np.exp(stream.normal(0, 0.4, (len(tiers), 1)))
    dollars = sizes * [model.dollars for model in MODELS]
    seconds = sizes * [model.seconds for model in MODELS]
    weights = np.concatenate(
        [share * stream.dirichlet(np.full(count, 3.0)) for share, count in zip(shares, _KINDS_AT, strict=True)]
    )
    kinds = stream.choice(len(tiers), tasks, p=weights / weights.sum())
    phases = np.arange(tasks) * len(strength) // tasks
    spread = np.exp(stream.normal(-(_OUTCOME_SPREAD**2) / 2, _OUTCOME_SPREAD, (tasks, len(MODELS))))
    own = hardness * stream.normal(0, 1, (tasks, 1))
    return World(
        tiers=tiers,
        chances=np.mean([_chance(strength - hardness * each) for each in _NORMAL], axis=0),
        costs=dollars + seconds * hour_dollars / 3600,
        kinds=kinds,
        succeeds=stream.random((tasks, len(MODELS))) < _chance(strength[phases, kinds] - own),
        dollars=dollars[kinds] * spread,
        seconds=seconds[kinds] * spread,
        hour_dollars=hour_dollars,
    )


def _chance(strength: Floats) -> Floats:
    return np.clip(1 / (1 + np.exp(-strength)), 0.01, 0.99)


def synthetic_table(learning: Learning) -> Table:
    """The routing table of every world: its models at their list prices, which are those of a task of medium size."""
    models = {
        m.name: Model(
            name=m.name,
            provider="invented",
            id=m.name,
            lowest=m.lowest,
            highest=m.highest,
            price=Price(m.dollars * 1e6 / TOKENS, 0.0),
        )
        for m in MODELS
    }
    return Table(
        providers={"invented": Provider(name="invented")},
        models=models,
        agents={"anybody": Agent(name="anybody", lowest=Tier.T1, highest=Tier.T4)},
        hints={},
        rows={tier: Row(mode="code") for tier in Tier},
        learning=learning,
    )
