"""The account of a run: five budgets that bind, reservations that never overrun, and a fold that can be done again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from colony.governance.budget import BudgetAccount, Spent
from colony.problems.metric import Budget

amounts = st.integers(0, 40)
money = st.integers(0, 8).map(lambda n: n / 4)


def optional(strategy):
    return st.none() | strategy


class Account(RuleBasedStateMachine):
    """Reserve, settle and check in any order; the world never uses more than it has reserved."""

    reservations = Bundle("reservations")

    @rule(experiments=optional(amounts), evaluations=optional(amounts), dollars=optional(money), kept=st.integers(0, 6))
    @precondition(lambda self: not hasattr(self, "account"))
    def open(self, experiments, evaluations, dollars, kept):
        self.budget = Budget(experiments, evaluations, cpu_seconds=30.0, money=dollars)
        self.account = BudgetAccount(self.budget, kept_evaluations=kept)
        self.reserved = []

    @rule(target=reservations, experiments=st.integers(0, 9), evaluations=st.integers(0, 9), dollars=money)
    @precondition(lambda self: hasattr(self, "account"))
    def reserve(self, experiments, evaluations, dollars):
        """Refused exactly where one of the budgets would not hold it; a refusal sets nothing aside."""
        before = (self.account.experiments_left(), self.account.evaluations_left())
        taken = sum(r[2] for r in self.reserved) + self.account.spent.money
        fits = all(left is None or want <= left for left, want in zip(before, (experiments, evaluations), strict=True))
        fits = fits and (self.budget.money is None or taken + dollars <= self.budget.money)
        fits = fits and self.account.spent.cpu_seconds < 30.0
        assert self.account.reserve(experiments=experiments, evaluations=evaluations, money=dollars) == fits
        if not fits:
            assert (self.account.experiments_left(), self.account.evaluations_left()) == before
            return (0, 0, 0.0)
        self.reserved.append((experiments, evaluations, dollars))
        return (experiments, evaluations, dollars)

    @rule(reservation=consumes(reservations), part=st.integers(0, 9), cpu=st.integers(0, 5))
    def settle(self, reservation, part, cpu):
        """What was reserved is given back, what was used is booked: no more than that."""
        experiments, evaluations, dollars = reservation
        if reservation in self.reserved:
            self.reserved.remove(reservation)
        used, before = min(part, evaluations), self.account.spent
        self.account.settle(
            reserved=(experiments, evaluations),
            evaluations=used,
            cpu_seconds=cpu,
            reserved_money=dollars,
            money=dollars,
        )
        after = self.account.spent
        assert (after.experiments - before.experiments, after.evaluations - before.evaluations) == (experiments, used)
        assert (after.cpu_seconds - before.cpu_seconds, after.money - before.money) == (cpu, dollars)

    @invariant()
    def never_negative_and_never_overrun(self):
        if not hasattr(self, "account"):
            return
        spent, budget = self.account.spent, self.budget
        assert min(self.account.experiments_left() or 0, self.account.evaluations_left() or 0) >= 0
        for used, limit, index in (
            (spent.experiments, budget.experiments, 0),
            (spent.evaluations, budget.evaluations, 1),
            (spent.money, budget.money, 2),
        ):
            assert limit is None or used + sum(r[index] for r in self.reserved) <= limit

    @invariant()
    def what_is_left_is_what_was_given_less_what_was_taken(self):
        if hasattr(self, "account") and self.budget.experiments is not None:
            taken = self.account.spent.experiments + sum(r[0] for r in self.reserved)
            assert self.account.experiments_left() == self.budget.experiments - taken


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("budget", "spent", "wall", "name"),
    [
        (Budget(experiments=3), Spent(experiments=3), 0.0, "experiments"),
        (Budget(evaluations=3), Spent(evaluations=3), 0.0, "evaluations"),
        (Budget(wall_seconds=3.0), Spent(), 3.0, "wall_seconds"),
        (Budget(cpu_seconds=3.0), Spent(cpu_seconds=3.0), 0.0, "cpu_seconds"),
        (Budget(money=3.0), Spent(money=3.0), 0.0, "money"),
    ],
)
def test_each_of_the_five_budgets_binds(budget, spent, wall, name):
    """Each budget alone ends a run at its limit, by its name, and not before."""
    account = BudgetAccount(budget)
    assert account.exhausted(0.0) is None
    account.restore(spent)
    assert account.exhausted(wall) == name


@given(st.integers(0, 50), st.integers(0, 50))
def test_evaluations_kept_for_the_end_are_not_given_to_the_search(budget, kept):
    """Whatever is kept back is neither offered nor reservable until it is released."""
    account = BudgetAccount(Budget(evaluations=budget), kept_evaluations=kept)
    free = max(0, budget - kept)
    assert account.evaluations_left() == free
    assert not account.reserve(experiments=0, evaluations=free + 1)
    account.kept_evaluations = 0
    assert account.evaluations_left() == budget


def test_an_account_fails_closed():
    """A budget of nothing allows nothing, and used-up CPU time refuses even work that needs nothing else."""
    assert not BudgetAccount(Budget(experiments=0)).reserve(experiments=1, evaluations=0)
    assert not BudgetAccount(Budget(evaluations=0)).reserve(experiments=1, evaluations=1)
    assert not BudgetAccount(Budget(money=0.0)).reserve(experiments=1, evaluations=1, money=0.01)
    account = BudgetAccount(Budget(cpu_seconds=1.0))
    account.spend_check(1, 1.0)
    assert not account.reserve(experiments=0, evaluations=0)


def test_checks_count_without_a_reservation():
    """What measuring noise or verifying used comes off the same budget."""
    account = BudgetAccount(Budget(evaluations=10))
    account.spend_check(4, 0.5)
    assert (account.evaluations_left(), account.spent) == (6, Spent(0, 4, 0.5, 0.0))
    assert account.statistics()["evaluations"] == 4
