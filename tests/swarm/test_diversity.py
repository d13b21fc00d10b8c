"""Diversity: whether the colony is many or one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.swarm.diversity import WINDOW_EXPERIMENTS, Diversity


def test_one_idea_is_no_diversity_however_many_experiments():
    """A single operator has evenness 0; four used alike have 1."""
    alone, four = Diversity(), Diversity()
    for _ in range(100):
        alone.observe("a", ["hop"])
        for operator in ("hop", "cma", "sobol", "direct"):
            four.observe("a", [operator])
    assert alone.evenness() == 0.0
    assert four.evenness() == pytest.approx(1.0, abs=1e-3)


def test_the_past_fades():
    """After several windows of one operator the earlier balance is forgotten."""
    diversity = Diversity()
    diversity.observe("a", ["one"] * 500)
    diversity.observe("b", ["two"] * 500)
    before = diversity.evenness()
    for _ in range(10):
        diversity.observe("a", ["one"] * int(WINDOW_EXPERIMENTS))
    assert diversity.evenness() < 0.2 < before


def test_the_leading_lineage_is_the_largest_part_of_the_elites():
    """Three of four elites from one experiment are three quarters."""
    assert Diversity().statistics(["r", "r", "s", "r"]).leading_lineage == 0.75
    assert Diversity().statistics([]).leading_lineage == 0.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.sampled_from("xyz"), max_size=5)), max_size=30))
def test_evenness_lies_between_nothing_and_one(batches):
    """Whatever is observed."""
    diversity = Diversity()
    for agent, operators in batches:
        diversity.observe(agent, operators)
    statistics = diversity.statistics()
    assert 0.0 <= statistics.operators <= 1.0 + 1e-9
    assert 0.0 <= statistics.agents <= 1.0 + 1e-9
