"""The library call: one solution, several, none, or a budget that ends first; and no thread that stays."""

import threading

import pytest

from colony.experiments.sudoku import solve
from colony.experiments.sudoku.grid import is_solution
from colony.experiments.sudoku.puzzles import published_puzzles
from colony.primitives.errors import UsageError

EXAMPLE = published_puzzles()["example"].puzzle
HARD = published_puzzles()["fata-morgana"].puzzle


def test_what_a_solution_tells():
    """The digits, who found what, and what it took; each of the counts has a meaning."""
    found = solve(published_puzzles()["x-wing"].puzzle, agents=9)
    assert is_solution(found.solution, found.puzzle)
    assert found.reason is None
    assert found.found == (found.solution,)
    assert found.solved_cells == 81
    assert found.strikes["x-wing"] > 0
    assert found.guesses == found.refuted == found.rollbacks == 0
    assert found.measurement.solved
    assert found.measurement.duplicates == 0


def test_a_hard_one_takes_guesses():
    """Where no strategy helps, candidates fall by refuted guesses, each of which was rolled back."""
    found = solve(HARD, agents=4)
    assert found.refuted > 0
    assert found.guesses >= found.refuted
    assert found.rollbacks >= found.refuted


@pytest.mark.parametrize("agents", [1, 4, 16])
@pytest.mark.parametrize(
    "puzzle",
    [
        "0" * 81,
        EXAMPLE.replace("5", "0").replace("3", "0"),
        "000006000059000008200008000045000000003000000006003054000325006000000000000000000",
        "120400300300010050006000100700090000040603000003002000500080700007000500000009800",
    ],
)
def test_several_solutions(puzzle, agents):
    """Two solutions that differ are shown, and where."""
    found = solve(puzzle, agents=agents)
    assert (found.solution, found.reason) == (None, "several")
    one, other = found.found
    assert is_solution(one, puzzle)
    assert is_solution(other, puzzle)
    row, column = int(found.differs_at[1]) - 1, int(found.differs_at[3]) - 1
    assert one[9 * row + column] != other[9 * row + column]
    assert one[: 9 * row + column] == other[: 9 * row + column]


IMPOSSIBLE = {
    "a cell that nothing fits": "123456780000000009" + "0" * 63,
    "seen only in a search": HARD[:16] + "2" + HARD[17:],
    "a digit too many": EXAMPLE[:2] + "1" + EXAMPLE[3:],
}


@pytest.mark.parametrize("agents", [1, 4, 16])
@pytest.mark.parametrize("puzzle", IMPOSSIBLE)
def test_no_solution(puzzle, agents):
    """That there is none is found too: by elimination, or by refuting everything."""
    found = solve(IMPOSSIBLE[puzzle], agents=agents)
    assert (found.solution, found.reason, found.found) == (None, "none", ())


def test_a_budget_that_ends_first():
    """With too few evaluations the answer is "unfinished", with what was solved by then."""
    found = solve(EXAMPLE, agents=4, evaluations_max=100)
    assert (found.solution, found.reason) == (None, "unfinished")
    assert 30 <= found.solved_cells < 81
    assert found.measurement.evaluations == 100


def test_time_that_ends_first():
    """So it is with time; agents that sleep are woken to end."""
    assert solve(HARD, agents=4, wall_seconds_max=0.0).reason == "unfinished"


def test_bad_input():
    """A puzzle and a number of agents are checked before anything starts."""
    with pytest.raises(UsageError, match="80 cells"):
        solve("0" * 80)
    with pytest.raises(UsageError, match="at least one"):
        solve(EXAMPLE, agents=0)


def test_no_thread_is_left():
    """Whatever the end, every agent's thread has ended with it."""
    before = threading.active_count()
    for puzzle in (EXAMPLE, HARD, "0" * 81, IMPOSSIBLE["a digit too many"]):
        solve(puzzle, agents=16)
    solve(HARD, agents=16, evaluations_max=50)
    assert threading.active_count() == before
