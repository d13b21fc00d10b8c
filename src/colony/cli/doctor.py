"""The command that looks at the machine: `doctor`."""

from __future__ import annotations

from colony.cli.output import out, print_json, print_table, reports_errors
from colony.cli.solving import HomeOption, JsonOption, home_of
from colony.node.examination import examine_machine

_PROPERTIES = ("filesystem", "network", "sockets", "memory", "processes", "cpu", "deadline", "daemons")


@reports_errors
def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine can isolate, as a canary found out, and what to install where it cannot.

    \b
    Example:
      colony doctor --json
    """
    record = examine_machine(home_of(home))
    if as_json:
        print_json(record)
        return
    out.print(
        f"colony {record['colony']}, Python {record['python']}, SQLite {record['sqlite']}, {record['cores']} cores"
    )
    out.print(", ".join(f"{name} {found}" for name, found in record["packages"].items()))
    classes = record["isolation"]
    rows = [[p, *(found.get(p, "refused") for found in classes.values())] for p in ("tier", *_PROPERTIES)]
    print_table("isolation by class of work", ["", *classes], rows)
    for trouble in record["problems"]:
        out.print(f"[yellow]{trouble}[/]")
    if not record["problems"]:
        out.print("[green]everything that Colony needs is here[/]")
