"""Repositories bring each other to the same records; damage and refusal on one side leave the other whole."""

from __future__ import annotations

import os
import random

import pytest
from repositories import clone, commit, drafts, git, key, names, opened, repository, shards

from colony.primitives.errors import RemoteError, RepositoryError, UsageError
from colony.tasks.shards import chains
from colony.tasks.shards.git import MATRIX_BRANCH, MATRIX_REF
from colony.tasks.shards.places import Remote
from colony.tasks.shards.shards import folder_of
from colony.tasks.shards.syncing import merge, sync

ANN, BOB = key("ann"), key("bob")


@pytest.fixture
def hub(tmp_path):
    return repository(tmp_path / "hub.git", "--bare")


def at(hub, name):
    """The records of a clone of the hub."""
    folder = hub.directory.parent / name
    return shards(opened(folder) if folder.exists() else clone(hub.directory, folder))


def synced(mine, author, remote="origin"):
    return sync(mine, Remote(mine.git, remote), author.did)


def rewrite(mine, author, change):
    """Damage the files of an author, as an editor or a merge of git would."""
    shard = mine.read()
    paths = [path for path in shard.files if path.startswith(folder_of(author.did))]
    data = b"".join(mine.git.objects(shard.files[path] for path in paths))
    contents = dict.fromkeys(paths) | {paths[0]: change(data)}
    assert mine.move(shard, mine.commit(contents, [shard.commit], "damage"))
    return paths[0]


def test_two_clones_come_to_the_same_records(hub):
    """Each gets what the other wrote, and is told how much came and went."""
    a, b = at(hub, "a"), at(hub, "b")
    a.append(ANN, drafts("A", "B"))
    b.append(BOB, drafts("C"))
    assert (synced(a, ANN).sent, synced(b, BOB).received) == (2, {ANN.did: 2})
    assert synced(a, ANN).received == {BOB.did: 1}
    assert names(a.read()) == names(b.read()) == ["A", "B", "C"]
    again = synced(a, ANN)
    assert (again.received, again.sent, again.faults) == ({}, 0, ())


def test_records_of_a_third_travel_along(hub, tmp_path):
    """What was merged from a path reaches the remote, though its author never does."""
    away = shards(repository(tmp_path / "away"))
    away.append(key("cas"), drafts("Z"))
    a, b = at(hub, "a"), at(hub, "b")
    a.append(ANN, drafts("A"))
    (tmp_path / "away" / "organic").mkdir()
    assert merge(a, Remote.at(a.git, "../away/organic")).received == {key("cas").did: 1}
    assert synced(a, ANN).sent == 2
    synced(b, BOB)
    assert names(b.read()) == ["A", "Z"]


def test_replicas_publish_at_once_and_none_waits(hub):
    """Each has a ref of its own, so a push is refused to nobody."""
    clones = {name: at(hub, name) for name in "abcd"}
    for name, mine in clones.items():
        mine.append(key(name), drafts(name))
        mine.pause = None  # would be called if somebody had been quicker
        synced(mine, key(name))
    assert len(hub.refs("refs/colony/shards/")) == 4
    for name, mine in clones.items():
        synced(mine, key(name))
    assert len({git(mine.git.directory, "rev-parse", f"{MATRIX_REF}^{{tree}}") for mine in clones.values()}) == 1


def test_a_branch_is_published_as_often_as_it_takes(hub):
    """Where all write one branch, whoever is late joins and pushes again."""
    a, b = (shards(at(hub, name).git, ref=MATRIX_BRANCH) for name in "ab")
    a.append(ANN, drafts("A"))
    b.append(BOB, drafts("B"))
    remote, look = Remote(b.git, "origin"), Remote.look

    def slow(self, *patterns):
        refs = look(self, *patterns)
        remote.look = look.__get__(remote)
        synced(a, ANN)
        return refs

    remote.look = slow.__get__(remote)
    sync(b, remote, BOB.did)
    synced(a, ANN)
    assert names(a.read()) == names(b.read()) == ["A", "B"]
    assert hub.refs("refs/heads/") == {MATRIX_BRANCH: a.read().commit}
    assert a.read().commit == b.read().commit
    assert synced(a, ANN).sent == 0


def test_plain_git_merges_branches_without_conflict(hub):
    """Each file has one writer, so git alone joins two histories of the same beginning."""
    a, b = (shards(at(hub, name).git, ref=MATRIX_BRANCH) for name in "ab")
    a.append(ANN, drafts("A"))
    synced(a, ANN)
    synced(b, BOB)
    a.append(ANN, drafts("B"))
    b.append(BOB, drafts("C"))
    folder = b.git.directory
    git(folder, "fetch", "-q", a.git.directory, "colony-matrix:theirs")
    git(folder, "checkout", "-q", "colony-matrix")
    git(folder, "merge", "-q", "--no-edit", "theirs")
    shard = b.read()
    assert (names(shard), shard.faults) == (["A", "B", "C"], [])


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_order_all_come_to_the_same(hub, seed):
    """Writing, syncing and merging at random: once all have met, every tree is the same, byte by byte."""
    chance = random.Random(seed)
    clones = {name: at(hub, name) for name in "abc"}
    for step in range(12):
        name, other = chance.sample("abc", 2)
        act = chance.choice(("write", "write", "sync", "merge"))
        if act == "write":
            clones[name].append(key(name), drafts(f"{step}"))
        elif act == "sync":
            synced(clones[name], key(name))
        elif clones[other].read().commit:
            merge(clones[name], Remote.at(clones[name].git, str(clones[other].git.directory)))
    for name in "abcabc":
        synced(clones[name], key(name))
    assert len({git(mine.git.directory, "rev-parse", f"{MATRIX_REF}^{{tree}}") for mine in clones.values()}) == 1
    assert not any(mine.read().faults for mine in clones.values())


# -- damage -----------------------------------------------------------------------------------------------------------


def test_damage_is_reported_with_file_and_line_and_its_bytes_are_kept(hub):
    """The good part works on; at the next write the bad bytes go into quarantine, never away."""
    a = at(hub, "a")
    a.append(ANN, drafts("A", "B"))
    path = rewrite(a, ANN, lambda data: data.replace(b"Task B", b"Task X") + b"<<<<<<< HEAD\n")
    shard = a.read()
    assert names(shard) == ["A"]
    assert [str(fault) for fault in shard.faults] == [
        f"{path}:2: forged: its signature is not by its author [record {shard.faults[0].record[:12]}]",
        f"{path}:3: a conflict marker; both sides' records are taken, the marker is set aside",
    ]
    a.append(BOB, drafts("C"))
    shard = at(hub, "a").read()
    assert (names(shard), shard.faults, shard.quarantined) == (["A", "C"], [], 1)
    [kept] = [a.git.objects([oid])[0] for path, oid in shard.files.items() if path.startswith("quarantine/")]
    assert b"<<<<<<< HEAD" in kept
    assert b"Task X" in kept


def test_damage_here_is_healed_by_a_whole_copy_elsewhere(hub):
    """What a cut-off line lost comes back with the next sync."""
    a, b = at(hub, "a"), at(hub, "b")
    a.append(ANN, drafts("A", "B", "C"))
    synced(a, ANN)
    synced(b, BOB)
    rewrite(b, ANN, lambda data: b"".join(data.splitlines(keepends=True)[::2]))
    assert "a gap" in str(b.read().faults[0])
    again = at(hub, "b")
    synced(again, BOB)
    shard = at(hub, "b").read()
    assert (names(shard), shard.faults) == (["A", "B", "C"], [])
    assert "a gap" in str(next(iter(again.faults)))


def test_damage_elsewhere_does_not_come_in(hub):
    """A forged record at the remote is reported with the remote's name; the rest is taken."""
    a, b = at(hub, "a"), at(hub, "b")
    a.append(ANN, drafts("A", "B"))
    rewrite(a, ANN, lambda data: data.replace(b"Task B", b"Task X"))
    git(a.git.directory, "push", "-q", "origin", f"{MATRIX_REF}:refs/colony/shards/forged")
    union = synced(b, BOB)
    assert names(b.read()) == ["A"]
    assert str(union.faults[0]).startswith("origin:refs/colony/shards/forged:authors/")
    assert b.read().quarantined == 1
    assert not b.read().faults


def test_equivocation_is_kept_and_reported_on_both_sides(hub, tmp_path):
    """Two clones that wrote with one key: both records of one number stay, whoever joins them."""
    a, b = at(hub, "a"), at(hub, "b")
    for mine, name in ((a, "A"), (b, "B")):
        mine.append(ANN, drafts(name))
    synced(a, ANN)
    merge(b, Remote.at(b.git, str(a.git.directory)))
    merge(a, Remote.at(a.git, str(b.git.directory)))
    for mine in (a, b):
        assert names(mine.read()) == ["A", "B"]
        assert "equivocation" in str(mine.read().faults[0])
    assert git(a.git.directory, "rev-parse", f"{MATRIX_REF}^{{tree}}") == git(
        b.git.directory, "rev-parse", f"{MATRIX_REF}^{{tree}}"
    )


def test_a_file_that_is_nobodys_or_too_large_is_left_alone(hub, monkeypatch):
    """Reported, never read into memory, never rewritten."""
    a = at(hub, "a")
    a.append(ANN, drafts("A"))
    shard = a.read()
    a.move(shard, a.commit({"notes.txt": b"hello"}, [shard.commit], "a note"))
    assert [str(fault) for fault in a.read().faults] == ["notes.txt: no file of records; it is left alone"]
    monkeypatch.setattr("colony.tasks.shards.shards.SHARD_FILE_BYTES_MAX", 100)
    again = shards(opened(a.git.directory))
    assert any("a file of records has at most 100" in str(fault) for fault in again.read().faults)
    again.append(BOB, drafts("B"))
    monkeypatch.undo()
    assert names(at(hub, "a").read()) == ["A", "B"]


def test_a_file_too_large_to_read_is_kept_when_its_author_writes_on(hub, monkeypatch):
    """Its place is needed for records; its bytes go into quarantine as they are."""
    a = at(hub, "a")
    a.append(ANN, drafts("A"))
    path = rewrite(a, ANN, lambda data: data + b"x" * 2_000_000)
    large = a.read().files[path]
    monkeypatch.setattr("colony.tasks.shards.shards.SHARD_FILE_BYTES_MAX", 1_000_000)
    again = at(hub, "a")
    again.append(ANN, drafts("B"))
    shard = at(hub, "a").read()
    assert (names(shard), shard.faults) == (["A", "B"], [])
    assert shard.files[f"quarantine/{large}"] == large


# -- remotes that refuse ----------------------------------------------------------------------------------------------


def test_a_remote_that_declines_leaves_ours_whole(hub):
    """The message says who refused and why; what is here stays, and goes out later."""
    a = at(hub, "a")
    a.append(ANN, drafts("A"))
    hook = hub.shared_folder / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RemoteError, match=r"origin refused.*hook declined"):
        synced(a, ANN)
    assert names(at(hub, "a").read()) == ["A"]
    hook.unlink()
    assert synced(a, ANN).sent == 1


def test_what_is_no_repository_is_no_remote(hub, tmp_path):
    """Unreachable, without a matrix, no name at all: each is told."""
    a = at(hub, "a")
    commit(a.git)
    with pytest.raises(RemoteError, match="cannot be read"):
        merge(a, Remote.at(a.git, str(tmp_path / "nowhere")))
    with pytest.raises(RemoteError, match="has no task matrix"):
        merge(a, Remote(a.git, "origin"))
    with pytest.raises(RemoteError, match="cannot be read"):
        merge(a, Remote(a.git, "ext::sh -c true"))
    for name in ("", "--upload-pack=sh"):
        with pytest.raises(UsageError, match="no remote"):
            Remote(a.git, name)
    assert a.read().commit is None


def test_the_lock_of_a_killed_process_is_broken_in_time(hub, monkeypatch):
    """A fresh lock is respected; one that has stood too long was left by a process that is gone."""
    monkeypatch.setattr("colony.tasks.shards.shards.GIT_ATTEMPTS_MAX", 2)
    a = at(hub, "a")
    a.append(ANN, drafts("A"))
    lock = a.git.shared_folder / f"{MATRIX_REF}.lock"
    lock.touch()
    with pytest.raises(RepositoryError, match="others were quicker"):
        a.append(ANN, drafts("B"))
    status = lock.stat()
    os.utime(lock, (status.st_atime - 100, status.st_mtime - 100))
    a.append(ANN, drafts("B"))
    assert names(a.read()) == ["A", "B"]
    assert not list(a.git.shared_folder.glob("colony-now-*"))


def test_only_what_is_new_is_checked_again(hub, monkeypatch):
    """Of files that have not changed nothing is read; of a chain that went on, the new file alone."""
    a = at(hub, "a")
    a.append(ANN, drafts(*(f"T{i}" for i in range(400))))
    a.append(BOB, drafts("B"))
    lines, extend = [], chains._extend
    monkeypatch.setattr(chains, "_extend", lambda *args: lines.append(args[2].count(b"\n")) or extend(*args))
    a.append(ANN, drafts("X"))
    assert 0 < sum(lines) < 250
