"""One finished task, one commit: the trailer `Colony-Task: <id>` ties the two, and both sides are checked.

Commits are rebased and picked onto other branches, so copies (same author, time and subject) count as one. Tasks
without code finish without a commit: those of some kinds, and those with the label `no-code`. What this file does not
do: say in the records that a task is done (working.py), or make commits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from colony.primitives.errors import CommitError
from colony.tasks.order.scopes import covers
from colony.tasks.shards.git import Git
from colony.tasks.task import State, Task

TRAILER: Final = "Colony-Task"
CODELESS_KINDS: Final = frozenset({"run", "verification", "replication"})
CODELESS_LABEL: Final = "no-code"
_NAMED: Final = ("--branches", "--tags", "--remotes")
_BETWEEN: Final = "\x1f"
_FORMAT: Final = f"%H%x1f%an <%ae> %at%x1f%f%x1f%(trailers:key={TRAILER},valueonly,unfold,separator=%x1f)"

Disagreement = Literal["no-commit", "unknown-commit", "wrong-commit", "shared-commit", "no-task", "not-done", "several"]


class Named(NamedTuple):
    """A commit that names tasks; `origin` is alike for its copies."""

    commit: str
    origin: str
    tasks: tuple[str, ...]


class Finding(NamedTuple):
    """A task and a commit, or one of the two, that disagree."""

    what: Disagreement
    task: str | None
    commit: str | None
    message: str


def needs_commit(task: Task) -> bool:
    """Tell whether the task changes code, so that it is done by a commit."""
    return task.kind not in CODELESS_KINDS and CODELESS_LABEL not in task.labels


class Commits:
    """The commits of a repository that name tasks: those of HEAD, branches, tags and remote branches."""

    def __init__(self, git: Git) -> None:
        self._git = git

    def named(self, *revisions: str) -> list[Named]:
        """Return the commits that name tasks, the newest first; `revisions` as for `git log`.

        Raises:
            RepositoryError: git cannot read them.

        """
        chosen = revisions or ((*_NAMED, "HEAD") if self._git.resolve("HEAD") else _NAMED)
        options = ("--no-show-signature", "--no-color", "--regexp-ignore-case", f"--grep=^{TRAILER}:", "-z")
        out = self._git.run("log", *options, f"--format={_FORMAT}", *chosen, "--").decode(errors="replace")
        return [named for line in out.split("\0") if line and (named := _named(line)).tasks]

    def of(self, task: str) -> str | None:
        """Return the commit that names a task, None if there is none.

        Raises:
            CommitError: several name it.

        """
        found = {named.origin: named.commit for named in reversed(self.named()) if task in named.tasks}
        if len(found) > 1:
            raise CommitError(f"task {task}: {_several(found.values())} name it; name the one that did it")
        return next(iter(found.values()), None)

    def check(self, task: Task, commit: str | None, taken: Mapping[str, str]) -> str | None:
        """Return the full name of the commit that finishes a task, None for a task without code that has none.

        `taken` says which tasks other commits have finished.

        Raises:
            CommitError: there is none, it cannot be reached, it does not name this task and no other, it finished
                another task, or it touches what lies outside the task's scope.

        """
        wanted = commit or self.of(task.id)
        if wanted is None and not needs_commit(task):
            return None
        if wanted is None:
            raise CommitError(f"task {task.id}: no commit names it; {_advice(task.id)}")
        full = self._git.resolve(f"{wanted}^{{commit}}")
        if full is None:
            why = "; this clone is shallow, so fetch more" if self._git.is_shallow else ""
            raise CommitError(f"task {task.id}: there is no commit {wanted} here{why}")
        names = self._names(full)
        if names != (task.id,):
            said = f"names {', '.join(names)}" if names else f"has no trailer {TRAILER}"
            raise CommitError(f"task {task.id}: commit {full[:12]} {said}; {_advice(task.id)}")
        if not self._is_reachable(full):
            raise CommitError(f"task {task.id}: commit {full[:12]} is on no branch and no tag; put it on one")
        if taken.get(full, task.id) != task.id:
            raise CommitError(f"task {task.id}: commit {full[:12]} has finished task {taken[full]} already")
        strays = [path for path in self._paths(full) if not covers(task.scope, path)]
        if strays:
            raise CommitError(f"task {task.id}: commit {full[:12]} touches {strays[0]}, outside of its scope")
        return full

    def verify(
        self, tasks: Mapping[str, Task], *, undone: Callable[[str], Collection[str]] = lambda _: ()
    ) -> list[Finding]:
        """Return every task and commit that do not stand for each other.

        `undone` gives the commits of a task that a reopening has named; they count no more.

        Raises:
            RepositoryError: git cannot read the commits.

        """
        every = self.named()
        named = [one for one in every if not all(one.commit in undone(task) for task in one.tasks)]
        return [*_unmatched_commits(named, tasks), *self._unmatched_tasks(named, tasks)]

    def _unmatched_tasks(self, named: Sequence[Named], tasks: Mapping[str, Task]) -> Iterator[Finding]:
        done = [task for _, task in sorted(tasks.items()) if task.state is State.DONE]
        recorded = [task.commit for task in done if task.commit]
        present = self._present(recorded)
        names = {one.commit: one.tasks for one in named}
        first: dict[str, str] = {}
        for task in done:
            commit = task.commit
            if commit is None:
                if needs_commit(task):
                    yield Finding("no-commit", task.id, None, "it is done, and its record has no commit")
            elif not present[commit]:
                yield Finding("unknown-commit", task.id, commit, "its commit is not in this repository")
            elif first.setdefault(commit, task.id) != task.id:
                yield Finding("shared-commit", task.id, commit, f"its commit is that of task {first[commit]} too")
            elif task.id not in names.get(commit, ()):
                said = f"names {', '.join(names[commit])}" if commit in names else "names no task, or is on no branch"
                yield Finding("wrong-commit", task.id, commit, f"its commit {said}")

    def _present(self, commits: Sequence[str]) -> dict[str, bool]:
        return dict(zip(commits, (size is not None for size in self._git.sizes(commits)), strict=True))

    def _names(self, commit: str) -> tuple[str, ...]:
        out = self._git.run("show", "--no-patch", "--no-show-signature", f"--format={_FORMAT}", commit)
        return _named(out.decode(errors="replace").strip("\n")).tasks

    def _is_reachable(self, commit: str) -> bool:
        if (head := self._git.resolve("HEAD")) and self._git.descends(head, commit):
            return True
        named = ("refs/heads/", "refs/tags/", "refs/remotes/")
        return bool(self._git.run("for-each-ref", "--count=1", "--contains", commit, *named))

    def _paths(self, commit: str) -> list[str]:
        """Return the files that a commit changes, a merge those beside its first parent."""
        options = ("--root", "--no-commit-id", "--name-only", "--no-renames", "--first-parent", "-m", "-r", "-z")
        return self._git.run("diff-tree", *options, commit).decode(errors="replace").split("\0")[:-1]


def trailers_of(git: Git, message: bytes) -> tuple[str, ...]:
    """Return the tasks that a commit message names.

    Raises:
        RepositoryError: git cannot read it.

    """
    lines = (
        git.run("interpret-trailers", "--parse", "--no-divider", stdin=message).decode(errors="replace").splitlines()
    )
    pairs = [line.partition(":") for line in lines]
    return tuple(value.strip() for key, _, value in pairs if key.strip().lower() == TRAILER.lower())


def taken_by(tasks: Iterable[Task]) -> dict[str, str]:
    """Return which commits have finished which tasks."""
    return {task.commit: task.id for task in tasks if task.state is State.DONE and task.commit}


def _named(line: str) -> Named:
    commit, author, subject, *tasks = line.split(_BETWEEN)
    return Named(commit, f"{author} {subject} {tasks}", tuple(task.strip() for task in tasks if task.strip()))


def _unmatched_commits(named: Iterable[Named], tasks: Mapping[str, Task]) -> Iterator[Finding]:
    """Yield commits that name no task, an unfinished one, several, or one that another commit names too."""
    origins: dict[str, dict[str, str]] = {}
    for one in named:
        if len(one.tasks) > 1:
            yield Finding("several", one.tasks[0], one.commit, f"one commit names {len(one.tasks)} tasks")
        for task in one.tasks:
            origins.setdefault(task, {}).setdefault(one.origin, one.commit)
    for task, commits in sorted(origins.items()):
        commit = next(iter(commits.values()))
        if task not in tasks:
            yield Finding("no-task", task, commit, "a commit names it, and there is no such task")
        elif tasks[task].state is not State.DONE:
            yield Finding("not-done", task, commit, "a commit names it, and it is not done")
        if len(commits) > 1:
            yield Finding("several", task, commit, f"{_several(commits.values())} name it")


def _several(commits: Iterable[str]) -> str:
    return "commits " + ", ".join(commit[:12] for commit in commits)


def _advice(task: str) -> str:
    return f"commit with the last line `{TRAILER}: {task}`, or amend: git commit --amend --trailer '{TRAILER}: {task}'"
