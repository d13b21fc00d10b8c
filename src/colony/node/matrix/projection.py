"""The kept projection of what may be done next, in the repository's git folder: rebuilt whenever the records change.

The order of tasks never depends on the hour (scoring.py), so it can be kept with the commit of records that it follows
from; only leases end with time, and each row knows when. It is a cache: deleted or damaged, it is made again.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from colony.node.matrix.settings import MatrixSettings

FAR_MILLISECONDS: Final = 2**53
"""So far away that every lease has ended."""
AGE_POINTS_PER_DAY: Final = 10.0
"""As in the order of tasks (tasks/order/scoring.py); a test holds them equal."""
_VERSION: Final = 1


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A task that only a lease keeps from being claimed, if anything does. `base` is its score in the far future."""

    id: str
    title: str
    state: str
    priority: int
    stars: int
    base: float
    lease_expires: int | None
    is_claimed: bool
    agent: str | None

    def is_free(self, now_milliseconds: int) -> bool:
        """Whether it may be claimed now."""
        return not self.is_claimed or (self.lease_expires is not None and self.lease_expires <= now_milliseconds)

    def score(self, now_milliseconds: int) -> float:
        """Its score now: all tasks age alike."""
        return self.base - AGE_POINTS_PER_DAY * (FAR_MILLISECONDS - now_milliseconds) / 86_400_000


class _Kept(msgspec.Struct, frozen=True):
    version: int
    basis: str
    rows: list[Row]


def kept(folder: Path, commit: str | None, settings: MatrixSettings) -> list[Row] | None:
    """The rows that were kept for this commit and these settings; None if there are none."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        found = msgspec.msgpack.decode((folder / "colony" / "ready").read_bytes(), type=_Kept)
        if (found.version, found.basis) == (_VERSION, _basis(commit, settings)):
            return found.rows
    return None


def keep(folder: Path, commit: str | None, settings: MatrixSettings, rows: list[Row]) -> None:
    """Keep rows; where that cannot be done, the next command makes them again."""
    data = msgspec.msgpack.encode(_Kept(_VERSION, _basis(commit, settings), rows))
    with contextlib.suppress(OSError):
        place = folder / "colony"
        place.mkdir(exist_ok=True)
        draft = place / f"ready.{os.getpid()}"
        draft.write_bytes(data)
        draft.replace(place / "ready")


def _basis(commit: str | None, settings: MatrixSettings) -> str:
    return sha256(msgspec.json.encode([commit, dict(settings.roles.by_identity)], order="sorted")).hexdigest()
