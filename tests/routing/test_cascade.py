"""Cascades: the order of least expected cost, its cost in closed form, and when an attempt has stalled."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.routing.cascade import Option, Step, expected_dollars, in_order, sampled, stall, success_chance
from colony.routing.evidence import Chance


def options(lowest, highest):
    """Up to five options with different names, and chances within bounds."""
    some = st.builds(Option, st.sampled_from("abcdef"), st.floats(lowest, highest), st.floats(0.1, 10))
    return st.lists(some, min_size=1, max_size=5, unique_by=lambda each: each.name)


@given(options(0.01, 1))
def test_no_order_is_cheaper(some):
    """Of all orders none costs less than the one chosen, and all succeed alike."""
    best = in_order(some)
    assert expected_dollars(best) <= min(map(expected_dollars, permutations(some))) + 1e-9
    assert success_chance(best) == pytest.approx(success_chance(some))


@given(options(0.05, 0.95), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_the_cost_is_that_of_a_simulation(some, seed):
    """Ten thousand simulated cascades cost on average what the formula says, within six standard errors."""
    draws = np.random.default_rng(seed).random((10_000, len(some)))
    failed_before = np.cumprod(draws >= [each.chance for each in some], axis=1)
    reached = np.column_stack([np.ones(len(draws)), failed_before[:, :-1]])
    costs = reached @ np.array([each.dollars for each in some])
    assert abs(costs.mean() - expected_dollars(some)) <= 6 * costs.std() / 100 + 1e-9
    assert (1 - failed_before[:, -1]).mean() == pytest.approx(success_chance(some), abs=0.03)


def test_by_hand():
    """One dollar at 1/2, then four at certainty: 1 + 4/2; the other way round the first always suffices."""
    cheap, sure = Option("cheap", 0.5, 1.0), Option("sure", 1.0, 4.0)
    assert expected_dollars([cheap, sure]) == 3.0
    assert expected_dollars([sure, cheap]) == 4.0
    assert in_order([sure, cheap]) == (cheap, sure)


def test_what_cannot_succeed_comes_last():
    """A chance of nought is no division by it; what costs nothing and may succeed comes first."""
    never, free, paid = Option("a", 0.0, 0.0), Option("b", 0.1, 0.0), Option("c", 0.9, 1.0)
    assert in_order([never, paid, free]) == (free, paid, never)


def test_sampling_follows_belief():
    """A model is drawn as the best as often as it is believed to be; the stream alone decides."""
    chances = {"good": Chance(90, 10), "bad": Chance(10, 90), "unknown": Chance(1, 1)}
    stream = np.random.default_rng(3)
    draws = [sampled(chances, stream) for _ in range(2000)]
    wins = {name: sum(max(draw, key=draw.__getitem__) == name for draw in draws) / 2000 for name in chances}
    assert wins["good"] == pytest.approx(0.9, abs=0.03)
    assert wins["unknown"] == pytest.approx(0.1, abs=0.03)
    assert draws[0] == sampled(dict(reversed(chances.items())), np.random.default_rng(3))


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("a b c d e f", None),
        ("a! b! c d e f", None),
        ("a! b! c d e! f", "3 of the last 6 steps failed"),
        ("a! b! c! d e f g h i", None),
        ("a b a c a d", "3 of the last 6 steps were the same: a"),
        ("a a b c d e f a g h", None),
        ("", None),
    ],
)
def test_stalls(steps, reason):
    """Three of the last six steps failing or the same is a stall; older steps are forgotten."""
    taken = [Step(step.rstrip("!"), step.endswith("!")) for step in steps.split()]
    assert stall(taken, elapsed_seconds=1, seconds_max=10) == reason


def test_time_is_over():
    """An attempt that takes too long has stalled too."""
    assert stall([], elapsed_seconds=10, seconds_max=10) == "10 s have passed, of 10"
