"""One finished task, one commit: what holds is accepted, and each way in which it does not is told apart."""

from __future__ import annotations

import pytest
from repositories import clone, commit, git, repository

from colony.primitives.errors import CommitError
from colony.tasks.shards.commits import Commits, needs_commit, taken_by, trailers_of
from colony.tasks.task import State, Task


def message(*tasks):
    return "Do it\n\nAt length.\n\n" + "".join(f"Colony-Task: {task}\n" for task in tasks)


def task(name, commit=None, **fields):
    state = {"state": State.DONE} if commit or fields.pop("is_done", False) else {}
    return Task(id=name, title=name, commit=commit, **(state | fields))


@pytest.fixture
def place(tmp_path):
    return repository(tmp_path / "a")


def test_a_task_is_finished_by_the_commit_that_names_it(place):
    """Found by its trailer, or named by the beginning of its hash."""
    commit(place)
    done = commit(place, text="x = 2\n", message=message("A"))
    commits = Commits(place)
    assert commits.of("A") == done
    assert commits.check(task("A"), None, {}) == done
    assert commits.check(task("A"), done[:10], {}) == done


def test_a_repository_without_commits_says_so(place):
    """Nothing is found, and nothing breaks."""
    assert Commits(place).of("A") is None
    with pytest.raises(CommitError, match=r"no commit names it.*Colony-Task: A"):
        Commits(place).check(task("A"), None, {})
    assert Commits(place).verify({"A": task("A")}) == []


def test_what_is_no_commit_of_the_task_is_refused(place):
    """No trailer, another task's, two tasks, unknown, taken, outside of the scope, on no branch: each says what."""
    plain = commit(place)
    other = commit(place, text="x = 2\n", message=message("B"))
    both = commit(place, text="x = 3\n", message=message("A", "B"))
    mine = commit(place, text="x = 4\n", message=message("A"))
    check = Commits(place).check
    for wrong, why in ((plain, "has no trailer"), (other, "names B"), (both, "names A, B"), ("f" * 40, "there is no")):
        with pytest.raises(CommitError, match=why):
            check(task("A"), wrong, {})
    with pytest.raises(CommitError, match="has finished task B"):
        check(task("A"), mine, {mine: "B"})
    with pytest.raises(CommitError, match=r"touches code\.py"):
        check(task("A", scope=("lib",)), mine, {})
    assert check(task("A", scope=("code.py",)), mine, {}) == mine
    git(place.directory, "reset", "-q", "--hard", plain)
    with pytest.raises(CommitError, match="no branch"):
        check(task("A"), mine, {})


def test_several_commits_for_a_task_are_refused_and_copies_are_not(place):
    """A commit that was picked onto another branch is the same commit; another change is not."""
    commit(place)
    git(place.directory, "checkout", "-q", "-b", "topic")
    commit(place, path="other.py", message=message("A"))
    git(place.directory, "checkout", "-q", "main")
    commit(place, path="third.py")
    git(place.directory, "cherry-pick", "topic")
    assert Commits(place).of("A")
    commit(place, text="x = 3\n", message=message("A") + "Again: yes\n")
    git(place.directory, "commit", "-q", "--amend", "-m", "Something else\n\nColony-Task: A")
    with pytest.raises(CommitError, match="name the one that did it"):
        Commits(place).of("A")


def test_a_commit_beyond_a_shallow_clone_is_not_guessed(tmp_path, place):
    """The message says that the clone is shallow."""
    done = commit(place, message=message("A"))
    commit(place, text="x = 2\n")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{place.directory}", tmp_path / "shallow")
    shallow = clone(place.directory, tmp_path / "whole")
    assert Commits(shallow).check(task("A"), done, {}) == done
    with pytest.raises(CommitError, match="shallow"):
        Commits(type(place)(tmp_path / "shallow", place.environ)).check(task("A"), done, {})


def test_tasks_without_code_finish_without_a_commit(place):
    """By their kind, or by a label."""
    run, plain, labelled = task("A", kind="run"), task("B"), task("C", labels=("no-code",))
    assert [needs_commit(one) for one in (run, plain, labelled)] == [False, True, False]
    assert Commits(place).check(run, None, {}) is None


def test_verify_finds_every_disagreement(place):
    """Tasks without commits, commits without tasks, pairs that disagree, several for one: all, and nothing else."""
    good = commit(place, text="1", message=message("good"))
    wrong = commit(place, text="2", message=message("other"))
    commit(place, text="3", message=message("open"))
    commit(place, text="4", message=message("nobody"))
    twice = commit(place, text="5", message=message("twice"))
    commit(place, text="6", message="More\n\n" + "Colony-Task: twice")
    commit(place, text="7", message=message("good", "other"))
    tasks = {
        one.id: one
        for one in (
            task("good", good), task("other"), task("open"), task("twice", twice), task("none", is_done=True),
            task("wrong", wrong), task("gone", "e" * 40), task("shared", good), task("run", is_done=True, kind="run"),
        )
    }  # fmt: skip
    found = {(finding.what, finding.task) for finding in Commits(place).verify(tasks)}
    assert found == {
        ("no-commit", "none"), ("unknown-commit", "gone"), ("wrong-commit", "wrong"), ("shared-commit", "shared"),
        ("no-task", "nobody"), ("not-done", "open"), ("not-done", "other"),
        ("several", "twice"), ("several", "good"), ("several", "other"),
    }  # fmt: skip
    assert taken_by(tasks.values())[wrong] == "wrong"


def test_trailers_are_read_as_git_reads_them(place):
    """In the last paragraph, whatever their case; not in the middle of the text."""
    assert trailers_of(place, message("A").encode()) == ("A",)
    assert trailers_of(place, b"Do\n\ncolony-task: B\n") == ("B",)
    assert trailers_of(place, b"Colony-Task: A is what I do\n\nmore\n") == ()
