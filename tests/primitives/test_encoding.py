"""Canonical bytes, strict parsing, base58."""

from __future__ import annotations

import math
import struct

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.encoding import base58_decode, base58_encode, canonical, parse, sha256
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import INTEGER_MAX, JSON_DEPTH_MAX

any_double = st.binary(min_size=8, max_size=8).map(lambda data: struct.unpack("<d", data)[0]).filter(math.isfinite)
decimal_double = st.builds(
    lambda digits, exponent: float(f"{digits}e{exponent}"), st.integers(-(10**17), 10**17), st.integers(-40, 40)
)
doubles = st.one_of(any_double, decimal_double, st.sampled_from([0.0, -0.0, 5e-324, 1.7976931348623157e308]))
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-INTEGER_MAX, INTEGER_MAX), doubles, texts, st.lists(doubles)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=20,
)


@given(values)
def test_canonical_bytes_are_those_of_rfc8785(value):
    """For every nested value our bytes equal those of the reference implementation."""
    assert canonical(value) == rfc8785.dumps(value)


@given(st.lists(doubles, min_size=1, max_size=50))
def test_a_list_of_floats_takes_the_same_form_as_each_float_alone(floats):
    """The fast path for lists of floats writes each as the reference does, whatever its magnitude."""
    assert canonical(floats) == rfc8785.dumps(floats)
    assert canonical(tuple(floats)) == canonical(floats)


@pytest.mark.parametrize("exponent", range(-12, 26))
def test_floats_on_both_sides_of_every_change_of_form(exponent):
    """Fixed and exponential notation change where ECMAScript changes them: below 1e-6 and from 1e21."""
    edge = 10.0**exponent
    near = [math.nextafter(edge, 0), edge, math.nextafter(edge, math.inf), 1.5 * edge, -edge]
    assert [canonical(number) for number in near] == [rfc8785.dumps(number) for number in near]
    assert canonical(near) == rfc8785.dumps(near)


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0x0000000000000000, b"0"),
        (0x8000000000000000, b"0"),
        (0x0000000000000001, b"5e-324"),
        (0x7FEFFFFFFFFFFFFF, b"1.7976931348623157e+308"),
        (0x4340000000000000, b"9007199254740992"),
        (0x4430000000000000, b"295147905179352830000"),
        (0x44B52D02C7E14AF5, b"9.999999999999997e+22"),
        (0x44B52D02C7E14AF6, b"1e+23"),
        (0x444B1AE4D6E2EF4E, b"999999999999999700000"),
        (0x444B1AE4D6E2EF50, b"1e+21"),
        (0x3EB0C6F7A0B5ED8C, b"9.999999999999997e-7"),
        (0x3EB0C6F7A0B5ED8D, b"0.000001"),
        (0x41B3DE4355555553, b"333333333.3333332"),
        (0xBECBF647612F3696, b"-0.0000033333333333333333"),
    ],
)
def test_the_published_doubles(bits, text):
    """The doubles of appendix B of RFC 8785 have the published form."""
    (number,) = struct.unpack(">d", struct.pack(">Q", bits))
    assert canonical(number) == text
    assert canonical([number]) == b"[" + text + b"]"


def test_keys_are_ordered_by_utf16_units():
    """A key outside the basic plane sorts by its surrogates, before U+FB33, as RFC 8785 shows."""
    members = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}
    assert list(parse(canonical(members)).values()) == [2, 4, 6, 7, 1, 5, 3]
    assert canonical(members) == rfc8785.dumps(members)


@pytest.mark.parametrize("value", [math.nan, math.inf, [math.nan], [1.0, -math.inf], "\ud800", {"\udfff": 1}, {1: 2}])
def test_what_json_cannot_carry_is_refused(value):
    """NaN, the infinities, lone surrogates and keys that are no strings have no canonical form."""
    with pytest.raises(EncodingError):
        canonical(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {"a": 1, 2: 3}, 1j])
def test_types_that_json_lacks_are_refused(value):
    """Only None, bool, int, float, str, list, tuple and dict are written."""
    with pytest.raises(EncodingError):
        canonical(value)


@pytest.mark.parametrize(
    "number", [INTEGER_MAX + 2, -INTEGER_MAX - 2, 2**60, 10**40, pytest.param(10**5_000, id="huge")]
)
def test_integers_that_doubles_cannot_hold_are_refused(number):
    """An integer beyond 2**53 - 1 would not survive a reader that uses doubles."""
    with pytest.raises(LimitError):
        canonical([number])


@pytest.mark.parametrize("number", [1e16, -1e20, 2.0**53, 123456789012345680000.0])
def test_a_large_whole_float_can_be_written_again_after_reading(number):
    """It is read as an integer with the same digits, and such an integer is not refused."""
    data = canonical(number)
    assert isinstance(parse(data), int)
    assert canonical(parse(data)) == data


def nested(depth, inside=None):
    for _ in range(depth):
        inside = [inside]
    return inside


def test_depth_has_a_limit_on_both_sides():
    """What is written can be read: both stop at the same depth."""
    deepest = canonical(nested(JSON_DEPTH_MAX))
    assert parse(deepest) == nested(JSON_DEPTH_MAX)
    with pytest.raises(LimitError):
        canonical(nested(JSON_DEPTH_MAX + 1))
    for depth in (JSON_DEPTH_MAX + 1, 100_000):
        with pytest.raises(LimitError):
            parse(b"[" * depth + b"]" * depth)


def test_many_shallow_lists_are_not_deep():
    """The quick test for depth counts brackets; a long flat value still passes."""
    value = [[index] for index in range(1_000)]
    assert parse(canonical(value)) == value


def test_size_has_a_limit():
    """A text larger than allowed is refused before it is parsed."""
    with pytest.raises(LimitError):
        parse(b"[1,2,3]", bytes_max=6)


@pytest.mark.parametrize("data", [b"", b"{", b"[1,]", b"NaN", b"\xff", b'["\xff"]', b"1 2", b'"\\ud800"', b"'a'"])
def test_bytes_that_are_no_json_are_refused(data):
    """Malformed text, bad UTF-8 and lone surrogates are refused with one kind of error."""
    with pytest.raises(EncodingError):
        parse(data)


@given(values)
def test_canonical_bytes_are_a_fixed_point(value):
    """Parsing and writing again gives the same bytes, so bytes can be compared with what they say."""
    data = canonical(value)
    assert canonical(parse(data)) == data


def test_a_repeated_key_is_found_by_comparison():
    """The decoder lets a repeated key pass; comparing with the canonical bytes finds it."""
    data = b'{"a":1,"a":2}'
    assert canonical(parse(data)) != data


@given(st.binary(max_size=40))
def test_base58_round_trips(data):
    """Every byte string, leading zeros included, comes back."""
    assert base58_decode(base58_encode(data)) == data


def test_base58_vectors():
    """Published base58btc vectors."""
    assert base58_encode(b"Hello World!") == "2NEpo7TZRRrLZSi2U"
    assert base58_encode(bytes.fromhex("0000287fb4cd")) == "11233QC4"
    with pytest.raises(EncodingError):
        base58_decode("0OIl")


def test_sha256_vector():
    """The digest of FIPS 180-2's first example."""
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
