"""Messages between processes: exactly what was said arrives, and what is no message is refused."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_values import atoms, text, types, values

from colony.memory.remote.wire import (
    HEADER_BYTES,
    Answer,
    Commit,
    Declare,
    Hello,
    Refusal,
    Turn,
    Wait,
    frame,
    length_of,
    reply_of,
    request_of,
)
from colony.memory.values import frozen
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import REMOTE_MESSAGE_BYTES_MAX


def sent(message, read):
    data = frame(message)
    assert length_of(data[:HEADER_BYTES]) == len(data) - HEADER_BYTES
    return read(data[HEADER_BYTES:])


def signs(value):
    """The signs of the zeros in a value, which equality does not see."""
    if isinstance(value, tuple):
        return [sign for each in value for sign in signs(each)]
    if isinstance(value, dict):
        return [sign for each in value.values() for sign in signs(each)]
    return [math.copysign(1, value)] if isinstance(value, float) else []


@given(values | atoms)
def test_a_value_arrives_exactly(value):
    """Integers stay integers, floats keep every bit, tuples come back as tuples and mappings frozen."""
    before = frozen(value, "v")
    (_, raw) = sent(Answer(1, True, 2, [(3, before)]), reply_of).changes[0]
    after = frozen(raw, "v")
    assert (after, types(after), signs(after)) == (before, types(before), signs(before))


@given(st.integers(1, 2**60), st.lists(st.integers(0, 2**31)), text, st.dictionaries(text, values, max_size=3))
def test_a_message_arrives_as_it_was(number, reads, words, body):
    """Every field of a message comes back."""
    commit = Commit(number, 7, reads, [(1, None)], [(words, body)], words, 0)
    for message in (commit, Declare(number, [(words, 1)]), Wait(number, 7, reads, 2), Turn(number, reads)):
        assert sent(message, request_of) == message
    for message in (Refusal(number, words, words), Hello(), Hello("other/2", words)):
        assert sent(message, reply_of) == message


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data):
    """Whatever bytes come, the result is a message or one clear error."""
    for read in (request_of, reply_of):
        with contextlib.suppress(EncodingError):
            read(data)


def test_bytes_nested_without_end_are_refused():
    """Nesting that would exhaust the stack is an error like any other."""
    commit = [*b"\x97\xa6commit\x01\x01\x90\x91\x92\x00"]
    with pytest.raises(EncodingError):
        request_of(bytes(commit) + b"\x91" * 200_000)


def test_a_message_too_long_is_refused_at_both_ends():
    """Neither is it sent, nor is a length beyond the limit believed."""
    with pytest.raises(LimitError):
        frame(Declare(1, [("v", "x" * REMOTE_MESSAGE_BYTES_MAX)]))
    with pytest.raises(LimitError):
        length_of(b"\xff\xff\xff\xff")
    assert length_of(REMOTE_MESSAGE_BYTES_MAX.to_bytes(4, "big")) == REMOTE_MESSAGE_BYTES_MAX


@pytest.mark.parametrize("value", [object(), 2**70, "\ud800"])
def test_what_has_no_bytes_is_refused(value):
    """The error is ours, not the encoder's."""
    with pytest.raises(EncodingError):
        frame(Declare(1, [("v", value)]))
