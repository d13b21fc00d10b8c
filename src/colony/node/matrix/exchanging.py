"""Records between this repository and others: sync and merge, with what came in and what was wrong with it."""

from __future__ import annotations

from typing import Any

from colony.node.matrix.workspace import Workspace
from colony.primitives.errors import UsageError
from colony.tasks.shards.places import Remote
from colony.tasks.shards.syncing import Union, merge, sync


def sync_with(place: Workspace, remote: str | None) -> dict[str, Any]:
    """Fetch a remote's records, unite, and push ours; JSON-able.

    Raises:
        UsageError: no remote is named, here or in the settings. RemoteError: it refuses or does not answer.

    """
    if remote is None:
        raise UsageError("no remote: name one (`colony matrix sync origin`), or set it in colony.toml under [matrix]")
    return _as_record(place, remote, sync(place.shards, Remote.at(place.git, remote), place.key.did))


def merge_from(place: Workspace, source: str) -> dict[str, Any]:
    """Take in the records of another repository, which stays as it is; JSON-able.

    Raises:
        RemoteError: it does not answer, or has no records.

    """
    return _as_record(place, source, merge(place.shards, Remote.at(place.git, source)))


def _as_record(place: Workspace, source: str, union: Union) -> dict[str, Any]:
    place.refresh()
    return {
        "source": source,
        "received": dict(union.received),
        "sent": union.sent,
        "faults": [str(fault) for fault in (*place.faults, *union.faults)],
        "tasks": len(place.state.tasks),
        "root": place.state.root,
    }
