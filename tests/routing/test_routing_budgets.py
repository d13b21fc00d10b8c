"""Budgets: never passed, whatever happens at once; what is reserved and not settled counts as spent."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from colony.primitives.errors import BudgetError, UsageError
from colony.routing.budgets import Budgets, Reservation, Settlement, spending_of
from colony.routing.table import Limits
from colony.stm import Memory, TVar, atomically

NOON = 1_795_219_200_000 + 12 * 3_600_000
DAY = 86_400_000
LIMITS = Limits(task_dollars=1.0, day_dollars=2.0, month_dollars=5.0)


def reservation(name="r", task="X-1", microdollars=600_000, at=NOON):
    return Reservation(name, task, at, microdollars)


@pytest.mark.parametrize(
    ("limit", "before", "then"),
    [
        ("task", [("a", "X-1", NOON)], ("b", "X-1", NOON)),
        ("day", [("a", "X-1", NOON), ("b", "X-2", NOON), ("c", "X-3", NOON)], ("d", "X-4", NOON)),
        ("month", [(str(i), f"X-{i}", NOON + i // 3 * DAY) for i in range(8)], ("z", "X-9", NOON + 4 * DAY)),
    ],
)
def test_each_limit_binds(limit, before, then):
    """The task's, the day's and the month's limit refuse by name, and a refusal sets nothing aside."""
    budgets = Budgets(LIMITS)
    for name, task, at in before:
        budgets.reserve(reservation(name, task, at=at))
    spending = budgets.spending
    with pytest.raises(BudgetError, match=f"limit of the {limit}, "):
        budgets.reserve(reservation(then[0], then[1], at=then[2]))
    assert budgets.spending == spending


def test_days_and_months_end():
    """On the next day the day's limit is whole again; the task's is not."""
    budgets = Budgets(LIMITS)
    for i in range(3):
        budgets.reserve(reservation(str(i), f"X-{i}"))
    assert budgets.left("X-9", NOON) == 200_000
    assert budgets.left("X-9", NOON + DAY) == 1_000_000
    assert budgets.left("X-1", NOON + DAY) == 400_000
    assert budgets.left("X-1", NOON + 40 * DAY) == 400_000


def test_settling_gives_the_rest_back():
    """What was not used is free again, what was used stays; a released reservation leaves nothing."""
    budgets = Budgets(LIMITS)
    budgets.reserve(reservation("a"))
    budgets.settle("a", 100_000)
    assert budgets.left("X-1", NOON) == 900_000
    budgets.reserve(reservation("b"))
    budgets.release("b")
    assert budgets.left("X-1", NOON) == 900_000
    assert budgets.statistics()["open"] == []


def test_a_call_that_cost_more_than_reserved():
    """The truth is booked even where it passes a limit, and nothing fits after it."""
    budgets = Budgets(LIMITS)
    budgets.reserve(reservation("a"))
    budgets.settle("a", 1_500_000)
    assert budgets.left("X-1", NOON) == -500_000
    with pytest.raises(BudgetError, match=r"\$0\.0000 left"):
        budgets.reserve(reservation("b", microdollars=1))


def test_contradictions():
    """An id that is open, one that is not, and negative amounts are refused."""
    budgets = Budgets(LIMITS)
    budgets.reserve(reservation("a", microdollars=1))
    with pytest.raises(UsageError, match="open already"):
        budgets.reserve(reservation("a", microdollars=1))
    with pytest.raises(UsageError, match="not open"):
        budgets.settle("b", 1)
    with pytest.raises(UsageError, match="at least 0"):
        budgets.settle("a", -1)
    with pytest.raises(UsageError, match="at least 0"):
        budgets.reserve(reservation("c", microdollars=-1))
    budgets.release("a")
    with pytest.raises(UsageError, match="settled already"):
        budgets.release("a")


def test_a_crash_between_reserve_and_settle():
    """Folded from what was journaled before the crash, the money of the call under way counts until it is settled."""
    journal = []
    budgets = Budgets(LIMITS, record=journal.append)
    budgets.reserve(reservation("a"))
    budgets.settle("a", 50_000)
    budgets.reserve(reservation("b"))
    after = Budgets(LIMITS, spending=spending_of(journal), record=journal.append)
    assert after.left("X-1", NOON) == 350_000
    with pytest.raises(BudgetError):
        after.reserve(reservation("c"))
    after.settle("b", 100_000)
    assert spending_of(journal) == after.spending
    assert after.left("X-1", NOON) == 850_000


def test_a_journal_that_fails():
    """Where the entry cannot be recorded the caller learns it, and the money stays set aside."""

    def full(entry):
        raise OSError(28, "full")

    budgets = Budgets(LIMITS, record=full)
    with pytest.raises(OSError, match="full"):
        budgets.reserve(reservation("a"))
    assert budgets.left("X-1", NOON) == 400_000


def test_part_of_a_larger_transaction():
    """A reservation and another change happen together or not at all."""
    memory = Memory()
    budgets, lease = Budgets(LIMITS, memory=memory), TVar("free", memory=memory)

    def claim(task, money):
        def body(transaction):
            transaction.write(lease, task)
            budgets.reserving(reservation(task, task, money))(transaction)

        atomically(body, memory=memory)

    with pytest.raises(BudgetError):
        claim("X-1", 2_000_000)
    assert lease.value == "free"
    claim("X-2", 900_000)
    assert lease.value == "X-2"
    assert budgets.spending.open["X-2"].microdollars == 900_000


def test_many_threads():
    """However many reserve and settle at once, no limit is passed at any moment, and no microdollar is lost."""
    journal, lock = [], threading.Lock()

    def record(entry):
        with lock:
            journal.append(entry)

    budgets = Budgets(Limits(day_dollars=0.001), record=record)
    barrier, peaks, taken = threading.Barrier(8), [], []

    def work(number):
        barrier.wait()
        for turn in range(40):
            name = f"{number}.{turn}"
            try:
                budgets.reserve(reservation(name, microdollars=90 + number))
            except BudgetError:
                continue
            peaks.append(sum(each.microdollars for each in budgets.spending.open.values()))
            budgets.settle(name, turn % 3)
            taken.append(turn % 3)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken
    assert max(peaks) <= 1_000
    assert set(budgets.spending.spent.values()) == {sum(taken)}
    assert len(journal) == 2 * len(taken)


amounts = st.integers(0, 700_000)


class Purse(RuleBasedStateMachine):
    """Reserve and settle in any order: sums agree with a plain model, and no limit is passed but by what calls cost."""

    def __init__(self):
        super().__init__()
        self.journal = []
        self.budgets = Budgets(LIMITS, record=self.journal.append)
        self.booked = {}
        self.count = 0

    @rule(task=st.sampled_from(["A", "B", "C"]), day=st.integers(0, 3), money=amounts)
    def reserve(self, task, day, money):
        self.count += 1
        entry = reservation(str(self.count), task, money, NOON + day * DAY)
        fits = all(
            sum(m for t, d, m in self.booked.values() if keep(t, d)) + money <= limit
            for keep, limit in (
                (lambda t, _: t == task, 1_000_000),
                (lambda _, d: d == day, 2_000_000),
                (lambda *_: True, 5_000_000),
            )
        )
        if fits:
            self.budgets.reserve(entry)
            self.booked[entry.id] = (task, day, money)
        else:
            with pytest.raises(BudgetError):
                self.budgets.reserve(entry)

    @rule(share=st.floats(0, 1), place=st.integers(0, 99))
    def settle(self, share, place):
        names = sorted(self.budgets.spending.open)
        if names:
            name = names[place % len(names)]
            task, day, money = self.booked[name]
            self.booked[name] = (task, day, int(money * share))
            self.budgets.settle(name, int(money * share))

    @invariant()
    def never_passed(self):
        spent = self.budgets.spending.spent
        limits = {"task": 1_000_000, "day": 2_000_000, "month": 5_000_000}
        assert all(amount <= limits[account.partition(":")[0]] for account, amount in spent.items())
        assert sum(v for k, v in spent.items() if k[0] == "t") == sum(m for *_, m in self.booked.values())

    @invariant()
    def folds_back(self):
        assert spending_of(self.journal) == self.budgets.spending


TestPurse = Purse.TestCase
TestPurse.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@given(st.lists(amounts, max_size=8))
def test_no_limit_limits_nothing(money):
    """Without limits everything fits and is counted all the same."""
    budgets = Budgets(Limits())
    for place, each in enumerate(money):
        budgets.reserve(reservation(str(place), microdollars=each))
    assert budgets.left("X-1", NOON) is None
    assert budgets.spending.spent.get("task:X-1", 0) == sum(money)


def test_entries_are_json():
    """An entry journals as plain names and values, and comes back the same."""
    assert reservation("a")._asdict() == {"id": "a", "task": "X-1", "at_milliseconds": NOON, "microdollars": 600_000}
    assert Settlement(**Settlement("a", 3)._asdict()) == Settlement("a", 3)
