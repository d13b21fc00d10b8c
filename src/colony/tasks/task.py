"""A task, its states, and its dependencies, as plain frozen values.

States have the seed's symbols. What this file does not do: say how records become tasks (state.py), what a task is
worth (the scoring and the graph), or where records are kept.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from colony.primitives.errors import UsageError
from colony.primitives.limits import (
    TASK_ESTIMATE_SECONDS_MAX,
    TASK_HEAT_MAX,
    TASK_ID_CHARACTERS_MAX,
    TASK_LABELS_MAX,
    TASK_PATH_CHARACTERS_MAX,
    TASK_SCOPES_MAX,
    TASK_STARS_MAX,
    TASK_TITLE_CHARACTERS_MAX,
    TASK_WORD_CHARACTERS_MAX,
)

_ID: Final = re.compile(
    rf"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]{{0,{TASK_ID_CHARACTERS_MAX - 1}}}(?<!\.lock)(?<!\.)", re.ASCII
)


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


_Path = Annotated[str, Meta(min_length=1, max_length=TASK_PATH_CHARACTERS_MAX)]
_Word = Annotated[str, Meta(max_length=TASK_WORD_CHARACTERS_MAX)]

Size = Literal["small", "medium", "large", "critical"]
"""The blast radius: below 100 changed lines, below 500, more, or across repositories."""


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task as its records have it; `created` is a hybrid timestamp, `commit` the one that did it.

    A struct, not a dataclass: 0.2 instead of 5 microseconds to make one; `msgspec.structs.replace` gives a changed one.
    The ranges are checked where a task is read from a record, and by `checked`.
    """

    id: str
    title: Annotated[str, Meta(min_length=1, max_length=TASK_TITLE_CHARACTERS_MAX)]
    state: State = State.PENDING
    priority: Annotated[int, Meta(ge=1, le=5)] = 3
    """1 (low) to 5 (high)."""
    stars: Annotated[int, Meta(ge=0, le=TASK_STARS_MAX)] = 0
    """A human's emphasis."""
    scope: Annotated[tuple[_Path, ...], Meta(max_length=TASK_SCOPES_MAX)] = ()
    """Paths that the task will touch, relative to the repository; `lib` covers `lib/x`; none means anything."""
    labels: Annotated[tuple[_Word, ...], Meta(max_length=TASK_LABELS_MAX)] = ()
    size: Size | None = None
    secure: bool = False
    hints: _Word = ""
    """An inline routing hint such as @anthropic.plan."""
    heat: Annotated[float, Meta(ge=-TASK_HEAT_MAX, le=TASK_HEAT_MAX)] | None = None
    """A human's override of the computed heat."""
    complexity: Annotated[float, Meta(ge=-TASK_HEAT_MAX, le=TASK_HEAT_MAX)] | None = None
    """A human's override of the computed complexity."""
    kind: Annotated[str, Meta(min_length=1, max_length=TASK_WORD_CHARACTERS_MAX)] = "work"
    """The class of tasks that outcomes are learnt for: work, run, verification, replication, ..."""
    estimate_seconds: Annotated[float, Meta(gt=0, le=TASK_ESTIMATE_SECONDS_MAX)] | None = None
    created: str = ""
    author: str = ""
    agent: _Word | None = None
    held: bool = False
    epoch: int = 0
    """How often the task was reopened."""
    fence: int = 0
    """How often it was claimed; a result with a smaller fence than this is stale."""
    lease_expires: int | None = None
    """Milliseconds since 1970 at which the claim of `agent` ends."""
    commit: _Word | None = None

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


def is_id(task: str) -> bool:
    """Tell whether a text is an id: one that a ref and a file name can carry."""
    return _ID.fullmatch(task) is not None


def checked_id(task: str) -> str:
    """The id, if it is one.

    Raises:
        UsageError: it is empty, too long, or has characters that a ref or a file name could not carry.

    """
    if not is_id(task):
        raise UsageError(
            f"{task!r:.80}: no task id; letters, digits, dots, dashes and underscores, at most {TASK_ID_CHARACTERS_MAX}"
        )
    return task


def checked(task: Task) -> Task:
    """The task, if its fields are of their types and in range.

    Raises:
        UsageError: one is not; it is named.

    """
    checked_id(task.id)
    try:
        return msgspec.convert(msgspec.to_builtins(task), Task)
    except msgspec.ValidationError as error:
        raise UsageError(f"task {task.id}: {error}") from error
