"""Hooks of git that refuse a commit or a push that breaks the rule: one task, one commit.

They are small scripts that call `colony hooks run`. A hook that somebody else wrote is never overwritten; it can be
kept and called first. What this file does not do: know the tasks; the command that a hook runs reads them.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from colony.primitives.errors import CommitError, UsageError
from colony.tasks.shards.commits import TRAILER, Commits, trailers_of
from colony.tasks.shards.git import Git
from colony.tasks.task import State, Task

HOOKS: Final = ("commit-msg", "pre-push")
_MARK: Final = "# A hook of Colony"
_KEPT: Final = ".before-colony"
_CLAIMED: Final = frozenset(State) - {State.PENDING, State.FAILED}


def install(
    git: Git,
    *,
    is_strict: bool = False,
    chains: bool = False,
    command: Sequence[str] = (sys.executable, "-m", "colony"),
) -> list[Path]:
    """Write the hooks, which run `command`, and return where they are; called again, it renews them.

    Raises:
        UsageError: there is another hook, and `chains` does not say that it is to be kept and called first.

    """
    folder = _folder(git)
    paths = [folder / name for name in HOOKS]
    foreign = [path for path in paths if path.exists() and not _is_ours(path)]
    if foreign and not chains:
        raise UsageError(f"{foreign[0]} is another's hook; keep it and call it first with --chain, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    for path in foreign:
        path.rename(path.with_name(path.name + _KEPT))
    for path in paths:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(_script(path.name, command, is_strict=is_strict), "utf-8")
        draft.chmod(draft.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        draft.replace(path)
    return paths


def remove(git: Git) -> list[Path]:
    """Take the hooks away, put those that they called back in their place, and return what was removed."""
    removed = [path for path in (_folder(git) / name for name in HOOKS) if path.exists() and _is_ours(path)]
    for path in removed:
        path.unlink()
        kept = path.with_name(path.name + _KEPT)
        if kept.exists():
            kept.rename(path)
    return removed


def check_message(git: Git, message: bytes, tasks: Mapping[str, Task], *, is_strict: bool = False) -> None:
    """Refuse the message of a commit that names a task wrongly; a strict rule wants one named, but for merges.

    Raises:
        CommitError: the message names several tasks, an unknown one, one that nobody has claimed, or none.

    """
    _refuse(trailers_of(git, message), tasks, is_strict=is_strict and git.resolve("MERGE_HEAD") is None)


def check_push(
    git: Git, remote: str, lines: Sequence[str], tasks: Mapping[str, Task], *, is_strict: bool = False
) -> None:
    """Refuse a push whose new commits name tasks wrongly; `lines` are what git tells the hook `pre-push`.

    Raises:
        CommitError: see `check_message`; or two of the commits name one task.

    """
    first: dict[str, tuple[str, str]] = {}
    for local, target in _pushed(lines):
        for commit, origin, names in _new_commits(git, remote, local, target, is_strict=is_strict):
            try:
                _refuse(names, tasks, is_strict=is_strict)
            except CommitError as error:
                raise CommitError(f"commit {commit[:12]}: {error}") from None
            for task in names:
                if first.setdefault(task, (origin, commit))[0] != origin:
                    raise CommitError(
                        f"commits {first[task][1][:12]} and {commit[:12]} both name task {task}; join them"
                    )


def _pushed(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Return, for each branch that is pushed, the commit that goes and the one that was there."""
    fields = [line.split() for line in lines if line.strip()]
    return [(local, there) for _, local, ref, there in fields if ref.startswith("refs/heads/") and local.strip("0")]


def _new_commits(
    git: Git, remote: str, local: str, there: str, *, is_strict: bool
) -> list[tuple[str, str, tuple[str, ...]]]:
    known = [f"^{there}"] if there.strip("0") and git.has([there]) else []
    beyond = (local, *known, "--not", f"--remotes={remote}")
    named = {one.commit: one for one in Commits(git).named(*beyond)}
    every = git.run("rev-list", "--no-merges", *beyond).decode().split() if is_strict else list(named)
    return [(c, named[c].origin, named[c].tasks) if c in named else (c, c, ()) for c in every]


def _refuse(names: Sequence[str], tasks: Mapping[str, Task], *, is_strict: bool) -> None:
    if not names:
        if is_strict:
            raise CommitError(f"the message names no task; end it with a line `{TRAILER}: <id>`")
        return
    if len(names) > 1:
        raise CommitError(f"the message names {len(names)} tasks ({', '.join(names)}); one commit is for one task")
    task = tasks.get(names[0])
    if task is None:
        raise CommitError(f"there is no task {names[0]}; `colony task list` shows what there is")
    if task.state not in _CLAIMED:
        raise CommitError(f"task {task.id} is {task.state.name.lower()}; claim it first: colony task claim {task.id}")


def _folder(git: Git) -> Path:
    return git.directory / os.fsdecode(git.run("rev-parse", "--git-path", "hooks").rstrip(b"\n"))


def _is_ours(path: Path) -> bool:
    return _MARK in path.read_text("utf-8", errors="replace")


def _script(name: str, command: Sequence[str], *, is_strict: bool) -> str:
    words = shlex.join([*command, "hooks", "run", *(["--strict"] if is_strict else []), name])
    return f"""#!/bin/sh
{_MARK}: `colony hooks install` wrote it, `colony hooks remove` takes it away.
if [ "{name}" = pre-push ]; then lines=$(cat); fi
if [ -x "$0{_KEPT}" ]; then
    printf '%s\\n' "$lines" | "$0{_KEPT}" "$@" || exit
fi
printf '%s\\n' "$lines" | {words} "$@"
"""
