"""Frames between the engine and the inside of a sandbox: a four-byte length, a JSON head, a newline, a JSON body.

Floats round-trip exactly, and NaN and the infinities survive as themselves, so that verification can refuse them.
What this file does not do: trust. Whoever reads a frame from code it does not trust bounds it first.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket

LENGTH: Final = struct.Struct("!I")
READ_BYTES: Final = 1 << 18


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays, and whatever else can name itself as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a result must be JSON, and {type(value).__name__} is not")


_encoder = json.JSONEncoder(separators=(",", ":"), default=_plain)


def encode(value: Any) -> bytes:
    """JSON in ASCII. Raises: TypeError, ValueError or RecursionError where the value is not JSON."""
    return _encoder.encode(value).encode()


def frame(head: bytes, body: bytes = b"") -> bytes:
    """One frame, ready to be sent; `head` holds no newline."""
    return b"".join((LENGTH.pack(len(head) + 1 + len(body)), head, b"\n", body))


def split(payload: bytes) -> tuple[Any, bytes]:
    """Return the decoded head and the raw body of a frame. Raises: ValueError where the head is not JSON."""
    head, _, body = payload.partition(b"\n")
    return json.loads(head), body


def receive(channel: socket.socket) -> bytes | None:
    """Return the next frame from somebody we trust, or None at the end of the stream."""
    head = _exactly(channel, LENGTH.size)
    return None if head is None else _exactly(channel, LENGTH.unpack(head)[0])


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(READ_BYTES, size - len(data)))
        if not part:
            return None
        data += part
    return bytes(data)
