"""Frames: what goes in comes out, in pieces or at once, within its limit."""

from __future__ import annotations

import json
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.sandbox.inside import wire
from colony.sandbox.process import Reader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_values_round_trip(value):
    """Encoded and decoded, a JSON value is what it was: every float to the bit, every character of a text."""
    decoded = json.loads(wire.encode(value))
    assert decoded == value
    assert repr(decoded) == repr(value)


class Pieces:
    """A channel that hands out its bytes in pieces of one size."""

    def __init__(self, data, size):
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def settimeout(self, seconds):
        assert seconds > 0

    def recv(self, _):
        return self.pieces.pop(0) if self.pieces else b""


@given(st.lists(st.tuples(VALUES, st.binary(max_size=300)), max_size=6), st.integers(1, 500))
def test_frames_survive_any_cut(frames, size):
    """However a stream is cut into pieces, the reader gives back the frames."""
    data = b"".join(wire.frame(wire.encode(head), body) for head, body in frames)
    reader = Reader(Pieces(data, size))
    assert [wire.split(reader.frame(time.monotonic() + 60, 1 << 20)) for _ in frames] == frames
    with pytest.raises(EOFError):
        reader.frame(time.monotonic() + 60, 1 << 20)


def test_a_frame_above_the_limit_is_refused_before_it_is_read():
    """The length alone is enough to refuse."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\xff\xff\xff\xff")
        with pytest.raises(ValueError, match="limit is 100"):
            Reader(ours).frame(time.monotonic() + 1, 100)


def test_the_end_of_the_stream_is_told_from_silence():
    """A closed channel raises EOFError, a silent one TimeoutError."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = Reader(ours)
        with pytest.raises(TimeoutError):
            reader.frame(time.monotonic() + 0.01, 100)
        theirs.close()
        with pytest.raises(EOFError):
            reader.frame(time.monotonic() + 1, 100)
