"""The records that a repository keeps: a tree with files of signed lines for each author, on a ref of its own.

    authors/<author>/000000.jsonl   the author's records, in files that only ever grow at the end of the last
    quarantine/<hash>               bytes that stood where records belong and are none; never overwritten

The ref is `refs/colony/matrix`, or a branch, and stands apart from all history: index, work tree and branches stay as
they are. A change is a commit, then a compare-and-swap of the ref, so any number of processes may write. What this file
does not do: talk to another repository (syncing.py), or know what records say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from colony.journal.record import Author, FreshRecord, SignedRecord
from colony.primitives.clock import Clock, HybridClock, parse_timestamp
from colony.primitives.errors import LimitError, RepositoryError
from colony.primitives.keys import Key, is_did
from colony.primitives.limits import (
    CLOCK_AHEAD_SECONDS_MAX,
    GIT_ATTEMPTS_MAX,
    SHARD_AUTHORS_MAX,
    SHARD_FILE_BYTES_MAX,
)
from colony.tasks.shards.chains import Chain, Fault, Piece, continued, joined, pieces_of, read_chain
from colony.tasks.shards.git import FAST_IMPORT, MATRIX_REF, NOTHING, Git, RefChange

WRITTEN_REFS: Final = "refs/colony/written/"
"""What each author of this repository has written last, which no damage to the records makes it forget."""
_DRAFT: Final = "refs/colony/draft"
_MISSING: Final = "its object is not in this repository"
_PATH: Final = re.compile(r"authors/(\w+)/(\d{6})\.jsonl", re.ASCII)
_DID: Final = "did:key:"


Files = Mapping[str, str]
"""The objects of a tree's files, by path."""


class Shard(msgspec.Struct, frozen=True):
    """All records of a commit, by author; None is a repository without any."""

    commit: str | None
    files: Files
    chains: Mapping[str, Chain]
    misplaced: tuple[Fault, ...] = ()

    @property
    def records(self) -> list[SignedRecord]:
        """All records that can be read, of one author after the other."""
        return [signed for chain in self.chains.values() for signed in chain.readable]

    @property
    def faults(self) -> list[Fault]:
        """All that is wrong, by file and line."""
        return [*self.misplaced, *(fault for chain in self.chains.values() for fault in chain.faults)]

    @property
    def quarantined(self) -> int:
        """How many things are kept that are no records."""
        return sum(path.startswith("quarantine/") for path in self.files)


Content = bytes | str | None
"""What a path is to hold: these bytes, the object of this name, or nothing."""


class Shards:
    """The records of one repository. An instance belongs to one thread; any number of them and of processes may write.

    `pause` is called with the number of an attempt that lost a race, before the next.
    """

    def __init__(
        self, git: Git, clock: Clock, *, ref: str = MATRIX_REF, pause: Callable[[int], None] = lambda _: None
    ) -> None:
        self.git: Final = git
        self.ref: Final = ref
        self._clock = clock
        self.pause: Final = pause
        self.latest = Shard(None, {}, {})
        """What was last read, or written."""
        self.faults: Final[dict[Fault, None]] = {}
        """All that was found wrong here, in order; what is in quarantine since is still among it."""
        self._written: dict[str, str] = {}
        self._lists: dict[str, tuple[str, dict[str, str]]] = {}
        """What stood at refs elsewhere: the commit, and its files."""
        self._chains: dict[str, tuple[tuple[str, ...], Chain]] = {}

    def read(self) -> Shard:
        """Return what the repository keeps now; what is wrong in it is in `faults`, the rest is good.

        Raises:
            RepositoryError: git cannot read it. LimitError: it is larger than it may be.

        """
        refs = self.git.refs(self.ref, WRITTEN_REFS)
        commit = refs.pop(self.ref, None)
        self._written = refs
        if commit != self.latest.commit:
            self.latest = self.read_commit(commit) if commit else Shard(None, {}, {})
            self.faults.update(dict.fromkeys(self.latest.faults))
        return self.latest

    def read_commit(self, commit: str) -> Shard:
        """Return the records of any commit of this form, ours or another's.

        Raises:
            RepositoryError: git cannot read it. LimitError: it is larger than it may be.

        """
        return self.latest if commit == self.latest.commit else self._shard(commit, self._listed(commit))

    def read_refs(self, commits: Mapping[str, str]) -> list[Shard]:
        """Return what stands at refs elsewhere; of one that was read before only the difference is listed.

        Raises:
            RepositoryError: git cannot read it. LimitError: it is larger than it may be.

        """
        pairs = {commits[ref]: self._lists[ref] for ref in commits if ref in self._lists}
        differences = self._differences({commit: before for commit, (before, _) in pairs.items()})
        for ref, commit in commits.items():
            if commit in differences:
                changed = pairs[commit][1] | differences[commit]
                files = {path: oid for path, oid in changed.items() if oid}
            else:
                files = self._listed(commit)
            self._lists[ref] = commit, files
        return [self._shard(commit, self._lists[ref][1]) for ref, commit in commits.items()]

    def _shard(self, commit: str, files: dict[str, str]) -> Shard:
        groups, misplaced = _grouped(files)
        if len(groups) > SHARD_AUTHORS_MAX:
            raise LimitError(
                f"{commit[:12]} has records of {len(groups)} authors; at most {SHARD_AUTHORS_MAX} are read"
            )
        missing = {author: self._unread(author, files, paths) for author, paths in groups.items()}
        contents = self._fetch(files, [path for paths in missing.values() for path in paths])
        chains = {
            author: self._chain(author, files, groups[author], [contents[path] for path in missing[author]])
            for author in groups
        }
        return Shard(commit, files, chains, tuple(misplaced))

    def append(self, key: Key, drafts: Iterable[tuple[str, dict[str, Any]]]) -> list[FreshRecord]:
        """Append records by `key`, which is this repository's alone; when this returns, all is on disk.

        Raises:
            RepositoryError: git cannot write, or others were quicker each time.
            EncodingError: a body is no JSON. LimitError: a record is too large.

        """
        drafts = list(drafts)
        for attempt in range(1, GIT_ATTEMPTS_MAX + 1):
            shard = self.read() if attempt > 1 or not self.latest.commit else self.latest
            contents = _mended(shard) | self._recovered(shard, key.did)
            if contents:
                shard = self.read_commit(self.commit(contents, _parents(shard), "records mended"))
            records = self._signed(key, shard, drafts)
            if not records or self._write(key.did, shard, _appended(shard, records), f"{len(records)} records"):
                return records
            self.pause(attempt)
        raise RepositoryError(f"{self.ref}: others were quicker {GIT_ATTEMPTS_MAX} times; try again")

    def withdraw(self, records: Sequence[SignedRecord]) -> bool:
        """Take back records that were just appended and went nowhere else; False if more has come after them.

        Raises:
            RepositoryError: git cannot write.

        """
        shard, author = self.read(), records[0].record.author
        kept, last = shard.chains[author].records[: -len(records)], shard.chains[author].records[-len(records) :]
        if [signed.id for signed in last] != [signed.id for signed in records]:
            return False
        return self._write(author, shard, _rewritten(author, kept, shard), f"{len(records)} records withdrawn")

    def _write(self, author: str, shard: Shard, contents: Mapping[str, Content], message: str) -> bool:
        """Put a changed commit in the place of the latest, if nothing has changed since it was read."""
        commit, ref = self.commit(contents, _parents(shard), message), WRITTEN_REFS + author.removeprefix(_DID)
        changes = [RefChange(self.ref, self.latest.commit, commit), RefChange(ref, self._written.get(ref), commit)]
        if not self.git.change_refs(changes):
            return False
        self._written[ref] = commit
        self.latest = self.read_commit(commit)
        return True

    def _recovered(self, shard: Shard, author: str) -> dict[str, Content]:
        """Return what brings back records that the author wrote here and that are gone, as by a cut-off line."""
        written = self._written.get(WRITTEN_REFS + author.removeprefix(_DID))
        if written is None or written == shard.commit:
            return {}
        folder = folder_of(author)
        own = {path: oid for path, oid in self._listed(written).items() if path.startswith(folder)}
        is_whole = own.items() <= shard.files.items()
        return {} if is_whole else united(shard, [self._shard(written, own)])

    def move(self, shard: Shard, commit: str) -> bool:
        """Let the ref lead to another commit, if it is still at that of `shard`; tell whether it was.

        Raises:
            RepositoryError: git cannot write.

        """
        if not self.git.change_refs([RefChange(self.ref, shard.commit, commit)]):
            return False
        self.latest = self.read_commit(commit)
        return True

    def commit(self, contents: Mapping[str, Content], parents: Sequence[str], message: str) -> str:
        """Return a commit that differs from its first parent in these paths; no ref leads to it yet.

        One process makes all objects. The draft's ref is given up within the same stream, so that it never exists.
        """
        seconds = self._clock.wall_milliseconds() // 1000
        stream = [
            f"feature done\ncommit {_DRAFT}\nmark :1\ncommitter Colony <colony@localhost> {seconds} +0000\n".encode(),
            _data(message.encode()),
            *(f"{'merge' if i else 'from'} {parent}\n".encode() for i, parent in enumerate(parents)),
            *(_change(path, content) for path, content in contents.items()),
            f"\nget-mark :1\nreset {_DRAFT}\nfrom {NOTHING}\n\ndone\n".encode(),
        ]
        return self.git.run(*FAST_IMPORT, stdin=b"".join(stream)).decode().strip()

    def _signed(self, key: Key, shard: Shard, drafts: Sequence[tuple[str, dict[str, Any]]]) -> list[FreshRecord]:
        """Sign the drafts as the next records of their author, later than all that is known."""
        chain = shard.chains.get(key.did)
        author = Author(key, self._hybrid(shard), chain.tip if chain else None)
        return [author.write(kind, body) for kind, body in drafts]

    def _hybrid(self, shard: Shard) -> HybridClock:
        """Return a clock after all records, but for those that claim to come from far in the future."""
        clock = HybridClock(self._clock)
        latest_milliseconds = self._clock.wall_milliseconds() + CLOCK_AHEAD_SECONDS_MAX * 1000
        for chain in shard.chains.values():
            if (tip := chain.tip) and tip.at and parse_timestamp(tip.at)[0] <= latest_milliseconds:
                clock.observe(tip.at)
        return clock

    def _listed(self, commit: str) -> dict[str, str]:
        out = self.git.run("ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="replace")
        lines = [line.split("\t", 1) for line in out.split("\0")[:-1]]
        return {path: entry.split()[2] for entry, path in lines if entry.split()[1] == "blob"}

    def _differences(self, pairs: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """Return the files that commits have otherwise than those before them, an empty name for one that is gone."""
        stdin = "".join(f"{commit} {before}\n" for commit, before in pairs.items()).encode()
        outcome = self.git.attempt("diff-tree", "--stdin", "-r", "--no-renames", stdin=stdin) if pairs else None
        if outcome is None or outcome.code:
            return {}
        found: dict[str, dict[str, str]] = {commit: {} for commit in pairs}
        commit = ""
        for line in outcome.out.decode(errors="replace").splitlines():
            if line.startswith(":"):
                entry, path = line.split("\t", 1)
                found[commit][path] = entry.split()[3].strip("0") and entry.split()[3]
            else:
                commit = line
        return found

    def _unread(self, author: str, files: Files, paths: Sequence[str]) -> list[str]:
        """Return the paths of an author that must be read: those after the files that have not changed since."""
        oids, chain = self._chains.get(author, ((), None))
        now = tuple(files[path] for path in paths)
        if chain is None or chain.faults:
            return [] if now == oids else [*paths]
        return [*paths[_common(oids, now) :]]

    def _fetch(self, files: Files, paths: Sequence[str]) -> dict[str, Piece | Fault]:
        """Return the contents of files, or why one cannot be read."""
        sizes = dict(zip(paths, self.git.sizes(files[path] for path in paths), strict=True))
        small = [path for path, size in sizes.items() if size is not None and size <= SHARD_FILE_BYTES_MAX]
        found = dict(zip(small, self.git.objects(files[path] for path in small), strict=True))
        contents: dict[str, Piece | Fault] = {}
        for path in paths:
            data, size_bytes = found.get(path), sizes[path]
            if data is not None:
                contents[path] = Piece(path, data)
            elif size_bytes is None:
                contents[path] = Fault(path, None, _MISSING)
            else:
                what = f"{size_bytes} bytes; a file of records has at most {SHARD_FILE_BYTES_MAX}"
                contents[path] = Fault(path, None, what)
        return contents

    def _chain(self, author: str, files: Files, paths: Sequence[str], contents: Sequence[Piece | Fault]) -> Chain:
        """Return the chain of an author, read on from what is known of it."""
        oids, known = self._chains.get(author, ((), None))
        now = tuple(files[path] for path in paths)
        if known is not None and oids == now:
            return known
        chain = None
        if known is not None and not known.faults:
            same = _common(oids, now)
            records = known.records[: known.starts[same]] if same < len(known.starts) else known.records
            pieces = [content for content in contents if isinstance(content, Piece)]
            if len(pieces) == len(contents):
                chain = continued(Chain(author, records, known.starts[:same]), pieces)
        if chain is None:
            is_all = len(contents) == len(paths)
            chain = _read(author, contents if is_all else list(self._fetch(files, paths).values()))
        self._chains[author] = now, chain
        return chain


def _read(author: str, contents: Sequence[Piece | Fault]) -> Chain:
    """Return the chain of an author from all its files, as far as they could be read."""
    chain = read_chain(author, [content for content in contents if isinstance(content, Piece)])
    unread = [content for content in contents if isinstance(content, Fault)]
    if not unread:
        return chain
    large = tuple(fault.file for fault in unread if fault.what != _MISSING)
    return msgspec.structs.replace(chain, faults=(*unread, *chain.faults), starts=(), large=large)


def _parents(shard: Shard) -> list[str]:
    return [shard.commit] if shard.commit else []


def united(ours: Shard, others: Iterable[Shard]) -> dict[str, Content]:
    """Return what must change in `ours` so that it holds the records of all, and what is wrong in one is kept."""
    contents = _mended(ours)
    best: dict[str, tuple[Chain, Shard | None]] = {author: (chain, ours) for author, chain in ours.chains.items()}
    for other in others:
        contents |= {path: oid for path, oid in other.files.items() if path.startswith("quarantine/")}
        contents |= _rejected(other)
        for author, chain in other.chains.items():
            best[author] = _better(*best.get(author, (Chain(author, []), ours)), chain, other)
    for author, (chain, shard) in best.items():
        if shard is None:
            contents |= _rewritten(author, chain.records, ours)
        elif shard is not ours:
            contents |= _emptied(author, ours)
            contents |= {path: shard.files[path] for path in _paths(author, shard.files)}
    return {path: content for path, content in contents.items() if ours.files.get(path) != content}


def _better(mine: Chain, place: Shard | None, chain: Chain, other: Shard) -> tuple[Chain, Shard | None]:
    """Return the longer of two copies and where its files are, or both joined, for which there are none yet."""
    if not chain.faults and _is_prefix(mine, chain) and not _is_prefix(chain, mine):
        return chain, other
    if _is_prefix(chain, mine):
        return mine, place
    return Chain(mine.author, joined(mine.records, chain.records)), None


def _is_prefix(short: Chain, long: Chain) -> bool:
    """Tell whether all records of one are among those of the other, for chains without forks the quick way."""
    if not short.faults and not long.faults:
        at = len(short.records) - 1
        return at < len(long.records) and (at < 0 or short.records[at].id == long.records[at].id)
    return {signed.id for signed in short.records} <= {signed.id for signed in long.records}


def _mended(shard: Shard) -> dict[str, Content]:
    """Return what must change so that the files hold records alone, and what is none stands in quarantine."""
    contents = _rejected(shard)
    for author, chain in shard.chains.items():
        if any(fault.line is None for fault in chain.faults):
            continue  # a file that could not be read stays as it is
        if chain.rejected:
            contents |= _rewritten(author, chain.records, shard)
    return contents


def _rejected(shard: Shard) -> dict[str, Content]:
    """Return where what is no record is kept: one file for all that stood in an author's files."""
    bad = [b"\n".join(chain.rejected) for chain in shard.chains.values() if chain.rejected]
    return {f"quarantine/{sha256(data).hexdigest()}": data for data in bad}


def _rewritten(author: str, records: Iterable[SignedRecord], shard: Shard) -> dict[str, Content]:
    """Return what an author's folder is to hold instead."""
    return _emptied(author, shard) | {_path(author, i): data for i, data in enumerate(pieces_of(records))}


def _emptied(author: str, shard: Shard) -> dict[str, Content]:
    """Return an author's folder without a file; those that could not be read are kept in quarantine."""
    known, files = shard.chains.get(author), shard.files
    kept = {f"quarantine/{files[path]}": files[path] for path in (known.large if known else ())}
    return dict.fromkeys(_paths(author, files)) | kept


def _appended(shard: Shard, records: Sequence[SignedRecord]) -> dict[str, Content]:
    """Return the files that change when an author's records come after those there are: the last one, and new ones."""
    author = records[0].record.author
    chain = shard.chains.get(author) or Chain(author, [])
    if chain.faults:
        return _rewritten(author, [*chain.records, *records], shard)
    last = max(len(chain.starts) - 1, 0)
    tail = [*(chain.records[chain.starts[last] :] if chain.starts else ()), *records]
    return {_path(chain.author, i): data for i, data in enumerate(pieces_of(tail), last)}


def _grouped(files: Files) -> tuple[dict[str, list[str]], list[Fault]]:
    """Return the paths of each author in order, and the files that are nobody's."""
    groups: dict[str, list[str]] = {}
    misplaced = []
    for path in sorted(files):
        match = _PATH.fullmatch(path)
        if match and is_did(_DID + match[1]):
            groups.setdefault(_DID + match[1], []).append(path)
        elif not path.startswith("quarantine/"):
            misplaced.append(Fault(path, None, "no file of records; it is left alone"))
    return groups, misplaced


def folder_of(author: str) -> str:
    """Return where an author's files stand."""
    return f"authors/{author.removeprefix(_DID)}/"


def _paths(author: str, files: Files) -> list[str]:
    folder = folder_of(author)
    return [path for path in files if path.startswith(folder)]


def _path(author: str, number: int) -> str:
    return f"{folder_of(author)}{number:06}.jsonl"


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many items at the beginning are the same."""
    length = min(len(one), len(other))
    return next((i for i in range(length) if one[i] != other[i]), length)


def _change(path: str, content: Content) -> bytes:
    if content is None:
        return f"D {path}\n".encode()
    if isinstance(content, str):
        return f"M 100644 {content} {path}\n".encode()
    return f"M 100644 inline {path}\n".encode() + _data(content)


def _data(data: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(data), data)
