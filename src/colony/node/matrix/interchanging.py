"""Tasks in and out of other systems' files: the seed's `organic/` folder and Beads' JSON Lines.

Only what is new comes in: a task whose id is here already is left as it is and told. What this file does not do: know
the formats (tasks/forms/organic.py, tasks/forms/beads.py), or overwrite anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from colony.node.matrix.workspace import Workspace
from colony.primitives.errors import UsageError
from colony.primitives.limits import IMPORT_BYTES_MAX
from colony.tasks.forms.interchange import Exported, Imported
from colony.tasks.state.records import added, deleted, linked

FORMATS: Final = ("organic", "beads")
_ORGANIC: Final = ("tasks.json", "deps.json")


def import_from(place: Workspace, source: Path) -> dict[str, Any]:
    """Take in the tasks of a folder (organic) or a file (Beads); JSON-able.

    Raises:
        UsageError: there is nothing of the kind, or it is too large.

    """
    found = _read(source)
    here = place.state.tasks
    new = [task for task in found.tasks if task.id not in here and not place.state.is_deleted(task.id)]
    known = set(place.state.edges)
    edges = [edge for edge in found.edges if edge not in known]
    gone = [task for task in found.deleted if not place.state.is_deleted(task)]
    place.write([*added(new), *linked(edges), *deleted(gone)])
    return {
        "source": str(source),
        "added": len(new),
        "known": len(found.tasks) - len(new),
        "edges": len(edges),
        "deleted": len(gone),
        "faults": [str(fault) for fault in found.faults],
        "losses": [f"{loss.what}: {loss.times} times, first of {loss.example}" for loss in found.losses],
    }


def export_to(place: Workspace, target: Path, form: str) -> dict[str, Any]:
    """Write the tasks into a folder (organic) or a file (Beads) that is not there yet; JSON-able.

    Raises:
        UsageError: an unknown format, or a file that exists.

    """
    if form not in FORMATS:
        raise UsageError(f"--format: {' or '.join(FORMATS)}, not {form!r}")
    tasks, edges = place.state.tasks.values(), list(place.state.edges)
    if form == "organic":
        from colony.tasks.forms.organic import write_organic  # noqa: PLC0415

        exported, folder = write_organic(tasks, edges), target
    else:
        from colony.tasks.forms.beads import write_beads  # noqa: PLC0415

        exported, folder = write_beads(tasks, edges, place.state.finished), target.parent
    files = _write(exported, folder, None if form == "organic" else target.name)
    losses = [f"{loss.what}: {loss.times} times, first of {loss.example}" for loss in exported.losses]
    return {"files": [str(file) for file in files], "tasks": len(tasks), "edges": len(edges), "losses": losses}


def _read(source: Path) -> Imported:
    if source.is_dir():
        from colony.tasks.forms.organic import read_organic  # noqa: PLC0415

        files = {name: _text(source / name) for name in _ORGANIC if (source / name).exists()}
        if not files:
            raise UsageError(f"{source}: no {' and no '.join(_ORGANIC)} in it")
        return read_organic(files)
    from colony.tasks.forms.beads import read_beads  # noqa: PLC0415

    return read_beads(_text(source), file=source.name)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as source:
            data = source.read(IMPORT_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    if len(data) > IMPORT_BYTES_MAX:
        raise UsageError(f"{file}: more than {IMPORT_BYTES_MAX} bytes; split it")
    return data.decode(errors="replace")


def _write(exported: Exported, folder: Path, name: str | None) -> list[Path]:
    targets = {folder / (name or file): text for file, text in exported.files.items()}
    taken = [file for file in targets if file.exists()]
    if taken:
        raise UsageError(f"{taken[0]} exists already; choose another place")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in targets.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    return list(targets)
