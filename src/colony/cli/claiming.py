"""The commands of whoever works: `task claim | begin | done | fail | release`, and `hooks install`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from colony.cli.output import out, print_json, reports_errors
from colony.cli.ready import JsonOption, workspace
from colony.cli.task import AgentOption, TaskArgument, app, moment, seconds_of, warn

hooks = typer.Typer(no_args_is_help=True, help="Git hooks that keep tasks and commits together.")

ReasonOption = Annotated[str, typer.Option("--reason", help="Why.")]


@app.command()
@reports_errors
def claim(
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Tasks.", show_default="the first that is ready")
    ] = None,
    lease: Annotated[
        str | None, typer.Option("--lease", help="How long it is yours: 30m, 2h.", show_default="as in colony.toml")
    ] = None,
    steal: Annotated[
        bool, typer.Option("--steal", help="Take over what somebody was assigned and never began.")
    ] = False,
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a task for yourself alone, until the lease ends: nobody else can have it meanwhile.

    \b
    Examples:
      colony task claim --as ralph
      colony task claim parser --lease 30m
    """
    from colony.node.matrix.claiming import claim as take  # noqa: PLC0415

    place = workspace(agent)
    record = take(place, tasks or (), lease_seconds=seconds_of(lease), is_steal=steal)
    if as_json:
        print_json(record)
        return
    for one in record["claimed"]:
        until = moment(one["expires"])
        out.print(f"{one['task']} is {one['agent']}'s until {until}, fence {one['fence']}, up to {one['ceiling']}")
    for task, reason in record["refused"].items():
        out.print(f"not {task}: {reason}", markup=False)


@app.command()
@reports_errors
def begin(task: TaskArgument, agent: AgentOption = None, as_json: JsonOption = False) -> None:
    """Say that you have begun a task that you claimed, and renew its lease; repeat it as a heartbeat.

    \b
    Example:
      colony task begin parser --as ralph
    """
    from colony.node.matrix.claiming import begin as start  # noqa: PLC0415

    record = start(workspace(agent), task)
    _said(record, f"{task}: at work until {moment(record['expires'])}", as_json=as_json)


@app.command()
@reports_errors
def pause(
    task: TaskArgument,
    question: Annotated[str, typer.Option("--question", "-q", help="What you wait for an answer to.")] = "",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a task that you claimed rest, or wait for an answer; nobody else takes it, and `task begin` goes on.

    \b
    Example:
      colony task pause parser --question "Which encoding?" --as ralph
    """
    from colony.node.matrix.claiming import pause as rest  # noqa: PLC0415

    record = rest(workspace(agent), task, question)
    _said(record, f"{task} {'waits for an answer' if question else 'rests'}", as_json=as_json)


@app.command()
@reports_errors
def done(
    task: TaskArgument,
    commit: Annotated[
        str | None, typer.Option("--commit", help="The commit that did it.", show_default="the one with its trailer")
    ] = None,
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Finish a task that you claimed: exactly one commit with the trailer `Colony-Task: ID` must have done it.

    \b
    Examples:
      git commit -m "Parse" --trailer "Colony-Task: parser" && colony task done parser
      colony task done survey   # added with --label no-code: nothing to commit
    """
    from colony.node.matrix.claiming import finish  # noqa: PLC0415

    place = workspace(agent)
    record = finish(place, task, commit)
    by = f" by {record['commit'][:12]}" if record["commit"] else ""
    _said(record, f"{task} is done{by}", as_json=as_json)
    if not as_json:
        warn(place)


@app.command()
@reports_errors
def fail(task: TaskArgument, reason: ReasonOption = "", agent: AgentOption = None, as_json: JsonOption = False) -> None:
    """Say that you could not do a task that you claimed; `task release` makes it pending again.

    \b
    Example:
      colony task fail parser --reason "the grammar is ambiguous"
    """
    from colony.node.matrix.claiming import give_back  # noqa: PLC0415

    record = give_back(workspace(agent), task, reason, has_failed=True)
    _said(record, f"{task} has failed", as_json=as_json)


@app.command()
@reports_errors
def release(
    task: TaskArgument, reason: ReasonOption = "", agent: AgentOption = None, as_json: JsonOption = False
) -> None:
    """Give a claimed task back, make a failed one pending again, or end a human's hold.

    \b
    Example:
      colony task release deploy
    """
    from colony.node.matrix.claiming import give_back  # noqa: PLC0415

    record = give_back(workspace(agent), task, reason, has_failed=False)
    _said(record, f"{task} is released", as_json=as_json)


StrictOption = Annotated[bool, typer.Option("--strict", help="No task, no commit.")]


@hooks.command()
@reports_errors
def install(
    strict: StrictOption = False,
    chain: Annotated[bool, typer.Option("--chain", help="Keep a hook that is there, and call it first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let git refuse a commit whose `Colony-Task:` trailer names no task, or none that is claimed.

    \b
    Example:
      colony hooks install --strict
    """
    from colony.tasks.shards.hooks import install as write  # noqa: PLC0415

    files = [str(file) for file in write(workspace().git, chains=chain, is_strict=strict)]
    _said({"hooks": files}, f"wrote {', '.join(files)}", as_json=as_json)


@hooks.command()
@reports_errors
def remove(as_json: JsonOption = False) -> None:
    """Take the hooks away again, and put back those that they called first.

    \b
    Example:
      colony hooks remove
    """
    from colony.tasks.shards.hooks import remove as take_away  # noqa: PLC0415

    files = [str(file) for file in take_away(workspace().git)]
    _said({"removed": files}, f"removed {', '.join(files) or 'nothing'}", as_json=as_json)


@hooks.command("run")
@reports_errors
def run_hook(
    name: Annotated[str, typer.Argument(help="commit-msg or pre-push.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="What git gives the hook.")] = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
) -> None:
    """Do what a hook does; git calls this.

    \b
    Example:
      colony hooks run commit-msg .git/COMMIT_EDITMSG
    """
    from colony.node.matrix.hooking import run_hook as check  # noqa: PLC0415

    check(workspace(), name, arguments or [], sys.stdin, is_strict=strict)
    if as_json:
        print_json({"hook": name, "ok": True})


def _said(record: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(record)
    else:
        out.print(sentence, markup=False)
