"""Where refs are agreed on: this repository, or another one that it pushes to; both compare before they swap.

What this file does not do: say what the refs lead to (shards.py, claims.py), or try again when somebody was quicker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, Protocol

from colony.primitives.errors import RemoteError, RepositoryError, UsageError
from colony.tasks.shards.git import Git, RefChange

_QUIETLY: Final = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--recurse-submodules=no")
_ALONE: Final = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
_QUICKER: Final = re.compile(
    r"stale info|fetch first|non-fast-forward|atomic (push|transaction) failed|already exists|incorrect old value"
    r"|(failed to|cannot) (lock|update|delete)|is at [0-9a-f]+ but expected|unable to resolve reference"
)
_BACKOFF_FIRST_SECONDS: Final = 0.02
_BACKOFF_DOUBLINGS_MAX: Final = 6


class Place(Protocol):
    """A repository whose refs count. Every method may raise RepositoryError, a remote's RemoteError."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def is_here(self) -> bool:
        """Whether it is this repository itself, so that nothing needs to be carried there."""

    def look(self, *patterns: str) -> dict[str, str]:
        """Return the refs that match (`refs/x`, or `refs/x/*`) and their objects."""

    def bring(self, refs: Collection[str]) -> bool:
        """See to it that the objects of these refs are in this repository; False if a ref is gone meanwhile."""

    def change(self, changes: Sequence[RefChange]) -> bool:
        """Change all refs, or none and return False because one of them is not where it was said to be."""

    def change_each(self, changes: Sequence[RefChange]) -> set[str]:
        """Change those refs that are where they were said to be, and return their names."""


class Here:
    """This repository, for agents that share a clone."""

    name = "this repository"
    is_here = True

    def __init__(self, git: Git) -> None:
        self._git = git

    def look(self, *patterns: str) -> dict[str, str]:
        """Return the refs that match; see `Place`."""
        return self._git.refs(*(pattern.removesuffix("*") for pattern in patterns))

    def bring(self, refs: Collection[str]) -> bool:
        """Do nothing, for all is here; see `Place`."""
        return bool(refs) or True

    def change(self, changes: Sequence[RefChange]) -> bool:
        """Change all refs or none; see `Place`."""
        return self._git.change_refs(changes)

    def change_each(self, changes: Sequence[RefChange]) -> set[str]:
        """Change each ref for itself; see `Place`."""
        if self._git.change_refs(changes):
            return {change.ref for change in changes}
        return {change.ref for change in changes if self._git.change_refs([change])}


class Remote:
    """Another repository: a remote's name, an address or a path."""

    is_here = False

    def __init__(self, git: Git, name: str) -> None:
        """Take note of where it is; nothing is asked of it yet.

        Raises:
            UsageError: it is no name and no address.

        """
        if not name or name.startswith("-"):
            raise UsageError(f"{name!r}: no remote; name one of `git remote`, or give an address or a path")
        self._git = git
        self.name: Final = name

    @classmethod
    def at(cls, git: Git, source: str) -> Remote:
        """Return the repository of a folder, or of a folder in one, else that of an address or a name.

        Raises:
            UsageError: it is no name and no address.

        """
        folder = Path(git.directory, source)
        if folder.is_dir():
            return cls(git, str(Git(folder, git.environ).shared_folder))
        return cls(git, source)

    def look(self, *patterns: str) -> dict[str, str]:
        """Return the refs that match; see `Place`."""
        outcome = self._git.attempt("ls-remote", "--quiet", "--refs", "--", self.name, *patterns)
        if outcome.code:
            raise RemoteError(f"{self.name} cannot be read: {outcome.reason}")
        return {ref: oid for oid, ref in (line.split("\t", 1) for line in outcome.out.decode().splitlines())}

    def bring(self, refs: Collection[str]) -> bool:
        """Fetch the objects of refs; see `Place`."""
        outcome = self._git.attempt("fetch", *_QUIETLY, "--", self.name, *sorted(refs))
        if outcome.code and "couldn't find remote ref" in outcome.error:
            return False
        if outcome.code:
            raise RemoteError(f"{self.name} cannot be fetched from: {outcome.reason}")
        return True

    def change(self, changes: Sequence[RefChange]) -> bool:
        """Push all refs or none; see `Place`.

        Raises:
            RemoteError: it does not allow this, or does not answer.

        """
        return not changes or bool(self._push(changes, "--atomic"))

    def change_each(self, changes: Sequence[RefChange]) -> set[str]:
        """Push each ref for itself; see `Place`.

        Raises:
            RemoteError: it does not allow this, or does not answer.

        """
        return self._push(changes) if changes else set()

    def _push(self, changes: Sequence[RefChange], *options: str) -> set[str]:
        """Return the refs that were changed."""
        leases = [f"--force-with-lease={change.ref}:{change.old or ''}" for change in changes]
        refspecs = [f"{change.new or ''}:{change.ref}" for change in changes]
        outcome = self._git.attempt("push", *_ALONE, *options, *leases, "--", self.name, *refspecs)
        lines = [line.split("\t") for line in outcome.out.decode().splitlines() if "\t" in line]
        refusals = {line[2] for line in lines if line[0] == "!"}
        if outcome.code and not (refusals and all(_QUICKER.search(refusal) for refusal in refusals)):
            said = "; ".join(sorted(refusals))
            raise RemoteError(f"{self.name} refused: {said} ({outcome.reason}); nothing is lost here")
        return {line[1].rpartition(":")[2] for line in lines if line[0] != "!"}


def seen(place: Place, git: Git, *patterns: str) -> dict[str, str]:
    """Return the refs that match, with the certainty that their objects are in this repository.

    Raises:
        RepositoryError: the place cannot be read, or changes faster than it can be read.

    """
    for _ in range(8):
        refs = place.look(*patterns)
        if git.has(refs.values()) or (place.bring(refs.keys()) and git.has(refs.values())):
            return refs
    raise RepositoryError(f"{place.name} changes faster than it can be read; try again")


def backoff(chance: Callable[[], float], sleep: Callable[[float], None]) -> Callable[[int], None]:
    """Return a `pause` that waits longer after each lost race: up to 20 ms, 40 ms, ... 1.3 s, by chance (in 0..1)."""

    def pause(attempt: int) -> None:
        sleep(chance() * _BACKOFF_FIRST_SECONDS * 2 ** min(attempt, _BACKOFF_DOUBLINGS_MAX))

    return pause
