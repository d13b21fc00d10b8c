"""The report on one comparison as Markdown: what was asked, the verdicts, every figure behind them, the ablations.

The same data give the same text, so that a test can hold a page in the documentation against its data. It judges
nothing itself (verdict.py does).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from colony.experiments.catalogue import experiment_named
from colony.experiments.comparison import Comparison
from colony.experiments.figures import draw
from colony.experiments.plan import Basis
from colony.experiments.statistics import Interval, ratio_of
from colony.experiments.verdict import Cell, Verdict, cell, verdict, verdicts


def write_report(comparison: Comparison, folder: Path) -> Path:
    """Write `report.md` and its figures into `folder`."""
    pictures = [draw(comparison, task, folder) for task in comparison.plan.tasks]
    file = folder / "report.md"
    file.write_text("\n".join(report(comparison, pictures)) + "\n", encoding="utf-8")
    return file


def report(comparison: Comparison, pictures: Sequence[str] = ()) -> list[str]:
    """The lines of the report."""
    plan = comparison.plan
    lines = [f"# When does shared memory pay? The {plan.experiment} experiment", "", *preamble(comparison), ""]
    lines += ["## Verdict", "", *verdict_table(comparison), ""]
    for task, picture in zip(plan.tasks, pictures or [""] * len(plan.tasks), strict=True):
        lines += [f"## {task}", "", *task_section(comparison, task)]
        if picture:
            lines += [f"![{task}]({picture}.png)", ""]
    return lines


def preamble(comparison: Comparison) -> list[str]:
    """What was run, where, and what quality is."""
    plan, machine = comparison.plan, comparison.machine
    experiment = experiment_named(plan.experiment)
    wait = f"{1000 * plan.evaluation_seconds:g} ms" if plan.evaluation_seconds else "nothing"
    last = plan.first_seed + plan.seeds - 1
    return [
        f"Seeds {plan.first_seed} to {last}; {len(comparison.rows)} trials; each evaluation waits {wait} besides its",
        f"own work. {machine['cores']} cores, Python {machine['python']}, {machine['jobs']} trial(s) at a time.",
        f"Quality is the {experiment.quality}.",
        "Every figure is a median over the seeds with its 95 % bootstrap interval.",
    ]


def verdict_table(comparison: Comparison) -> list[str]:
    """Swarm against parallel on each task at the plan's size and at equal total evaluations, and the sum of it."""
    plan, limits = comparison.plan, comparison.plan.thresholds
    gain, saved, most = (f"{x:.0%}" for x in (limits.quality_gain, limits.time_saved, limits.overhead_max))
    head, rows = verdict_rows(comparison)
    return [
        f"A swarm is worth it where its quality is at least {gain} better than that of parallel, or its time to",
        f"solution at least {saved} shorter, and its overhead is below {most}. This is so with {plan.verdict_agents}",
        "agents, at equal total evaluations:",
        "",
        *table(head, [[*row[:-1], f"**{row[-1]}**"] for row in rows]),
        "",
        summary(verdicts(comparison)),
    ]


def verdict_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table of verdicts."""
    head = ["task", "quality, swarm / parallel", "time to solution, swarm / parallel", "overhead", "worth it"]
    return head, [
        [
            v.task,
            f"{ratio_text(v.quality_ratio)} {_tick(v.better)}",
            f"{time_text(v.time_ratio)} {_tick(v.faster)}",
            f"{share_text(v.overhead)} {_tick(v.cheap)}",
            v.answer,
        ]
        for v in verdicts(comparison)
    ]


def summary(judged: Sequence[Verdict]) -> str:
    """The verdicts in one sentence."""
    if not judged:
        return "No verdict: swarm and parallel were not both run at the size of the verdict."
    yes = [v.task for v in judged if v.worth_it]
    if not yes:
        return f"**No**: on none of {len(judged)} tasks is the swarm worth it."
    return f"**Yes** on {len(yes)} of {len(judged)} tasks: {', '.join(yes)}."


def task_section(comparison: Comparison, task: str) -> list[str]:
    """The figures of one task, for both bases, and its ablations."""
    plan = comparison.plan
    lines = []
    for basis in plan.bases:
        allowance = plan.tasks[task]
        amount = f"{allowance.evaluations} evaluations" if basis == "evaluations" else f"{allowance.wall_seconds:g} s"
        lines += [f"At equal {'total evaluations' if basis == 'evaluations' else 'wall time'} ({amount}):", ""]
        lines += [*figures_table(_cells(comparison, task, basis)), ""]
    if plan.ablations and "evaluations" in plan.bases:
        lines += [f"What is shared, at {plan.verdict_agents} agents and equal total evaluations:", ""]
        lines += [*ablation_table(comparison, task), ""]
    return lines


def figures_table(cells: Iterable[Cell]) -> list[str]:
    """One line for each configuration and size."""
    head = [
        "configuration",
        "agents",
        "quality",
        "solved",
        "s to solution",
        "evaluations",
        "CPU s",
        "quality / 1000 ev.",
    ]
    head += ["conflicts", "retries", "waits", "duplicates", "overhead", "share of CPU"]
    rows = [
        [
            c.configuration,
            str(c.agents),
            _number(c.quality),
            f"{c.solved:.0%}",
            _number(c.seconds_to_solution),
            f"{c.evaluations.median:.0f}",
            f"{c.cpu_seconds.median:.3g}",
            f"{c.efficiency.median:.3g}",
            *(f"{x.median:.0f}" for x in (c.conflicts, c.retries, c.waits, c.duplicates)),
            share_text(c.overhead),
            f"{100 * c.cpu_share.median:.1f} %",
        ]
        for c in cells
    ]
    return table(head, rows)


def ablation_table(comparison: Comparison, task: str) -> list[str]:
    """What each thing that could be shared does by itself, as ratios to sharing nothing."""
    plan = comparison.plan
    shared = experiment_named(plan.experiment).configurations
    nothing = comparison.select(task, "evaluations", "parallel", plan.verdict_agents)
    rows = []
    for configuration in ("parallel", *plan.ablations, "swarm"):
        found = cell(comparison, task, "evaluations", configuration, plan.verdict_agents)
        mine = comparison.select(task, "evaluations", configuration, plan.verdict_agents)
        if found is None or not nothing:
            continue
        quality = ratio_of([r["quality"] for r in mine], [r["quality"] for r in nothing])
        cells = [_number(found.quality), ratio_text(quality), f"{found.solved:.0%}", _number(found.seconds_to_solution)]
        rows.append([configuration, shared[configuration], *cells, f"{found.duplicates.median:.0f}"])
    head = ["configuration", "shared", "quality", "quality / parallel", "solved", "s to solution", "duplicates"]
    return table(head, rows)


def best_size(comparison: Comparison, task: str) -> str:
    """The size at which a swarm is quickest, and that from which on twice the agents save less than a quarter."""
    sizes = comparison.plan.agents
    cells = [cell(comparison, task, "evaluations", "swarm", size) for size in sizes]
    times = {c.agents: c.seconds_to_solution.median for c in cells if c is not None}
    solved = {size: seconds for size, seconds in times.items() if not math.isinf(seconds)}
    if not solved:
        return "not solved by half of the swarms of any size"
    best = min(solved, key=lambda size: solved[size])
    saves = {a: solved[b] <= 0.75 * solved[a] for a, b in pairwise(sizes) if a in solved and b in solved}
    small = [size for size in saves if not any(saves[larger] for larger in saves if larger >= size)]
    diminishing = f"; from {small[0]} on, twice the agents save less than a quarter" if small else ""
    return f"quickest with {best} agents ({solved[best]:.3g} s){diminishing}"


def verdicts_by_size(comparison: Comparison, task: str, basis: Basis) -> list[Verdict]:
    """Swarm against parallel at every size that both were run at."""
    judged = (verdict(comparison, task, basis, size) for size in comparison.plan.agents)
    return [v for v in judged if v is not None]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table; all but the first column to the right."""
    bar = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(line) + " |" for line in (head, bar, *rows)]


def time_text(value: Interval) -> str:
    """A ratio of times to solution; where one is infinite, who solved the task in at least half of the trials."""
    if math.isnan(value.median):
        return "neither solved it"
    if value.median == 0:
        return "only the swarm solved it"
    if math.isinf(value.median):
        return "only parallel solved it"
    return ratio_text(value)


def ratio_text(value: Interval) -> str:
    """A ratio with its interval."""
    return f"{value.median:.2f} ({value.low:.2f} to {value.high:.2f})"


def share_text(value: Interval) -> str:
    """A share as a percentage."""
    return f"{100 * value.median:.2f} %"


def _cells(comparison: Comparison, task: str, basis: Basis) -> list[Cell]:
    plan = comparison.plan
    wanted = [(c, n) for c in plan.configurations for n in ((1,) if c == "single" else plan.agents)]
    made = (cell(comparison, task, basis, configuration, agents) for configuration, agents in wanted)
    return [c for c in made if c is not None]


def _number(value: Interval) -> str:
    if math.isinf(value.median):
        return "unsolved"
    return f"{value.median:.4g} ({value.low:.4g} to {value.high:.4g})".replace("inf", "unsolved")


def _tick(holds: bool) -> str:
    return "yes" if holds else "no"
