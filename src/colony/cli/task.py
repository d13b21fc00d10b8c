"""The commands on single tasks: `task add | list | show | ready | set | depend | why | hold | release | ...`.

Those that claim and finish are in claiming.py. Everything slow to import is imported by the command that needs it, so
that `task ready` answers at once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from colony.cli.output import out, print_json, print_table, reports_errors
from colony.cli.ready import JsonOption, ready, workspace

if TYPE_CHECKING:
    from colony.node.matrix.workspace import Workspace
    from colony.tasks.task import Task

app = typer.Typer(no_args_is_help=True, help="Tasks of this repository: what there is to do, by whom, and why.")

AgentOption = Annotated[
    str | None, typer.Option("--as", help="Act as this agent, with a key of its own.", envvar="COLONY_AGENT")
]
TaskArgument = Annotated[str, typer.Argument(metavar="ID", help="A task's id.")]

app.command()(ready)


def as_record(task: Task) -> dict[str, Any]:
    """A task as JSON; the state is its symbol."""
    import msgspec  # noqa: PLC0415

    record: dict[str, Any] = msgspec.to_builtins(task)
    return record


@app.command()
@reports_errors
def add(  # noqa: PLR0913, PLR0917  # one parameter for each option
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    task_id: Annotated[str | None, typer.Option("--id", help="Its id.", show_default="made up")] = None,
    priority: Annotated[int, typer.Option("--priority", "-p", help="1 (low) to 5 (high).")] = 3,
    stars: Annotated[int, typer.Option("--stars", help="A human's emphasis.")] = 0,
    after: Annotated[list[str] | None, typer.Option("--after", help="What must be done first; repeatable.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="A path it touches; repeatable.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="A label; repeatable.")] = None,
    size: Annotated[str | None, typer.Option("--size", help="small, medium, large or critical.")] = None,
    estimate: Annotated[str | None, typer.Option("--estimate", "-e", help="How long it takes: 30m, 2h, 3d.")] = None,
    hint: Annotated[str, typer.Option("--hint", help="A routing hint such as @anthropic.plan.")] = "",
    secure: Annotated[bool, typer.Option("--secure", help="Local models only.")] = False,
    kind: Annotated[str, typer.Option("--kind", help="The class that outcomes are learnt for.")] = "work",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a task.

    \b
    Examples:
      colony task add "Write the parser" --id parser --estimate 2h --scope src/parser
      colony task add "Test it" --after parser --priority 4
    """
    from colony.node.matrix.editing import add_task  # noqa: PLC0415
    from colony.tasks.task import Task  # noqa: PLC0415

    place = workspace(agent)
    fields: dict[str, Any] = {"priority": priority, "stars": stars, "hints": hint, "secure": secure, "kind": kind}
    fields |= {"scope": tuple(scope or ()), "labels": tuple(label or ()), "size": size}
    made = Task(id=task_id or "", title=title, estimate_seconds=seconds_of(estimate), **fields)
    added = add_task(place, made, after=after or [])
    _done(place, as_record(added), f"added {added.id}: {added.title}", as_json=as_json)


@app.command("set")
@reports_errors
def set_fields(  # noqa: PLR0913, PLR0917  # one parameter for each option
    task: TaskArgument,
    title: Annotated[str | None, typer.Option("--title")] = None,
    priority: Annotated[int | None, typer.Option("--priority", "-p", help="1 (low) to 5 (high).")] = None,
    stars: Annotated[int | None, typer.Option("--stars", help="A human's emphasis.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="The paths it touches; repeatable.")] = None,
    label: Annotated[list[str] | None, typer.Option("--label", "-l", help="The labels; repeatable.")] = None,
    size: Annotated[str | None, typer.Option("--size", help="small, medium, large or critical.")] = None,
    estimate: Annotated[str | None, typer.Option("--estimate", "-e", help="How long it takes: 30m, 2h, 3d.")] = None,
    hint: Annotated[str | None, typer.Option("--hint", help="A routing hint.")] = None,
    secure: Annotated[bool | None, typer.Option("--secure/--not-secure", help="Local models only.")] = None,
    heat: Annotated[float | None, typer.Option("--heat", help="A human's word on its heat.")] = None,
    complexity: Annotated[float | None, typer.Option("--complexity", help="A human's word, 0 to 12.")] = None,
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change fields of a task; the last value counts, the others stay in its history.

    \b
    Example:
      colony task set parser --priority 5 --stars 1
    """
    from colony.tasks.state.records import changed  # noqa: PLC0415

    given: dict[str, Any] = {"title": title, "priority": priority, "stars": stars, "size": size, "hints": hint}
    given |= {"secure": secure, "heat": heat, "complexity": complexity, "estimate_seconds": seconds_of(estimate)}
    given |= {"scope": tuple(scope) if scope else None, "labels": tuple(label) if label else None}
    place = workspace(agent)
    place.task(task)
    place.write([changed(task, **{name: value for name, value in given.items() if value is not None})])
    _done(place, as_record(place.task(task)), f"changed {task}", as_json=as_json)


@app.command("list")
@reports_errors
def list_tasks(
    state: Annotated[str | None, typer.Option("--state", help="Only this state, by symbol or name.")] = None,
    label: Annotated[str | None, typer.Option("--label", "-l", help="Only with this label.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Finished ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List tasks, the oldest first.

    \b
    Examples:
      colony task list
      colony task list --state done --json
    """
    from colony.node.matrix.editing import state_named  # noqa: PLC0415
    from colony.tasks.task import FINAL  # noqa: PLC0415

    place = workspace()
    wanted = state_named(state) if state else None
    found = [
        t
        for t in sorted(place.state.tasks.values(), key=lambda t: (t.created, t.id))
        if (t.state is wanted if wanted else everything or t.state not in FINAL) and (not label or label in t.labels)
    ]
    record = {"tasks": [as_record(t) for t in found], **_trouble(place)}
    rows = [[t.symbol, t.id, t.title, str(t.priority), "*" * t.stars, t.agent or "", ",".join(t.labels)] for t in found]
    if not as_json:
        print_table(
            f"{len(found)} task{'s' if len(found) != 1 else ''}",
            ["", "id", "title", "priority", "stars", "agent", "labels"],
            rows,
        )
    end(place, record, as_json=as_json)


@app.command()
@reports_errors
def show(
    task: TaskArgument,
    history: Annotated[
        bool, typer.Option("--history", help="All that was said of it, the values that lost too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a task: its fields, what it waits for, what waits for it.

    \b
    Example:
      colony task show parser --history
    """
    from colony.node.matrix.editing import described, told  # noqa: PLC0415

    place = workspace()
    record = described(place, task)
    if history:
        record["history"] = told(place, task)
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        if name != "history" and value not in (None, "", [], (), False):
            out.print(f"[dim]{name:16}[/] ", end="")
            out.print(str(value), markup=False)
    for line in record.get("history", ()):
        remark = f"  ({line['remark']})" if line["remark"] else ""
        out.print(f"{moment(int(line['at'][:12], 16))}  {line['by']:10}  {line['what']}{remark}", markup=False)


@app.command()
@reports_errors
def depend(
    task: TaskArgument,
    on: Annotated[list[str], typer.Argument(help="What must be done before it.")],
    soft: Annotated[bool, typer.Option("--soft", help="Only better done before (;), not necessarily (^).")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="End the dependency.")] = False,
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a task wait for others, or no longer.

    \b
    Examples:
      colony task depend release tests docs
      colony task depend release docs --remove
    """
    from colony.node.matrix.editing import link, unlink  # noqa: PLC0415
    from colony.tasks.task import Edge  # noqa: PLC0415

    place = workspace(agent)
    edges = [Edge(before, task, ";" if soft else "^") for before in on]
    (unlink if remove else link)(place, edges)
    what = "no longer waits for" if remove else "waits for"
    _done(place, {"edges": [list(edge) for edge in edges]}, f"{task} {what} {', '.join(on)}", as_json=as_json)


@app.command()
@reports_errors
def why(
    task: TaskArgument,
    literal: Annotated[bool, typer.Option("--literal", help="The seed's own formula, to the letter.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a task's place in the order: every term of its score, and what keeps it from starting.

    \b
    Example:
      colony task why release
    """
    from colony.node.matrix.editing import explained  # noqa: PLC0415

    place = workspace()
    record = explained(place, task, literal=literal)
    if as_json:
        print_json(record)
        return
    rows = [[t["name"], f"{t['points']:+.2f}", f"{t['value']:g} {t['unit']}", t["source"]] for t in record["terms"]]
    print_table(f"{task}: score {record['score']:.2f}", ["term", "points", "value", "where from"], rows)
    for obstacle in record["obstacles"]:
        out.print(f"not now: {obstacle}", markup=False)


@app.command()
@reports_errors
def hold(
    task: TaskArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop a task, whoever works on it: a human's hold outranks every agent. `task release` ends it.

    \b
    Example:
      colony task hold deploy --reason "after the audit"
    """
    from colony.tasks.state.records import held  # noqa: PLC0415

    place = workspace(agent)
    place.task(task)
    _allowed(place, "hold")
    place.write([held(task, reason)])
    _done(place, as_record(place.task(task)), f"held {task}", as_json=as_json)


@app.command()
@reports_errors
def reopen(
    task: TaskArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a finished task pending again, naming the completions that this undoes.

    \b
    Example:
      colony task reopen parser --reason "it fails on empty input"
    """
    from colony.tasks.state.records import reopened  # noqa: PLC0415

    place = workspace(agent)
    _allowed(place, "reopen")
    place.write([reopened(place.task(task), place.state.completions(task), reason)])
    _done(place, as_record(place.task(task)), f"reopened {task}", as_json=as_json)


@app.command()
@reports_errors
def delete(
    task: TaskArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete a task for good; its records stay, so no other shard brings it back.

    \b
    Example:
      colony task delete parser-2 --reason "the same as parser"
    """
    from colony.tasks.state.records import deleted  # noqa: PLC0415

    place = workspace(agent)
    place.task(task)
    _allowed(place, "delete")
    place.write(deleted([task], reason))
    _done(place, {"deleted": task}, f"deleted {task}", as_json=as_json)


@app.command("import")
@reports_errors
def import_tasks(
    source: Annotated[Path, typer.Argument(help="The seed's organic/ folder, or a file of Beads' JSON Lines.")],
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in tasks of another system; what is here already is left as it is.

    \b
    Examples:
      colony task import ../fork/organic
      colony task import .beads/issues.jsonl --json
    """
    from colony.node.matrix.interchanging import import_from  # noqa: PLC0415

    record = import_from(workspace(agent), source)
    sentence = f"{record['added']} tasks and {record['edges']} dependencies came in, {record['known']} were known"
    _exchanged(record, sentence, as_json=as_json)


@app.command("export")
@reports_errors
def export_tasks(
    target: Annotated[Path, typer.Argument(help="A new folder (organic) or file (beads).")],
    form: Annotated[str, typer.Option("--format", help="organic or beads.")] = "organic",
    as_json: JsonOption = False,
) -> None:
    """Write all tasks in the form of another system; what it has no place for is told.

    \b
    Example:
      colony task export issues.jsonl --format beads
    """
    from colony.node.matrix.interchanging import export_to  # noqa: PLC0415

    record = export_to(workspace(), target, form)
    _exchanged(record, f"{record['tasks']} tasks written to {', '.join(record['files'])}", as_json=as_json)


def _exchanged(record: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    """What came in or went out, what has no place there, and what could not be read."""
    from colony.cli.output import err, fail_with  # noqa: PLC0415
    from colony.primitives.errors import MatrixFaultsError  # noqa: PLC0415

    if not as_json:
        out.print(sentence, markup=False)
        if record.get("agents"):
            out.print("its agents, for routing.toml:\n" + "\n".join(record["agents"]), markup=False)
        for name, what in (("losses", "loss"), ("faults", "fault")):
            for line in record.get(name, ()):
                err.print(f"{what}: {line}", markup=False)
    if record.get("faults"):
        wrong = MatrixFaultsError(f"{len(record['faults'])} places could not be read; the rest is here")
        fail_with(record, wrong, as_json=as_json)
    if as_json:
        print_json(record)


def warn(place: Workspace) -> None:
    """Say on standard error how much could not be taken at its word; `colony matrix verify` lists it."""
    from colony.cli.output import err  # noqa: PLC0415

    trouble = _trouble(place)
    if any(trouble.values()):
        err.print(
            f"[yellow]{trouble['faults']} damaged lines, {trouble['reports']} records without effect[/]: "
            "colony matrix verify"
        )


def end(place: Workspace, record: dict[str, Any], *, as_json: bool) -> None:
    """End a command that has shown the matrix: damaged lines make it fail, though what is good was shown."""
    from colony.cli.output import fail_with  # noqa: PLC0415
    from colony.primitives.errors import MatrixFaultsError  # noqa: PLC0415

    faults = place.faults
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        wrong = MatrixFaultsError(f"damaged: {faults[0]}{more}; the good part is shown, see colony matrix verify")
        fail_with(record, wrong, as_json=as_json)
    if as_json:
        print_json(record)
    else:
        warn(place)


def _trouble(place: Workspace) -> dict[str, int]:
    return {
        "faults": len(place.faults),
        "reports": sum(report.severity == "fault" for report in place.state.reports),
    }


def _allowed(place: Workspace, act: str) -> None:
    """Refuse before a record is written what the fold would ignore anyway."""
    from colony.primitives.errors import UsageError  # noqa: PLC0415

    if not place.may(act):
        role = place.settings.roles.role(place.key.did)
        raise UsageError(f"{place.actor} is {role} here and may not {act} tasks; a human may, see colony.toml")


def seconds_of(text: str | None) -> float | None:
    """Seconds of 90s, 30m, 2h or 3d."""
    from colony.primitives.errors import UsageError  # noqa: PLC0415

    if text is None:
        return None
    try:
        return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1:]]
    except (ValueError, KeyError):
        raise UsageError(f"{text!r}: no duration; write 90s, 30m, 2h or 3d") from None


def _done(place: Workspace, record: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    out.print(sentence, markup=False)
    warn(place)


def moment(milliseconds: int) -> str:
    """A moment for people, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
