"""A home: the folder that holds the runs of one node, and the key of this replica outside it.

    .colony/
      runs/<run>/journal.sqlite   the only durable truth of a run; everything else is rebuilt from it
      runs/<run>/problem/         the problem as it was when the run began
      runs/<run>/report.md ...    what the run showed, for people

It creates folders and finds runs. It reads no journal.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from colony.primitives.clock import Clock
from colony.primitives.errors import ColonyError, JournalFullError, UsageError
from colony.primitives.keys import Key, KeyStore, default_key_directory, machine_id

_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def name(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal.sqlite"

    @property
    def problem(self) -> Path:
        """The snapshot of the problem's folder."""
        return self.path / "problem"

    def discard(self, *, is_empty: bool = False) -> None:
        """Remove the folder of a run that never began; one that has a journal is kept, unless that `is_empty`."""
        if is_empty or not self.journal.exists():
            shutil.rmtree(self.path, ignore_errors=True)


class Home:
    """The runs under one folder; made when first written to."""

    def __init__(self, path: Path, environ: Mapping[str, str] | None = None) -> None:
        self.path = path.absolute()
        self._environ = os.environ if environ is None else environ

    @classmethod
    def default(cls, environ: Mapping[str, str] | None = None) -> Home:
        """`$COLONY_HOME`, else `.colony` in the current folder."""
        environ = os.environ if environ is None else environ
        return cls(Path(environ.get("COLONY_HOME") or ".colony"), environ)

    def create_run(self, problem: str, clock: Clock) -> RunFolder:
        """A new, empty folder for a run of this problem.

        Raises:
            JournalFullError: the disk is full. ColonyError: the folder cannot be written to.

        """
        when = datetime.fromtimestamp(clock.wall_milliseconds() / 1000, UTC).strftime("%Y%m%d-%H%M%S")
        stem = f"{_NAME.sub('-', problem.lower()).strip('-')[:40] or 'run'}-{when}"
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            for attempt in range(1, 1000):
                path = self.runs / (stem if attempt == 1 else f"{stem}-{attempt}")
                try:
                    path.mkdir()
                except FileExistsError:
                    continue
                return RunFolder(path)
        except OSError as error:
            if error.errno == 28:
                raise JournalFullError(f"{self.runs}: the disk is full; free some space and try again") from None
            raise ColonyError(f"{self.runs}: {error.strerror}; choose another place with --home") from None
        raise ColonyError(f"{self.runs}: too many runs began in this second; try again")

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.path / "runs"

    def list_runs(self) -> list[RunFolder]:
        """All runs, oldest first."""
        if not self.runs.is_dir():
            return []
        return [RunFolder(p) for p in sorted(self.runs.iterdir()) if (p / "journal.sqlite").exists()]

    def find_run(self, name: str | None) -> RunFolder:
        """The run of this name, unambiguous prefix or path; the newest where none is named.

        Raises:
            UsageError: there is no such run, or several.

        """
        runs = self.list_runs()
        if name is not None and (Path(name) / "journal.sqlite").exists():
            return RunFolder(Path(name).resolve())
        if not runs:
            raise UsageError(f"{self.runs}: no runs yet; start one with `colony solve circles-26`")
        if name is None or name == "last":
            return max(runs, key=lambda r: r.path.stat().st_mtime)
        found = [r for r in runs if r.name == name] or [r for r in runs if r.name.startswith(name)]
        if len(found) != 1:
            what = "no run of that name" if not found else f"{len(found)} runs begin so"
            raise UsageError(f"{name!r}: {what}; `colony runs` lists them")
        return found[0]

    def replica_key(self) -> Key:
        """The secret key of this home on this machine; made when first asked for, kept outside the home."""
        self.path.mkdir(parents=True, exist_ok=True)
        store = KeyStore(default_key_directory(self._environ))
        return store.replica_key(self.path, machine=machine_id())


def snapshot_folder(source: Path, target: Path) -> None:
    """Copy a problem's folder into a run, without caches, version control or homes."""
    ignore = shutil.ignore_patterns("__pycache__", ".git", ".colony", ".venv", "*.pyc")
    shutil.copytree(source, target, ignore=ignore, symlinks=False)
