"""Allocation: by gain, with a floor, by kinds, and the same whatever the scale of the metric."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.swarm.allocation import Allocator

EVEN = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}


def simulate(allocator, agents, rounds, gains, *, size=lambda agent: 4, seconds=lambda agent: 0.0):
    """Who got how many evaluations; `gains(agent, round)` says whether a batch improved."""
    had = Counter(dict.fromkeys(agents, 0))
    for turn in range(rounds):
        agent = allocator.choose(agents)
        had[agent] += size(agent)
        gain = float(gains(agent, turn))
        allocator.observe(agent, evaluations=size(agent), seconds=seconds(agent), gain=gain)
    return had


def test_whoever_gains_gets_most():
    """Of four agents alike, the one whose batches improve the best gets more than twice as much as any other."""
    allocator = Allocator({n: n for n in "abcd"}, trust=EVEN)
    had = simulate(allocator, "abcd", 400, lambda agent, _: agent == "c")
    assert had["c"] > 2 * max(had[n] for n in "abd")


def test_none_starves():
    """With the floor every agent gets its part of it, though it never gains; without, next to nothing."""
    had = simulate(
        Allocator({n: n for n in "abcd"}, floor=0.2, trust=EVEN), "abcd", 2000, lambda agent, _: agent == "c"
    )
    assert min(had.values()) >= 0.9 * 0.2 / 4 * sum(had.values())
    bare = Allocator({n: n for n in "abcd"}, floor=0.0, trust={**EVEN, "a": 1e-6})
    assert simulate(bare, "abcd", 2000, lambda agent, _: agent == "c")["a"] <= 8


def test_old_gains_are_forgotten():
    """When the leader stops gaining and another begins, the shares turn round."""
    allocator = Allocator({n: n for n in "ab"}, trust=EVEN)
    simulate(allocator, "ab", 100, lambda agent, _: agent == "a")
    assert allocator.shares()["a"] > 0.6
    simulate(allocator, "ab", 300, lambda agent, _: agent == "b")
    assert allocator.shares()["b"] > 0.6


def test_only_whether_there_was_a_gain_counts():
    """Gains a billion times larger give exactly the same choices: a monotone change of the metric changes nothing."""

    def choices(scale):
        allocator = Allocator({n: n for n in "abcd"}, trust=EVEN)
        return [simulate(allocator, "abcd", 50, lambda a, t: scale * (t % 3 == 0 and a in "bd")) for _ in range(4)]

    assert choices(1.0) == choices(1e9) == choices(1e-9)


def test_kinds_share_what_is_known():
    """An untried agent of a kind that gains is expected to do better than an untried one of a kind that does not."""
    allocator = Allocator({"a1": "a", "a2": "a", "b1": "b", "b2": "b"}, trust=EVEN)
    for agent, gain in (("a1", 1.0), ("b1", 0.0)) * 200:
        allocator.observe(agent, evaluations=4, seconds=0.0, gain=gain)
    assert allocator.shares()["a2"] > 1.2 * allocator.shares()["b2"]


def test_agents_of_a_kind_are_tried_one_after_the_other():
    """At the start the first of a kind gets most of the kind's share, so that 237 agents do not all begin at once."""
    shares = Allocator({f"a{i}": "a" for i in range(50)}, floor=0.05).shares()
    assert shares["a0"] > 0.6
    assert shares["a49"] >= 0.05 / 50


def test_a_stuck_agent_yields_to_the_next_of_its_kind():
    """When the first of a kind stops gaining, the second gets a larger part of the kind's share than it had."""
    allocator = Allocator({"a1": "a", "a2": "a"})
    before = allocator.shares()["a2"]
    simulate(allocator, ["a1", "a2"], 200, lambda *_: False)
    assert allocator.shares()["a2"] > 1.25 * before


def test_seconds_count_only_where_they_are_used():
    """Of two agents that gain alike per evaluation the cheaper one gets more, but not in a deterministic run."""

    def parts(*, use_seconds):
        allocator = Allocator(
            {"quick": "q", "slow": "s", "idle": "i"}, use_seconds=use_seconds, trust={"q": 1, "s": 1, "i": 1}
        )
        return simulate(
            allocator,
            ["quick", "slow", "idle"],
            600,
            lambda agent, turn: agent != "idle" and turn % 4 == 0,
            seconds=lambda agent: 10.0 if agent == "slow" else 0.1,
        )

    ignored, used = parts(use_seconds=False), parts(use_seconds=True)
    assert ignored == parts(use_seconds=False)
    assert used["quick"] / used["slow"] >= ignored["quick"] / ignored["slow"]


def test_the_share_of_a_silent_agent_goes_to_the_others_in_proportion():
    """An agent that never waits is owed a bounded amount; the rest is dealt out by share, not evenly."""
    allocator = Allocator({"silent": "s", "strong": "t", "weak": "w"}, floor=0.0, trust={"s": 10.0, "t": 8.0, "w": 1.0})
    had = simulate(allocator, ["strong", "weak"], 1000, lambda *_: False)
    shares = allocator.shares()
    assert had["strong"] / had["weak"] == pytest.approx(shares["strong"] / shares["weak"], rel=0.2)
    assert allocator.statistics().owed["silent"] <= shares["silent"] * max(50.0, 0.1 * sum(had.values())) + 1e-9


def test_long_batches_are_paid_back():
    """An agent whose batches are fifty times longer waits fifty times longer: shares hold in evaluations."""
    allocator = Allocator({"long": "a", "short": "b"}, trust={"a": 1.0, "b": 1.0}, floor=0.0)
    had = simulate(allocator, ["long", "short"], 3000, lambda *_: False, size=lambda a: 50 if a == "long" else 1)
    assert had["long"] / had["short"] == pytest.approx(1.0, abs=0.1)


def test_what_is_under_way_counts_against_an_agent():
    """An agent that has evaluations outstanding is not chosen again before those that are owed more."""
    allocator = Allocator({"a": "a", "b": "b"}, trust={"a": 2.0, "b": 1.0})
    assert allocator.choose("ab") == "a"
    assert allocator.choose("ab", under_way={"a": 1}) == "b"


def test_grants_follow_shares():
    """Much is offered to the trusted, little to the others, at least one to everybody, never more than there is."""
    allocator = Allocator({"a": "a", "b": "b"}, trust={"a": 50.0, "b": 1.0})
    assert allocator.grant(100, "a") == 100
    assert allocator.grant(100, "b") < 20
    assert allocator.grant(1, "b") == 1


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 1000), st.floats(0, 10), st.booleans()), max_size=60)
)
def test_shares_always_sum_to_one_above_the_floor(batches):
    """Whatever is observed: shares sum to one, none is below the floor, what is owed sums to at most nothing."""
    kinds = {"a": "x", "b": "x", "c": "y", "d": "z", "e": "z"}
    allocator, again = Allocator(kinds, use_seconds=True), Allocator(kinds, use_seconds=True)
    for agent, evaluations, seconds, gained in batches:
        for each in (allocator, again):
            each.observe(agent, evaluations=evaluations, seconds=seconds, gain=float(gained))
    statistics = allocator.statistics()
    assert sum(statistics.shares.values()) == pytest.approx(1.0)
    assert min(statistics.shares.values()) >= 0.05 / 5 - 1e-12
    assert sum(statistics.owed.values()) <= 1e-6
    assert sum(statistics.evaluations.values()) == sum(b[1] for b in batches)
    assert statistics == again.statistics(), "the state is a fold over what was observed"
