"""Climbers: what they share in each configuration, and what that does."""

import pytest

from colony.experiments.optimisation import OPTIMISATION
from colony.experiments.trial import Setting, run_trial
from colony.memory.named_memory import NamedMemory


def trial(configuration, agents=4, seed=3, task="wave-3d", evaluations=400, **more):
    setting = Setting(configuration=configuration, agents=agents, seed=seed, evaluations_max=evaluations, **more)
    memories = []

    def make():
        memories.append(NamedMemory())
        return memories[-1]

    return run_trial(OPTIMISATION.team(task, setting, make), setting), memories


def test_what_is_shared_is_what_the_configuration_says():
    """Shared variables have one name; what an agent keeps to itself has its own."""
    names = {c: trial(c)[1] for c in OPTIMISATION.configurations if c != "single"}
    assert len(names["swarm"]) == len(names["best-only"]) == len(names["regions-only"]) == 1
    assert len(names["parallel"]) == len(names["partitioned"]) == 4
    assert {"best", "explored"} <= set(names["swarm"][0].names())
    assert "explored/climber-1" in names["best-only"][0].names()
    assert "best/climber-1" in names["regions-only"][0].names()


def test_a_swarm_explores_no_region_twice():
    """A region is taken in the transaction that reads which are free; independent agents meet the same ones."""
    assert trial("swarm", agents=8, evaluation_seconds=0.0002)[0].duplicates == 0
    assert trial("partitioned", agents=8)[0].duplicates == 0
    assert trial("parallel", agents=16, evaluations=1600)[0].duplicates > 0


def test_independent_agents_can_be_executed_again():
    """Without communication the seed fixes everything; the same trial gives the same quality."""
    for configuration, agents in (("single", 1), ("parallel", 4)):
        first, second = (trial(configuration, agents)[0] for _ in range(2))
        assert (first.quality, first.evaluations) == (second.quality, second.evaluations)


@pytest.mark.parametrize("task", OPTIMISATION.tasks)
def test_every_landscape_is_climbed(task):
    """A single agent gets well above a random point."""
    measured, _ = trial("single", 1, task=task)
    assert 0.2 < measured.quality <= 1
    assert measured.outcome["score"] is not None


def test_iterations_and_best_are_those_of_the_whole_team():
    """The shared count of iterations and the shared best are what the agents did together."""
    measured, (memory,) = trial("swarm")
    state = memory.state()
    assert state["iterations"] <= 400 / 8 + 4
    assert state["best"][0] == measured.outcome["score"]
