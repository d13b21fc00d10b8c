"""The exhaustive agent: every candidate once, then silence."""

import pytest

from colony.agents.exhaustive import Exhaustive, is_small
from colony.agents.proposer import View
from colony.problems.problem import Problem


def problem(**space):
    return Problem(space=space, evaluate=lambda **_: 0.0, minimise="cost")


def test_every_candidate_is_proposed_once():
    """Batches of any size cover the space exactly, in another order for another seed."""
    small = problem(n=(0, 6), c=["a", "b", "c"])
    orders = []
    for seed in (1, 2):
        agent = Exhaustive("x", small, seed)
        found = []
        while proposals := agent.ask(View(proposals_max=4), 5):
            assert len(proposals) <= 4
            found += [p.candidate.hash for p in proposals]
        orders.append(found)
    assert len(set(orders[0])) == len(orders[0]) == 21
    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    ("space", "small"),
    [
        ({"n": (0, 6)}, True),
        ({"n": (0, 10**6)}, False),
        ({"x": (0.0, 1.0)}, False),
        ({"p": {"type": "permutation", "length": 3}}, False),
    ],
)
def test_only_small_discrete_spaces_are_enumerated(space, small):
    """Floats, orders and large spaces are left to others."""
    assert is_small(problem(**space)) is small
