"""A trial: who works, what it may spend, when it is over, and what is measured of it."""

import threading
from functools import partial

import pytest

from colony.experiments.trial import Group, Member, Purse, Setting, Team, groups_for, run_trial
from colony.memory.named_memory import NamedMemory
from colony.primitives.errors import UsageError
from colony.stm import check


class Largest:
    """The largest value noted."""

    def __init__(self):
        self.value = 0.0

    def add(self, value):
        self.value = max(self.value, value)
        return self.value


def team(groups, work, **more):
    return Team([Member(f"agent-{i}", group, work) for i, group in enumerate(groups)], Largest(), **more)


def counting(place):
    while True:
        place.evaluate(lambda: None)
        place.note(place.evaluations)


@pytest.mark.parametrize("shared", [True, False])
def test_a_team_spends_exactly_its_evaluations(shared):
    """Together from one purse, or in equal shares, the budget is spent to the last evaluation and not beyond."""
    setting = Setting(agents=3, evaluations_max=100)
    measured = run_trial(team(groups_for(setting, NamedMemory, shared=shared), counting), setting)
    assert measured.evaluations == 100
    assert measured.quality >= 100 // 3


def test_a_purse_is_exact_under_threads():
    """Eight threads that take as fast as they can get what there was."""
    purse, taken = Purse(5000), []
    threads = [threading.Thread(target=lambda: taken.append(sum(iter(purse.take, False)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 5000


def test_the_end_of_the_budget_wakes_who_is_blocked():
    """An agent in `retry` on what never comes ends when another has spent the last evaluation."""
    setting = Setting(agents=2, evaluations_max=5)
    groups = groups_for(setting, NamedMemory, shared=True)
    never = groups[0].memory.variable("never", 0)

    def waiting(place):
        place.atomically(lambda t: check(t.read(never)))

    members = [Member("waits", groups[0], waiting), Member("counts", groups[1], counting)]
    assert run_trial(Team(members, Largest()), setting).evaluations == 5


def test_the_end_of_time_wakes_who_is_blocked():
    """With nobody left to write, the wall limit ends the trial."""
    setting = Setting(agents=1, wall_seconds_max=0.02)
    groups = groups_for(setting, NamedMemory, shared=True)
    never = groups[0].memory.variable("never", 0)
    measured = run_trial(team(groups, lambda place: place.atomically(lambda t: check(t.read(never)))), setting)
    assert (measured.evaluations, measured.waits) == (0, 1)


def test_who_finishes_ends_its_group_and_no_other():
    """`finish` stops the agents that share the memory; an independent one goes on to the end of its own budget."""
    setting = Setting(agents=2, evaluations_max=20)
    groups = groups_for(setting, NamedMemory, shared=False)

    def quick(place):
        place.evaluate(lambda: None)
        place.finish()

    members = [Member("quick", groups[0], quick), Member("slow", groups[1], counting)]
    assert run_trial(Team(members, Largest()), setting).evaluations == 1 + 10


def test_an_agent_that_fails_ends_the_trial():
    """Its exception reaches the caller, after everybody else has ended."""
    setting = Setting(agents=2)
    groups = groups_for(setting, NamedMemory, shared=True)

    def failing(place):
        place.evaluate(lambda: 1 / 0)

    members = [Member("fails", groups[0], failing), Member("counts", groups[1], counting)]
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        run_trial(Team(members, Largest()), setting)
    assert threading.active_count() == before


def test_the_curve_follows_time_and_knows_the_solution():
    """Quality over all agents' evaluations, and the first place at which it reached the target."""
    setting = Setting(agents=1, evaluations_max=10)
    measured = run_trial(team(groups_for(setting, NamedMemory, shared=True), counting, target=4), setting)
    assert [(p.evaluations, p.quality) for p in measured.curve] == [(i, i) for i in range(1, 11)]
    assert (measured.solved, measured.solved_evaluations) == (True, 4)


def test_duplicates_are_counted_over_the_whole_team():
    """The same subject twice, by anyone, is one duplicate; evaluations without a subject are none."""
    setting = Setting(agents=2)
    groups = groups_for(setting, NamedMemory, shared=False)

    def work(place):
        for subject in ("a", "b", None):
            place.evaluate(lambda: None, subject)

    assert run_trial(team(groups, work), setting).duplicates == 2


def test_coordination_is_measured_and_adds_up():
    """Transactions cost CPU time, and the counters of all memories are summed."""
    setting = Setting(agents=2)
    groups = groups_for(setting, NamedMemory, shared=False)

    def work(place):
        mine = place.memory.variable("mine", 0)
        for i in range(200):
            place.atomically(partial(lambda i, t: t.write(mine, i), i))

    measured = run_trial(team(groups, work), setting)
    assert measured.commits >= 400
    assert measured.coordination_cpu_seconds > 0


def test_agents_draw_from_streams_of_their_own():
    """The seed and the name fix an agent's random numbers, whatever else runs."""

    def draws(seed):
        setting, drawn = Setting(agents=2, seed=seed), {}
        run_trial(
            team(groups_for(setting, NamedMemory, shared=True), lambda p: drawn.update({p.name: p.random.random()})),
            setting,
        )
        return drawn

    assert draws(1) == draws(1) != draws(2)
    assert len(set(draws(1).values())) == 2


def test_a_team_has_agents():
    """No agents, or a single of several, is refused."""
    for wrong in ({"agents": 0}, {"configuration": "single", "agents": 2}):
        with pytest.raises(UsageError):
            Setting(**wrong)


def test_closing_is_for_everybody_who_shares():
    """A closed group lets no transaction and no evaluation of its agents through."""
    group = Group(NamedMemory(), Purse(None))
    group.close()
    setting = Setting(agents=1)
    seen = []
    run_trial(Team([Member("late", group, lambda p: seen.append(p.atomically(lambda _: 1)))], Largest()), setting)
    assert not seen
