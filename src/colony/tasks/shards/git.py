"""The git program, called on one repository: never a shell, always a deadline and a limit on what it may print.

It works in a folder, a linked worktree, a bare or a shallow clone, with or without commits, and leaves index, work tree
and branches alone. What this file does not do: know what is kept in the repository, or try anything twice.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from colony.primitives.errors import LimitError, RepositoryError
from colony.primitives.limits import (
    GIT_ERROR_BYTES_MAX,
    GIT_LOCK_SECONDS_MAX,
    GIT_OUTPUT_BYTES_MAX,
    GIT_SECONDS_MAX,
)

MATRIX_REF: Final = "refs/colony/matrix"
"""Where the records are, apart from all history."""
MATRIX_BRANCH: Final = "refs/heads/colony-matrix"
NOTHING: Final = "0" * 40
"""What git writes where there is no object; it is as good in a repository of the longer SHA-256 names."""

FAST_IMPORT: Final = ("fast-import", "--quiet", "--cat-blob-fd=1")
_KEPT: Final = re.compile(
    r"(?!GIT_)|GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|EXEC_PATH|PROXY_COMMAND|CEILING_DIRECTORIES|SSL_\w+"
    r"|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))$"
)
_SET: Final = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",  # no `ext::`, which would run a command from an address
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_LOCKED: Final = re.compile(r"Unable to create '(.+\.lock)': File exists")
_CHUNK_BYTES: Final = 1024 * 1024
_DURABLE: Final = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync", "-c", "gc.auto=0")


class Outcome(NamedTuple):
    """How a call ended."""

    code: int
    out: bytes
    error: str

    @property
    def reason(self) -> str:
        """What git said was wrong, in one line."""
        lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in self.error.splitlines() if line]
        return "; ".join(lines)[:500] or f"it ended with code {self.code}"


class RefChange(NamedTuple):
    """A ref that goes from one object to another; None is a ref that does not exist."""

    ref: str
    old: str | None
    new: str | None


class Git:
    """One repository. Calls are independent processes, so any thread may make them."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str] | None = None, *, seconds_max: float = GIT_SECONDS_MAX
    ) -> None:
        """Find the repository that `directory` is in.

        Raises:
            RepositoryError: there is none, or there is no git.

        """
        environ = os.environ if environ is None else environ
        self.environ = {name: value for name, value in environ.items() if _KEPT.match(name)} | _SET
        self._seconds_max = seconds_max
        self.directory = directory
        asked = ("--path-format=absolute", "--git-common-dir", "--git-dir", "--is-bare-repository")
        outcome = self.attempt("rev-parse", *asked, "--is-shallow-repository")
        if outcome.code:
            raise RepositoryError(
                f"{directory}: no git repository ({outcome.reason}); run `git init` there, or go to one"
            )
        common, own, bare, shallow = os.fsdecode(outcome.out).splitlines()
        self.shared_folder: Final = Path(common)
        """The folder that all worktrees of the repository share."""
        self.own_folder: Final = Path(own)
        """The folder of this worktree; the shared one in an ordinary clone."""
        self._present: set[str] = set()
        """Objects that are known to be here."""
        self.is_bare: Final = bare == "true"
        self.is_shallow: Final = shallow == "true"

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        output_bytes_max: int = GIT_OUTPUT_BYTES_MAX,
        environ: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Call git and return how it ended, well or not.

        Raises:
            RepositoryError: there is no git, or it took too long. LimitError: it printed too much.

        """
        command = ["git", *_DURABLE, *arguments]
        try:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env={**self.environ, **(environ or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # it can ask nobody for a password, and ends with all that it started
            )
        except NotADirectoryError:
            raise RepositoryError(f"{self.directory} is no folder; name the folder of a git repository") from None
        except FileNotFoundError:
            what = "git was not found; install it" if self.directory.exists() else f"{self.directory} does not exist"
            raise RepositoryError(what) from None
        with process:
            return _Call(process, arguments[0]).converse(stdin, output_bytes_max, self._seconds_max)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        output_bytes_max: int = GIT_OUTPUT_BYTES_MAX,
        environ: Mapping[str, str] | None = None,
    ) -> bytes:
        """Call git and return what it printed.

        Raises:
            RepositoryError: it failed, or took too long. LimitError: it printed too much.

        """
        outcome = self.attempt(*arguments, stdin=stdin, output_bytes_max=output_bytes_max, environ=environ)
        if outcome.code:
            raise RepositoryError(f"git {arguments[0]} failed in {self.directory}: {outcome.reason}")
        return outcome.out

    def refs(self, *patterns: str) -> dict[str, str]:
        """Return the refs that match, with what they point at; a pattern is a ref or a folder of refs."""
        out = self.run("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
        return {ref: oid for oid, ref in (line.split(" ", 1) for line in out.decode().splitlines())}

    def resolve(self, name: str) -> str | None:
        """Return the object that a name stands for, or None."""
        outcome = self.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return outcome.out.decode().strip() if not outcome.code else None

    def change_refs(self, changes: Sequence[RefChange]) -> bool:
        """Change all these refs at once, if each is where it is said to be; tell whether that was so.

        Raises:
            RepositoryError: it was so, and git could not change them all the same.

        """
        lines = [
            f"delete {c.ref} {c.old or NOTHING}" if c.new is None else f"update {c.ref} {c.new} {c.old or NOTHING}"
            for c in changes
        ]
        outcome = self.attempt("update-ref", "--stdin", stdin="\n".join(["start", *lines, "commit", ""]).encode())
        if not outcome.code:
            return True
        now = self.refs(*(change.ref for change in changes))
        if any(now.get(change.ref) != change.old for change in changes):
            return False
        if lock := _LOCKED.search(outcome.error):
            self._break(Path(lock[1]))
            return False
        raise RepositoryError(f"git cannot write to {self.shared_folder}: {outcome.reason}")

    def _break(self, lock: Path) -> None:
        """Remove the lock of a ref if whoever made it was killed: git holds one for some milliseconds only."""
        probe = self.shared_folder / f"colony-now-{os.getpid()}-{threading.get_ident()}"
        with contextlib.suppress(FileNotFoundError):
            probe.touch()  # the time as the file system has it
            age_seconds = probe.stat().st_mtime - lock.stat().st_mtime
            if age_seconds > GIT_LOCK_SECONDS_MAX and lock.is_relative_to(self.shared_folder):
                lock.replace(probe)
        probe.unlink(missing_ok=True)

    def objects(self, names: Iterable[str], *, output_bytes_max: int = GIT_OUTPUT_BYTES_MAX) -> list[bytes | None]:
        """Return the content of objects by their names, None where there is none; one process for all.

        Raises:
            LimitError: they are larger together than `output_bytes_max`.

        """
        asked = "".join(f"{name}\n" for name in names).encode()
        if not asked:
            return []
        out = self.run("cat-file", "--batch", "--buffer", stdin=asked, output_bytes_max=output_bytes_max)
        found: list[bytes | None] = []
        at = 0
        while at < len(out):
            end = out.index(b"\n", at)
            header = out[at:end].split(b" ")
            if header[-1] == b"missing":
                found.append(None)
                at = end + 1
            else:
                size = int(header[-1])
                found.append(out[end + 1 : end + 1 + size])
                at = end + size + 2
        return found

    def sizes(self, names: Iterable[str]) -> list[int | None]:
        """Return how many bytes objects have, None for one that is not here; one process for all."""
        asked = "".join(f"{name}\n" for name in names).encode()
        out = self.run("cat-file", "--batch-check=%(objectsize)", "--buffer", stdin=asked) if asked else b""
        return [None if line.endswith(b" missing") else int(line) for line in out.splitlines()]

    def write(self, contents: Sequence[bytes]) -> list[str]:
        """Return the names of new objects with these contents; one process for all."""
        stream = [
            b"blob\nmark :%d\ndata %d\n%b\nget-mark :%d\n" % (i, len(content), content, i)
            for i, content in enumerate(contents, 1)
        ]
        out = self.run(*FAST_IMPORT, stdin=b"".join([b"feature done\n", *stream, b"done\n"]))
        return out.decode().split()

    def descends(self, commit: str, ancestor: str) -> bool:
        """Tell whether a commit is another, or comes after it."""
        return commit == ancestor or not self.attempt("merge-base", "--is-ancestor", ancestor, commit).code

    def has(self, names: Iterable[str]) -> bool:
        """Tell whether all these objects are here."""
        asked = {*names} - self._present
        stdin = "".join(f"{name}\n" for name in asked).encode()
        if asked and b" missing\n" in self.run("cat-file", "--batch-check", "--buffer", stdin=stdin):
            return False
        self._present |= asked
        return True


class _Call:
    """A process under way."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        self._process = process
        self._name = name
        self._is_late = False
        self._error = b""

    def converse(self, stdin: bytes, output_bytes_max: int, seconds_max: float) -> Outcome:
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        threads = (
            threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True),
            threading.Thread(target=self._listen, args=(process.stderr,), daemon=True),
        )
        deadline = threading.Timer(seconds_max, self._give_up)
        deadline.start()
        try:
            for thread in threads:
                thread.start()
            out = self._read(process.stdout, output_bytes_max)
            code = process.wait()
        except BaseException:
            self._kill()
            raise
        finally:
            deadline.cancel()
            for thread in threads:
                thread.join()
        if self._is_late:
            raise RepositoryError(f"git {self._name} took more than {seconds_max:g} seconds and was ended; try again")
        return Outcome(code, out, self._error.decode(errors="replace"))

    def _read(self, stream: IO[bytes], bytes_max: int) -> bytes:
        chunks, size_bytes = [], 0
        while chunk := stream.read(_CHUNK_BYTES):
            chunks.append(chunk)
            size_bytes += len(chunk)
            if size_bytes > bytes_max:
                raise LimitError(f"git {self._name} printed more than {bytes_max} bytes; it was ended")
        return b"".join(chunks)

    def _listen(self, stream: IO[bytes]) -> None:
        self._error = stream.read(GIT_ERROR_BYTES_MAX)
        while stream.read(GIT_ERROR_BYTES_MAX):
            pass  # what is too long to repeat must not stop it

    def _give_up(self) -> None:
        self._is_late = True
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _feed(stream: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(data)
