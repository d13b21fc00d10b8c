"""The loop around the spine: who signs, what waits, and what becomes of work that is cut off."""

from __future__ import annotations

import threading
from collections import defaultdict

import pytest

from colony.journal.sqlite import SqliteReader
from colony.node.replaying import replay
from colony.primitives.errors import InterruptedRunError
from colony.problems.problem import Problem
from colony.swarm.recorder import EVALUATOR, NODE, VERIFIER
from colony.testing.inline import InlineExecutor
from colony.testing.simulate import Stopper, problems
from running import folder_of

BOWL, STEPS, RIDGE = problems()


def test_each_record_is_signed_by_who_states_it(course):
    """Agents sign proposals and claims, the evaluator results, the verifier verdicts, the node all else."""
    folder = folder_of(course(RIDGE, "120e").run())
    entries = list(SqliteReader(folder.journal).read())
    delegates = entries[0].record.body["delegates"]
    signers = defaultdict(set)
    for entry in entries:
        record = entry.record
        agent = record.body.get("agent")
        name = next(n for n, did in delegates.items() if did == record.author)
        signers[record.kind].add("agent" if name == agent else name)
    assert signers["experiment.proposed/1"] == signers["candidate.claimed/1"] == {"agent"}
    assert signers["experiment.evaluated/1"] == {EVALUATOR}
    assert signers["verdict.given/1"] == {VERIFIER}
    for kind in ("run.started/1", "experiment.decided/1", "evaluator.attacked/1", "run.finished/1"):
        assert signers[kind] == {NODE}
    assert len(set(delegates.values())) == len(delegates), "nobody shares a key"


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_stopped_run_keeps_what_is_on_record(course, deterministic):
    """Whatever was decided and not evaluated stays open; the journal replays to the state the run had."""
    run = course(STEPS, "400e", deterministic=deterministic)
    stopper = Stopper(120)
    with pytest.raises(InterruptedRunError, match="colony resume"):
        run.run(stopper)
    folder = next(iter(run.home.list_runs()))
    state = replay(folder).state
    assert state.finished is None
    assert run.resume(folder).evaluations <= 400
    assert replay(folder).matches


def test_work_that_hangs_when_the_time_is_up_is_left_open(course, monkeypatch):
    """What does not end in time is decided and never concluded; what waited behind it never begins; the run ends."""
    closed, calls = threading.Event(), []
    close = InlineExecutor.close

    def close_and_tell(executor):
        close(executor)
        closed.set()

    monkeypatch.setattr(InlineExecutor, "close", close_and_tell)

    def evaluate(x, y):
        calls.append(x)
        if len(calls) > 60:
            closed.wait(10)
        return x + y

    problem = Problem(space={"x": (0.0, 5.0), "y": (0.0, 5.0)}, evaluate=evaluate, maximise="sum")
    result = course(problem, "1s", deterministic=False, workers=1, baseline=False).run()
    assert result.reason == "budget: wall seconds"
    assert len(calls) <= 62, "one hangs in the search, one perhaps in the verifier"
    found = replay(folder_of(result))
    assert found.state.open_batches
    assert found.matches


def test_the_baseline_has_workers_of_its_own_where_the_others_were_ended(course, monkeypatch):
    """A search that was cut off by the clock still gets its plain baseline."""
    slow = threading.Event()
    close = InlineExecutor.close

    def close_and_tell(executor):
        close(executor)
        slow.set()

    monkeypatch.setattr(InlineExecutor, "close", close_and_tell)
    calls = []

    def evaluate(x, y):
        calls.append(x)
        if len(calls) == 61:
            slow.wait(10)
        return x + y

    problem = Problem(space={"x": (0.0, 5.0), "y": (0.0, 5.0)}, evaluate=evaluate, maximise="sum")
    result = course(problem, "1s", deterministic=False, workers=1).run()
    assert result.reason == "budget: wall seconds"
    assert result.baseline is not None


def test_agents_with_nothing_left_to_try_end_a_run(course):
    """On a space of a few candidates the run ends when all are known, long before its budget."""
    tiny = Problem(space={"n": (0, 3)}, evaluate=lambda n: -abs(n - 2), maximise="height")
    result = course(tiny, "100000x", only=("sobol",), agents=1, baseline=False).run()
    assert result.best is None or result.best.value == 0
    assert result.evaluations < 1000


def test_failures_are_data(course):
    """An evaluator that raises for a third of the space costs those experiments and nothing else."""

    def evaluate(x, y):
        if x < 1.5:
            raise RuntimeError("not here")
        return x + y

    result = course(Problem(space={"x": (0.0, 5.0), "y": (0.0, 5.0)}, evaluate=evaluate, maximise="sum"), "200e").run()
    assert result.best.status == "verified"
    assert any("not here" in reason for reason in result.failures)
    state = replay(folder_of(result)).state
    assert state.counts["failed"] == sum(state.reasons.values()) > 0
