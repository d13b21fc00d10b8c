"""Tasks in and out of other systems' files: the seed's `organic/` folder and Beads' JSON Lines.

Only what is new comes in: a task whose id is here already is left as it is and told. What this file does not do: know
the formats (tasks/forms/organic.py, tasks/forms/beads.py), or overwrite anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from colony.node.matrix.workspace import Workspace
from colony.primitives.errors import UsageError
from colony.primitives.limits import IMPORT_BYTES_MAX
from colony.tasks.forms.interchange import Exported, Imported
from colony.tasks.shards.chains import Fault
from colony.tasks.state.records import added, deleted, linked

if TYPE_CHECKING:  # the table loads numpy, which only an export needs
    from colony.routing.table import Agent

FORMATS: Final = ("organic", "beads")
_ORGANIC: Final = ("tasks.json", "deps.json")
_SEED_TIERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"cheap": ("T0", "T1"), "mid": ("T2", "T2"), "expensive": ("T3", "T4"), "local": ("T5", "T5")}
)
"""The seed's words for an agent's tier, and ours."""


def import_from(place: Workspace, source: Path) -> dict[str, Any]:
    """Take in the tasks of a folder (organic) or a file (Beads); JSON-able.

    Raises:
        UsageError: there is nothing of the kind, or it is too large.

    """
    found = _read(source)
    here = place.state.tasks
    new = [task for task in found.tasks if task.id not in here and not place.state.is_deleted(task.id)]
    agents, wrong = _agents(source)
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
        "agents": agents,
        "faults": [str(fault) for fault in (*found.faults, *wrong)],
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
        from colony.node.matrix.routing import table_of  # noqa: PLC0415
        from colony.tasks.forms.organic import write_organic  # noqa: PLC0415

        agents = [_given(agent) for agent in table_of(place).agents.values()]
        exported, folder = write_organic(tasks, edges, agents), target
    else:
        from colony.tasks.forms.beads import write_beads  # noqa: PLC0415

        exported, folder = write_beads(tasks, edges, place.state.finished), target.parent
    files = _write(exported, folder, None if form == "organic" else target.name)
    losses = [f"{loss.what}: {loss.times} times, first of {loss.example}" for loss in exported.losses]
    return {"files": [str(file) for file in files], "tasks": len(tasks), "edges": len(edges), "losses": losses}


def _agents(source: Path) -> tuple[list[str], tuple[Fault, ...]]:
    """The seed's agents as lines for `routing.toml`, which people edit, so nothing is written into it for them."""
    file = source / "agents.json"
    if not file.is_file():
        return [], ()
    from colony.tasks.forms.organic import read_agents  # noqa: PLC0415

    found, faults = read_agents(_text(file))
    return [_lines(agent) for agent in found], faults


def _lines(agent: Mapping[str, Any]) -> str:
    """A section of `routing.toml`: the name, and the tiers that the seed's word for them stands for."""
    lowest, highest = _SEED_TIERS.get(str(agent.get("tier")), ("T1", "T1"))
    name = json.dumps(str(agent.get("name", "")))
    capacity = agent.get("capacity")
    limit = f"\ncapacity = {capacity}" if isinstance(capacity, int) and capacity > 0 else ""
    return f'[agents.{name}]\ntiers = ["{lowest}", "{highest}"]{limit}'


def _given(agent: Agent) -> dict[str, Any]:
    """An agent of the table in the seed's words."""
    words = (word for word, (_, highest) in _SEED_TIERS.items() if agent.highest <= int(highest[1]))
    return {"name": agent.name, "tier": next(words, "local"), "capacity": agent.capacity}


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
