"""Which agents a problem gets."""

import pytest

from colony.agents.portfolio import MAKERS, mix, portfolio
from colony.agents.proposer import View
from colony.primitives.errors import UsageError
from colony.problems.problem import Problem
from colony.problems.space import Float, Integer, Permutation


def problem(**space):
    """A problem of some space."""
    return Problem(space=space, evaluate=lambda **_: 0.0, minimise="cost")


def test_every_kind_is_made_under_its_own_name():
    """The table's key is the kind that an agent says it is of."""
    floats, orders = problem(x=Float(0.0, 1.0, shape=(2,))), problem(order=Permutation(6))
    small = problem(n=Integer(0, 3, shape=(2,)))
    for each in (floats, orders, small):
        for kind in mix(each, frozenset({"constraints"})):
            assert MAKERS[kind]("a", each, 1).kind == kind


@pytest.mark.parametrize("count", [1, 8, 237])
def test_names_are_unique_and_the_count_is_kept(count, box):
    """One agent or hundreds: each has its own name, led by its kind."""
    agents = portfolio(box(3), count, 1)
    assert len({a.name for a in agents}) == count
    assert all(a.name.rpartition("-")[0] == a.kind for a in agents)


def test_agents_of_a_kind_have_streams_of_their_own(box):
    """Two Sobol agents of one portfolio propose other points; another portfolio of the same seed, the same ones."""

    def proposed(agents):
        return [[p.candidate.hash for p in a.ask(View(), 4)] for a in agents if a.kind == "sobol"]

    first, second = (proposed(portfolio(box(3), 17, 7)) for _ in range(2))
    assert len(first) == 2
    assert not set(first[0]) & set(first[1])
    assert first == second


def test_the_mix_follows_the_space():
    """Descents need floats, CMA-ES two dimensions, a permutation neither; a formulation leads to hopping."""
    assert mix(problem(x=Float(0.0, 1.0, shape=(3,))))[:2] == ["model-cma-es", "multistart"]
    assert "multistart" not in mix(problem(n=Integer(0, 9, shape=(3,))))
    assert "cma-es" not in mix(problem(x=Float(0.0, 1.0)))
    assert mix(problem(order=Permutation(6)))[0] == "tour"
    assert mix(problem(n=Integer(0, 9, shape=(3,))))[0] == "exhaustive"
    assert "exhaustive" not in mix(problem(n=Integer(0, 9, shape=(9,))))
    assert mix(problem(x=Float(0.0, 1.0, shape=(3,))), frozenset({"formulation"}))[0] == "hop"


def test_only_some_kinds_may_be_asked_for(box):
    """`only` repeats what it keeps; where it keeps nothing, the kinds that would fit are named."""
    assert {a.kind for a in portfolio(box(2), 5, 1, only=["sobol"])} == {"sobol"}
    assert len(portfolio(box(2), 3, 1, only=["direct"])) == 3
    with pytest.raises(UsageError, match="model-cma-es"):
        portfolio(box(2), 3, 1, only=["crossover"])
