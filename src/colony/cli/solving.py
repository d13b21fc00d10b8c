"""The commands that run a colony: `solve` and `resume`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from colony.cli.output import reports_errors
from colony.node.home import Home
from colony.node.settings import AGENTS_DEFAULT, Settings
from colony.problems.foreign import load
from colony.problems.loaders import find_folder
from colony.problems.metric import Budget

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where runs are kept.", envvar="COLONY_HOME", show_default=".colony")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line of standard output.")]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        "-b",
        help="300e evaluations, 2000x experiments, 60s 5m 1h wall time, 90cs CPU seconds; join with commas.",
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", "-w", help="Evaluations side by side.", show_default="cores")
]


def home_of(path: Path | None) -> Home:
    """The home that a command works in."""
    return Home(path) if path is not None else Home.default()


@reports_errors
def solve(  # noqa: PLR0913, PLR0917  # one parameter for each option
    problem: Annotated[str, typer.Argument(help="A ready problem's name (see `colony problems list`) or a folder.")],
    budget: BudgetOption = None,
    seed: Annotated[int, typer.Option("--seed", "-s", help="The seed of every random stream.")] = 0,
    agents: Annotated[int, typer.Option("--agents", "-a", help="How many agents.")] = AGENTS_DEFAULT,
    workers: WorkersOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Stop at this value, or at the known 'record'.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only agents of this kind; may be repeated.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Same seed, same state hash, with any number of workers.")
    ] = False,
    baseline: Annotated[
        bool, typer.Option(help="Measure the plain baseline at the same number of evaluations.")
    ] = True,
    accept_weak_evaluator: Annotated[
        bool, typer.Option("--accept-weak-evaluator", help="Go on although a cheat wins against the evaluator.")
    ] = False,
    unsandboxed: Annotated[
        bool,
        typer.Option(
            "--unsandboxed", help="Run programs although this machine cannot isolate them; stamped in every record."
        ),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Improve a problem: watch a swarm search, verify what it claims, and write a report.

    \b
    Examples:
      colony solve circles-26
      colony solve wave-3d --budget 300e --seed 1
      colony solve ./my-problem --agents 16 --target record --json
    """
    settings = Settings(
        seed=seed,
        agents=agents,
        workers=(os.cpu_count() or 1) if workers is None else workers,
        budget=Budget.parse(budget) if budget else Budget(),
        deterministic=deterministic,
        target=target,
        only=tuple(only or ()),
        baseline=baseline,
        accept_weak_evaluator=accept_weak_evaluator,
        allow_unsandboxed=unsandboxed,
    )
    from colony.cli.running import run_new  # noqa: PLC0415  # slow to import; most commands do without

    run_new(load(find_folder(problem)), settings, home_of(home), as_json=as_json)


@reports_errors
def resume(
    run: Annotated[
        str | None, typer.Argument(help="A run's name or the beginning of it.", show_default="the newest")
    ] = None,
    budget: BudgetOption = None,
    workers: WorkersOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a run that stopped, exactly where it stood; --budget replaces what it had.

    \b
    Examples:
      colony resume
      colony resume circles-26-20261120 --budget 5m
    """
    place = home_of(home)
    folder = place.find_run(run)
    from colony.cli.running import run_on  # noqa: PLC0415  # slow to import; most commands do without

    run_on(folder, place, budget=Budget.parse(budget) if budget else None, workers=workers, as_json=as_json)
