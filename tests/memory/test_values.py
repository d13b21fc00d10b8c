"""The values of named shared memory: what JSON can carry, and nothing that can be changed in place."""

import enum
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.memory.values import FrozenMapping, frozen
from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import INTEGER_MAX, JSON_DEPTH_MAX, VARIABLE_BYTES_MAX

text = st.text(st.characters(exclude_categories=["Cs"]))
atoms = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.floats(allow_nan=False, allow_infinity=False)
) | text
values = st.recursive(atoms, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20)


def types(value):
    """The shape of a value, with the type of each part."""
    if isinstance(value, tuple):
        return (tuple, *map(types, value))
    if isinstance(value, dict):
        return (FrozenMapping, *((key, types(each)) for key, each in value.items()))
    return type(value)


@given(values)
def test_a_frozen_value_is_equal_hashable_and_what_json_carries(value):
    """Freezing changes containers alone, is done once for all, and canonical JSON gives the same value back."""
    made = frozen(value, "v")
    hash(made)
    assert canonical(made) == canonical(value)
    assert frozen(made, "v") == made
    assert types(frozen(made, "v")) == types(made)
    assert frozen(parse(canonical(made)), "v") == made


def test_what_was_frozen_does_not_change_with_its_source():
    """A list or dict that its owner goes on changing leaves the value as it was."""
    source = {"a": [1, 2]}
    made = frozen(source, "v")
    source["a"].append(3)
    source["b"] = 1
    assert made == {"a": (1, 2)}


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(b=1),
        lambda m: m.__setitem__("a", 2),
        lambda m: m.pop("a"),
        lambda m: m.__delitem__("a"),
        lambda m: m.clear(),
        lambda m: m.setdefault("c", 1),
        lambda m: m.popitem(),
        lambda m: m.__ior__({"b": 1}),
    ],
)
def test_a_frozen_mapping_refuses_to_be_changed(change):
    """Each way of changing a dict in place is refused, and says what to write instead."""
    mapping = frozen({"a": 1}, "v")
    with pytest.raises(TypeError, match=r"value \| "):
        change(mapping)
    assert mapping == {"a": 1}
    assert mapping | {"b": 2} == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, (1, -math.inf), {1, 2}, object(), b"x", {"a": {1: 2}}, "\ud800", ("\ud800",), {"\ud800": 1}],
)
def test_what_json_cannot_carry_is_refused_by_name(value):
    """The error names the variable that was to hold it."""
    with pytest.raises(EncodingError, match="'prey'"):
        frozen(value, "prey")


def nest(levels):
    value = 1
    for _ in range(levels):
        value = (value,)
    return value


@pytest.mark.parametrize(
    "value",
    [INTEGER_MAX + 2, -INTEGER_MAX - 2, 2**60, 2**2000, "x" * VARIABLE_BYTES_MAX, nest(JSON_DEPTH_MAX + 1), nest(5000)],
)
def test_what_is_too_large_is_refused_by_name(value):
    """Integers, bytes and depth have limits, and the error names the variable."""
    with pytest.raises(LimitError, match="'prey'"):
        frozen(value, "prey")


def test_what_is_just_within_the_limits_is_taken():
    """The limits themselves are allowed."""
    for value in (INTEGER_MAX, "x" * (VARIABLE_BYTES_MAX - 2), nest(JSON_DEPTH_MAX)):
        assert frozen(value, "v") == value


def test_subclasses_become_the_plain_types():
    """An enumeration's member, say, is stored as the number or text that it is."""

    class Colour(enum.IntEnum):
        RED = 3

    class Word(enum.StrEnum):
        YES = "yes"

    assert types(frozen((Colour.RED, Word.YES, True), "v")) == (tuple, int, str, bool)
