"""The puzzles that ship: each has one solution, found by us and by exact cover; and their equivalent forms."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_solver import solutions

from colony.experiments.sudoku import solve
from colony.experiments.sudoku.grid import is_solution
from colony.experiments.sudoku.puzzles import equivalent, published_puzzles, seventeen_clues


@pytest.mark.parametrize("agents", [1, 4, 9, 16])
@pytest.mark.parametrize("published", sorted(published_puzzles()))
def test_every_published_puzzle_is_solved(published, agents):
    """Any number of agents finds the one solution, which exact cover confirms to be the only one."""
    puzzle = published_puzzles()[published].puzzle
    (expected,) = solutions(puzzle)
    assert solve(puzzle, agents=agents).solution == expected


def test_there_are_enough_of_each_kind():
    """More than a dozen of the hardest, and fifty different ones of 17 clues, with one solution each."""
    assert sum("hardest" in entry.by for entry in published_puzzles().values()) >= 12
    assert len(set(seventeen_clues())) == 50
    for puzzle in seventeen_clues():
        assert sum(digit != "0" for digit in puzzle) == 17
        (expected,) = solutions(puzzle)
        assert solve(puzzle, agents=2).solution == expected


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_equivalent_forms(seed):
    """A form of a puzzle has as many clues, one solution, and the same seed gives the same form."""
    puzzle = published_puzzles()["example"].puzzle
    form = equivalent(puzzle, Random(seed))
    assert form == equivalent(puzzle, Random(seed))
    assert form.count("0") == puzzle.count("0")
    (solution,) = solutions(form)
    assert is_solution(solution, form)


def test_forms_differ():
    """Twenty seeds are twenty instances."""
    puzzle = published_puzzles()["example"].puzzle
    assert len({equivalent(puzzle, Random(seed)) for seed in range(20)}) == 20
