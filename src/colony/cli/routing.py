"""The command `route`: who would do a task, and with which model."""

from __future__ import annotations

from typing import Annotated

import typer

from colony.cli.output import out, print_json, print_table, reports_errors
from colony.cli.ready import JsonOption, workspace


@reports_errors
def route(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's id.")],
    explain: Annotated[bool, typer.Option("--explain", help="Every step in words.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show who would do a task and with which model: the cheapest able one. Nothing is called or reserved.

    \b
    Example:
      colony route parser --explain
    """
    from colony.node.matrix.routing import routed  # noqa: PLC0415

    _, record = routed(workspace(), task)
    if as_json:
        print_json(record)
        return
    model = f"{record['model']} ({record['provider']})" if record["model"] else "none: solvers and scripts"
    rows = [
        ["tier", f"{record['tier']} (ceiling {record['ceiling']}; the seed's sum says {record['literal']['tier']})"],
        ["mode", record["mode"]],
        ["agent", record["agent"]],
        ["model", model],
        ["then", ", ".join(record["fallbacks"]) or "nobody"],
        ["cost", f"${record['expected_dollars']:.4f} expected"],
    ]
    print_table(f"route of {task}", ["", "value"], rows)
    if explain:
        for line in record["why"]:
            out.print(f"  {line}", markup=False)
