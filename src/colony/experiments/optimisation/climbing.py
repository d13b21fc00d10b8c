"""Experiment 1, collaborative optimisation: agents that share the best solution, the explored regions, and a count.

An agent repeats: read what is known and take a region that nobody has explored, or the best point, in one transaction;
climb from there for eight evaluations, outside any transaction; put down what came out in another. The agents are the
same in every configuration. What differs is which variables are theirs alone: a variable that is not shared has the
agent's name in its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from colony.experiments.optimisation.landscapes import TASKS, Landscape, Point
from colony.experiments.trial import Member, Memory, Place, Setting, Team, groups_for
from colony.memory.shared_memory import DurableTransaction
from colony.stm import TVar

CLIMB_EVALUATIONS: Final = 8
EXPLORE_SHARE: Final = 0.25
SOLVED_QUALITY: Final[Mapping[str, float]] = MappingProxyType(
    {"wave-3d": 0.999, "rastrigin-10": 0.75, "nk-64": 0.6, "circles-26": 0.45}
)
"""From which quality on a task counts as solved: what one agent reaches with about half the shipped plan's budget."""

Best = tuple[float, Point] | None


@dataclass(frozen=True, slots=True)
class OptState:
    """The seed's shared state. `explored` is a set of regions as a number in hexadecimal, one bit for each."""

    best: TVar[Best]
    explored: TVar[str]
    iterations: TVar[int]

    @classmethod
    def of(cls, memory: Memory, *, best: str = "best", explored: str = "explored") -> OptState:
        """The variables of these names; an agent that keeps one to itself gives it a name of its own."""
        return cls(memory.variable(best, None), memory.variable(explored, "0"), memory.variable("iterations", 0))


@dataclass(frozen=True, slots=True)
class Climber:
    """One agent: its landscape, its state, and the regions it may choose from."""

    landscape: Landscape
    state: OptState
    territory: range

    def work(self, place: Place) -> None:
        """Climb until the trial is over."""
        while True:
            explores, where = place.random.random() < EXPLORE_SHARE, place.random.random()
            start = place.atomically(partial(self._choose, explores=explores, where=where))
            place.atomically(partial(self._put_down, reached=self._climb(place, start)))

    def _choose(self, t: DurableTransaction, *, explores: bool, where: float) -> int | tuple[float, Point]:
        """A region that is explored from now on, or the best point to go on from; pure, as it may run twice."""
        best = t.read(self.state.best)
        if best is not None and not explores:
            return best
        explored = int(t.read(self.state.explored), 16)
        unexplored = [region for region in self.territory if not explored >> region & 1]
        choices = unexplored or self.territory
        region = choices[int(where * len(choices))]
        t.write(self.state.explored, f"{explored | 1 << region:x}")
        return region

    def _climb(self, place: Place, start: int | tuple[float, Point]) -> tuple[float, Point]:
        """Eight evaluations, each of a neighbour of the best of them."""
        score, stream = self.landscape.score, place.random
        left = CLIMB_EVALUATIONS
        if isinstance(start, tuple):
            value, point = start
        else:
            point = self.landscape.sample(start, stream)
            value = place.evaluate(partial(score, point), subject=start)
            left -= 1
            place.note(value)
        for _ in range(left):
            neighbour = self.landscape.vary(point, stream)
            found = place.evaluate(partial(score, neighbour))
            if found >= value:
                value, point = found, neighbour
                place.note(value)
        return value, point

    def _put_down(self, t: DurableTransaction, reached: tuple[float, Point]) -> None:
        best = t.read(self.state.best)
        if best is None or reached[0] > best[0]:
            t.write(self.state.best, reached)
        t.write(self.state.iterations, t.read(self.state.iterations) + 1)


class Height:
    """The team's quality: how far its best score has come from a random point's to the best there is."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        self._quality = 0.0

    def add(self, value: float) -> float:
        """Take a score."""
        low, high = self._landscape.random, self._landscape.best
        self._quality = max(self._quality, (value - low) / (high - low))
        return self._quality


class Optimisation:
    """The experiment; see `colony.experiments.trial.Experiment`."""

    name = "optimisation"
    tasks = tuple(TASKS)
    quality = "share of the way from a random point's score to the best score there is"
    configurations: Mapping[str, str] = MappingProxyType(
        {
            "single": "one agent",
            "parallel": "nothing",
            "swarm": "best point and explored regions",
            "best-only": "best point",
            "regions-only": "explored regions",
            "partitioned": "nothing; each agent has regions of its own from the start",
        }
    )

    def team(self, task: str, setting: Setting, memories: Callable[[], Memory]) -> Team:
        """Climbers on the task's landscape."""
        landscape = TASKS[task](setting.seed)
        shared = setting.configuration in ("swarm", "best-only", "regions-only")
        groups = groups_for(setting, memories, shared=shared)
        climbers = [_climber(landscape, setting, group.memory, index) for index, group in enumerate(groups)]
        members = [Member(_name(i), g, c.work) for i, (g, c) in enumerate(zip(groups, climbers, strict=True))]

        def outcome() -> Mapping[str, object]:
            found = max((c.state.best.value for c in climbers if c.state.best.value), default=None)
            return {"score": found[0], "point": found[1]} if found else {}

        return Team(members, Height(landscape), SOLVED_QUALITY[task], outcome)


def _name(index: int) -> str:
    return f"climber-{index + 1}"


def _climber(landscape: Landscape, setting: Setting, memory: Memory, index: int) -> Climber:
    name = _name(index)
    own = {"best-only": {"explored": f"explored/{name}"}, "regions-only": {"best": f"best/{name}"}}
    state = OptState.of(memory, **own.get(setting.configuration, {}))
    split = setting.configuration == "partitioned" and setting.agents <= landscape.regions
    territory = range(index, landscape.regions, setting.agents) if split else range(landscape.regions)
    return Climber(landscape, state, territory)


OPTIMISATION: Final = Optimisation()
