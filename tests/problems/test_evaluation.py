"""Judgement: a score is one finite number, constraints are reported and hold, or there is a reason why not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.problems.evaluation import Rules
from colony.problems.metric import Metric

RULES = Rules(Metric("height", "maximise"), {"gap": 1e-3})


@pytest.mark.parametrize(
    "answer", [math.nan, math.inf, -math.inf, None, True, "9", [1.0], {}, {"value": None}, 10**400]
)
def test_what_is_no_finite_number_is_no_score(answer):
    """Neither NaN nor a flag, a text, a list or a number beyond floats."""
    assert Rules(RULES.metric).judge(answer).status == "failed"


def test_a_declared_constraint_must_be_reported():
    """An evaluator that keeps quiet about a constraint is not believed."""
    judged = RULES.judge({"value": 1.0})
    assert judged.status == "failed"
    assert "gap" in judged.reason


@given(st.floats(-1.0, 1.0))
def test_a_constraint_holds_within_its_tolerance_and_not_beyond(amount):
    """Violations are exactly the amounts above the tolerance."""
    judged = RULES.judge({"value": 1.0, "constraints": {"gap": amount}})
    assert (judged.status == "ok") == (amount <= 1e-3)
    assert judged.violation == (amount if amount > 1e-3 else 0)


def test_a_constraint_nobody_declared_binds_at_zero():
    """What an evaluator calls a violation is one."""
    assert RULES.judge({"value": 1.0, "constraints": {"gap": 0.0, "other": 1e-12}}).status == "infeasible"


def test_a_constraint_that_is_no_number_fails():
    """NaN does not hold by comparing false."""
    assert RULES.judge({"value": 1.0, "constraints": {"gap": math.nan}}).status == "failed"
