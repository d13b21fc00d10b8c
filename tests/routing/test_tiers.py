"""Tiers: total, monotone, and raised by nobody who may not raise them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.errors import UsageError
from colony.routing.tiers import (
    COMPLEXITY_MAX,
    Inputs,
    Signed,
    Tier,
    complexity_of,
    literal_complexity,
    tier_of,
)

numbers = st.floats(allow_nan=False)
sizes = st.sampled_from(["small", "medium", "large", "critical"])


def signed(values, roles=("owner", "human", "agent")):
    return st.none() | st.builds(Signed, values, st.just("somebody"), st.sampled_from(roles))


def inputs(*roles):
    return st.builds(
        Inputs,
        size=signed(sizes, roles),
        stars=signed(st.integers(0, 12), roles),
        dependencies=signed(st.integers(0, 50), roles),
        critical_share=signed(st.floats(0, 1), roles),
        heat=signed(st.floats(-20, 20), roles),
        override=signed(st.floats(-5, 20), roles),
    )


@pytest.mark.parametrize(
    ("complexity", "tier"),
    [
        *[(c, Tier.T0) for c in (-math.inf, -3, 0, 2)],
        *[(c, Tier.T1) for c in (2.0001, 2.5, 3, 4)],
        *[(c, Tier.T2) for c in (4.5, 5, 6)],
        *[(c, Tier.T3) for c in (6.5, 7, 9)],
        *[(c, Tier.T4) for c in (9.5, 10, 12, 13, math.inf)],
    ],
)
def test_bands(complexity, tier):
    """The seed's bands hold, and what lies between, below and above them has a tier too."""
    assert tier_of(complexity) is tier


@given(numbers, numbers)
def test_total_and_monotone(first, second):
    """Every real number has a tier, no larger number has a lower one, and a secure task is T5 whatever its number."""
    low, high = sorted((first, second))
    assert Tier.T0 <= tier_of(low) <= tier_of(high) <= Tier.T4
    assert tier_of(first, secure=True) is Tier.T5


def test_no_number():
    """What is no number has no tier."""
    with pytest.raises(UsageError, match="not a number"):
        tier_of(math.nan)
    with pytest.raises(UsageError, match="override"):
        complexity_of(Inputs(override=Signed(math.nan, "ann", "owner")))


@given(inputs("agent"))
def test_an_agent_cannot_raise(stated):
    """Whatever an agent states, no task comes out more complex than one of which nobody states anything."""
    assert complexity_of(stated).value <= complexity_of(Inputs()).value
    assert literal_complexity(stated).value <= literal_complexity(Inputs()).value


@given(inputs("owner", "human", "agent"))
def test_terms_add_up(stated):
    """The terms shown are the number, bounded to the scale."""
    for complexity in (complexity_of(stated), literal_complexity(stated)):
        total = sum(term.value for term in complexity.terms)
        assert complexity.value == pytest.approx(min(max(total, 0), COMPLEXITY_MAX))
        assert len(complexity.explain()) == len(complexity.terms) + 1


@given(sizes, st.integers(0, 50), st.floats(0, 1))
def test_the_graph_moves_a_task_by_one_tier(size, dependencies, share):
    """Dependencies and the critical path together are worth at most one tier."""
    plain = Inputs(size=Signed(size, "ann", "owner"))
    placed = Inputs(
        size=Signed(size, "ann", "owner"),
        dependencies=Signed(dependencies, "ann", "owner"),
        critical_share=Signed(share, "ann", "owner"),
    )
    assert 0 <= tier_of(complexity_of(placed).value) - tier_of(complexity_of(plain).value) <= 1


@pytest.mark.parametrize(
    ("size", "tier"), [("small", Tier.T1), ("medium", Tier.T2), ("large", Tier.T3), ("critical", Tier.T4)]
)
def test_blast_radius(size, tier):
    """A size alone gives the tier that the seed's table has in its row."""
    assert tier_of(complexity_of(Inputs(size=Signed(size, "ann", "human"))).value) is tier


def test_an_override_by_role():
    """A human may set any complexity; an agent may only lower it, and is told so."""
    large = Signed("large", "ann", "owner")
    assert complexity_of(Inputs(size=large, override=Signed(11.0, "ann", "human"))).value == 11
    assert complexity_of(Inputs(size=large, override=Signed(1.0, "bot", "agent"))).value == 1
    refused = complexity_of(Inputs(size=large, override=Signed(11.0, "bot", "agent")))
    assert refused.value == 7
    assert "bot (agent) may not raise a tier" in refused.explain()[1]


def test_the_literal_sum():
    """The seed's sum by hand; with heat = B + A - D its dependencies cancel, which is why it is not ours."""
    blocked, agents, dependencies = 2, 1, 3
    stated = Inputs(
        stars=Signed(2, "ann", "owner"),
        critical_share=Signed(0.5, "ann", "owner"),
        dependencies=Signed(dependencies, "ann", "owner"),
        heat=Signed(float(blocked + agents - dependencies), "ann", "owner"),
    )
    assert literal_complexity(stated).value == 2 + 0.5 + blocked + agents


def test_an_unknown_size():
    """A size that does not exist is refused with those that do."""
    with pytest.raises(UsageError, match="small, medium, large, critical"):
        complexity_of(Inputs(size=Signed("huge", "ann", "owner")))
