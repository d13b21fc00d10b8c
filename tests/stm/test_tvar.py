"""A variable, its memory, and the figures a memory gives of itself."""

import itertools

import pytest

from colony.primitives.errors import TransactionError
from colony.stm import DEFAULT, Memory, Statistics, TVar, atomically, check, retry
from colony.stm.transaction import Transaction
from colony.stm.waiting import ThreadWaiter


def test_a_variable_starts_with_its_value_in_the_default_memory():
    """Without a memory, a variable lives in the default one."""
    variable = TVar(7, "seven")
    assert variable.value == 7
    assert variable.memory is DEFAULT
    assert repr(variable) == "TVar(seven=7)"


def test_a_variable_of_another_memory_is_refused():
    """Reading or writing a variable of another memory is an error that names it, and writes nothing."""
    here, there = TVar(1, "here", memory=Memory()), TVar(2, "there", memory=Memory())

    def read(t):
        t.write(here, 5)
        t.read(there)

    def write(t):
        t.write(here, 5)
        t.write(there, 6)

    for body in (read, write):
        with pytest.raises(TransactionError, match="there"):
            atomically(body, memory=here.memory)
    assert (here.value, there.value) == (1, 2)


def test_statistics_count_exactly():
    """Commits, distinct reads and writes are summed over committed transactions, retries over runs."""
    memory = Memory()
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)

    def body(t):
        t.write(a, t.read(a) + t.read(b) + t.read(a))

    for _ in range(3):
        atomically(body, memory=memory)
    with pytest.raises(TransactionError):
        atomically(lambda t: retry(), memory=memory)
    figures = memory.statistics()
    assert figures == Statistics(
        commits=3,
        conflicts=0,
        retries=1,
        waits=0,
        longest_wait_seconds=figures.longest_wait_seconds,
        reads=6,
        writes=3,
        exclusives=0,
        most_losses=0,
    )


def test_statistics_count_retries_and_waits():
    """Each run that says `retry` counts, each sleep too, and it is as long as the memory's clock says."""
    memory = Memory(monotonic=itertools.count(0, 10).__next__)
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)
    t = Transaction(memory)

    def body(t):
        t.write(b, t.read(a))
        if t.attempts == 1:
            write_elsewhere(1)
        check(t.read(a) > 1)

    def write_elsewhere(value):
        rival = Transaction(memory)
        rival.write(a, value)
        assert rival._commit()

    assert not t.attempt(body)  # its first run is over before it is lost: `retry` asks for a change that has come
    t.wait()
    assert not t.attempt(body)
    with t._parked(ThreadWaiter()):
        write_elsewhere(2)
    assert t.attempt(body)
    figures = memory.statistics()
    assert (figures.commits, figures.conflicts, figures.retries) == (3, 0, 2)
    assert (figures.waits, figures.longest_wait_seconds) == (1, 10)
