"""The command `task ready`, by itself: scripts and agents call it in loops, so it imports little and is quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from colony.cli.output import print_json, print_table, reports_errors

if TYPE_CHECKING:
    from colony.node.matrix.workspace import Workspace

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line of standard output.")]


def workspace(agent: str | None = None) -> Workspace:
    """The matrix of the repository around the current folder."""
    from colony.node.matrix.workspace import Workspace  # noqa: PLC0415  # only commands that need it pay for it
    from colony.primitives.clock import SystemClock  # noqa: PLC0415

    return Workspace(Path.cwd(), SystemClock(), agent=agent)


@reports_errors
def ready(
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """What may be claimed now, the most urgent first.

    \b
    Example:
      colony task ready --json
    """
    place = workspace()
    rows = place.ready()
    now = place.now_milliseconds
    shown = [(row, row.score(now)) for row in rows[:limit]]
    if as_json:
        first = [{"id": r.id, "title": r.title, "score": round(s, 3), "priority": r.priority} for r, s in shown]
        print_json({"ready": first, "total": len(rows)})
        return
    table = [[r.id, r.title, f"{score:.1f}", str(r.priority), "*" * r.stars] for r, score in shown]
    print_table(f"{len(rows)} ready", ["id", "title", "score", "priority", "stars"], table)
