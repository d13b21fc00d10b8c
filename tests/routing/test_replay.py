"""The synthetic benchmark: its truth is what it says, the oracle is one, and the router learns what it can."""

import numpy as np
import pytest

from colony.routing.cascade import expected_dollars, in_order
from colony.routing.replay import Fixed, Routed, replayed
from colony.routing.synthetic import EASY, HARD, MODELS, NAMES, world
from colony.routing.table import Learning
from colony.routing.tiers import Tier


@pytest.fixture(scope="module")
def place():
    return world(7, tasks=600)


def test_the_same_seed_the_same_world(place):
    """A world is a function of its seed."""
    again, other = world(7, tasks=600), world(8, tasks=600)
    assert all(np.array_equal(getattr(place, n), getattr(again, n)) for n in ("chances", "costs", "kinds", "succeeds"))
    assert not np.array_equal(place.chances, other.chances)


@pytest.mark.parametrize("shares", [EASY, HARD])
def test_the_truth_is_the_truth(shares):
    """Kinds come as often as stated, and attempts succeed as often and cost as much as their kinds and models say."""
    many = world(3, tasks=40_000, shares=shares)
    tiers = np.array([many.tiers[kind] for kind in many.kinds])
    for tier, share in zip(list(Tier)[1:5], shares, strict=True):
        assert (tiers == tier).mean() == pytest.approx(share, abs=0.01)
    kind = int(np.bincount(many.kinds).argmax())
    rows = many.kinds == kind
    assert many.succeeds[rows].mean(axis=0) == pytest.approx(many.chances[0, kind], abs=0.02)
    assert (many.dollars[rows] + many.seconds[rows] / 3600).mean(axis=0) == pytest.approx(many.costs[kind], rel=0.02)


def test_attempts_that_depend_on_each_other():
    """With hardness, chances stay what they are on average, but a task that one model fails is harder for the next."""
    many = world(3, tasks=40_000, hardness=1.5)
    kind = int(np.bincount(many.kinds).argmax())
    wins = many.succeeds[many.kinds == kind]
    assert wins.mean(axis=0) == pytest.approx(many.chances[0, kind], abs=0.02)
    assert wins[~wins[:, 0], 2].mean() < wins[:, 2].mean() - 0.03


def test_drift_changes_the_truth_once():
    """With drift the chances are others in the second half; prices stay."""
    drifting = world(7, tasks=100, drift=True)
    assert drifting.chances.shape[0] == 2
    assert [drifting.phase(task) for task in (0, 49, 50, 99)] == [0, 0, 1, 1]
    assert not np.array_equal(*drifting.chances)


def test_the_oracle_is_cheapest_in_expectation(place):
    """Under the truth no fixed order costs less on average, and what it costs is what replaying it costs."""
    for task in range(0, 600, 50):
        options = {option.name: option for option in place.options(task)}
        cost = expected_dollars([options[name] for name in place.oracle(task)])
        assert cost == expected_dollars(in_order(options.values()))
        for order in (NAMES, NAMES[::-1]):
            assert cost <= expected_dollars([options[name] for name in order]) + 1e-12
    many = world(7, tasks=8000)
    expected = np.mean([expected_dollars(in_order(many.options(task))) for task in range(8000)])
    assert replayed(many, Fixed(many.oracle)).costs.mean() == pytest.approx(expected, rel=0.05)


def test_full_cascades_succeed_alike(place):
    """Whoever tries all models until one succeeds has the oracle's rate of success, to the task."""
    oracle = replayed(place, Fixed(place.oracle))
    routed = replayed(place, Routed(place, Learning(), stream=np.random.default_rng(0)))
    assert np.array_equal(oracle.succeeded, routed.succeeded)
    once = replayed(place, Fixed(lambda _: NAMES, attempts_max=1))
    assert once.succeeded.mean() < oracle.succeeded.mean()
    assert once.attempts.max() == 1
    assert oracle.attempts.max() <= len(MODELS)


def test_learning_pays(place):
    """After a few hundred tasks the router costs less than always cheap, always strong and its own priors."""
    costs = {
        "learnt": replayed(place, Routed(place, Learning(), stream=np.random.default_rng(0))),
        "priors": replayed(place, Routed(place, Learning(), stream=None, learns=False)),
        "cheap": replayed(place, Fixed(lambda _: NAMES)),
        "strong": replayed(place, Fixed(lambda _: NAMES[::-1])),
        "oracle": replayed(place, Fixed(place.oracle)),
    }
    late = {name: replay.costs[200:].sum() for name, replay in costs.items()}
    assert late["learnt"] < 1.3 * late["oracle"]
    assert late["learnt"] < min(late["priors"], late["cheap"], late["strong"])
    assert costs["learnt"].cheap.mean() > 0.8


def test_a_replay_repeats(place):
    """The same world and the same stream give the same replay."""
    runs = [replayed(place, Routed(place, Learning(), stream=np.random.default_rng(5))).costs for _ in range(2)]
    assert np.array_equal(*runs)
