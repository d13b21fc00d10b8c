"""A task, its states, and its dependencies, as plain frozen values.

States have the seed's symbols. What this file does not do: say how records become tasks (state.py), what a task is
worth (the scoring and the graph), or where records are kept.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, Literal, NamedTuple

import msgspec

from colony.primitives.errors import UsageError
from colony.primitives.limits import (
    TASK_ID_CHARACTERS_MAX,
    TASK_LABELS_MAX,
    TASK_SCOPES_MAX,
    TASK_STARS_MAX,
    TASK_TITLE_CHARACTERS_MAX,
)

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class State(Enum):
    """Where a task is in its life; the value is its symbol."""

    PENDING = "+"
    HUMAN_ASSIGNED = "~"
    HUMAN_WORKING = "$"
    AGENT_ASSIGNED = "%"
    AGENT_EXECUTING = "&"
    AWAITING_INPUT = "?"
    PAUSED = "_"
    HUMAN_HELD = "#"
    FAILED = "!"
    DONE = "-"


Size = Literal["small", "medium", "large", "critical"]
"""The blast radius: below 100 changed lines, below 500, more, or across repositories."""


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task as its records have it; `created` is a hybrid timestamp, `commit` the one that did it.

    A struct, not a dataclass: 0.2 instead of 5 microseconds to make one; `msgspec.structs.replace` gives a changed one.
    """

    id: str
    title: str
    state: State = State.PENDING
    priority: int = 3
    """1 (low) to 5 (high)."""
    stars: int = 0
    """A human's emphasis."""
    scope: tuple[str, ...] = ()
    """Paths that the task will touch, relative to the repository; `lib` covers `lib/x`; none means anything."""
    labels: tuple[str, ...] = ()
    size: Size | None = None
    secure: bool = False
    hints: str = ""
    """An inline routing hint such as @anthropic.plan."""
    heat: float | None = None
    """A human's override of the computed heat."""
    complexity: float | None = None
    """A human's override of the computed complexity."""
    kind: str = "work"
    """The class of tasks that outcomes are learnt for: work, run, verification, replication, ..."""
    estimate_seconds: float | None = None
    created: str = ""
    author: str = ""
    agent: str | None = None
    held: bool = False
    epoch: int = 0
    fence: int = 0
    lease_expires: int | None = None
    """Milliseconds since 1970 at which the claim of `agent` ends."""
    commit: str | None = None

    @property
    def symbol(self) -> str:
        """What a table shows: `#` for whatever a human holds, else the state's own symbol."""
        return State.HUMAN_HELD.value if self.held and self.state not in FINAL else self.state.value


class Edge(NamedTuple):
    """`before` must be finished before `after` may start (`^`), or had better be (`;`)."""

    before: str
    after: str
    kind: Literal["^", ";"] = "^"


FINAL: Final = frozenset({State.DONE})
ACTIVE: Final = frozenset({State.AGENT_EXECUTING, State.HUMAN_WORKING})
CLAIMABLE: Final = frozenset({State.PENDING})
"""States in which a task may be claimed by whoever comes; an expired lease makes a claimed task claimable too."""


def checked_id(task: str) -> str:
    """The id, if it is one.

    Raises:
        UsageError: it is empty, too long, or has characters that a ref or a file name could not carry.

    """
    if not _ID.fullmatch(task) or len(task) > TASK_ID_CHARACTERS_MAX or task.endswith((".lock", ".")) or ".." in task:
        raise UsageError(
            f"{task!r:.80}: no task id; letters, digits, dots, dashes and underscores, at most {TASK_ID_CHARACTERS_MAX}"
        )
    return task


def checked(task: Task) -> Task:
    """The task, if its fields are in range.

    Raises:
        UsageError: one is not; it is named.

    """
    checked_id(task.id)
    rules = (
        ("title", 0 < len(task.title) <= TASK_TITLE_CHARACTERS_MAX, f"1 to {TASK_TITLE_CHARACTERS_MAX} characters"),
        ("priority", 1 <= task.priority <= 5, "1 to 5"),
        ("stars", 0 <= task.stars <= TASK_STARS_MAX, f"0 to {TASK_STARS_MAX}"),
        ("scope", len(task.scope) <= TASK_SCOPES_MAX, f"at most {TASK_SCOPES_MAX} paths"),
        ("labels", len(task.labels) <= TASK_LABELS_MAX, f"at most {TASK_LABELS_MAX}"),
        ("estimate", task.estimate_seconds is None or 0 < task.estimate_seconds < float("inf"), "above 0 seconds"),
    )
    for name, holds, wanted in rules:
        if not holds:
            raise UsageError(f"task {task.id}: {name} must be {wanted}")
    return task
