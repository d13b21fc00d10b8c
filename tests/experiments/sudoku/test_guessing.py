"""Guesses: nested transactions that leave nothing of what contradicts, within an effort, every examination listed."""

from random import Random

import pytest
from plain_solver import solutions

from colony.experiments.sudoku.grid import CELLS, EVERY, UNITS_OF, bit, text
from colony.experiments.sudoku.guessing import check_guess, possible_guesses
from colony.experiments.sudoku.puzzles import published_puzzles
from colony.stm import Transaction


def candidates(puzzle):
    """The candidates of a puzzle after elimination of the givens."""
    masks = [EVERY if given == "0" else bit(int(given)) for given in puzzle]
    for cell in CELLS:
        if puzzle[cell] != "0":
            for peer in CELLS:
                if peer != cell and set(UNITS_OF[peer]) & set(UNITS_OF[cell]):
                    masks[peer] &= ~bit(int(puzzle[cell]))
    return masks


HARD = published_puzzles()["ai-escargot"].puzzle
(SOLUTION,) = solutions(HARD)


@pytest.mark.parametrize("seed", range(3))
def test_a_right_guess_finds_the_solution_and_a_wrong_one_is_refuted(seed):
    """Every digit of a cell is decided, in agreement with exact cover."""
    masks = candidates(HARD)
    for cell, digit in possible_guesses(masks, 1)[:4]:
        checked = check_guess(masks, (cell, digit), effort=10_000, random=Random(seed))
        right = bit(int(SOLUTION[cell])) == digit
        assert checked.refuted == (not right)
        assert (checked.solution and text(checked.solution)) == (SOLUTION if right else None)
        assert checked.rollbacks > 1
        assert all(strategy in ("rows", "columns", "boxes") for strategy, _, _ in checked.examined)


def test_effort_is_a_limit():
    """With one assumption a hard guess stays undecided, and costs little."""
    masks = candidates(HARD)
    guess = next(g for g in possible_guesses(masks, 1) if bit(int(SOLUTION[g[0]])) == g[1])
    checked = check_guess(masks, guess, effort=1, random=Random(1))
    assert not checked.refuted
    assert checked.solution is None
    assert len(checked.examined) < 200


def test_without_rollback_a_guess_would_go_wrong(monkeypatch):
    """The nested part is what undoes: where it keeps what it wrote, the answers are no longer right."""
    monkeypatch.setattr(Transaction, "nested", lambda self, body: body(self))
    masks = candidates(HARD)
    outcomes = [check_guess(masks, guess, effort=10_000, random=Random(1)) for guess in possible_guesses(masks, 1)[:4]]
    assert not any(checked.solution and text(checked.solution) == SOLUTION for checked in outcomes)


def test_possible_guesses():
    """Cells with the fewest candidates come first, as many as are needed, without the digits that are known."""
    masks = [bit(1)] * 78 + [bit(1) | bit(2), EVERY, bit(3) | bit(4)]
    assert possible_guesses(masks, 1) == [(78, 1), (78, 2), (80, 4), (80, 8)]
    assert len(possible_guesses(masks, 5)) == 4 + 9
    assert possible_guesses(masks, 1, [1] * 80 + [8]) == [(78, 2), (80, 4)]
    assert possible_guesses([1] * 81, 9) == []
