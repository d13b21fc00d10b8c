"""Control groups of both versions, against folders that look like them and, where there are some, the real ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from colony.sandbox import cgroup


def second_version(root, handed):
    """A version 2 tree with a slice that hands down `handed`, and a membership file that puts us in its scope."""
    scope = root / "user.slice" / "session.scope"
    scope.mkdir(parents=True)
    for folder in (scope, *scope.parents):
        if folder.is_relative_to(root):
            (folder / "cgroup.subtree_control").write_text(handed if folder.name == "user.slice" else "")
    membership = root / "membership"
    membership.write_text("0::/user.slice/session.scope\n")
    return membership


def test_version_2_finds_the_slice_that_hands_the_controllers_down(tmp_path, monkeypatch):
    """Our own scope hands nothing down, the slice above does: groups are made beside the scope."""
    membership = second_version(tmp_path, "cpu memory pids")
    monkeypatch.setattr(cgroup, "_works", lambda _: True)
    groups = cgroup.find(tmp_path, membership)
    assert groups.parents == {"memory": tmp_path / "user.slice", "pids": tmp_path / "user.slice"}
    group = groups.create()
    assert {folder.parent for folder in group.folders.values()} == {tmp_path / "user.slice"}


def test_version_2_without_delegation_has_no_place(tmp_path):
    """Where no folder hands both controllers down there are no groups, rather than some that hold nothing."""
    assert cgroup.find(tmp_path, second_version(tmp_path, "cpu")) is None


def test_limits_of_version_2_are_written_and_read_back(tmp_path):
    """Memory with a margin for page tables, no swap, and the number of processes."""
    group = cgroup.Group({"memory": tmp_path, "pids": tmp_path})
    (tmp_path / "memory.swap.max").write_text("max")
    group.limit(1 << 20, 7)
    assert (tmp_path / "memory.max").read_text() == str((1 << 20) + cgroup.SLACK_BYTES)
    assert (tmp_path / "memory.swap.max").read_text() == "0"
    assert (tmp_path / "pids.max").read_text() == "7"


def test_kills_for_memory_are_counted_from_the_last_question(tmp_path):
    """A kill is reported once."""
    group = cgroup.Group({"memory": tmp_path, "pids": tmp_path})
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert group.out_of_memory()
    assert not group.out_of_memory()


def test_no_control_groups_at_all(tmp_path):
    """A system without them, such as macOS, has none."""
    assert cgroup.find(tmp_path / "none", tmp_path / "none") is None


def test_groups_of_killed_engines_are_removed(tmp_path):
    """A group whose engine is gone is removed, that of a living one is left."""
    (tmp_path / "colony-999999999-3").mkdir()
    (tmp_path / f"colony-{os.getpid()}-0").mkdir()
    cgroup.Groups({"memory": tmp_path, "pids": tmp_path}).end_orphaned()
    assert [folder.name for folder in tmp_path.iterdir()] == [f"colony-{os.getpid()}-0"]


@pytest.mark.skipif(cgroup.find() is None, reason="needs control groups this user may write")
def test_a_real_group_is_ended_with_all_inside():
    """Ending a group kills its processes, whatever session they are in, and removes it."""
    group = cgroup.find().create()
    doors = group.doors()
    with subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as inside:
        assert inside.stdout.readline()
        for door in doors:
            os.write(door, str(inside.pid).encode())
            os.close(door)
        group.end()
        assert inside.wait(10) == -9
    assert not any(folder.exists() for folder in group.folders.values())
