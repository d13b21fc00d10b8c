"""A variable, its memory, and the figures a memory gives of itself."""

import pytest

from colony.primitives.errors import TransactionError
from colony.stm import DEFAULT, Memory, Statistics, TVar, atomically, retry


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
