"""The fold of a run: what counts as known, as a claim, as verified; equal for equal histories."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.journal.sqlite import SqliteReader
from colony.memory.archive import archive_settings
from colony.memory.run_state import RunState
from colony.node.replaying import replay
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.testing.simulate import problems
from running import folder_of

PROBLEM = Problem(space={"x": (0.0, 10.0)}, evaluate=lambda x: x, maximise="height")


def started(direction="maximise"):
    metric = {"name": "height", "direction": direction, "unit": "1", "bound": None}
    state = RunState()
    state.apply(
        "run.started/1",
        {
            "problem": {"hash": "p", "kind": "parameters", "metric": metric},
            "seed": 0,
            "agents": [{"name": "a-1", "kind": "a", "did": ""}],
            "archive": archive_settings(PROBLEM),
        },
    )
    seed = {"candidate": candidate(5.0).hash, "content": {"x": 5.0}, "value": 5.0}
    state.apply("evaluator.attacked/1", {"evaluations": 3, "seed": seed, "noise": {}})
    return state


def candidate(x):
    return Candidate.parameters({"x": float(x)})


def propose(state, *xs, batch):
    experiments = [
        {"id": f"{batch}-{i}", "operator": "o", "candidate": candidate(x).hash, "content": {"x": float(x)}}
        for i, x in enumerate(xs)
    ]
    state.apply("experiment.proposed/1", {"batch": batch, "agent": "a-1", "experiments": experiments})


def evaluate(state, *values, batch):
    results = [
        {"id": f"{batch}-{i}", "status": "failed", "reason": "broken"}
        if value is None
        else {"id": f"{batch}-{i}", "status": "ok", "value": value}
        for i, value in enumerate(values)
    ]
    part = {"batch": batch, "agent": "a-1", "results": results, "cpu_seconds": 0.25}
    state.apply("experiment.evaluated/1", {"batches": [part]})


def claim(state, experiment, x, value):
    body = {"experiment": experiment, "agent": "a-1", "value": value, "content": {"x": float(x)}}
    state.apply("candidate.claimed/1", body)


def verdict(state, experiment, said, value=None):
    body = {"experiment": experiment, "verdict": said, "value": value, "evaluations": 1, "cpu_seconds": 0.0}
    state.apply("verdict.given/1", body)


def test_a_re_roll_of_a_candidate_is_never_a_record():
    """The first value of a candidate counts; a luckier second one changes neither archive, progress nor agent."""
    state = started()
    propose(state, 7.0, 7.0, batch=0)
    evaluate(state, 6.0, 60.0, batch=0)
    propose(state, 7.0, batch=1)
    evaluate(state, 600.0, batch=1)
    assert state.known[candidate(7.0).hash].value == 6.0
    assert [p[1] for p in state.progress] == [6.0]
    assert next(e.value for e in state.archive.elites()) == 6.0
    assert state.agents["a-1"].best == 6.0
    assert state.counts["evaluations"] == 3, "what was evaluated is still counted"


def test_a_refuted_claim_is_never_best():
    """A refuted claim is neither best nor verified, and its candidate leaves the archive."""
    state = started()
    propose(state, 7.0, 8.0, batch=0)
    evaluate(state, 70.0, 8.0, batch=0)
    claim(state, "0-0", 7.0, 70.0)
    assert state.best.experiment == "0-0"
    verdict(state, "0-0", "refuted")
    assert (state.best, state.verified) == (None, None)
    assert "0-0" not in {e.experiment for e in state.archive.elites()}


def test_a_claim_is_believed_at_its_verified_value():
    """Among verified claims the verifier's own value decides, not the claimed number."""
    state = started()
    propose(state, 7.0, 8.0, batch=0)
    evaluate(state, 70.0, 60.0, batch=0)
    claim(state, "0-0", 7.0, 70.0)
    claim(state, "0-1", 8.0, 60.0)
    verdict(state, "0-0", "verified", 10.0)
    verdict(state, "0-1", "verified", 50.0)
    assert state.verified.experiment == "0-1"


def test_minimising_turns_the_order_round():
    """Where little is good the smallest value is best."""
    state = started("minimise")
    propose(state, 7.0, 8.0, batch=0)
    evaluate(state, 3.0, 2.0, batch=0)
    claim(state, "0-0", 7.0, 3.0)
    claim(state, "0-1", 8.0, 2.0)
    assert state.best.value == 2.0


def test_failures_are_counted_by_reason():
    """A failed experiment is data: counted, with its reason."""
    state = started()
    propose(state, 1.0, 2.0, 3.0, batch=0)
    evaluate(state, None, 2.0, None, batch=0)
    assert (state.counts["failed"], state.counts["ok"], state.reasons) == (2, 1, {"broken": 2})


@pytest.fixture
def run_records(course):
    """All records of a small real run."""
    folder = folder_of(course(problems()[0], "80e").run())
    return folder, list(SqliteReader(folder.journal).read())


def fold(entries, state=None):
    state = state or RunState()
    for entry in entries:
        state.apply(entry.record.kind, entry.record.body)
    return state


def test_a_fold_can_be_cut_anywhere(run_records):
    """Folding a, then b onto a copy of what a led to, is folding a and b; and replaying twice gives one hash."""
    folder, entries = run_records
    whole = fold(entries).state_hash()
    assert whole == fold(entries).state_hash() == replay(folder).state_hash
    for cut in range(0, len(entries), 7):
        assert fold(entries[cut:], copy.deepcopy(fold(entries[:cut]))).state_hash() == whole


def test_the_hash_notices_every_result(run_records):
    """A changed value, a changed verdict or a missing record is another state."""
    _, entries = run_records
    whole = fold(entries).state_hash()
    for index, entry in enumerate(entries):
        if entry.record.kind == "verdict.given/1":
            assert fold(entries[:index] + entries[index + 1 :]).state_hash() != whole
        if entry.record.kind == "experiment.evaluated/1":
            state = fold(entries[:index])
            body = copy.deepcopy(entry.record.body)
            scored = [r for part in body["batches"] for r in part["results"] if r["status"] == "ok"]
            if not scored:
                continue
            scored[0]["value"] += 1e-3
            state.apply(entry.record.kind, body)
            assert fold(entries[index + 1 :], state).state_hash() != whole


@given(st.floats(0.0, 9.0), st.floats(10.0, 20.0))
def test_time_stays_out_of_the_hash(slow, quick):
    """Two histories that differ only in seconds have one hash."""

    def run(seconds):
        state = started()
        propose(state, 7.0, batch=0)
        results = [{"id": "0-0", "status": "ok", "value": 6.0}]
        part = {"batch": 0, "agent": "a-1", "results": results, "cpu_seconds": seconds, "wall_seconds": seconds}
        state.apply("experiment.evaluated/1", {"batches": [part]})
        return state.state_hash()

    assert run(slow) == run(quick)


def test_an_unknown_kind_says_nothing_about_the_state():
    """Kinds without a handler are passed over."""
    state = started()
    before = state.state_hash()
    state.apply("experiment.decided/1", {"batches": []})
    assert state.state_hash() == before
