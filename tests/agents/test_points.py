"""What all agents that propose single points promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.agents.cma_es import CmaEs
from colony.agents.coordinate import CoordinateSearch
from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.direct import Direct
from colony.agents.model_cma_es import ModelCmaEs
from colony.agents.points import costs_of, merit_of, smallest_steps
from colony.agents.proposer import Outcome, View
from colony.agents.sampling import Random, Sobol
from colony.problems.problem import Problem
from colony.problems.space import Choice, Float, Integer, Space

AGENTS = [CmaEs, ModelCmaEs, CoordinateSearch, DifferentialEvolution, Direct, Sobol, Random]
MERITS = st.one_of(
    st.tuples(st.just(0), st.floats(-1e6, 1e6)), st.tuples(st.just(1), st.floats(1e-9, 1e6)), st.just((2, 0.0))
)


def answered(proposals, value=lambda content: 1.0):
    """Each proposal evaluated."""
    return [Outcome("e", p, "ok", value(p.candidate.content), p.candidate) for p in proposals]


def bowl(x):
    """A sphere around 0.7."""
    return np.sum((x - 0.7) ** 2)


@pytest.mark.parametrize("kind", AGENTS)
def test_no_candidate_is_proposed_twice(kind, mixed):
    """On a mixed space, where many points decode to one candidate, every proposal is new."""
    agent, seen = kind("a", mixed, 1), []
    for _ in range(40):
        proposals = agent.ask(View(), 5)
        seen += [p.candidate.hash for p in proposals]
        agent.tell(answered(proposals, lambda content: content["a"] + sum(content["n"])))
    assert len(seen) == len(set(seen)) > 0


@pytest.mark.parametrize("kind", AGENTS)
def test_the_same_seed_and_calls_give_the_same_proposals(kind, box, driver):
    """Two agents of one seed propose the same, whatever numpy's global stream does; it is left as it was."""
    np.random.seed(3)  # noqa: NPY002  # the stream that must not matter
    first = driver(kind("a", box(3), 5), bowl).run(60)
    np.random.seed(4)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    second = driver(kind("a", box(3), 5), bowl).run(60)
    assert first.hashes == second.hashes
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("kind", [CmaEs, ModelCmaEs, DifferentialEvolution, Sobol, Random])
def test_another_seed_gives_other_proposals(kind, box, driver):
    """Agents of other seeds go their own ways."""
    first = driver(kind("a", box(3), 5), bowl).run(40)
    second = driver(kind("a", box(3), 6), bowl).run(40)
    assert len(set(first.hashes) & set(second.hashes)) <= 4


@pytest.mark.parametrize("kind", AGENTS)
def test_outcomes_may_come_late_and_in_any_order(kind, box):
    """Proposals of several asks may be told in reverse, one at a time; the agent goes on."""
    agent, total = kind("a", box(3), 2), 0
    for _ in range(30):
        proposals = [*agent.ask(View(), 3), *agent.ask(View(), 3)]
        total += len(proposals)
        for proposal in reversed(proposals):
            agent.tell(answered([proposal], lambda content: bowl(np.asarray(content["x"]))))
    assert total > 20


@pytest.mark.parametrize("kind", [CmaEs, ModelCmaEs, DifferentialEvolution])
def test_infeasible_and_failed_points_are_survived(kind, box, driver):
    """Where half of the box is infeasible and a corner fails, the agent still comes near the best feasible point."""

    def status(x):
        return "failed" if x.min() < -4.0 else ("ok" if x[0] >= 1.0 else str(1.0 - x[0]))

    found = driver(kind("a", box(3), 3), lambda x: np.sum(x**2), status=status).run(900)
    assert found.best < 1.05, "the best feasible cost is 1"


@pytest.mark.parametrize("kind", AGENTS)
def test_at_most_as_many_as_offered(kind, box):
    """Neither the evaluations offered nor the view's limit on proposals is exceeded."""
    assert len(kind("a", box(2), 1).ask(View(), 2)) <= 2
    assert len(kind("a", box(2), 1).ask(View(proposals_max=3), 50)) <= 3


@pytest.mark.parametrize("kind", AGENTS)
def test_a_tiny_space_is_used_up_and_then_left_alone(kind):
    """An agent on four candidates proposes them at most once and does not hang."""
    problem = Problem(space={"n": Integer(0, 1, shape=(2,))}, evaluate=lambda n: 0.0, minimise="n")
    agent, seen = kind("a", problem, 1), []
    for _ in range(12):
        proposals = agent.ask(View(), 3)
        seen += [p.candidate.hash for p in proposals]
        agent.tell(answered(proposals, lambda content: float(sum(content["n"]))))
    assert len(seen) == len(set(seen)) <= 4


@given(st.lists(MERITS, min_size=1, max_size=12))
def test_costs_keep_the_order_of_merits(merits):
    """Costs are finite; a feasible point never costs more than an infeasible one, nor that more than a failed one."""
    costs = costs_of(merits)
    assert np.isfinite(costs).all()
    ranks = [rank for rank, _ in merits]
    for i, one in enumerate(merits):
        for j, other in enumerate(merits):
            if one < other:
                assert costs[i] <= costs[j]
            if ranks[i] < 2 == ranks[j]:
                assert costs[i] < costs[j]


def test_merits_follow_the_direction_of_the_metric():
    """With sign -1 a larger value is the better merit; refused counts as failed."""
    assert merit_of(Outcome("e", None, "ok", 2.0), -1.0) < merit_of(Outcome("e", None, "ok", 1.0), -1.0)
    assert merit_of(Outcome("e", None, "refused"), 1.0) == (2, 0.0)


def test_smallest_steps_follow_the_bins():
    """A fifth of a bin for integers and choices, nothing for floats."""
    space = Space({"x": Float(0.0, 1.0), "n": Integer(1, 4), "c": Choice(("a", "b"), shape=(2,))})
    assert smallest_steps(space).tolist() == pytest.approx([0.0, 0.05, 0.1, 0.1])
