"""Records between repositories: fetched, checked, joined by union, and pushed with a lease until both have the same.

What this file does not do: settle what records contradict each other in (that is the fold's), or give out claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from colony.primitives.errors import RemoteError, RepositoryError
from colony.primitives.limits import GIT_ATTEMPTS_MAX
from colony.tasks.chains import Fault
from colony.tasks.git import RefChange
from colony.tasks.places import Place, seen
from colony.tasks.shards import MATRIX_BRANCH, MATRIX_REF, Shard, Shards, united


class Union(msgspec.Struct, frozen=True):
    """What came of joining another's records with ours.

    `received` counts new records by author, `sent` those that the other had not; `faults` are what is wrong in the
    other's files, their names with the other's before them; `is_agreed` says whether refs given along have changed.
    """

    received: Mapping[str, int]
    sent: int
    faults: tuple[Fault, ...]
    is_agreed: bool = False


def sync(shards: Shards, remote: Place, *, also: Sequence[RefChange] = ()) -> Union:
    """Fetch a repository's records, join them with ours, and push until it has ours too.

    `also` are refs of the remote that must change in the same step as its records, or nothing is pushed.

    Raises:
        RemoteError: it refuses or does not answer, or others were quicker each time. What is here is intact, and holds
            whatever could be fetched.

    """
    received: dict[str, int] = {}
    faults: dict[Fault, None] = {}
    for attempt in range(1, GIT_ATTEMPTS_MAX + 1):
        theirs = seen(remote, shards.git, shards.ref).get(shards.ref)
        known = shards.read_commit(theirs) if theirs else Shard(None, {}, {})
        if theirs:
            union = absorb(shards, known, remote.name)
            received = {author: received.get(author, 0) + n for author, n in union.received.items()} | {
                author: n for author, n in received.items() if author not in union.received
            }
            faults |= dict.fromkeys(union.faults)
        ours = shards.read()
        changes = [*also, *([RefChange(shards.ref, theirs, ours.commit)] if ours.commit != theirs else ())]
        if not changes or remote.change(changes):
            return Union(received, sum(counted(known, ours).values()), tuple(faults), is_agreed=True)
        if _have_moved(remote, also):
            return Union(received, 0, tuple(faults))
        shards.pause(attempt)
    raise RemoteError(f"{remote.name}: others were quicker {GIT_ATTEMPTS_MAX} times; nothing is lost here, try again")


def merge(shards: Shards, source: Place) -> Union:
    """Fetch a repository's records, from ref and branch alike, and join them with ours; the other is left as it is.

    Raises:
        RemoteError: it does not answer, or has no records. RepositoryError: git cannot write here.

    """
    found = seen(source, shards.git, MATRIX_REF, MATRIX_BRANCH)
    if not found:
        raise RemoteError(f"{source.name} has no task matrix; there is neither {MATRIX_REF} nor {MATRIX_BRANCH}")
    unions = [absorb(shards, shards.read_commit(commit), source.name) for _, commit in sorted(found.items())]
    received: dict[str, int] = {}
    for union in unions:
        for author, count in union.received.items():
            received[author] = received.get(author, 0) + count
    return Union(received, 0, tuple(fault for union in unions for fault in union.faults))


def absorb(shards: Shards, theirs: Shard, source: str) -> Union:
    """Join records whose objects are here already with ours, in one commit that descends from both.

    Raises:
        RepositoryError: git cannot write, or others were quicker each time.

    """
    assert theirs.commit
    faults = tuple(msgspec.structs.replace(fault, file=f"{source}:{fault.file}") for fault in theirs.faults)
    for attempt in range(1, GIT_ATTEMPTS_MAX + 1):
        ours = shards.read()
        if ours.commit == theirs.commit:
            return Union({}, 0, faults)
        received = counted(ours, theirs)
        commit = _joint(shards, ours, theirs)
        if commit == ours.commit or shards.git.change_refs([RefChange(shards.ref, ours.commit, commit)]):
            return Union(received, 0, faults)
        shards.pause(attempt)
    raise RepositoryError(f"{shards.ref}: others were quicker {GIT_ATTEMPTS_MAX} times; try again")


def counted(ours: Shard, theirs: Shard) -> dict[str, int]:
    """Return how many records of each author are theirs and not ours, where there are any."""
    counts = {}
    for author, chain in theirs.chains.items():
        mine = ours.chains.get(author)
        if mine is None:
            counts[author] = len(chain.records)
        elif mine.faults or chain.faults:
            counts[author] = len({s.id for s in chain.records} - {s.id for s in mine.records})
        else:
            counts[author] = len(chain.records) - len(mine.records)
    return {author: count for author, count in counts.items() if count > 0}


def _joint(shards: Shards, ours: Shard, theirs: Shard) -> str:
    """Return the commit that has the records of both: one of the two if it will do."""
    assert theirs.commit
    contents = united(ours, theirs)
    files = {path: file.oid for path, file in ours.files.items()} | contents
    if {path: oid for path, oid in files.items() if oid} == {path: file.oid for path, file in theirs.files.items()}:
        return theirs.commit
    if ours.commit is None:
        return shards.commit(contents, [], "records of another repository")
    if not contents and not shards.git.attempt("merge-base", "--is-ancestor", theirs.commit, ours.commit).code:
        return ours.commit
    return shards.commit(contents, [ours.commit, theirs.commit], "records of two repositories")


def _have_moved(remote: Place, changes: Sequence[RefChange]) -> bool:
    now = remote.look(*(change.ref for change in changes)) if changes else {}
    return any(now.get(change.ref) != change.old for change in changes)
