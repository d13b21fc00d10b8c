"""Heat: how much pressure lies on each task, in the seed's three bands, and the rows of the heat map.

    heat(t) = B + A - D

B counts the unfinished tasks that directly and by a hard edge need t; A is 1 while somebody has t (a lease, an
assignment), else 0; D counts what t itself directly needs and is not finished, missing tasks included. What this file
does not do: draw (the command does), or rank (scoring.py uses heat as one of several terms).
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from colony.tasks.order.graph import CLAIMED, Node, TaskGraph
from colony.tasks.task import State, Task

_WARM_MAX: Final = 3.0
_HAD: Final = (*CLAIMED, State.HUMAN_ASSIGNED, State.HUMAN_WORKING)


class Band(Enum):
    """The seed's three bands; every number lies in exactly one."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def meaning(self) -> str:
        """What a task in this band is."""
        return _MEANINGS[self][0]

    @property
    def action(self) -> str:
        """What the seed says to do about it."""
        return _MEANINGS[self][1]


_MEANINGS: Final = {
    Band.HIGH: ("bottleneck: many tasks wait for this one", "prioritise; assign a stronger agent"),
    Band.MEDIUM: ("active work under healthy pressure", "schedule as usual"),
    Band.LOW: ("idle, or blocked by what comes before it", "may need unblocking, or a lower priority"),
}


class Heat(NamedTuple):
    """The heat of one task and what it is made of."""

    task: str
    blocked: int
    """B: unfinished tasks that need it."""
    agents: int
    """A: 1 if somebody has it."""
    needed: int
    """D: what it needs and is not finished."""
    override: float | None = None
    """What a human says instead."""

    @property
    def computed(self) -> int:
        """B + A - D."""
        return self.blocked + self.agents - self.needed

    @property
    def value(self) -> float:
        """What counts: the human's word, else what is computed."""
        return float(self.computed) if self.override is None else self.override

    @property
    def band(self) -> Band:
        """Above 3 high, above 0 medium, else low; on whole numbers these are the seed's bands."""
        if self.value > _WARM_MAX:
            return Band.HIGH
        return Band.MEDIUM if self.value > 0 else Band.LOW


def pressure(heat: float) -> float:
    """Heat as a number from 0 to below 1 that never falls as it grows: 0 up to heat 0, then heat / (heat + 3).

    So it is 1/2 on the border of the hottest band, above it in that band, and no heat outweighs everything else.
    """
    return heat / (heat + _WARM_MAX) if heat > 0 else 0.0


def heat(node: Node) -> Heat:
    """The heat of the task at this place of the graph."""
    assert node.task is not None, "what is missing has no heat"
    return Heat(node.id, node.blocks, int(_is_had(node.task)), node.waits, node.task.heat)


def heat_value(node: Node) -> float:
    """The same as `heat(node).value`, for loops over all tasks."""
    task = node.task
    assert task is not None, "what is missing has no heat"
    return node.blocks + _is_had(task) - node.waits if task.heat is None else task.heat


def heat_map(graph: TaskGraph) -> list[Heat]:
    """Every unfinished task, the hottest first; ties go to the older task."""
    nodes = sorted(graph.unfinished(), key=lambda node: node.rank)
    return sorted(map(heat, nodes), key=lambda row: -row.value)


def _is_had(task: Task) -> bool:
    return task.agent is not None or task.state in _HAD
