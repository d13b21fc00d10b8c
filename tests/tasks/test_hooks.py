"""Hooks of git: installed beside those of others, and refusing what breaks the rule."""

from __future__ import annotations

import os
import subprocess

import pytest
from repositories import ENVIRON, PERSON, clone, commit, git, repository

from colony.primitives.errors import CommitError, UsageError
from colony.tasks.shards.hooks import check_message, check_push, install, remove
from colony.tasks.task import State, Task

TASKS = {
    "A": Task(id="A", title="a", state=State.AGENT_EXECUTING, agent="ann"),
    "B": Task(id="B", title="b"),
    "C": Task(id="C", title="c", state=State.HUMAN_WORKING, agent="cas"),
}
ZERO = "0" * 40


@pytest.fixture
def place(tmp_path):
    return repository(tmp_path / "a")


@pytest.fixture
def command(tmp_path):
    """A program that notes how it was called, and refuses messages that say so."""
    program = tmp_path / "colony"
    program.write_text('#!/bin/sh\necho "$@" >> "$0.calls"\ncat >> "$0.stdin"\n! grep -qs refuse "$4" "$3"\n')
    program.chmod(0o755)
    return program


def test_an_installed_hook_is_called_and_can_refuse(place, command):
    """A commit goes through the command, and a refusal stops it."""
    assert [path.name for path in install(place, command=[str(command)])] == ["commit-msg", "pre-push"]
    commit(place)
    assert command.with_name("colony.calls").read_text() == "hooks run commit-msg .git/COMMIT_EDITMSG\n"
    (place.directory / "code.py").write_text("y\n")
    refused = subprocess.run(
        ["git", "-C", str(place.directory), "commit", "-qam", "refuse this"], env=ENVIRON | PERSON, check=False
    )
    assert refused.returncode == 1


def test_a_push_tells_the_hook_what_goes(tmp_path, place, command):
    """The hook for pushes gets the lines that git gives it; a strict rule is handed on."""
    head = commit(place)
    hub = repository(tmp_path / "hub", "--bare")
    install(place, is_strict=True, command=[str(command)])
    git(place.directory, "push", "-q", str(hub.directory), "main")
    assert command.with_name("colony.calls").read_text().startswith("hooks run --strict pre-push")
    assert command.with_name("colony.stdin").read_text().split() == ["refs/heads/main", head, "refs/heads/main", ZERO]


def test_anothers_hook_is_never_overwritten(place, command):
    """Refused; or kept, called first, and put back in the end."""
    hook = place.shared_folder / "hooks" / "commit-msg"
    hook.parent.mkdir(exist_ok=True)
    theirs = f"#!/bin/sh\necho theirs >> {command}.calls\n"
    hook.write_text(theirs)
    hook.chmod(0o755)
    with pytest.raises(UsageError, match="another's hook"):
        install(place, command=[str(command)])
    assert hook.read_text() == theirs
    install(place, command=[str(command)], chains=True)
    install(place, command=[str(command)])
    commit(place)
    assert command.with_name("colony.calls").read_text().splitlines()[0] == "theirs"
    assert len(command.with_name("colony.calls").read_text().splitlines()) == 2
    assert len(remove(place)) == 2
    assert hook.read_text() == theirs


def test_the_folder_of_hooks_that_git_uses_is_used(place, tmp_path, command):
    """`core.hooksPath` is respected."""
    git(place.directory, "config", "core.hooksPath", str(tmp_path / "shared-hooks"))
    paths = install(place, command=[str(command)])
    assert paths[0].parent == tmp_path / "shared-hooks"
    assert os.access(paths[0], os.X_OK)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Do\n\nColony-Task: X", "no task X"),
        ("Do\n\nColony-Task: B", "is pending; claim it first"),
        ("Do\n\nColony-Task: A\nColony-Task: C", "names 2 tasks"),
    ],
)
def test_a_message_that_names_a_task_wrongly_is_refused(place, message, why):
    """Unknown, unclaimed, several: each says what to do."""
    with pytest.raises(CommitError, match=why):
        check_message(place, message.encode(), TASKS)


def test_a_message_without_a_task_passes_unless_the_rule_is_strict(place):
    """No task, no commit: only where that was asked for."""
    check_message(place, b"Do\n\nColony-Task: A", TASKS, is_strict=True)
    check_message(place, b"Do", TASKS)
    with pytest.raises(CommitError, match="names no task"):
        check_message(place, b"Do", TASKS, is_strict=True)


def test_a_push_is_refused_for_its_new_commits_alone(tmp_path, place):
    """What the other side has is no longer judged; two new commits for one task are refused."""
    old = commit(place, message="Do\n\nColony-Task: X")
    there = clone(place.directory, tmp_path / "there")
    git(there.directory, "config", "user.name", "x")
    good = commit(there, text="1", message="Do\n\nColony-Task: A")
    check_push(there, "origin", [f"refs/heads/main {good} refs/heads/main {old}"], TASKS)
    check_push(there, "origin", [f"(delete) {ZERO} refs/heads/main {old}"], TASKS)
    bad = commit(there, text="2", message="More\n\nColony-Task: A")
    with pytest.raises(CommitError, match="both name task A"):
        check_push(there, "origin", [f"refs/heads/main {bad} refs/heads/main {old}"], TASKS)
    plain = commit(there, text="3")
    with pytest.raises(CommitError, match=f"{plain[:12]}.*names no task"):
        check_push(there, "origin", [f"refs/heads/main {plain} refs/heads/main {bad}"], TASKS, is_strict=True)
