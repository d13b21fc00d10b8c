"""Going on with a run: with a larger budget, with another problem, from a journal that says too little."""

from __future__ import annotations

import json

import pytest

import colony
from colony.journal.sqlite import SqliteReader
from colony.node.api import conclude
from colony.node.replaying import replay
from colony.node.resuming import Retracing
from colony.node.solving import Unwatched
from colony.primitives.errors import UsageError
from colony.problems.metric import Budget
from colony.testing.simulate import appends, problems
from running import folder_of

BOWL = problems()[0]


def go_on(run, folder, budget=None):
    """What `resume --budget` does, without a sandbox."""
    solving = run.open(folder)
    standing = Retracing(solving).lead()
    if budget is not None:
        solving.extend_budget(budget)
    return conclude(solving, Unwatched(), standing, report=False)


def test_a_finished_run_goes_on_with_a_larger_budget(course):
    """What was done counts; what is new comes on top; the journal holds both ends."""
    run = course(BOWL, "60e")
    first = run.run()
    folder = folder_of(first)
    more = go_on(run, folder, Budget(evaluations=150))
    assert first.evaluations <= 60 < more.evaluations <= 150
    assert replay(folder).matches
    ends = [e for e in SqliteReader(folder.journal).read() if e.record.kind == "run.finished/1"]
    assert len(ends) == 2


def test_a_run_with_a_larger_budget_can_die_and_go_on(course):
    """A budget given on resuming is part of the record: the next resumption retraces the run under it."""
    run = course(BOWL, "60e", agents=4)
    folder = folder_of(run.run())
    wanted = go_on(run, folder, Budget(evaluations=150))
    records = list(SqliteReader(folder.journal).read())
    resumed = [e.record.kind for e in records].index("run.resumed/1")
    for count in [n for n in appends(records) if n > resumed + 1][::5]:
        cut = run.cut(folder, records, count)
        assert go_on(run, cut).state_hash == wanted.state_hash


def test_a_hold_out_is_scored_once_for_a_candidate(course):
    """Resuming a finished run does not score the same candidate on the hold-out again."""
    problem = colony.Problem(
        name="held",
        space={"x": (0.0, 5.0)},
        evaluate=lambda x: min(x, 4.0),
        holdout=lambda x: x / 2,
        maximise="height",
    )
    run = course(problem, "60e")
    folder = folder_of(run.run())
    scored = [
        e.record.body["value"] for e in SqliteReader(folder.journal).read() if e.record.kind == "holdout.scored/1"
    ]
    assert len(scored) == 1
    go_on(run, folder)
    again = [e for e in SqliteReader(folder.journal).read() if e.record.kind == "holdout.scored/1"]
    assert len(again) == 1


def test_a_problem_given_in_python_is_resumed_in_python(course, invoke):
    """The command cannot know the functions; it says where to go on, and the library does."""
    folder = folder_of(course(BOWL, "60e").run())
    code, _, err = invoke("resume", folder.name)
    assert code == UsageError.exit_code
    assert "colony.solve(..., resume=...)" in err


def test_a_run_that_stopped_before_its_first_word(course, invoke):
    """A journal without the record of its start is no run to go on with."""
    run = course(BOWL, "60e")
    folder = folder_of(run.run())
    records = list(SqliteReader(folder.journal).read())
    cut = run.cut(folder, records, 1)
    code, _, err = invoke("resume", cut.path)
    assert code == UsageError.exit_code
    assert "start a new one" in err


def test_a_changed_problem_is_not_continued(tmp_path, invoke):
    """A run's problem is a snapshot; where somebody changed it, its scores no longer compare."""
    folder = tmp_path / "p"
    assert invoke("problems", "new", folder)[0] == 0
    code, out, err = invoke("solve", folder, "--budget", "40e", "--no-baseline", "--json")
    run = json.loads(out.splitlines()[-1] if code == 0 else out.splitlines()[0])["run"]
    evaluator = tmp_path / "home" / "runs" / run / "problem" / "evaluate.py"
    evaluator.write_text(evaluator.read_text() + "\n# changed\n")
    code, _, err = invoke("resume", run, "--budget", "90e")
    assert code == 3
    assert "the problem has changed" in err


@pytest.mark.parametrize("kept", ["best.json", "report.md"])
def test_the_library_writes_what_it_was_asked_for(tmp_path, monkeypatch, kept):
    """`colony.solve` works in ten lines, also inside a running event loop, and its result is a value."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))
    problem = colony.Problem(space={"x": (0.0, 5.0)}, evaluate=lambda x: x * (4 - x), maximise="height")
    result = colony.solve(problem, budget="60e", seed=1, home=tmp_path / "home", report=True, baseline=False)
    assert result.best.status == "verified"
    assert 3.0 < result.best.value <= 4.0
    assert (folder_of(result).path / kept).exists()


def test_the_verifier_of_a_resumed_run_draws_on_where_it_stood(tmp_path, monkeypatch, course):
    """With a noisy evaluator, seeded as deterministic runs seed it, a resumed run comes to the same verdicts."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))

    def evaluate(x):
        import random

        return random.gauss(3.0 if x < 1 else 0.0, 1.0)

    problem = colony.Problem(space={"x": (0.0, 5.0)}, evaluate=evaluate, maximise="height")
    whole = colony.solve(problem, budget="200e", deterministic=True, baseline=False, workers=2, home=tmp_path / "home")
    folder = folder_of(whole)
    records = list(SqliteReader(folder.journal).read())
    first = [e.record.kind for e in records].index("verdict.given/1")
    cut = course(problem, "200e").cut(folder, records, first)
    resumed = colony.solve(problem, home=tmp_path / "home", resume=str(cut.path))
    assert resumed.state_hash == whole.state_hash
