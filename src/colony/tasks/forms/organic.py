"""The seed's folder `organic/`: tasks.json, deps.json and agents.json, read and written.

States stand there as symbols, like ours. The seed's heat is a hand-set number from 0 to 1; it becomes the override of a
heat that presses as much (heat.py), and back. `repo` and the like become labels such as `repo:web`. A damaged file is
read as far as it can be, each damage reported with its line; nothing is written over. What this file does not do: touch
the disk, or know what an agent's tier means (routing does).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from colony.primitives.limits import TASK_HEAT_MAX
from colony.tasks.forms.interchange import MARKERS, Exported, Imported, Intake, Item, Losses, iso, timestamp, together
from colony.tasks.order.heat import pressure
from colony.tasks.shards.chains import Fault
from colony.tasks.task import Edge, Task

_OBJECT: Final = re.compile(r"^[^\S\n]*(?=\{)", re.MULTILINE)
_BETWEEN: Final = frozenset(" \t\r\n,")
_DECODER: Final = json.JSONDecoder()
_SAME: Final = ("id", "title", "state", "priority", "stars", "scope", "agent", "commit")
_LABELLED: Final = ("repo", "milestone", "source", "parent", "cycle")
_DERIVED: Final = frozenset({"updated", "heat", "created", "children"})
_HEAT_DIGITS: Final = 5


def read_organic(files: Mapping[str, str]) -> Imported:
    """Return the tasks and dependencies of the seed's files, by name; a file that is not there is empty."""
    intake = Intake()
    for item in objects("tasks.json", files.get("tasks.json", ""), "tasks", intake.faults):
        _take(item, intake)
    for item in objects("deps.json", files.get("deps.json", ""), "edges", intake.faults):
        intake.link(item, tuple(item.fields.get(name) for name in ("from", "to", "type")))  # type: ignore[arg-type]
        if "note" in item.fields:
            intake.losses.note("the note of a dependency", item.fields.get("to"))
    return intake.result()


def read_agents(text: str) -> tuple[tuple[Mapping[str, Any], ...], tuple[Fault, ...]]:
    """Return the objects of the seed's agents.json (name, tier, cost, capacity, max_tokens), and what is wrong."""
    faults: list[Fault] = []
    return tuple(item.fields for item in objects("agents.json", text, "agents", faults)), tuple(faults)


def write_organic(tasks: Iterable[Task], edges: Iterable[Edge], agents: Iterable[Mapping[str, Any]] = ()) -> Exported:
    """Return the seed's three files; what they have no place for is told."""
    losses = Losses()
    contents: dict[str, list[Mapping[str, Any]]] = {
        "tasks": [_given(task, losses) for task in sorted(tasks, key=lambda task: task.id)],
        "edges": [{"from": edge.before, "to": edge.after, "type": edge.kind} for edge in sorted(edges)],
        "agents": list(agents),
    }
    names = {"tasks": "tasks.json", "edges": "deps.json", "agents": "agents.json"}
    files = {
        names[key]: json.dumps({key: value}, indent=2, ensure_ascii=False) + "\n" for key, value in contents.items()
    }
    return Exported(files, losses.told())


def objects(file: str, text: str, key: str, faults: list[Fault]) -> Iterator[Item]:
    """Yield the objects of `{key: [...]}`; a text that is no JSON is searched for whole ones, and its damage reported.

    Of a conflict that git left, both sides are yielded: whoever takes them has the first of two with one id.
    """
    begin = re.search(rf'"{key}"\s*:\s*\[', text)
    damage = _damage(file, text, key) if text.strip() else []
    faults += damage
    position = begin.end() if begin else len(text)
    line, counted = 1, 0
    while position < len(text):
        if text[position] in _BETWEEN:
            position += 1
            continue
        if text[position] == "]" and not damage:
            return
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            position = _next_object(text, position)
            continue
        if isinstance(value, dict):
            yield Item(file, line, value)
        elif not damage:
            faults.append(Fault(file, line, "no object"))


def _damage(file: str, text: str, key: str) -> list[Fault]:
    """Return what is wrong with a text that should be an object with one list."""
    try:
        whole = json.loads(text)
    except RecursionError:
        return [Fault(file, 1, "no JSON: nested too deeply")]
    except json.JSONDecodeError as error:
        lines = enumerate(text.split("\n"), start=1)
        marks = [
            Fault(file, number, "a conflict that nobody resolved") for number, line in lines if line[:7] in MARKERS
        ]
        return [*marks, Fault(file, error.lineno, f"no JSON: {error.msg}")]
    is_list = isinstance(whole, dict) and isinstance(whole.get(key), list)
    return [] if is_list else [Fault(file, 1, f"no list under {key!r}")]


def _next_object(text: str, position: int) -> int:
    """Return where the next object begins on a line of its own; the end, if there is none."""
    found = _OBJECT.search(text, text.find("\n", position) + 1 or len(text))
    return found.end() if found else len(text)


def _take(item: Item, intake: Intake) -> None:
    """Take in one task of tasks.json."""
    raw = item.fields
    name = raw.get("id")
    labels = [f"{key}:{raw[key]}" for key in _LABELLED if raw.get(key)]
    fields = {key: raw.get(key) for key in _SAME} | {"labels": together(raw.get("labels"), labels)}
    fields["created"] = timestamp(raw.get("created"))
    if raw.get("created") and fields["created"] is None:
        intake.fault(item, f"task {name!s:.80}: created: no time: {raw['created']!r:.80}")
    share = raw.get("heat")
    if isinstance(share, (int, float)) and 0 < share <= 1:
        fields["heat"] = _heat(share)
    elif share not in (None, 0):
        intake.fault(item, f"task {name!s:.80}: heat: {share!r:.80} is not between 0 and 1")
    for key in raw.keys() - {*_SAME, *_LABELLED, *_DERIVED, "labels"}:
        intake.losses.note(f"the field {key!r}", name)
    intake.add(item, name, fields)


def _heat(share: float) -> float:
    """Return the heat that presses as much as a share of 1: the inverse of `pressure`."""
    return TASK_HEAT_MAX if share >= 1 else min(TASK_HEAT_MAX, 3 * share / (1 - share))


def _given(task: Task, losses: Losses) -> dict[str, Any]:
    """Return a task as tasks.json has it."""
    given = {key: getattr(task, key) for key in _SAME} | {"state": task.symbol, "scope": list(task.scope)}
    given |= dict(label.split(":", 1) for label in task.labels if label.split(":", 1)[0] in _LABELLED)
    given["labels"] = [label for label in task.labels if label.split(":", 1)[0] not in _LABELLED]
    given["heat"] = round(pressure(task.heat), _HEAT_DIGITS) if task.heat is not None else 0.0
    given["created"] = given["updated"] = iso(task.created)
    for key in ("size", "secure", "hints", "complexity", "estimate_seconds"):
        if getattr(task, key):
            losses.note(f"the field {key!r}", task.id)
    if task.kind != "work":
        losses.note("the field 'kind'", task.id)
    if task.held and task.state.value not in "+-#":
        losses.note("the state under a hold", task.id)
    return {key: value for key, value in given.items() if value not in (None, [])}
