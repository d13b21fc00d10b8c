"""Runs a colony for the commands `solve` and `resume`: shows it live, then the table that every run ends with.

Apart from `solving`, because it imports every proposer and solver, which takes a second.
"""

from __future__ import annotations

import typer

from colony.cli.live import LiveProgress
from colony.cli.output import err, out, print_json, print_table
from colony.node.api import conclude, refuse_unverified
from colony.node.home import Home, RunFolder
from colony.node.report import score_table
from colony.node.result import Result
from colony.node.resuming import reopen
from colony.node.settings import Settings
from colony.node.solving import begin
from colony.primitives.errors import NothingVerifiedError
from colony.problems.metric import Budget
from colony.problems.problem import Problem


def run_new(problem: Problem, settings: Settings, home: Home, *, as_json: bool) -> None:
    """Start a run, show it, and show its result."""
    with LiveProgress(err) as live:
        result = conclude(begin(problem, settings, home), live)
    show_result(result, as_json=as_json)


def run_on(folder: RunFolder, home: Home, *, budget: Budget | None, workers: int | None, as_json: bool) -> None:
    """Go on with a run, show it, and show its result."""
    with LiveProgress(err) as live:
        solving, standing = reopen(folder, home, budget=budget, workers=workers)
        result = conclude(solving, live, standing)
    show_result(result, as_json=as_json)


def show_result(result: Result, *, as_json: bool) -> None:
    """The table that every run ends with, or the one JSON object; fails where nothing was verified."""
    if as_json:
        _print_object(result)
    else:
        print_table(
            f"{result.problem}: {result.metric['name']} [{result.metric['unit']}], {result.metric['direction']}",
            ["", "value", "evaluations"],
            score_table(result),
        )
        out.print(
            f"{result.reason}; {result.experiments} experiments, {result.evaluations} evaluations, "
            f"{result.wall_seconds:.1f} s wall, {result.cpu_seconds:.1f} s CPU, cost {result.cost:.2f} USD"
        )
        out.print(
            f"isolation: {result.isolation['tier']}; diversity of operators {result.diversity.get('operators', 0):.2f}"
        )
        if result.best is not None:
            out.print(f"candidate: {result.best.file}")
        out.print(f"report:    {result.folder}/report.md")
        out.print(f"check it:  colony replay {result.run} && colony audit {result.run}")
        refuse_unverified(result)


def _print_object(result: Result) -> None:
    """One object on the last line, also where nothing was verified: then it names the error, and the command fails."""
    try:
        refuse_unverified(result)
    except NothingVerifiedError as error:
        named = {"error": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
        print_json({**result.as_record(), **named})
        err.print(f"error: {error}", markup=False)
        raise typer.Exit(error.exit_code) from None
    print_json(result.as_record())
