"""Run a comparison, trial by trial, and keep what was measured as JSON Lines: the plan, then a row for each trial.

A row is written when its trial has ended, so an interrupted comparison keeps what it has. Several jobs are several
processes, each with a trial of its own at a time. What this file does not do: judge (verdict.py), draw (figures.py) or
write prose (report.py).
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import multiprocessing
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import colony
from colony.experiments.catalogue import experiment_named
from colony.experiments.plan import Basis, Plan, Trial, plan_from
from colony.experiments.trial import Measurement, Point, run_trial
from colony.memory.named_memory import NamedMemory
from colony.primitives.errors import ColonyError

CURVE_POINTS: Final = 20
Progress = Callable[[int, int, Trial], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One trial's result. `curve[i]` is the team's quality after (i + 1) twentieths of its evaluations or its time."""

    task: str
    basis: Basis
    configuration: str
    agents: int
    seed: int
    figures: Mapping[str, Any]
    curve: tuple[float, ...]

    def __getitem__(self, figure: str) -> Any:
        return self.figures[figure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan, where it was run, and its rows."""

    plan: Plan
    machine: Mapping[str, Any]
    rows: tuple[Row, ...]

    def select(self, task: str, basis: Basis, configuration: str, agents: int) -> list[Row]:
        """The rows of one cell, by seed."""
        wanted = (task, basis, configuration, agents)
        found = [r for r in self.rows if (r.task, r.basis, r.configuration, r.agents) == wanted]
        return sorted(found, key=lambda row: row.seed)


def compare(plan: Plan, file: Path, *, jobs: int = 1, progress: Progress = lambda *_: None) -> Comparison:
    """Run every trial of `plan` and write `file`.

    Raises:
        UsageError: the plan asks for what the experiment does not have.
        ColonyError: the file cannot be written.

    """
    plan.check(experiment_named(plan.experiment))
    trials = list(plan.trials())
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), "jobs": jobs}
    header = {"colony": colony.__version__, "plan": plan.as_record(), "machine": machine}
    rows = []
    with _create(file) as out:
        _put(out, header)
        for done, (trial, row) in enumerate(_run_all(plan.experiment, trials, jobs), 1):
            _put(out, dataclasses.asdict(row))
            rows.append(row)
            progress(done, len(trials), trial)
    return Comparison(plan, machine, tuple(rows))


def run_one(experiment: str, trial: Trial) -> Row:
    """Run one trial on memories of its own."""
    team = experiment_named(experiment).team(trial.task, trial.setting, NamedMemory)
    measured = run_trial(team, trial.setting)
    figures = {
        field.name: getattr(measured, field.name)
        for field in dataclasses.fields(Measurement)
        if field.name not in ("curve", "outcome")
    }
    return Row(
        trial.task,
        trial.basis,
        trial.setting.configuration,
        trial.setting.agents,
        trial.setting.seed,
        figures,
        _sample(measured.curve, trial),
    )


def read_comparison(file: Path) -> Comparison:
    """A comparison from its file.

    Raises:
        ColonyError: the file cannot be read, or is none.

    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            header, *rows = [json.loads(line) for line in lines]
        made = (Row(**{**row, "curve": tuple(row["curve"])}) for row in rows)
        return Comparison(plan_from(header["plan"]), header["machine"], tuple(made))
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise ColonyError(f"{file}: no comparison: {error}; make one with `colony compare`") from None


def _run_all(experiment: str, trials: list[Trial], jobs: int) -> Iterator[tuple[Trial, Row]]:
    if jobs == 1:
        for trial in trials:
            yield trial, run_one(experiment, trial)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run_one, experiment, trial): trial for trial in trials}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _sample(curve: tuple[Point, ...], trial: Trial) -> tuple[float, ...]:
    """The staircase of quality at twenty places along the budget."""
    setting = trial.setting
    total = setting.evaluations_max if trial.basis == "evaluations" else setting.wall_seconds_max
    assert total is not None, "a trial has the budget of its basis"
    places = [total * (i + 1) / CURVE_POINTS for i in range(CURVE_POINTS)]
    spent = [p.evaluations if trial.basis == "evaluations" else p.seconds for p in curve]
    return tuple(
        round(max((p.quality for p, at in zip(curve, spent, strict=True) if at <= place), default=0.0), 6)
        for place in places
    )


def _create(file: Path) -> IO[str]:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return gzip.open(file, "wt", encoding="utf-8")
    except OSError as error:
        raise ColonyError(f"{file}: {error.strerror}; choose another place with --to") from None


def _put(out: IO[str], value: Mapping[str, Any]) -> None:
    out.write(json.dumps(value, allow_nan=False) + "\n")
