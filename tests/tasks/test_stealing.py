"""Who may take over what: from long queues to short ones, ended leases from anybody, and never work under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from colony.tasks.shards.claims import Claim, Held, Standing, Terms
from colony.tasks.shards.stealing import takeable

NOW = 1_000_000
TERMS = Terms(lease_seconds=100, skew_seconds=10, idle_seconds=20)


def claim(task, holder, *, age=30, lasts=100, is_working=False):
    """A claim that was renewed `age` seconds ago."""
    renewed = NOW - age * 1000
    return Claim(
        task=task, fence=1, epoch=0, agent=holder, did=f"did:{holder}", tier_max=5, scope=(), renewed=renewed,
        expires=renewed + lasts * 1000, is_working=is_working,
    )  # fmt: skip


def tried(*claims, agent="eve", score=lambda _: 0.0):
    standing = Standing({one.task: Held(one, "0") for one in claims}, {}, ())
    return takeable(standing, did=f"did:{agent}", agent=agent, terms=TERMS, now_milliseconds=NOW, score=score)


def test_the_longest_queue_is_relieved_first_and_its_best_task():
    """From whoever has most, what is worth most."""
    long, short = [claim(f"a{i}", "ann") for i in range(3)], [claim(f"b{i}", "bob") for i in range(2)]
    assert tried(*short, *long, score=lambda task: int(task[1])) == ["a2", "a1", "a0", "b1", "b0"]


def test_nothing_goes_to_a_queue_that_is_not_shorter():
    """One task against none stays; two against one stay; three against one may go."""
    assert tried(claim("a", "ann")) == []
    assert tried(claim("a", "ann"), claim("b", "ann"), claim("e", "eve")) == []
    assert tried(*(claim(f"a{i}", "ann") for i in range(3)), claim("e", "eve")) == ["a0", "a1", "a2"]


def test_work_under_way_and_what_was_just_assigned_stay():
    """Begun, or renewed a moment ago: not idle."""
    assert tried(*(claim(f"a{i}", "ann", is_working=True) for i in range(3))) == []
    assert tried(*(claim(f"a{i}", "ann", age=10) for i in range(3))) == []


def test_an_ended_lease_is_anybodys_and_nobodys_own():
    """However short the queue, once the margin for clocks has passed."""
    assert tried(claim("a", "ann", age=111, is_working=True)) == ["a"]
    assert tried(claim("a", "ann", age=109, is_working=True)) == []
    assert tried(claim("e", "eve", age=200)) == []


@given(st.lists(st.sampled_from(["ann", "bob", "cas"]), max_size=12))
def test_stealing_comes_to_an_end(holders):
    """When everybody steals in turn, queues even out: no task goes back and forth."""
    claims = {f"t{i}": claim(f"t{i}", holder) for i, holder in enumerate(holders)}
    steals, names = 0, ["ann", "bob", "cas"]
    idle = 0
    while idle < len(names):
        thief = names[(steals + idle) % len(names)]
        loot = tried(*claims.values(), agent=thief)
        if loot:
            claims[loot[0]] = claim(loot[0], thief)
            steals, idle = steals + 1, 0
        else:
            idle += 1
        assert steals <= len(holders) ** 2
    sizes = [sum(one.agent == name for one in claims.values()) for name in names]
    assert max(sizes) - min(sizes) <= 1
