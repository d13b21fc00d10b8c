"""The same seed gives the same state hash, with any number of workers, and however often a run was interrupted."""

from __future__ import annotations

from contextlib import suppress

import pytest

from colony.journal.sqlite import SqliteReader
from colony.node.replaying import audit_record, replay
from colony.node.resuming import Retracing
from colony.primitives.clock import SystemClock
from colony.primitives.errors import ColonyError, InterruptedRunError
from colony.problems.problem import Problem
from colony.testing.simulate import Stopper, appends, problems, simulate
from running import folder_of

PROBLEMS = {p.name: p for p in problems()}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_number_of_workers_changes_nothing(course, name):
    """One, two or four workers: the same state hash, the same experiments."""
    results = [course(PROBLEMS[name], workers=n, seed=3).run() for n in (1, 2, 4)]
    assert len({r.state_hash for r in results}) == 1
    assert len({(r.experiments, r.evaluations) for r in results}) == 1


def test_another_seed_is_another_run(course):
    """Every seed has its own course."""
    assert len({course(PROBLEMS["bowl"], seed=seed).run().state_hash for seed in range(4)}) == 4


DOUBTFUL = Problem(
    name="doubtful",
    space={"x": (0.0, 5.0), "y": (0.0, 5.0)},
    evaluate=lambda x, y: x + y,
    exact=lambda x, y: {"edge": max(x, y) - 4},
    maximise="sum",
)
"""Half of its claims are refuted: the exact check knows a constraint that the evaluator forgets."""


@pytest.mark.parametrize(
    ("problem", "budget", "agents"), [("ridge", "60e", 6), ("steps", "90e", 1), ("bowl", "200e", 2), (None, "150e", 5)]
)
def test_a_run_that_dies_after_any_append_comes_to_the_same_end(course, problem, budget, agents):
    """Wherever the journal of a deterministic run ends, resuming it leads to the state of the undisturbed run."""
    run = course(PROBLEMS.get(problem, DOUBTFUL), budget, agents=agents, seed=1)
    result = run.run()
    folder = folder_of(result)
    records = list(SqliteReader(folder.journal).read())
    moments = appends(records)
    kinds = {records[n - 1].record.kind for n in moments}
    assert kinds >= {"evaluator.attacked/1", "experiment.decided/1", "experiment.evaluated/1", "baseline.measured/1"}
    for count in moments:
        cut = run.cut(folder, records, count)
        assert run.resume(cut, 1 + count % 3).state_hash == result.state_hash, f"died after {count} records"
        assert replay(cut).matches
        assert audit_record(cut)["ok"]


def test_a_run_that_is_stopped_again_and_again_comes_to_the_same_end(course):
    """Ctrl-C in the middle of evaluations, several times over, with changing workers: the same state in the end."""
    run = course(PROBLEMS["bowl"], "400e", seed=2, baseline=False)
    wanted = run.run().state_hash
    folder = run.home.create_run("stopped", SystemClock())
    with suppress(InterruptedRunError):
        run.start(folder, Stopper(20))
    found = []
    for attempt in range(30):
        with suppress(InterruptedRunError):
            found.append(run.resume(folder, 1 + attempt % 3, Stopper(80)).state_hash)
            break
    assert attempt >= 2
    assert found == [wanted]


def test_a_run_that_died_before_its_examination_is_examined(course):
    """A run whose journal ends after its first records measures noise and attacks the evaluator when resumed."""
    run = course(PROBLEMS["bowl"], "60e")
    result = run.run()
    folder = folder_of(result)
    records = list(SqliteReader(folder.journal).read())
    kinds = [e.record.kind for e in records]
    cut = run.cut(folder, records, kinds.index("run.started/1") + 1)
    assert run.resume(cut).state_hash == result.state_hash
    assert replay(cut).state.attack["attacks"]


def test_another_problem_cannot_be_continued(course):
    """Agents that would propose something else than they did are noticed at the first difference."""
    run = course(PROBLEMS["bowl"], "60e")
    folder = folder_of(run.run())
    records = list(SqliteReader(folder.journal).read())
    cut = run.cut(folder, records, appends(records)[3])
    other = course(
        Problem(name="bowl", space={"x": (0.0, 6.0), "y": (0.0, 5.0)}, evaluate=max, minimise="depth"), "60e"
    )
    with pytest.raises(ColonyError, match="now proposes something else"):
        other.resume(cut)


@pytest.mark.parametrize("seed", range(100, 104))
def test_fresh_seeds_of_the_simulation_hold(tmp_path, seed):
    """Runs that die, are stopped, are resumed and whose journals are damaged: everything holds."""
    assert simulate(seed, tmp_path).faults == ()


def test_retracing_leaves_no_batch_open_at_the_end(course):
    """A finished run has nothing left that was decided and not evaluated."""
    run = course(PROBLEMS["bowl"], "60e")
    folder = folder_of(run.run())
    solving = run.open(folder)
    try:
        assert Retracing(solving).lead().units == []
    finally:
        solving.close()
