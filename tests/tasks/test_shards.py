"""Records in a repository: written to a ref of its own and read back, whatever kind of repository it is."""

from __future__ import annotations

import threading

import pytest
from repositories import commit, drafts, git, key, names, opened, repository, shards

from colony.primitives.errors import RepositoryError
from colony.tasks.shards.git import MATRIX_BRANCH
from colony.tasks.shards.shards import united


def test_what_is_appended_is_read_back(tmp_path):
    """Records come back as they were signed, in another process too."""
    place = repository(tmp_path / "a")
    written = shards(place).append(key("ann"), drafts("A", "B"))
    read = shards(opened(tmp_path / "a")).read()
    assert [signed.id for signed in read.records] == [signed.id for signed in written]
    assert not read.faults


def test_an_empty_repository_has_no_records(tmp_path):
    """A repository without a commit is read, and has nothing."""
    shard = shards(repository(tmp_path / "a")).read()
    assert (shard.commit, shard.records, shard.faults) == (None, [], [])


def test_work_tree_index_and_branches_stay_as_they_are(tmp_path):
    """Writing touches nothing that a person works with."""
    place = repository(tmp_path / "a")
    commit(place)
    (tmp_path / "a" / "code.py").write_text("half done\n")
    before = git(tmp_path / "a", "status", "--porcelain"), git(tmp_path / "a", "log", "--oneline", "--branches")
    shards(place).append(key("ann"), drafts("A"))
    assert before == (
        git(tmp_path / "a", "status", "--porcelain"),
        git(tmp_path / "a", "log", "--oneline", "--branches"),
    )
    refs = git(tmp_path / "a", "for-each-ref", "--format=%(refname)").split()
    assert [ref for ref in refs if not ref.startswith("refs/colony/")] == ["refs/heads/main"]
    assert not list((tmp_path / "a" / ".git").glob("fast_import_crash*"))


@pytest.mark.parametrize("kind", ["bare", "worktree", "detached", "shallow", "branch", "folder"])
def test_every_kind_of_repository_will_do(tmp_path, kind):
    """Bare, linked, detached, shallow, a branch instead of a ref, from a folder below: all the same."""
    first = repository(tmp_path / "first", *(["--bare"] if kind == "bare" else []))
    place, ref = first, {}
    if kind != "bare":
        commit(first)
        commit(first, text="x = 2\n")
    if kind == "worktree":
        git(tmp_path / "first", "worktree", "add", "-q", "--detach", tmp_path / "linked")
        place = opened(tmp_path / "linked")
    elif kind == "detached":
        git(tmp_path / "first", "checkout", "-q", "--detach")
    elif kind == "shallow":
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tmp_path}/first", tmp_path / "shallow")
        place = opened(tmp_path / "shallow")
        assert place.is_shallow
    elif kind == "branch":
        ref = {"ref": MATRIX_BRANCH}
    elif kind == "folder":
        (tmp_path / "first" / "deep").mkdir()
        place = opened(tmp_path / "first" / "deep")
    shards(place, **ref).append(key("ann"), drafts("A"))
    shards(place, **ref).append(key("ann"), drafts("B"))
    assert names(shards(place, **ref).read()) == ["A", "B"]
    if kind == "worktree":
        assert names(shards(first).read()) == ["A", "B"]


def test_outside_a_repository_there_is_one_clear_error(tmp_path):
    """The message names the folder and what to do."""
    with pytest.raises(RepositoryError, match=r"no git repository.*git init"):
        opened(tmp_path)


def test_many_records_are_cut_into_files_of_which_only_the_last_changes(tmp_path):
    """What is full is never written again, and the same records make the same files however they came."""
    one, other = shards(repository(tmp_path / "a")), shards(repository(tmp_path / "b"))
    one.append(key("ann"), drafts(*(f"T{i}" for i in range(400))))
    before = one.read().files
    one.append(key("ann"), drafts("X"))
    after = one.read().files
    assert len(before) > 1
    assert sum(before.get(path) != file for path, file in after.items()) == 1
    other.git.run("fetch", "-q", str(tmp_path / "a"), "refs/colony/matrix")
    theirs = other.read_commit(one.read().commit)
    again = other.commit(united(other.read(), [theirs]), [], "union")
    assert other.read_commit(again).files == after


def test_the_union_of_two_repositories_holds_what_both_have(tmp_path):
    """Whoever joins which to which, the files are alike."""
    a, b = shards(repository(tmp_path / "a")), shards(repository(tmp_path / "b"))
    a.append(key("ann"), drafts("A"))
    b.append(key("bob"), drafts("B"))
    for here, there in ((a, b), (b, a)):
        here.git.run("fetch", "-q", str(there.git.directory), "refs/colony/matrix")
    trees = []
    for here, there in ((a, b), (b, a)):
        ours, theirs = here.read(), here.read_commit(there.read().commit)
        joint = here.commit(united(ours, [theirs]), [ours.commit, theirs.commit], "union")
        shard = here.read_commit(joint)
        assert names(shard) == ["A", "B"]
        trees.append(here.git.run("rev-parse", f"{joint}^{{tree}}"))
    assert trees[0] == trees[1]


def test_writers_at_once_lose_nothing(tmp_path):
    """The ref is compared and swapped: of two writers, one begins again from what the other wrote."""
    repository(tmp_path / "a")
    writers = [(shards(opened(tmp_path / "a")), key(name)) for name in ("ann", "bob", "ann")]

    def write(number):
        mine, author = writers[number]
        for i in range(5):
            mine.append(author, drafts(f"{number}-{i}"))

    threads = [threading.Thread(target=write, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shard = writers[0][0].read()
    assert names(shard) == sorted(f"{n}-{i}" for n in range(3) for i in range(5))
    assert not shard.faults
    assert {did: chain.tip.n for did, chain in shard.chains.items()} == {key("ann").did: 9, key("bob").did: 4}


def test_a_record_that_went_nowhere_is_withdrawn(tmp_path):
    """What was just appended can be taken back, and its number is free again; not once something follows."""
    mine = shards(repository(tmp_path / "a"))
    mine.append(key("ann"), drafts("A"))
    taken = mine.append(key("ann"), drafts("B"))
    assert mine.withdraw(taken)
    assert names(mine.read()) == ["A"]
    kept = mine.append(key("ann"), drafts("C"))
    mine.append(key("ann"), drafts("D"))
    assert not mine.withdraw(kept)
    assert names(mine.read()) == ["A", "C", "D"]
    assert not shards(opened(tmp_path / "a")).read().faults


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_what_was_written_here_comes_back_before_more_is_written(tmp_path, damage):
    """A cut-off line or a lost ref does not make an author use a number twice: git still has what it wrote."""
    mine = shards(repository(tmp_path / "a"))
    written = mine.append(key("ann"), drafts("A", "B"))
    shard = mine.read()
    if damage == "cut":
        [path] = shard.files
        data = mine.git.objects(shard.files.values())[0]
        mine.move(shard, mine.commit({path: data[:-200]}, [shard.commit], "damage"))
    else:
        git(tmp_path / "a", "update-ref", "-d", "refs/colony/matrix")
    later = shards(opened(tmp_path / "a"))
    [more] = later.append(key("ann"), drafts("C"))
    assert more.record.prev == written[1].id
    shard = shards(opened(tmp_path / "a")).read()
    assert (names(shard), shard.faults) == (["A", "B", "C"], [])
