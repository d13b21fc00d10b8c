"""What a run leaves for people: the candidate's file, plots, and a report.

`report.md` says what was found and how far to believe it. Everything in it comes from the journal; nothing is measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from colony.memory.run_state import Claim, RunState
from colony.node.history import history_of
from colony.node.home import RunFolder
from colony.node.plots import plot_picture, plot_run
from colony.node.result import Best, Result
from colony.node.solving import Solving
from colony.problems.problem import Problem


def write_candidate(folder: Path, claim: Claim) -> Path:
    """Write the best candidate where a person can use it; returns the file (the first, for a program)."""
    if claim.candidate.kind == "parameters":
        file = folder / "best.json"
        file.write_text(json.dumps(dict(claim.candidate.content), indent=1) + "\n", "utf-8")
        return file
    written = []
    for name, text in claim.candidate.content.items():
        file = folder / "best" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        written.append(file)
    return written[0]


def result_of(solving: Solving, reason: str, wall_seconds: float) -> Result:
    """The result of a run that has ended, its candidate written."""
    state, problem, folder = solving.state, solving.problem, solving.folder
    claim = state.verified or (None if solving.noise.is_noisy else state.best)
    best = None
    if claim is not None:
        file = write_candidate(folder.path, claim)
        value = claim.value if claim.verified_value is None else claim.verified_value
        content = claim.candidate.content
        best = Best(value, claim.status, content, str(file), claim.agent, claim.experiment)
    head = solving.log.head()
    return Result(
        run=folder.name,
        folder=str(folder.path),
        problem=problem.name,
        metric=problem.metric.as_record(),
        reason=reason,
        best=best,
        seed_value=state.seed_value,
        baseline=_baseline(state),
        record=problem.record.as_record() if problem.record is not None else None,
        holdout=state.holdout["value"] if state.holdout is not None else None,
        experiments=state.counts["experiments"],
        evaluations=state.evaluations,
        wall_seconds=round(wall_seconds, 3),
        cpu_seconds=round(state.cpu_seconds, 3),
        cost=0.0,
        agents=_agents(state),
        diversity=solving.diversity(),
        isolation=solving.workshop.verifier.isolation.as_record(),
        journal={"records": head.size, "head": head.root, "file": str(folder.journal)},
        state_hash=state.state_hash(),
        attacks={"winners": state.attack.get("winners", []), "tried": len(state.attack.get("attacks", []))},
        failures=dict(state.reasons),
    )


def _baseline(state: RunState) -> Mapping[str, Any] | None:
    if state.baseline is None:
        return None
    return {key: state.baseline[key] for key in ("name", "value", "evaluations")}


def _agents(state: RunState) -> dict[str, Any]:
    return {
        name: {
            "kind": tally.kind,
            "experiments": tally.experiments,
            "evaluations": tally.evaluations,
            "improvements": tally.improvements,
            "best": tally.best,
        }
        for name, tally in state.agents.items()
    }


def write_report(solving: Solving, result: Result) -> Path:
    """Plots and `report.md` in the run's folder; returns the report."""
    folder, problem, state = solving.folder, solving.problem, solving.state
    history = history_of(solving.log.read())
    kinds = {name: tally.kind for name, tally in state.agents.items()}
    record = problem.record.value if problem.record is not None else None
    best = result.best.experiment if result.best is not None else None
    plots = plot_run(folder.path, history, problem.metric, record=record, best=best, kinds=kinds)
    picture = solving.picture()
    if picture is not None:
        plots.append(plot_picture(folder.path, picture))
    file = folder.path / "report.md"
    file.write_text(report_text(problem, state, result, plots, folder), "utf-8")
    (folder.path / "result.json").write_text(json.dumps(result.as_record(), indent=1) + "\n", "utf-8")
    return file


def report_text(problem: Problem, state: RunState, result: Result, plots: Sequence[str], folder: RunFolder) -> str:
    """The report as Markdown."""
    parts = [
        f"# {problem.name}: {_headline(result)}",
        problem.statement,
        _table(["what", problem.metric.name, "evaluations"], _score_rows(result)),
        _effort(result),
        *(f"![{name}]({name}.png)" for name in sorted(plots, key=_PLOT_ORDER.index)),
        "## How far to believe it",
        _belief(state, result),
        "## Attacks on the evaluator",
        _table(["cheat", "won", "what stopped it"], [_attack_row(a) for a in state.attack.get("attacks", [])]),
        "## Agents",
        _table(["agent", "experiments", "evaluations", "improvements", "best"], _agent_rows(result)),
        "## Do it again",
        _again(result, folder.journal.name),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _effort(result: Result) -> str:
    return (
        f"Run `{result.run}` ended: {result.reason}. {result.experiments} experiments, "
        f"{result.evaluations} evaluations, {result.wall_seconds:.1f} s wall, {result.cpu_seconds:.1f} s CPU, "
        f"cost {result.cost:.2f} USD."
    )


def _again(result: Result, journal: str) -> str:
    commands = "\n".join(f"colony {command} {result.run}" for command in ("replay", "audit", "show"))
    return (
        f"```\n{commands}\n```\nState hash `{result.state_hash}`; journal of {result.journal['records']} records, "
        f"Merkle root `{result.journal['head']}`, in `{journal}`."
    )


_PLOT_ORDER = ["picture", "progress", "lineage", "diversity"]


def _headline(result: Result) -> str:
    if result.best is None:
        return "nothing beat the seed"
    return f"{result.best.value:.10g} ({result.best.status})"


def _score_rows(result: Result) -> list[list[str]]:
    return [[name, value, evaluations] for name, value, evaluations in score_table(result)]


def score_table(result: Result) -> list[tuple[str, str, str]]:
    """The rows that every run ends with: seed, plain baseline, ours, hold-out where there is one, known record."""
    best, baseline = result.best, result.baseline
    rows = [("seed", _number(result.seed_value), "1")]
    if baseline is not None:
        rows.append(
            (f"plain baseline: {baseline['name']} alone", _number(baseline["value"]), f"{baseline['evaluations']}")
        )
    else:
        rows.append(("plain baseline", "not measured", ""))
    ours = f"{_number(best.value)} {best.status}" if best is not None else "nothing beat the seed"
    rows.append(("ours" + (f" (found by {best.found_by})" if best is not None else ""), ours, f"{result.evaluations}"))
    if result.holdout is not None:
        rows.append(("ours on the hold-out", _number(result.holdout), "1"))
    rows.append(("known record", _number(result.record["value"]) if result.record else "none", ""))
    return rows


def _number(value: float | None) -> str:
    return "infeasible" if value is None else f"{value:.12g}"


def _belief(state: RunState, result: Result) -> str:
    lines = [f"- Isolation: {result.isolation['tier']}; " + _holds(result.isolation) + "."]
    noise = state.attack.get("noise", {})
    deviation = noise.get("deviation", 0.0)
    shown = f"standard deviation {deviation:.4g}" if deviation else "none in re-evaluations of the seed"
    lines.append(f"- Noise of the evaluator: {shown}.")
    claim = state.verified or state.best
    if claim is not None:
        lines.append(f"- Verdict on the best: {claim.status}: {claim.reason or 'nobody has re-executed it yet'}.")
    refuted = [c for c in state.claims if c.status == "refuted"]
    lines.append(f"- Claims: {len(state.claims)}, of which refuted: {len(refuted)}.")
    if result.attacks["winners"]:
        lines.append(
            f"- **Weak evaluator, accepted by the user**: these cheats win: {', '.join(result.attacks['winners'])}."
        )
    if result.record is not None:
        lines.append(f"- Known record: {result.record['value']:.12g} ({result.record['source']}).")
    return "\n".join(lines)


def _holds(isolation: Mapping[str, Any]) -> str:
    names = ("filesystem", "network", "sockets", "memory", "processes", "cpu", "deadline", "daemons")
    return ", ".join(f"{name} {isolation[name]}" for name in names)


def _attack_row(attack: Mapping[str, Any]) -> list[str]:
    return [attack["name"], "**yes**" if attack["won"] else "no", attack["stopped_by"] or attack["detail"]]


def _agent_rows(result: Result) -> list[list[str]]:
    busy = sorted(result.agents.items(), key=lambda item: -item[1]["improvements"])
    return [
        [
            n,
            f"{a['experiments']}",
            f"{a['evaluations']}",
            f"{a['improvements']}",
            _number(a["best"]) if a["best"] is not None else "",
        ]
        for n, a in busy[:50]
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
