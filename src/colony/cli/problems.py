"""The commands on problems: `problems list | show | new | check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from colony.cli.output import out, print_json, print_table, reports_errors
from colony.cli.solving import JsonOption
from colony.node.scaffolding import KINDS, new_problem
from colony.primitives.errors import UsageError, WeakEvaluatorError
from colony.problems.foreign import load
from colony.problems.loaders import find_folder, load_folder, ready_names

app = typer.Typer(no_args_is_help=True, help="List, show, make and check problems.")


@app.command("list")
@reports_errors
def list_problems(as_json: JsonOption = False) -> None:
    """List the problems that ship with Colony.

    \b
    Example:
      colony problems list
    """
    loaded = [load_folder(find_folder(name)) for name in ready_names()]
    if as_json:
        print_json({"problems": [p.as_record() for p in loaded]})
        return
    rows = [
        [p.name, p.metric.direction, p.metric.name, f"{p.record.value:.10g}" if p.record else "none"] for p in loaded
    ]
    print_table("ready problems", ["name", "direction", "metric", "known record"], rows)


@app.command()
@reports_errors
def show(
    problem: Annotated[str, typer.Argument(help="A ready problem's name or a folder.")], as_json: JsonOption = False
) -> None:
    """Show a problem: statement, metric, space or program, constraints, budget, record.

    \b
    Example:
      colony problems show circles-26
    """
    loaded = load(find_folder(problem))
    record = loaded.as_record()
    record["space"] = loaded.space.as_record() if loaded.space is not None else None
    record["program"] = {"entry": loaded.program.entry, "files": list(loaded.program.files)} if loaded.program else None
    record["budget"] = loaded.budget.as_record()
    if as_json:
        print_json(record)
        return
    out.print(f"[bold]{loaded.name}[/]\n{loaded.statement}\n")
    for key in ("metric", "space", "program", "tolerances", "budget", "record", "evaluator", "hash"):
        if record[key]:
            out.print(f"[dim]{key}[/] {record[key]}")


@app.command()
@reports_errors
def new(
    name: Annotated[str, typer.Argument(help="The folder to make.")],
    kind: Annotated[str, typer.Option("--kind", help="parameters or program.")] = "parameters",
) -> None:
    """Make a folder with a small working problem to start from.

    \b
    Examples:
      colony problems new my-problem
      colony problems new my-heuristic --kind program
    """
    if kind not in KINDS:
        raise UsageError(f"--kind: one of {', '.join(KINDS)}, not {kind!r}")
    files = new_problem(Path(name), kind)
    for file in files:
        out.print(f"wrote {file}")
    out.print(f"check it: colony problems check {name}\nsolve it: colony solve {name} --budget 500e")


@app.command()
@reports_errors
def check(
    problem: Annotated[str, typer.Argument(help="A ready problem's name or a folder.")],
    as_json: JsonOption = False,
) -> None:
    """Evaluate the seed, measure noise and attack the evaluator, without a search.

    \b
    Example:
      colony problems check ./my-problem
    """
    loaded = load(find_folder(problem))
    from colony.node.checking import check_problem  # noqa: PLC0415  # slow to import; the other commands do without

    record = check_problem(loaded)
    if as_json:
        print_json(record)
    else:
        out.print(f"seed: {record['seed_value']}; noise: {record['noise']['deviation']:.4g}; {record['isolation']}")
        rows = [[a["name"], "YES" if a["won"] else "no", a["stopped_by"] or a["detail"]] for a in record["attacks"]]
        print_table("attacks on the evaluator", ["cheat", "won", "what stopped it"], rows)
    if record["winners"]:
        raise WeakEvaluatorError(f"{loaded.name}: the evaluator believes a cheat ({record['winners'][0]}); mend it")
