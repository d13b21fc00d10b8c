"""What is said between a process that serves a named memory and one that uses it: messages, as bytes and back.

A frame is its length in four bytes, big-endian, and that many bytes of MessagePack, which keeps integers and floats
apart and floats exact. Variables have numbers, in the order in which one connection has declared them. Every answer
carries the memory's clock and each variable of the connection that has changed since the last answer; so after each
answer all variables that a process knows are as they were together at one instant.

What this file does not do: open a socket (local_socket.py), or decide anything (served_memory.py, remote_memory.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import REMOTE_MESSAGE_BYTES_MAX

PROTOCOL: Final = "colony.memory/1"
HEADER_BYTES: Final = 4


class Hello(msgspec.Struct, frozen=True, tag="hello", array_like=True):
    """The first frame of either side: which protocol it speaks, and, from the server, the run the memory is of."""

    protocol: str = PROTOCOL
    run: str = ""


class Declare(msgspec.Struct, frozen=True, tag="declare", array_like=True):
    """Name variables, each with its default; they get the next numbers, and the answer brings their values."""

    id: int
    variables: list[tuple[str, Any]]


class Commit(msgspec.Struct, frozen=True, tag="commit", array_like=True):
    """Write and emit, if none of `reads` was written after `clock`; `turn` is the id of a `Turn`, or 0."""

    id: int
    clock: int
    reads: list[int]
    writes: list[tuple[int, Any]]
    emissions: list[tuple[str, dict[str, Any]]]
    agent: str
    turn: int


class Wait(msgspec.Struct, frozen=True, tag="wait", array_like=True):
    """Answer as soon as one of `reads` has been written after `clock`; it gives up the turn, if it has one."""

    id: int
    clock: int
    reads: list[int]
    turn: int
    seconds_max: float | None = None


class Turn(msgspec.Struct, frozen=True, tag="turn", array_like=True):
    """Answer when nobody else can write `variables` until this process has committed, waits, or takes too long."""

    id: int
    variables: list[int]


class Answer(msgspec.Struct, frozen=True, tag="answer", array_like=True):
    """The end of request `id`: whether it was done, and all changes up to `clock` since the last answer."""

    id: int
    is_done: bool
    clock: int
    changes: list[tuple[int, Any]]


class Refusal(msgspec.Struct, frozen=True, tag="refusal", array_like=True):
    """Request `id` failed, with an error of Colony's tree by name; 0 is the connection as a whole, which ends."""

    id: int
    error: str
    message: str


Request: TypeAlias = Declare | Commit | Wait | Turn
Reply: TypeAlias = Hello | Answer | Refusal

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_request: Final[Callable[[bytes], Hello | Request]] = msgspec.msgpack.Decoder(
    Hello | Declare | Commit | Wait | Turn
).decode
_decode_reply: Final[Callable[[bytes], Reply]] = msgspec.msgpack.Decoder(Hello | Answer | Refusal).decode


def frame(message: Request | Reply) -> bytes:
    """Return the bytes of a message, its length first.

    Raises:
        EncodingError: it holds something that has no bytes.
        LimitError: it is longer than `REMOTE_MESSAGE_BYTES_MAX`.
    """
    try:
        data = _encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise EncodingError(f"a message to shared memory cannot be sent: {error}") from error
    return check_length(len(data)).to_bytes(HEADER_BYTES, "big") + data


def length_of(header: bytes) -> int:
    """Return how many bytes follow `header`.

    Raises:
        LimitError: more than `REMOTE_MESSAGE_BYTES_MAX`.
    """
    return check_length(int.from_bytes(header, "big"))


def request_of(data: bytes) -> Hello | Request:
    """Return what a client said.

    Raises:
        EncodingError: the bytes are none of its messages.
    """
    try:
        return _decode_request(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EncodingError(f"the bytes are no request to shared memory: {error}") from error


def reply_of(data: bytes) -> Reply:
    """Return what a server said.

    Raises:
        EncodingError: the bytes are none of its messages.
    """
    try:
        return _decode_reply(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EncodingError(f"the bytes are no answer of shared memory: {error}") from error


def check_length(size: int) -> int:
    """Return `size`, if a message may have so many bytes."""
    if size > REMOTE_MESSAGE_BYTES_MAX:
        raise LimitError(f"a message of {size} bytes exceeds {REMOTE_MESSAGE_BYTES_MAX}; share less at once")
    return size
