"""Spaces map onto the unit cube and back, and say what is wrong with a candidate or a declaration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.errors import ProblemError
from colony.problems.space import Choice, Float, Integer, Permutation, Space, space_from

SPACE = Space(
    {
        "rate": Float(1e-4, 10.0, log=True),
        "points": Float(-1.0, 1.0, shape=(3, 2)),
        "count": Integer(1, 64, log=True),
        "sort": Choice(("a", 1, 1.0, None)),
        "order": Permutation(5),
    }
)
UNITS = st.lists(st.floats(0.0, 1.0), min_size=SPACE.dimension, max_size=SPACE.dimension).map(np.asarray)


@given(UNITS)
def test_every_place_of_the_cube_is_a_candidate(unit: np.ndarray) -> None:
    """Whatever numeric methods propose is allowed."""
    assert SPACE.faults(SPACE.decode(unit)) == []


@given(UNITS)
def test_encoding_keeps_what_decoding_said(unit: np.ndarray) -> None:
    """Decoding an encoded candidate gives it back: exactly for whole things, closely for floats."""
    values = SPACE.decode(unit)
    again = SPACE.decode(SPACE.encode(values))
    assert {k: again[k] for k in ("count", "sort", "order")} == {k: values[k] for k in ("count", "sort", "order")}
    assert np.allclose(again["points"], values["points"], atol=1e-12)
    assert np.isclose(again["rate"], values["rate"], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", float("nan"), "not a finite number"),
        ("rate", 11.0, "outside"),
        ("rate", True, "not a finite number"),
        ("points", [[0.0, 0.0]], "needs shape"),
        ("count", 2.0, "not a whole number"),
        ("sort", True, "none of the options"),
        ("order", [0, 1, 2, 3, 3], "not an order"),
    ],
)
def test_a_candidate_that_is_none_is_told_why(name: str, value: object, said: str) -> None:
    """The fault names the variable and the reason."""
    values = {**SPACE.midpoint(), name: value}
    (fault,) = SPACE.faults(values)
    assert fault.startswith(name)
    assert said in fault


def test_missing_and_foreign_variables_are_faults() -> None:
    """A candidate has exactly the variables of its space; anything beside them might be a smuggled score."""
    values = {**SPACE.midpoint(), "score": 1e9}
    del values["rate"]
    assert SPACE.faults(values) == ["rate: missing", "score: no such variable"]


@pytest.mark.parametrize(
    "declaration",
    [
        {},
        {"x": (5.0, 1.0)},
        {"x": {"type": "float", "low": 0, "high": 1, "log": True}},
        {"x": {"type": "what"}},
        {"x": []},
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declaration: dict[str, object]) -> None:
    """The message names the space."""
    with pytest.raises(ProblemError, match="space"):
        space_from(declaration)


def test_a_countable_space_is_enumerated_once_through() -> None:
    """As many candidates as its size says, all different and allowed."""
    space = Space({"n": Integer(-1, 1), "c": Choice(("x", "y"), shape=(2,))})
    found = list(space.enumerate())
    assert len(found) == space.size == 12
    assert len({repr(values) for values in found}) == 12
    assert all(space.faults(values) == [] for values in found)
