"""An experiment as a run: journaled, replayed, audited; in threads and across processes."""

import json

import pytest

from colony.experiments.running import run_experiment
from colony.experiments.trial import Setting, SharedPurse
from colony.memory.named_memory import NamedMemory, hash_of
from colony.node.home import Home
from colony.node.replaying import audit_record, replay
from colony.primitives.errors import UsageError


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home", {"COLONY_KEYS": str(tmp_path / "keys"), "HOME": str(tmp_path)})


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_replays_to_the_memory_that_its_agents_left(home, processes):
    """The hash recorded at the end is that of the memory rebuilt from the journal; every signature holds."""
    setting = Setting(agents=4, seed=1, evaluations_max=200)
    done = run_experiment("optimisation", "wave-3d", setting, home, processes=processes)
    replayed = replay(done.folder)
    assert (replayed.state_hash, replayed.matches) == (done.state_hash, True)
    assert replayed.trial.values["best"][0] == done.measurement.outcome["score"]
    assert audit_record(done.folder)["ok"]
    assert done.measurement.evaluations == 200
    json.dumps(done.as_record(), allow_nan=False)


def test_a_value_that_was_changed_is_noticed(home):
    """If the journal led to another memory than the one recorded, replay would say so."""
    done = run_experiment("optimisation", "wave-3d", Setting(agents=2, evaluations_max=50), home)
    replayed = replay(done.folder)
    replayed.trial.values["iterations"] += 1
    assert hash_of(replayed.trial.values) != done.state_hash


def test_processes_share_one_budget():
    """Several purses on one memory give out together what there is, to the last, and then no more."""
    memory = NamedMemory()
    purses = [SharedPurse(memory, 100, chunk=7) for _ in range(3)]
    assert sum(purse.take() for purse in purses * 60) == 100
    assert not any(purse.take() for purse in purses)


@pytest.mark.parametrize(
    ("experiment", "task", "processes"), [("chess", "x", 1), ("optimisation", "x", 1), ("optimisation", "wave-3d", 0)]
)
def test_what_is_unknown_is_refused_before_a_folder_is_made(home, experiment, task, processes):
    """With what there is to choose from."""
    with pytest.raises(UsageError):
        run_experiment(experiment, task, Setting(), home, processes=processes)
    assert home.list_runs() == []
