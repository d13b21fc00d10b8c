"""What a comparison will do, written down before it is run: tasks, configurations, sizes, seeds, budgets, thresholds.

A plan is a frozen value, read from a TOML file (those shipped stand in `plans/`) and changed only by naming what else
is wanted. `trials` lists everything it will run, interleaved so that whatever the machine does meanwhile hits every
configuration alike. What this file does not do: run anything.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from colony.experiments.catalogue import NAMES
from colony.experiments.trial import Experiment, Setting
from colony.primitives.errors import UsageError
from colony.primitives.limits import TEAM_AGENTS_MAX, TRIALS_MAX

Basis = Literal["evaluations", "wall"]
BASES: Final[tuple[Basis, ...]] = ("evaluations", "wall")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one trial of a task may spend: evaluations of the whole team on one basis, wall seconds on the other."""

    evaluations: int
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a swarm is worth it against parallel: gain in quality or time saved, and overhead, all as shares."""

    quality_gain: float = 0.10
    time_saved: float = 0.30
    overhead_max: float = 0.20


@dataclass(frozen=True, slots=True)
class Trial:
    """One run to make."""

    task: str
    basis: Basis
    setting: Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A comparison; `ablations` are run at `verdict_agents` only, and on the basis of evaluations only."""

    experiment: str
    tasks: Mapping[str, Allowance]
    configurations: tuple[str, ...] = ("single", "parallel", "swarm")
    ablations: tuple[str, ...] = ()
    agents: tuple[int, ...] = (1, 2, 4, 8, 16)
    verdict_agents: int = 8
    seeds: int = 20
    first_seed: int = 1001
    evaluation_seconds: float = 0.002
    bases: tuple[Basis, ...] = BASES
    thresholds: Thresholds = Thresholds()

    def check(self, experiment: Experiment) -> None:
        """Refuse what the experiment does not have, and what would never end.

        Raises:
            UsageError: an unknown task, configuration or basis, or a number out of range.

        """
        for what, wanted, known in (
            ("task", self.tasks, experiment.tasks),
            ("configuration", (*self.configurations, *self.ablations), experiment.configurations),
            ("basis", self.bases, BASES),
        ):
            for name in wanted:
                if name not in known:
                    raise UsageError(f"{name!r}: no {what} of {self.experiment}; choose from {', '.join(known)}")
        if not self.agents or not all(1 <= size <= TEAM_AGENTS_MAX for size in (*self.agents, self.verdict_agents)):
            raise UsageError(f"agents: sizes from 1 to {TEAM_AGENTS_MAX}")
        if self.seeds < 1:
            raise UsageError(f"seeds: {self.seeds}; at least one, and twenty for an interval worth reading")
        if not 0 <= self.evaluation_seconds <= 60:
            raise UsageError(f"an evaluation may wait 0 to 60 seconds, not {self.evaluation_seconds}")
        if sum(1 for _ in self.trials()) > TRIALS_MAX:
            raise UsageError(f"more than {TRIALS_MAX} trials; ask for fewer sizes, tasks or seeds")

    def trials(self) -> Iterator[Trial]:
        """Everything to run: all configurations of one seed, then the next seed."""
        for seed in range(self.first_seed, self.first_seed + self.seeds):
            for task, allowance in self.tasks.items():
                for basis in self.bases:
                    for configuration, agents in self._teams(basis):
                        yield Trial(task, basis, self._setting(configuration, agents, seed, basis, allowance))

    def _teams(self, basis: Basis) -> Iterator[tuple[str, int]]:
        for configuration in self.configurations:
            for agents in (1,) if configuration == "single" else self.agents:
                yield configuration, agents
        if basis == "evaluations":
            for configuration in self.ablations:
                yield configuration, self.verdict_agents

    def _setting(self, configuration: str, agents: int, seed: int, basis: Basis, allowance: Allowance) -> Setting:
        return Setting(
            configuration=configuration,
            agents=agents,
            seed=seed,
            evaluations_max=allowance.evaluations if basis == "evaluations" else None,
            wall_seconds_max=allowance.wall_seconds if basis == "wall" else None,
            evaluation_seconds=self.evaluation_seconds,
        )

    def as_record(self) -> dict[str, Any]:
        """The plan as JSON; `plan_from` reads it back."""
        return {
            "experiment": self.experiment,
            "configurations": list(self.configurations),
            "ablations": list(self.ablations),
            "agents": list(self.agents),
            "verdict_agents": self.verdict_agents,
            "seeds": self.seeds,
            "first_seed": self.first_seed,
            "evaluation_seconds": self.evaluation_seconds,
            "bases": list(self.bases),
            "thresholds": {name: getattr(self.thresholds, name) for name in Thresholds.__slots__},
            "tasks": {
                name: {"evaluations": a.evaluations, "wall_seconds": a.wall_seconds} for name, a in self.tasks.items()
            },
        }


def plan_from(record: Mapping[str, Any]) -> Plan:
    """A plan from a TOML or JSON table.

    Raises:
        UsageError: a key is missing, unknown, or of another type.

    """
    unknown = set(record) - set(Plan.__slots__)
    if unknown:
        raise UsageError(f"a plan has no key {min(unknown)!r}; it has {', '.join(sorted(Plan.__slots__))}")
    try:
        return msgspec.convert(record, Plan)
    except msgspec.ValidationError as error:
        raise UsageError(f"not a plan: {error}") from None


def shipped_plan(experiment: str) -> Plan:
    """The plan that ships with an experiment.

    Raises:
        UsageError: no experiment has this name.

    """
    if experiment not in NAMES:
        raise UsageError(f"{experiment!r}: no experiment of that name; choose from {', '.join(NAMES)}")
    text = resources.files("colony.experiments").joinpath("plans", f"{experiment}.toml").read_text(encoding="utf-8")
    return plan_from(tomllib.loads(text))


def load_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Raises:
        UsageError: the file cannot be read, or holds no plan.

    """
    try:
        return plan_from(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
