"""The commands that look at runs and change nothing: `runs`, `show`, `replay`, `audit`, `export`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from colony.cli.output import out, print_json, print_table, reports_errors
from colony.cli.solving import HomeOption, JsonOption, home_of
from colony.node import replaying
from colony.node.exporting import export_run
from colony.node.home import RunFolder
from colony.primitives.errors import JournalCorruptError, JournalError

RunArgument = Annotated[
    str | None, typer.Argument(help="A run's name, the beginning of it, or its folder.", show_default="the newest")
]


@reports_errors
def runs(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the runs of this home, newest last.

    \b
    Example:
      colony runs --json
    """
    found = [_summary(folder) for folder in home_of(home).list_runs()]
    if as_json:
        print_json({"runs": found})
        return
    if not found:
        out.print("no runs yet; start one with: colony solve circles-26")
        return
    print_table("runs", _COLUMNS, [_row(entry) for entry in found])


_COLUMNS = ("run", "best", "status", "experiments", "evaluations", "ended")


def _summary(folder: RunFolder) -> dict[str, Any]:
    """One run's line; a journal that cannot be read says so instead of hiding the others."""
    try:
        return replaying.summary(folder)
    except JournalError as error:
        return {**dict.fromkeys(_COLUMNS), "run": folder.name, "ended": f"unreadable: {error}"}


def _row(entry: Mapping[str, Any]) -> list[str]:
    best = "none" if entry["best"] is None else f"{entry['best']:.10g}"
    shown = {**entry, "best": best, "status": entry["status"] or "", "ended": entry["ended"] or "no: colony resume"}
    return [str(shown[column] if shown[column] is not None else "") for column in _COLUMNS]


@reports_errors
def show(
    run: RunArgument = None,
    experiment: Annotated[str | None, typer.Option("--experiment", help="Show one experiment with its proof.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a run found, who found it, and how far it is verified.

    \b
    Examples:
      colony show
      colony show circles-26 --experiment 3f2a
    """
    folder = home_of(home).find_run(run)
    if experiment is not None:
        print_json(replaying.prove(folder, experiment))
        return
    done = replaying.replay(folder)
    if done.trial is not None:
        print_json(done.trial.as_record(folder))
        return
    record = replaying.describe(folder, done.state)
    if as_json:
        print_json(record)
        return
    out.print(f"[bold]{record['problem']}[/] in {folder.path}")
    total = f"{record['experiments']} experiments, {record['evaluations']} evaluations"
    out.print(f"ended: {record['reason'] or 'not yet'}; {total}")
    claims = [[c["experiment"][:12], f"{c['value']:.12g}", c["status"], c["agent"]] for c in record["claims"][-10:]]
    print_table("latest claims", ["experiment", "value", "status", "agent"], claims)
    agents = [
        [n, str(a["experiments"]), str(a["evaluations"]), str(a["improvements"])] for n, a in record["agents"].items()
    ]
    print_table("agents", ["agent", "experiments", "evaluations", "improvements"], agents[:20])


@reports_errors
def replay(run: RunArgument = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Rebuild the whole state from sequence 0 and compare its hash with the recorded one.

    \b
    Example:
      colony replay circles-26
    """
    folder = home_of(home).find_run(run)
    done = replaying.replay(folder)
    record = {
        "run": folder.name,
        "records": done.head.size,
        "state_hash": done.state_hash,
        "recorded": done.expected,
        "matches": done.matches,
    }
    if as_json:
        print_json(record)
    else:
        said = (
            "the run recorded none" if done.expected is None else "as recorded" if done.matches else "NOT as recorded"
        )
        out.print(f"{folder.name}: {done.head.size} records replayed, state hash {done.state_hash} ({said})")
    if not done.matches:
        raise JournalCorruptError(
            f"{folder.name}: the rebuilt state is not the recorded one; colony audit {folder.name}"
        )


@reports_errors
def audit(run: RunArgument = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Recompute every hash, signature, chain and tree head; say which record broke what.

    \b
    Example:
      colony audit circles-26 --json
    """
    folder = home_of(home).find_run(run)
    record = replaying.audit_record(folder)
    if as_json:
        print_json(record)
    elif record["ok"]:
        out.print(f"{folder.name}: {record['records']} records by {record['authors']} authors, everything holds")
    else:
        print_table(
            "faults",
            ["sequence", "record", "what"],
            [[str(f["seq"]), f["id"] or "", f["what"]] for f in record["faults"]],
        )
    if not record["ok"]:
        first = record["faults"][0]
        raise JournalCorruptError(f"{folder.name}: record {first['seq']}: {first['what']}", first["seq"])


@reports_errors
def export(
    run: RunArgument = None,
    to: Annotated[Path, typer.Option("--to", help="The file to write; JSON Lines of signed records.")] = Path(
        "run.jsonl"
    ),
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's records as JSON Lines that anybody can verify without Colony.

    \b
    Example:
      colony export circles-26 --to circles.jsonl
    """
    folder = home_of(home).find_run(run)
    count = export_run(folder, to)
    if as_json:
        print_json({"run": folder.name, "file": str(to), "records": count})
    else:
        out.print(f"{count} records written to {to}")
