"""Each strategy where it applies and where it does not, and that none ever strikes a digit of a solution."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_solver import solutions

from colony.experiments.sudoku.grid import EVERY, Contradiction, bit, is_single
from colony.experiments.sudoku.puzzles import equivalent, published_puzzles
from colony.experiments.sudoku.strategies import STRATEGIES


def mask(*digits):
    return sum(bit(digit) for digit in digits)


def strikes(strategy, number, cells):
    """What a pattern deduces from a grid where all is open but `cells`; as cell -> digits struck."""
    pattern = STRATEGIES[strategy][number]
    grid = [cells.get(cell, EVERY) for cell in range(81)]
    found = {}
    for cell, gone in pattern.deduce(pattern.see([grid[cell] for cell in pattern.cells])):
        if gone & grid[cell]:
            found[cell] = found.get(cell, 0) | gone & grid[cell]
    return found


def test_elimination():
    """A solved digit is struck from the rest of its row, column or box, and from nothing else."""
    assert strikes("rows", 0, {4: bit(7)}) == {cell: bit(7) for cell in range(9) if cell != 4}
    assert set(strikes("columns", 4, {4: bit(7)})) == set(range(13, 81, 9))
    assert set(strikes("boxes", 1, {4: bit(7)})) == {3, 5, 12, 13, 14, 21, 22, 23}
    assert strikes("rows", 1, {4: bit(7)}) == {}


def test_last_place():
    """A digit with one place left in a unit is there, whatever else that cell could hold."""
    others = {cell: EVERY & ~bit(3) for cell in range(8)}
    assert strikes("rows", 0, {**others, 8: mask(3, 5, 6)}) == {8: mask(5, 6)}
    assert strikes("rows", 0, {**others, 7: EVERY, 8: mask(3, 5, 6)}) == {}


@pytest.mark.parametrize(
    "cells",
    [
        {0: bit(1), 1: bit(1)},
        {0: 0},
        {cell: EVERY & ~bit(3) for cell in range(9)},
        {cell: EVERY & ~mask(3, 4) for cell in range(8)},
    ],
)
def test_contradictions(cells):
    """Twice the same digit, a cell without candidates, a digit without a place, and two digits for one cell."""
    with pytest.raises(Contradiction):
        strikes("rows", 0, cells)


def test_naked_pairs():
    """Two cells with the same two candidates take them from the rest of the unit; one such cell does not."""
    pair = mask(2, 6)
    assert strikes("naked pairs", 0, {1: pair, 5: pair}) == dict.fromkeys((0, 2, 3, 4, 6, 7, 8), pair)
    assert strikes("naked pairs", 0, {1: pair, 5: mask(2, 7)}) == {}
    assert strikes("naked pairs", 0, {1: mask(2, 6, 7), 5: mask(2, 6, 7)}) == {}


def test_hidden_pairs():
    """Two digits with the same two places have them to themselves; with a third place they do not."""
    pair = mask(2, 6)
    rest = {cell: EVERY & ~pair for cell in range(9) if cell not in (3, 4)}
    assert strikes("hidden pairs", 0, rest) == {3: EVERY & ~pair, 4: EVERY & ~pair}
    assert strikes("hidden pairs", 0, {**rest, 8: EVERY & ~bit(2)}) == {}


def test_pointing():
    """A digit of a box confined to one of its rows is struck from the rest of that row."""
    box = {cell: EVERY & ~bit(5) for cell in (9, 10, 11, 18, 19, 20)}
    assert strikes("pointing", 0, box) == {cell: bit(5) for cell in range(3, 9)}
    del box[9]
    assert strikes("pointing", 0, box) == {}


def test_box_line():
    """A digit of a row confined to one box is struck from the rest of that box."""
    row = {cell: EVERY & ~bit(5) for cell in range(3, 9)}
    assert strikes("box-line", 0, row) == {cell: bit(5) for cell in (9, 10, 11, 18, 19, 20)}
    del row[8]
    assert strikes("box-line", 0, row) == {}


def test_x_wing():
    """A digit with the same two places in two rows leaves the rest of the two columns; so with columns and rows."""
    rows = {9 * r + c: EVERY & ~bit(4) for r in (0, 5) for c in range(9) if c not in (2, 7)}
    expected = {9 * r + c: bit(4) for r in range(9) if r not in (0, 5) for c in (2, 7)}
    assert strikes("x-wing", 3, rows) == expected
    columns = {cell % 9 * 9 + cell // 9: left for cell, left in rows.items()}
    assert set(strikes("x-wing", 9 + 3, columns)) == {cell % 9 * 9 + cell // 9 for cell in expected}
    assert strikes("x-wing", 4, rows) == {}
    del rows[0]
    assert strikes("x-wing", 3, rows) == {}


def test_the_published_x_wing_needs_one():
    """The published example is solved without a guess, and not without X-wings."""
    puzzle = published_puzzles()["x-wing"].puzzle
    assert all(map(is_single, deduced(puzzle, STRATEGIES)))
    assert not all(map(is_single, deduced(puzzle, [s for s in STRATEGIES if s != "x-wing"])))


def deduced(puzzle, strategies):
    """The candidates left when none of the strategies finds anything more."""
    grid = [EVERY if given == "0" else bit(int(given)) for given in puzzle]
    before = None
    while before != grid:
        before = grid.copy()
        for strategy in strategies:
            for pattern in STRATEGIES[strategy]:
                for cell, gone in pattern.deduce(pattern.see([grid[cell] for cell in pattern.cells])):
                    grid[cell] &= ~gone
    return grid


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(published_puzzles())),
    st.integers(0, 2**32),
    st.sets(st.integers(0, 80), max_size=6),
)
def test_every_strategy_is_sound(published, seed, blanked):
    """From any form of a puzzle, even with several solutions, no strategy strikes a digit that a solution has."""
    puzzle = equivalent(published_puzzles()[published].puzzle, Random(seed))
    puzzle = "".join("0" if cell in blanked else digit for cell, digit in enumerate(puzzle))
    left = deduced(puzzle, STRATEGIES)
    for solution in solutions(puzzle):
        assert all(left[cell] & bit(int(digit)) for cell, digit in enumerate(solution))
