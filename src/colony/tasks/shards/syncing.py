"""Records between repositories: fetched, checked, joined by union, and published where nobody else writes.

A replica publishes at `refs/colony/shards/<author>` of a place: its own records, and those of others that the place has
not. It is the only writer of that ref, so a hundred replicas publish at once and none has to try twice. Where the
matrix is kept on a branch, which others may merge and push with git alone, that branch itself is published, with a
lease, as often as it takes. What this file does not do: settle what records say that differs, or give out claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from colony.primitives.errors import RemoteError, RepositoryError
from colony.primitives.limits import GIT_ATTEMPTS_MAX
from colony.tasks.shards.chains import Fault
from colony.tasks.shards.git import MATRIX_BRANCH, MATRIX_REF, RefChange
from colony.tasks.shards.places import Place, seen
from colony.tasks.shards.shards import Content, Shard, Shards, folder_of, united

SHARD_REFS: Final = "refs/colony/shards/"


class Union(msgspec.Struct, frozen=True):
    """What came of joining records of others with ours.

    `received` counts new records by author, `sent` those that the other place had not; `faults` are what is wrong in
    the others' files, whose names have the place and the ref before them.
    """

    received: Mapping[str, int] = {}
    faults: tuple[Fault, ...] = ()
    sent: int = 0

    def then(self, later: Union) -> Union:
        """Return what came of this and a later one together."""
        counts = {a: self.received.get(a, 0) + later.received.get(a, 0) for a in (*self.received, *later.received)}
        faults = (*self.faults, *(fault for fault in later.faults if fault not in self.faults))
        return Union(counts, faults, self.sent + later.sent)


class Exchange:
    """The records at a place and ours, for one replica: `look` joins theirs here, `publish` puts ours there."""

    def __init__(self, shards: Shards, place: Place, author: str) -> None:
        self._shards = shards
        self._place = place
        self._author = author
        self._is_branch = shards.ref != MATRIX_REF
        self._target: Final = shards.ref if self._is_branch else SHARD_REFS + author.rpartition(":")[2]
        self._refs: dict[str, str] = {}
        self._joined: dict[str, str] = {}
        self._there: dict[str, Shard] = {}
        """What stands at the refs of the place, as last seen."""
        self.union = Union()
        """All that came in and went out until now."""

    def look(self, *patterns: str) -> dict[str, str]:
        """Join the records at the place with ours; return its refs, those that match `patterns` too.

        Raises:
            RepositoryError: the place, or this repository, cannot be read or written.

        """
        shared = [self._shards.ref] if self._is_branch or self._place.is_here else []
        self._refs = seen(self._place, self._shards.git, SHARD_REFS + "*", *shared, *patterns)
        new = {r: c for r, c in self._refs.items() if r.startswith((SHARD_REFS, *shared)) and self._joined.get(r) != c}
        if self._place.is_here:
            self._shards.read()
        else:
            others = dict(zip(new, self._shards.read_refs(new), strict=True))
            parents = [commit for ref, commit in new.items() if ref in shared]
            self.union = self.union.then(absorb(self._shards, others, self._place.name, parents=parents))
            self._there |= others
        self._joined |= new
        return self._refs

    def publish(self, *, also: Sequence[RefChange] = ()) -> bool:
        """Put our records at the place, and change other refs of it in the same step; call `look` first.

        Nothing is done, and False returned, if one of those refs is not where it is said to be.

        Raises:
            RemoteError: the place refuses or does not answer, or others were quicker each time; all is kept here.

        """
        for attempt in range(1, GIT_ATTEMPTS_MAX + 1):
            old = self._refs.get(self._target)
            new = old if self._place.is_here else self._publication(old)
            changes = [*also, *([RefChange(self._target, old, new)] if new != old else ())]
            if not changes or self._place.change(changes):
                self.union = self.union.then(Union(sent=self._unpublished))
                self._note(new)
                return True
            now = self.look(*(change.ref for change in also))
            if any(now.get(change.ref) != change.old for change in also):
                return False
            self._shards.pause(attempt)
        raise RemoteError(
            f"{self._place.name}: others were quicker {GIT_ATTEMPTS_MAX} times; nothing is lost, try again"
        )

    @property
    def _unpublished(self) -> int:
        """How many of our records the place has not."""
        there = Shard(None, {}, {a: c for shard in self._there.values() for a, c in shard.chains.items()})
        return 0 if self._place.is_here else sum(_counted(there, self._shards.latest).values())

    def _publication(self, old: str | None) -> str | None:
        """Return the commit to publish, which is the old one if there is nothing new."""
        ours = self._shards.latest
        if self._is_branch:
            return ours.commit
        here = self._there[self._target].files if self._target in self._there else {}
        folders = [folder_of(author) for author in self._missing(ours)]
        wanted: dict[str, Content] = {
            p: oid for p, oid in ours.files.items() if p.startswith((*folders, "quarantine/"))
        }
        gone = dict.fromkeys(path for path in here if path.startswith(folder_of(self._author)) and path not in wanted)
        changes = {path: oid for path, oid in (wanted | gone).items() if here.get(path) != oid}
        if not changes:
            return old
        return self._shards.commit(changes, [old] if old else [], "records of one replica")

    def _missing(self, ours: Shard) -> list[str]:
        """Return whose records are to be published: our own, and those that no ref of the place has."""
        known = {path for shard in self._there.values() for path in shard.files.items()}
        lacking = {path for path, oid in ours.files.items() if (path, oid) not in known}
        others = [author for author in ours.chains if any(path.startswith(folder_of(author)) for path in lacking)]
        return [self._author, *(author for author in others if author != self._author)]

    def _note(self, commit: str | None) -> None:
        """Remember what we have published as what stands there."""
        if commit is not None and self._refs.get(self._target) != commit:
            self._refs[self._target] = self._joined[self._target] = commit
            [self._there[self._target]] = self._shards.read_refs({self._target: commit})


def sync(shards: Shards, place: Place, author: str) -> Union:
    """Bring a place and this repository, the replica of `author`, to the same records.

    Raises:
        RemoteError: the place refuses or does not answer. What is here is intact, and holds what could be fetched.

    """
    exchange = Exchange(shards, place, author)
    exchange.look()
    exchange.publish()
    return exchange.union


def merge(shards: Shards, source: Place) -> Union:
    """Fetch all records of a repository and join them with ours; the other is left as it is.

    Raises:
        RemoteError: it does not answer, or has no records. RepositoryError: git cannot write here.

    """
    refs = seen(source, shards.git, MATRIX_REF, MATRIX_BRANCH, SHARD_REFS + "*")
    if not refs:
        raise RemoteError(f"{source.name} has no task matrix; there is neither {MATRIX_REF} nor {MATRIX_BRANCH}")
    parents = [commit for ref, commit in refs.items() if not ref.startswith(SHARD_REFS)]
    return absorb(shards, dict(zip(refs, shards.read_refs(refs), strict=True)), source.name, parents=parents)


def absorb(shards: Shards, others: Mapping[str, Shard], source: str, *, parents: Sequence[str] = ()) -> Union:
    """Join records whose objects are here already with ours, in one commit; it descends from ours and `parents`.

    Raises:
        RepositoryError: git cannot write, or others were quicker each time.

    """
    faults = [
        msgspec.structs.replace(fault, file=f"{source}:{ref}:{fault.file}")
        for ref, shard in others.items()
        for fault in shard.faults
    ]
    for attempt in range(1, GIT_ATTEMPTS_MAX + 1):
        ours = shards.read()
        commit = _joint(shards, ours, list(others.values()), parents)
        if commit in (None, ours.commit) or shards.move(ours, commit):
            return Union(_counted(ours, *others.values()), tuple(faults))
        shards.pause(attempt)
    raise RepositoryError(f"{shards.ref}: others were quicker {GIT_ATTEMPTS_MAX} times; try again")


def _joint(shards: Shards, ours: Shard, others: Sequence[Shard], parents: Sequence[str]) -> str | None:
    """Return the commit that has the records of all: ours or another if it will do."""
    contents = united(ours, others)
    files = {path: content for path, content in (dict(ours.files) | contents).items() if content is not None}
    for other in others:
        if other.commit in parents and files == other.files:
            return other.commit
    strange = [commit for commit in parents if not ours.commit or not shards.git.descends(ours.commit, commit)]
    if not contents and not strange:
        return ours.commit
    return shards.commit(contents, [*([ours.commit] if ours.commit else []), *strange], "records joined")


def _counted(ours: Shard, *others: Shard) -> dict[str, int]:
    """Return how many records of each author the others have and we have not, where there are any."""
    counts: dict[str, int] = {}
    for other in others:
        for author, chain in other.chains.items():
            mine = ours.chains.get(author)
            if mine is not None and (mine.faults or chain.faults):
                count = len({signed.id for signed in chain.records} - {signed.id for signed in mine.records})
            else:
                count = len(chain.records) - (len(mine.records) if mine else 0)
            if count > 0:
                counts[author] = max(count, counts.get(author, 0))
    return counts
