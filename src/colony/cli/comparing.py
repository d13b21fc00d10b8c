"""The command `compare`: single, parallel and swarm at the same cost, over many seeds, with the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from colony.cli.output import err, out, print_json, print_table, reports_errors
from colony.cli.solving import JsonOption
from colony.experiments.plan import BASES, Allowance, Plan, load_plan, shipped_plan
from colony.primitives.errors import UsageError


@reports_errors
def compare(  # noqa: PLR0913, PLR0917  # one parameter for each option
    experiment: Annotated[str, typer.Argument(help="optimisation, sudoku or research.")],
    configs: Annotated[
        str | None, typer.Option("--configs", help="Configurations, with commas.", show_default="as in the plan")
    ] = None,
    agents: Annotated[
        str | None, typer.Option("--agents", "-a", help="Sizes of teams, with commas.", show_default="as in the plan")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="How many seeds.", show_default="as in the plan")] = None,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", help="Only this task; may be repeated.", show_default="all")
    ] = None,
    basis: Annotated[
        str, typer.Option("--basis", help="Equal total 'evaluations', equal 'wall' time, or 'both'.")
    ] = "both",
    evaluations: Annotated[
        int | None, typer.Option("--evaluations", help="For the whole team.", show_default="as in the plan")
    ] = None,
    wall: Annotated[
        float | None,
        typer.Option("--wall", help="Seconds of a trial at equal wall time.", show_default="as in the plan"),
    ] = None,
    evaluation_ms: Annotated[
        float | None,
        typer.Option(
            "--evaluation-ms", help="What an evaluation waits besides its work.", show_default="as in the plan"
        ),
    ] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="A plan of your own (TOML).")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Trials side by side, each in a process.")] = 1,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="The folder for data, report and figures.", show_default="comparison-NAME"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare one agent, independent agents, and agents that share memory; end with a verdict for each task.

    \b
    Examples:
      colony compare optimisation --task wave-3d --seeds 5 --agents 1,4,8
      colony compare sudoku --configs single,parallel,swarm --agents 1,2,4,8,16 --seeds 20
      colony compare research --basis wall --jobs 2 --to results --json
    """
    from colony.cli.trial_progress import comparison_progress  # noqa: PLC0415  # slow to import
    from colony.experiments.comparison import compare as run  # noqa: PLC0415
    from colony.experiments.report import summary, verdict_rows, write_report  # noqa: PLC0415
    from colony.experiments.verdict import verdicts  # noqa: PLC0415

    wanted = load_plan(plan) if plan is not None else shipped_plan(experiment)
    if wanted.experiment != experiment:
        raise UsageError(f"--plan: {plan} is a plan of {wanted.experiment}, not of {experiment}")
    wanted = _changed(wanted, configs=configs, agents=agents, seeds=seeds, basis=basis, evaluation_ms=evaluation_ms)
    wanted = replace(wanted, tasks=_allowances(wanted, tasks, evaluations, wall))
    folder = to or Path(f"comparison-{experiment}")
    if jobs < 1:
        raise UsageError(f"--jobs: {jobs}; at least one")
    with comparison_progress(err) as progress:
        comparison = run(wanted, folder / "trials.jsonl.gz", jobs=jobs, progress=progress)
    file = write_report(comparison, folder)
    judged = verdicts(comparison)
    if as_json:
        found = {v.task: {"worth_it": v.worth_it, **v.as_record()} for v in judged}
        print_json({"experiment": experiment, "report": str(file), "trials": len(comparison.rows), "verdicts": found})
        return
    head, rows = verdict_rows(comparison)
    print_table(f"{experiment}: swarm against parallel, {wanted.verdict_agents} agents, equal evaluations", head, rows)
    out.print(summary(judged).replace("**", ""))
    out.print(f"report and figures: {file}")


def _changed(
    plan: Plan, *, configs: str | None, agents: str | None, seeds: int | None, basis: str, evaluation_ms: float | None
) -> Plan:
    """The plan with what the options say; ablations and the size of the verdict follow."""
    if configs is not None:
        names = tuple(name.strip() for name in configs.split(",") if name.strip())
        core = tuple(name for name in names if name in ("single", "parallel", "swarm"))
        plan = replace(plan, configurations=core, ablations=tuple(name for name in names if name not in core))
    if agents is not None:
        try:
            sizes = tuple(sorted({int(size) for size in agents.split(",")}))
        except ValueError:
            raise UsageError(f"--agents: whole numbers with commas, such as 1,2,4,8, not {agents!r}") from None
        judged = plan.verdict_agents if plan.verdict_agents in sizes else sizes[-1]
        plan = replace(plan, agents=sizes, verdict_agents=judged)
    if seeds is not None:
        plan = replace(plan, seeds=seeds)
    if basis != "both":
        chosen = tuple(known for known in BASES if known == basis)
        if not chosen:
            raise UsageError(f"--basis: evaluations, wall or both, not {basis!r}")
        plan = replace(plan, bases=chosen)
    if evaluation_ms is not None:
        plan = replace(plan, evaluation_seconds=evaluation_ms / 1000)
    return plan


def _allowances(
    plan: Plan, names: list[str] | None, evaluations: int | None, wall: float | None
) -> dict[str, Allowance]:
    unknown = [name for name in names or () if name not in plan.tasks]
    if unknown:
        raise UsageError(f"--task: {unknown[0]!r} is not in the plan; choose from {', '.join(plan.tasks)}")
    return {
        name: Allowance(evaluations or allowance.evaluations, wall or allowance.wall_seconds)
        for name, allowance in plan.tasks.items()
        if not names or name in names
    }
