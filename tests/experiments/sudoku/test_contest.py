"""The experiment as a comparison: the same instance for every configuration, and what each of them shares."""

import pytest

from colony.experiments.sudoku import SUDOKU
from colony.experiments.trial import Setting, run_trial
from colony.memory.named_memory import NamedMemory


def trial(configuration, *, task="example", agents=4, seed=1, evaluations_max=None):
    setting = Setting(
        configuration=configuration,
        agents=1 if configuration == "single" else agents,
        seed=seed,
        evaluations_max=evaluations_max,
    )
    return run_trial(SUDOKU.team(task, setting, NamedMemory), setting)


@pytest.mark.parametrize("configuration", SUDOKU.configurations)
@pytest.mark.parametrize("task", SUDOKU.tasks)
def test_every_task_is_solved_in_every_configuration(task, configuration):
    """Nothing but a budget keeps a team from all 81 cells; all teams of a seed solve the same instance."""
    measured = trial(configuration, task=task)
    assert measured.solved
    assert measured.quality == 81.0
    assert measured.outcome["solution"] == trial("single", task=task).outcome["solution"]


def test_seeds_are_instances():
    """Another seed is another form of the puzzle."""
    assert len({trial("single", seed=seed).outcome["solution"] for seed in range(4)}) == 4


def test_a_swarm_examines_nothing_twice_and_parallel_does():
    """Dealt strategies on one grid never look at the same thing twice; agents with grids of their own often do."""
    assert trial("swarm").duplicates == 0
    assert trial("parallel").duplicates > 100
    assert trial("undivided").duplicates > 100


def test_equal_evaluations():
    """At a budget that one agent needs, the swarm is done and independent agents are not."""
    budget = trial("single", task="ai-escargot-proven").evaluations * 2
    assert trial("swarm", task="ai-escargot-proven", agents=8, evaluations_max=budget).solved
    parallel = trial("parallel", task="ai-escargot-proven", agents=8, evaluations_max=budget)
    assert not parallel.solved
    assert parallel.evaluations <= budget


def test_what_singles_only_keeps_private():
    """Where candidates are private, each agent has variables of its own for them, and the grid is one."""
    memories = []

    def memory():
        memories.append(NamedMemory())
        return memories[-1]

    setting = Setting(configuration="singles-only", agents=2, seed=1)
    run_trial(SUDOKU.team("example", setting, memory), setting)
    names = memories[0].names()
    assert sum(name.endswith("candidates/r1c1") for name in names) == 2
    assert sum(name.endswith("grid/r1c1") for name in names) == 1
