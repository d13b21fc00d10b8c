"""The story of one task in sentences: everything that was said of it, and what became of each word.

Nothing that was said is lost: a value that a later one replaced, a claim that came second, a deed that a role forbids
stand here beside what counts. What this file does not do: decide anything; it tells what the fold decided.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import msgspec

from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import Deletion, Hold, Item, Move, Setting, Stamp
from colony.tasks.state.reports import WHATS
from colony.tasks.task import Task


class Said(NamedTuple):
    """One thing that a record says of a task, in words, and what is to be known about its effect, if anything."""

    stamp: Stamp
    words: str
    remark: str


def story(state: MatrixState, task: str) -> list[Said]:
    """Return what was said of a task, in the order in which it counts."""
    remarks: dict[str, list[str]] = {}
    for report in state.reports:
        if report.task == task:
            detail = f" ({report.detail})" if report.detail else ""
            remarks.setdefault(report.record, []).append(f"{report.what}: {WHATS[report.what][1]}{detail}")
    lifted = _undone(state, task)
    told: list[Said] = []
    replaced: set[str] = set()
    for stamp, item in reversed(state.history(task)):
        found = list(remarks.get(stamp.id, ()))
        if isinstance(item, Setting) and not found:
            if old := sorted(item.fields.keys() & replaced):
                found.append(f"replaced later: {', '.join(old)}")
            replaced |= item.fields.keys()
        if not found and stamp.id in lifted:
            found.append(lifted[stamp.id])
        told.append(Said(stamp, _words(item), "; ".join(found)))
    return told[::-1]


def _undone(state: MatrixState, task: str) -> dict[str, str]:
    """Return what was said of holds and completions that no longer stand, by the record that made them."""
    said = state.history(task)
    ended = {
        stamp.id: "lifted later"
        for stamp, item in said
        if isinstance(item, Hold) and item.held and stamp.id not in state.holds(task)
    }
    undone = {
        stamp.id: "undone by a reopening"
        for stamp, item in said
        if isinstance(item, Move) and item.move == "done" and stamp.id not in state.completions(task)
    }
    return ended | undone


def _words(item: Item) -> str:
    """Return what an item says, as a sentence without its subject."""
    match item:
        case Task():
            return f"added as {item.title!r}, {item.state.name.lower().replace('_', ' ')}"
        case Setting():
            values = (f"{name} = {_json(value)}" for name, value in sorted(item.fields.items()))
            return f"set {', '.join(values)}"
        case Move():
            return _move(item)
        case Hold():
            return ("held" if item.held else f"lifted {len(item.lifts)} hold(s)") + _why(item.reason)
        case Deletion():
            return "deleted" + _why(item.reason)


def _move(move: Move) -> str:
    """Return a move in words."""
    parts: list[str] = [move.move]
    if move.state is not None:
        parts.append(f"to {move.state.name.lower().replace('_', ' ')}")
    if move.agent:
        parts.append(f"by {move.agent}")
    if move.commit:
        parts.append(f"with commit {move.commit[:12]}")
    return (
        f"{' '.join(parts)}, fence {move.fence}" + (f", epoch {move.epoch}" if move.epoch else "") + _why(move.reason)
    )


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
