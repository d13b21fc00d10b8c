"""Which paths a task claims, and whether two claims meet.

A scope is a list of paths relative to the repository. A path covers itself and everything below it, whether it stands
for a file or a folder: `lib` covers `lib/x`, and not `library`. `.`, `*` and `**` cover everything; `lib/`, `lib/*` and
`lib/**` are `lib`. An empty scope promises nothing: it collides with nothing, and forbids nothing. What this file does
not do: look at a disk, follow links, or know other patterns; any other character stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from colony.primitives.errors import UsageError
from colony.tasks.order.graph import CLAIMED, has_expired
from colony.tasks.task import State, Task

EVERYTHING: Final = ""
"""What the whole repository is as a normalised path; it covers all others."""

_HAD: Final = (*CLAIMED, State.HUMAN_WORKING)


def normalised(path: str) -> str:
    """The path without `.`, doubled or trailing slashes and trailing stars; EVERYTHING for the whole repository.

    Raises:
        UsageError: the path is empty, absolute, or leads upwards with `..`.

    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not path or path.startswith("/") or ".." in parts:
        raise UsageError(f"{path!r:.80}: a scope's path is relative to the repository and leads nowhere above it")
    while parts and parts[-1] in ("*", "**"):
        parts.pop()
    return "/".join(parts)


def covers(scope: Sequence[str], path: str) -> bool:
    """Whether a task of this scope may touch the path; one without a scope may touch any.

    Raises:
        UsageError: a path is none.

    """
    return not scope or any(_is_within(normalised(path), normalised(one)) for one in scope)


def overlaps(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether two scopes share a path: one of them names it, or a folder above it; never if one is empty.

    Raises:
        UsageError: a path is none.

    """
    first, second = [normalised(path) for path in a], [normalised(path) for path in b]
    return any(_is_within(x, y) or _is_within(y, x) for x in first for y in second)


def collisions(task: Task, others: Iterable[Task], now_milliseconds: int) -> list[Task]:
    """The tasks that somebody has and whose scope overlaps with the task's, in the order given.

    An agent has a task until its lease ends, a human while working on it. An agent does not collide with itself.

    Raises:
        UsageError: a path is none.

    """
    return [
        other
        for other in others
        if other.id != task.id
        and other.state in _HAD
        and not has_expired(other, now_milliseconds)
        and not (other.agent is not None and other.agent == task.agent)
        and overlaps(task.scope, other.scope)
    ]


def _is_within(path: str, folder: str) -> bool:
    return folder in (EVERYTHING, path) or path.startswith(f"{folder}/")
