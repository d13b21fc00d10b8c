"""Export a run: one JSON object per line for each signed record, complete and in order, written atomically."""

from __future__ import annotations

import json
from pathlib import Path

from colony.journal.sqlite import SqliteReader
from colony.node.home import RunFolder
from colony.primitives.errors import JournalFullError, UsageError


def export_run(folder: RunFolder, target: Path) -> int:
    """Write `{seq, id, signature, record}` lines; returns how many.

    `record` is the canonical text whose SHA-256 is `id` and whose signature (r || s, hex) is by its author's did:key.

    Raises:
        UsageError: the file exists or cannot be written. JournalFullError: the disk is full.

    """
    if target.exists():
        raise UsageError(f"{target}: exists already; choose another name with --to")
    part = target.with_name(target.name + ".part")
    count = 0
    try:
        with part.open("w", encoding="utf-8") as stream:
            for entry in SqliteReader(folder.journal).read():
                line = {
                    "seq": entry.seq,
                    "id": entry.id,
                    "signature": entry.signature.hex(),
                    "record": entry.payload.decode(),
                }
                stream.write(json.dumps(line) + "\n")
                count += 1
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno == 28:
            raise JournalFullError(f"{target}: the disk is full; nothing was exported") from None
        raise UsageError(f"{target}: cannot be written: {error.strerror}") from None
    return count
