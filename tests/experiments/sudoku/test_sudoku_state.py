"""The shared state: a strike solves, counts and contradicts in one transaction, and touches one cell."""

import pytest

from colony.experiments.sudoku.grid import CELLS, EVERY, Contradiction, bit
from colony.experiments.sudoku.puzzles import published_puzzles
from colony.experiments.sudoku.state import SudokuState, count
from colony.experiments.trial import Group, Purse
from colony.memory.named_memory import NamedMemory
from colony.primitives.encoding import canonical

PUZZLE = published_puzzles()["example"].puzzle


@pytest.fixture
def memory():
    return NamedMemory()


@pytest.fixture
def state(memory):
    return SudokuState(memory)


def test_givens(memory, state):
    """Givens are solved cells; putting them in again changes nothing."""
    for _ in range(2):
        memory.atomically(lambda t: state.set_givens(t, PUZZLE))
    assert memory.atomically(state.show) == PUZZLE
    assert memory.atomically(lambda t: t.read(state.solved_count)) == 30
    assert count(memory.atomically(state.masks)) == 30 + 51 * 9


def test_a_strike(memory, state):
    """Candidates go; the last one left is the cell's digit, and is counted once."""
    assert memory.atomically(lambda t: state.strike(t, 0, EVERY & ~bit(3) & ~bit(4)))
    assert not memory.atomically(lambda t: state.strike(t, 0, bit(9)))
    assert state.grid[0].value == state.solved_count.value == 0
    assert memory.atomically(lambda t: state.strike(t, 0, bit(3)))
    assert (state.grid[0].value, state.solved_count.value) == (4, 1)
    assert not memory.atomically(lambda t: state.strike(t, 0, bit(3)))
    assert state.solved_count.value == 1


def test_a_contradiction_rolls_back(memory, state):
    """A strike that leaves a cell without candidates undoes all that its transaction did."""

    def body(t):
        state.strike(t, 5, EVERY & ~bit(1))
        state.strike(t, 6, EVERY)

    before = memory.state_hash()
    with pytest.raises(Contradiction):
        memory.atomically(body)
    assert memory.state_hash() == before
    assert state.grid[5].value == 0


def test_agents_meet_only_where_they_look_at_the_same_cells(memory, state):
    """Two strikes at different cells touch no variable in common."""
    touched = []
    for cell in (0, 1):

        def body(t, cell=cell):
            state.strike(t, cell, bit(1))
            return {*t.reads, *t.writes}

        touched.append(memory.atomically(body))
    assert not touched[0] & touched[1]


def test_solutions(memory, state):
    """One solution is remembered, the same again changes nothing, and another is the verdict."""
    one, other = [bit(1)] * 81, [bit(2)] * 81
    memory.atomically(lambda t: state.add_solution(t, one))
    memory.atomically(lambda t: state.add_solution(t, one))
    assert (state.solutions.value, state.verdict.value) == (("1" * 81,), "")
    memory.atomically(lambda t: state.add_solution(t, other))
    assert state.verdict.value == "several"


def test_every_value_can_be_journaled(memory, state):
    """All values are plain: what a memory holds is canonical JSON."""
    Group(memory, Purse(None))
    memory.atomically(lambda t: state.set_givens(t, PUZZLE))
    memory.atomically(lambda t: state.add_solution(t, [bit(1)] * 81))
    memory.atomically(lambda t: t.write(state.round, (5, 64, ((0, 1), (3, 4)))))
    assert canonical(memory.state())
    assert {name.split("/")[0] for name in memory.names()} == {
        "grid", "candidates", "solved count", "solutions", "verdict", "round", "over",
    }  # fmt: skip


def test_private_views(memory):
    """What is not shared has the agent's name, and two views of it do not see each other."""
    mine, yours = (SudokuState(memory, private=agent, shared=frozenset({"grid"})) for agent in ("me", "you"))
    memory.atomically(lambda t: mine.strike(t, 0, bit(1)))
    assert memory.atomically(lambda t: (mine.mask(t, 0), yours.mask(t, 0))) == (EVERY & ~bit(1), EVERY)
    memory.atomically(lambda t: mine.strike(t, 0, EVERY & ~bit(2)))
    assert memory.atomically(lambda t: yours.mask(t, 0)) == bit(2)
    assert all(mine.grid[cell] is yours.grid[cell] for cell in CELLS)
