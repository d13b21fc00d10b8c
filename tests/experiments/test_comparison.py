"""Comparisons: what is run, what is kept, and that what is kept can be run again."""

import gzip
import json
from dataclasses import replace

import pytest

from colony.experiments.catalogue import NAMES, experiment_named
from colony.experiments.comparison import Comparison, Row, compare, read_comparison, run_one
from colony.experiments.plan import Allowance, Plan, load_plan, plan_from, shipped_plan
from colony.primitives.errors import ColonyError, UsageError

SMALL = Plan(
    experiment="optimisation",
    tasks={"wave-3d": Allowance(evaluations=60, wall_seconds=0.03)},
    ablations=("best-only",),
    agents=(1, 2),
    verdict_agents=2,
    seeds=3,
    first_seed=50,
    evaluation_seconds=0.0,
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    file = tmp_path_factory.mktemp("compared") / "trials.jsonl.gz"
    return compare(SMALL, file), file


def test_every_trial_of_the_plan_is_a_row(compared):
    """For each seed and basis single once, the others at every size, ablations at the size of the verdict."""
    comparison, _ = compared
    assert len(comparison.rows) == len(list(SMALL.trials())) == 3 * ((1 + 2 + 2 + 1) + (1 + 2 + 2))
    assert {row.seed for row in comparison.rows} == {50, 51, 52}
    assert [row.seed for row in comparison.select("wave-3d", "evaluations", "swarm", 2)] == [50, 51, 52]


def test_what_is_written_is_read_back(compared):
    """The file holds the plan, the machine and every row."""
    comparison, file = compared
    assert read_comparison(file) == comparison


def test_evaluations_are_equal(compared):
    """At equal evaluations every configuration spends the same number, whatever its size."""
    comparison, _ = compared
    assert {row["evaluations"] for row in comparison.rows if row.basis == "evaluations"} == {60}


def test_independent_trials_are_executed_again_alike(compared):
    """A claim of single or parallel can be checked by running the same trial: same quality, same curve."""
    comparison, _ = compared
    for trial in SMALL.trials():
        setting = trial.setting
        if trial.basis == "evaluations" and setting.configuration in ("single", "parallel") and setting.agents == 1:
            again = run_one("optimisation", trial)
            (kept,) = [
                r
                for r in comparison.select(trial.task, trial.basis, setting.configuration, 1)
                if r.seed == setting.seed
            ]
            assert (again["quality"], again.curve) == (kept["quality"], kept.curve)


def test_jobs_are_processes_with_the_same_results(compared, tmp_path):
    """Two trials at a time give the rows of independent agents that one at a time gives."""
    few = replace(SMALL, seeds=1, bases=("evaluations",), configurations=("single", "parallel"), ablations=())
    side_by_side = compare(few, tmp_path / "trials.jsonl.gz", jobs=2)
    comparison, _ = compared
    for row in side_by_side.rows:
        (kept,) = [r for r in comparison.select(row.task, row.basis, row.configuration, row.agents) if r.seed == 50]
        assert row["quality"] == kept["quality"]


def test_a_damaged_file_is_no_comparison(tmp_path):
    """Neither half a file, nor another JSON, nor none."""
    for name, content in (("none", None), ("half", b"\x1f\x8b\x08"), ("other", gzip.compress(b'{"a": 1}\n'))):
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ColonyError, match="no comparison"):
            read_comparison(file)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_plans_fit_their_experiments(name):
    """Each names tasks and configurations that there are, twenty seeds, and the thresholds that were asked for."""
    plan = shipped_plan(name)
    plan.check(experiment_named(name))
    assert plan.seeds >= 20
    assert (plan.thresholds.quality_gain, plan.thresholds.time_saved, plan.thresholds.overhead_max) == (0.1, 0.3, 0.2)
    assert {"single", "parallel", "swarm"} <= set(plan.configurations)
    assert plan_from(json.loads(json.dumps(plan.as_record()))) == plan


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": {"nowhere": Allowance(evaluations=1, wall_seconds=1)}},
        {"configurations": ("solo",)},
        {"bases": ("money",)},
        {"agents": (0,)},
        {"agents": (100_000,)},
        {"seeds": 0},
        {"evaluation_seconds": -1.0},
        {"seeds": 1_000_000},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change, tmp_path):
    """Before anything is run or written."""
    with pytest.raises(UsageError):
        compare(replace(SMALL, **change), tmp_path / "trials.jsonl.gz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["experiment = 1", "seeds = [", 'experiment = "sudoku"\nsedes = 3', ""])
def test_a_file_that_is_no_plan_is_refused(text, tmp_path):
    """With the key at fault."""
    file = tmp_path / "plan.toml"
    file.write_text(text)
    with pytest.raises(UsageError):
        load_plan(file)


def test_an_unknown_experiment_is_refused():
    """And the known ones are named."""
    with pytest.raises(UsageError, match="research"):
        experiment_named("chess")


def rows_of(configuration, agents, *, quality, seconds, overhead=0.01, basis="evaluations"):
    """Invented rows, for what only the figures matter to."""
    figures = {
        "solved": True,
        "evaluations": 100,
        "cpu_seconds": 1.0,
        "wall_seconds": 1.0,
        "conflicts": 0,
        "retries": 0,
        "waits": 0,
        "duplicates": 0,
    }
    return tuple(
        Row(
            "wave-3d",
            basis,
            configuration,
            agents,
            seed,
            {
                **figures,
                "quality": quality * (1 + seed / 1000),
                "solved_seconds": None if seconds is None else seconds * (1 + seed / 1000),
                "coordination_cpu_seconds": overhead * agents,
            },
            (quality,) * 20,
        )
        for seed in range(20)
    )


def invented(swarm, parallel):
    return Comparison(
        SMALL, {"cores": 2, "python": "3", "jobs": 1}, rows_of("swarm", 2, **swarm) + rows_of("parallel", 2, **parallel)
    )
