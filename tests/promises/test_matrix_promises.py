"""What the task matrix promises between processes: every task done once, whoever dies when; one state everywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from claiming_worker import Mortal, worker_at

from colony.tasks.state import records
from colony.tasks.task import State, Task

CHILD = Path(__file__).with_name("claiming_worker.py")
QUIET = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.fixture
def site(tmp_path):
    """A folder with a bare remote, clones of it on demand, and tasks."""

    def make(names, tasks):
        git("init", "-q", "--bare", tmp_path / "hub.git")
        for name in ("owner", *names):
            git("clone", "-q", tmp_path / "hub.git", tmp_path / name)
        owner = worker_at(tmp_path / "owner", "owner")
        owner._append(records.added(Task(id=f"T-{i}", title=f"Task {i}") for i in range(tasks)))
        owner.mend()
        return tmp_path

    return make


def git(*arguments):
    subprocess.run(["git", *map(str, arguments)], env=QUIET, capture_output=True, check=True)


def start(site, name, killed_at=0):
    return subprocess.Popen([sys.executable, str(CHILD), str(site / name), name, str(killed_at)])


def assert_done_once(site, names):
    """Every task has one completion, all clones have one state, nothing is wrong and no claim is left."""
    workers = [worker_at(site / name, name) for name in ("owner", *names)]
    for worker in (*workers, *workers):
        worker.mend()
    state = workers[0].state
    assert {task.state for task in state.tasks.values()} == {State.DONE}
    assert [len(state.completions(name)) for name in state.tasks] == [1] * len(state.tasks)
    assert not workers[0].claims.look().claims
    assert not [fault for worker in workers for fault in worker._shards.read().faults]
    assert len({worker.state.root for worker in workers}) == 1


def test_every_task_is_done_exactly_once(site):
    """Four processes and one remote: no update is lost, nothing waits for ever, no task is done twice."""
    names = ["ann", "bob", "cas", "dee"]
    place = site(names, 24)
    processes = [start(place, name) for name in names]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert_done_once(place, names)


def test_processes_that_are_killed_lose_and_double_nothing(site):
    """Two processes, killed again and again at another call of git: the next one mends what the last left."""
    names = ["ann", "bob"]
    place = site(names, 6)
    running = {name: start(place, name, 5 + 3 * i) for i, name in enumerate(names)}
    kills = dict.fromkeys(names, 5)
    while running:
        for name, process in list(running.items()):
            if process.wait(60) == 0:
                del running[name]
                continue
            assert process.returncode == -signal.SIGKILL
            kills[name] += 7
            running[name] = start(place, name, kills[name] if kills[name] < 60 else 0)
    assert_done_once(place, names)


class Killed(BaseException):
    """The process is gone."""


def test_a_command_cut_off_at_any_call_of_git_is_completed_by_the_next(site, monkeypatch):
    """Claim, begin and finish, cut off before each call of git in turn: afterwards the task is done once, or free."""
    place = site(["ann"], 40)
    numbers, cut, attempt = iter(range(40)), 1, Mortal.attempt

    def life(task):
        worker = worker_at(place / "ann", "ann")
        calls = iter(range(1, 1000))

        def counted(self, *arguments, **options):
            if self is worker._shards.git and next(calls) == cut:
                raise Killed
            return attempt(self, *arguments, **options)

        monkeypatch.setattr("claiming_worker.Mortal.attempt", counted)
        try:
            [held] = worker.claim([task]).held
            worker.finish({worker.begin(held): None})
        except Killed:
            return False
        else:
            return True
        finally:
            monkeypatch.undo()

    while not life(task := f"T-{next(numbers)}"):
        worker = worker_at(place / "ann", "ann")
        worker.mend()
        if worker.state.tasks[task].state is not State.DONE:
            [held] = worker.claim([task]).held
            worker.finish({held: None})
        cut += 1
    assert cut > 15
    rest = worker_at(place / "ann", "ann")
    rest.finish(dict.fromkeys(rest.claim([f"T-{i}" for i in numbers]).held))
    assert_done_once(place, ["ann"])
