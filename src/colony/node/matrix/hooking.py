"""What git's hooks ask of the matrix: is the commit, or the push, for tasks that are there and claimed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from colony.node.matrix.workspace import Workspace
from colony.primitives.errors import UsageError
from colony.primitives.limits import GIT_OUTPUT_BYTES_MAX
from colony.tasks.shards.hooks import check_message, check_push


def run_hook(place: Workspace, name: str, arguments: Sequence[str], lines: TextIO, *, is_strict: bool) -> None:
    """Do what the hook of this name does, with the arguments and the input that git gives it.

    Raises:
        CommitError: a message names a task wrongly. UsageError: another hook, or arguments that git does not give.

    """
    if name == "commit-msg" and arguments:
        with Path(arguments[0]).open("rb") as message:
            check_message(place.git, message.read(GIT_OUTPUT_BYTES_MAX), place.state.tasks, is_strict=is_strict)
    elif name == "pre-push" and arguments:
        pushed = lines.read(GIT_OUTPUT_BYTES_MAX).splitlines()
        check_push(place.git, arguments[0], pushed, place.state.tasks, is_strict=is_strict)
    else:
        raise UsageError(f"{name!r}: hooks run commit-msg FILE, or hooks run pre-push REMOTE URL")
