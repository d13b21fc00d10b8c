"""The geometry, and puzzles read and checked: every kind of bad input has one clear sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.experiments.sudoku.grid import (
    BOXES,
    COLUMNS,
    ROWS,
    UNITS,
    UNITS_OF,
    bit,
    digits,
    first_difference,
    is_single,
    is_solution,
    name,
    parse_puzzle,
    text,
)
from colony.primitives.errors import UsageError

PUZZLE = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


def test_geometry():
    """Every kind of unit holds each cell once, and each cell knows its own three."""
    for units in (ROWS, COLUMNS, BOXES):
        assert sorted(cell for unit in units for cell in unit) == list(range(81))
    assert all(cell in UNITS[number] for cell in range(81) for number in UNITS_OF[cell])
    assert BOXES[5] == (33, 34, 35, 42, 43, 44, 51, 52, 53)
    assert (name(0), name(80), name(10)) == ("r1c1", "r9c9", "r2c2")


@given(st.sets(st.integers(1, 9)))
def test_sets_of_digits(some):
    """A set of digits and its bits are the same thing."""
    mask = sum(bit(digit) for digit in some)
    assert set(digits(mask)) == some
    assert is_single(mask) == (len(some) == 1)


def test_text_of_candidates():
    """Solved cells are shown, others are 0."""
    assert text([bit(5), bit(1) | bit(2), 0]) == "500"


def test_accepted_shapes():
    """One line with 0 or dots, nine lines, and nine lines with separators are the same puzzle."""
    rows = [PUZZLE[9 * r : 9 * r + 9].replace("0", ".") for r in range(9)]
    drawn = [f"| {row[:3]} | {row[3:6]} | {row[6:]} |" for row in rows]
    drawn.insert(3, "+-----+-----+-----+")
    for source in (PUZZLE, PUZZLE.replace("0", "."), "\n".join(rows), "\r\n".join(drawn)):
        assert parse_puzzle(source) == PUZZLE


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "0 cells; a puzzle has 81"),
        (PUZZLE[:-1], "80 cells"),
        (PUZZLE + "1", "82 cells"),
        ("53x" + PUZZLE[3:], "character 3 is 'x'"),
        (PUZZLE[:40] + "٣" + PUZZLE[41:], "character 41 is"),
        ("55" + PUZZLE[2:], "r1c1 and r1c2 are both 5, and both in row 1"),
        (PUZZLE[:72] + "5" + PUZZLE[73:], "r1c1 and r9c1 are both 5, and both in column 1"),
        (PUZZLE[:19] + "5" + PUZZLE[20:], "r1c1 and r3c2 are both 5, and both in box 1"),
    ],
)
def test_bad_puzzles(source, words):
    """A wrong length, a strange character and contradictory givens are each named, with their place."""
    with pytest.raises(UsageError) as caught:
        parse_puzzle(source)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_solution_is_recognised():
    """A full grid keeps every rule and every given, or is none."""
    assert is_solution(SOLUTION, PUZZLE)
    assert not is_solution(SOLUTION[1] + SOLUTION[0] + SOLUTION[2:])
    assert not is_solution(SOLUTION.translate(str.maketrans("12", "21")), PUZZLE)
    assert not is_solution(PUZZLE)
    assert first_difference("1" * 81, "1" * 10 + "2" + "1" * 70) == "r2c2"
