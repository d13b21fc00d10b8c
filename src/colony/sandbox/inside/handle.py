"""Loads what the host names, once, and calls it for a request.

A handle is any callable from a JSON value to a JSON value; its failures are results, never exceptions of ours.
What this file does not do: limits and deadlines.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import sys
import traceback
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR_CHARACTERS: Final = 2_000
TRACEBACK_LINES: Final = 8


def load(host: dict[str, Any]) -> Callable[[Any], Any]:
    """Import what is to be imported and build the handle. Raises: whatever the host's code raises."""
    sys.path.extend(host["path"])
    for module in host["preload"]:
        importlib.import_module(module)
    module, _, name = host["factory"].partition(":")
    factory = getattr(importlib.import_module(module), name)
    if host["pickled"] is None:
        handle = factory(host["argument"])
    else:
        given = importlib.import_module("cloudpickle").loads(b64decode(host["pickled"]))
        handle = factory(host["argument"], given)
    if not callable(handle):
        raise TypeError(f"{host['factory']} returned {type(handle).__name__}, which cannot be called")
    return handle  # type: ignore[no-any-return]


def call(handle: Callable[[Any], Any], request: Any, output_bytes: int) -> tuple[str, bytes]:
    """Return the status of one request and its body in JSON: the value if it is "ok", else the error as a text."""
    try:
        body = wire.encode(handle(request))
    except MemoryError:
        return "memory", b'"MemoryError"'
    except BaseException as error:  # noqa: BLE001  (also SystemExit: a candidate that exits has failed, not we)
        return "raised", wire.encode(describe(error))
    if len(body) > output_bytes:
        return "output", wire.encode(f"the result has {len(body)} bytes, the limit is {output_bytes}")
    return "ok", body


def describe(error: BaseException) -> str:
    """Return the tail of a traceback, bounded."""
    text = "".join(traceback.format_exception(error, limit=-TRACEBACK_LINES))
    return text[-ERROR_CHARACTERS:]


def reseed(seed: int | None, request: Any) -> None:
    """Fresh randomness for a forked process; with a seed, the same for the same request wherever it runs."""
    if seed is None:
        random.seed()
    else:
        random.seed(hashlib.sha256(b"%d:" % seed + wire.encode(request)).digest())
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(random.getrandbits(32))
