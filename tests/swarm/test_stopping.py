"""When a run ends, and why: one decision over what is known."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from colony.governance.budget import BudgetAccount, Spent
from colony.memory.run_state import COUNTS
from colony.problems.metric import Budget, Metric
from colony.swarm.stopping import ALL_FAILED_MIN, Stopping


def state(verified=None, claimed=None, **counts):
    claim = SimpleNamespace(value=claimed, verified_value=verified) if verified is not None else None
    return SimpleNamespace(verified=claim, counts={**dict.fromkeys(COUNTS, 0), **counts})


def account(spent=None, **budget):
    made = BudgetAccount(Budget(**budget))
    made.restore(spent or Spent())
    return made


@pytest.mark.parametrize(("direction", "reached", "missed"), [("maximise", 7.0, 6.9), ("minimise", 7.0, 7.1)])
def test_a_target_is_reached_by_a_verified_value_only(direction, reached, missed):
    """The verifier's own value counts, not the claimed one."""
    stopping = Stopping(Metric("h", direction), target=7.0)
    assert stopping.reason(state(reached), account(), 0.0) == "target reached"
    assert stopping.reason(state(missed, claimed=reached), account(), 0.0) is None
    assert stopping.reason(state(), account(), 0.0) is None


def test_a_known_bound_ends_a_run():
    """Nothing can be better than the bound."""
    stopping = Stopping(Metric("h", "minimise", bound=0.0))
    assert stopping.reason(state(0.0), account(), 0.0) == "bound reached"
    assert stopping.reason(state(1e-12), account(), 0.0) is None


def test_budgets_come_first():
    """A run that is over budget says so, whatever else holds."""
    stopping = Stopping(Metric("h", "maximise"), target=1.0)
    spent = account(Spent(evaluations=5), evaluations=5)
    assert stopping.reason(state(2.0), spent, 0.0) == "budget: evaluations"
    assert stopping.reason(state(), account(wall_seconds=3.0), 3.5) == "budget: wall seconds"


def test_a_run_in_which_everything_fails_is_given_up():
    """After many experiments of which none succeeded the run ends; a single success keeps it going."""
    stopping = Stopping(Metric("h", "maximise"))
    all_failed = state(experiments=ALL_FAILED_MIN, failed=ALL_FAILED_MIN)
    assert stopping.reason(all_failed, account(), 0.0) == "every proposal failed"
    assert stopping.reason(state(experiments=ALL_FAILED_MIN, failed=ALL_FAILED_MIN - 1), account(), 0.0) is None
    assert stopping.reason(state(experiments=3, failed=3), account(), 0.0) is None
