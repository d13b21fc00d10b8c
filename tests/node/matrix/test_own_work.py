"""The swarm's own work as tasks of the matrix: leased, routed, ended with outcomes; nothing where there is none."""

import re
import subprocess

import pytest

from colony.node.matrix.own_work import as_task, own_work, verified
from colony.node.matrix.routing import routed
from colony.node.matrix.workspace import Workspace
from colony.primitives.clock import SystemClock
from colony.primitives.errors import ProblemError
from colony.routing.tiers import Tier
from colony.tasks.state.records import added
from colony.tasks.task import State, Task

CLOCK = SystemClock()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a matrix."""
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))
    Workspace(folder, CLOCK).write(added([Task(id="first", title="There is a matrix")]))
    return folder


def tasks(repository):
    return Workspace(repository, CLOCK).state.tasks


def outcomes(repository):
    records = [signed.record for signed in Workspace(repository, CLOCK).shards.read().records]
    return [record.body for record in records if record.kind == "task.attempted/1"]


def test_a_run_is_two_tasks_that_end_with_it(repository):
    """Both belong to the swarm, wait for each other in that order, and are done by solvers at tier T0."""
    work = own_work(repository, CLOCK, "run-1", "Improve something")
    assert tasks(repository)["run-1"].kind == "run"
    with as_task(work, "run-1", CLOCK):
        during = tasks(repository)
        assert (during["run-1"].state, during["run-1"].agent) == (State.AGENT_EXECUTING, "swarm")
        assert during["run-1.verification"].state is State.PENDING
        route, _ = routed(Workspace(repository, CLOCK), "run-1")
        assert (route.tier, route.model) == (Tier.T0, None)
    verified(work, is_verified=True, reason="")
    assert {tasks(repository)[t].state for t in ("run-1", "run-1.verification")} == {State.DONE}
    assert [(body["task"], body["success"], body["tier"]) for body in outcomes(repository)] == [
        ("run-1", True, 0),
        ("run-1.verification", True, 0),
    ]


def test_a_run_that_fails_is_a_failed_task(repository):
    """With the error's fingerprint in its outcome; resumed, the same task is taken up again and done."""
    work = own_work(repository, CLOCK, "run-2", "Improve something")
    with pytest.raises(ProblemError), as_task(work, "run-2", CLOCK):
        raise ProblemError("the evaluator at /tmp/x/evaluate.py, line 3, is gone")
    assert tasks(repository)["run-2"].state is State.FAILED
    (outcome,) = outcomes(repository)
    assert outcome["success"] is False
    assert re.fullmatch(r"\w+:[0-9a-f]+", outcome["fingerprint"])
    assert "/tmp/x" not in outcome["error"]
    again = own_work(repository, CLOCK, "run-2", "Improve something")
    with as_task(again, "run-2", CLOCK):
        pass
    assert tasks(repository)["run-2"].state is State.DONE


def test_without_a_matrix_nothing_is_written(tmp_path):
    """Neither outside a repository, nor in one without a matrix."""
    subprocess.run(["git", "init", "-q", str(tmp_path / "bare")], check=True)
    for folder in (tmp_path, tmp_path / "bare"):
        work = own_work(folder, CLOCK, "run-3", "Improve something")
        assert work is None
        with as_task(work, "run-3", CLOCK):
            pass
        verified(work, is_verified=False, reason="nothing")


def test_a_matrix_that_cannot_be_told_stops_nobody(repository, capsys):
    """Its remote does not answer: the work is done all the same, and standard error says why nothing was written."""
    (repository / "colony.toml").write_text('[matrix]\nremote = "/nowhere/at/all"\n')
    work = own_work(repository, CLOCK, "run-4", "Improve something")
    done = []
    with as_task(work, "run-4", CLOCK):
        done.append(True)
    verified(work, is_verified=True, reason="")
    assert done
    assert "matrix.not_told" in capsys.readouterr().err


def test_solve_is_a_task(repository, invoke, monkeypatch):
    """The real command: its run and its verification stand in the matrix when it has ended."""
    monkeypatch.chdir(repository)
    code, _, err = invoke("solve", "wave-3d", "--budget", "150e", "--no-baseline", "--json")
    assert code == 0, err
    kinds = {task.kind: task.state for task in tasks(repository).values()}
    assert kinds == {"work": State.PENDING, "run": State.DONE, "verification": State.DONE}
