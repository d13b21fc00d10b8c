"""The values that named shared memory holds: what JSON can carry, made so that nobody can change it in place.

A value is None, a bool, an int within 2**53, a finite float, a str, a tuple of values, or a `FrozenMapping` from str to
values. Lists become tuples and dicts become frozen mappings. What this file does not do: keep a whole float apart from
an integer once a journal has been through it, for canonical JSON writes 1.0 and 1 alike (on a wire they stay apart).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec

from colony.primitives.encoding import canonical
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import INTEGER_MAX, JSON_DEPTH_MAX, VARIABLE_BYTES_MAX

_encode: Final = msgspec.json.Encoder().encode
_SHORT: Final = 1_000  # characters of a string that no limit on bytes is worth counting for


class FrozenMapping(dict[str, Any]):
    """A mapping that refuses to be changed; `frozen | {...}` makes a new, ordinary dict, which may be written."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a value of shared memory is never changed in place; write `value | {...}` in its stead")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


def frozen(value: Any, name: str) -> Any:
    """Return `value` as the variable `name` may hold it.

    Raises:
        EncodingError: JSON has no form for it; the message names the variable.
        LimitError: an integer beyond 2**53, nesting deeper than `JSON_DEPTH_MAX`, more bytes than `VARIABLE_BYTES_MAX`.
    """
    made = _freeze(value, name, JSON_DEPTH_MAX)
    if isinstance(made, int | float | None) or (isinstance(made, str) and made.isascii() and len(made) < _SHORT):
        return made
    try:
        size = len(_encode(made))
    except UnicodeEncodeError as error:
        raise EncodingError(f"{name!r}: a string holds a lone surrogate, which UTF-8 cannot carry") from error
    if size > VARIABLE_BYTES_MAX:
        raise LimitError(f"{name!r}: {size} bytes exceed {VARIABLE_BYTES_MAX}; split it into several variables")
    return made


def _freeze(value: Any, name: str, depth_left: int) -> Any:
    """Return a frozen copy, of the plain types alone."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        if value - value != 0:
            raise EncodingError(f"{name!r}: JSON has no NaN and no infinity; write None, or a string")
        return float(value)
    if isinstance(value, int):
        return int(value) if -INTEGER_MAX <= value <= INTEGER_MAX else _float_of(value, name)
    return _freeze_composite(value, name, depth_left - 1)


def _float_of(value: int, name: str) -> float:
    """Return the float that JSON wrote as these digits: as 1e16 is, and any whole float beyond 2**53."""
    try:
        canonical(value)
    except LimitError as error:
        raise LimitError(f"{name!r}: {error}") from None
    return float(value)


def _freeze_composite(value: Any, name: str, depth_left: int) -> Any:
    if depth_left < 0:
        raise LimitError(f"{name!r}: its value nests deeper than {JSON_DEPTH_MAX} levels; flatten it")
    if isinstance(value, tuple | list):
        return tuple([_freeze(each, name, depth_left) for each in value])
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise EncodingError(f"{name!r}: every key of a mapping must be a string")
        return FrozenMapping({key: _freeze(each, name, depth_left) for key, each in value.items()})
    raise EncodingError(
        f"{name!r}: JSON has no form for {type(value).__name__}; write numbers, strings, tuples or mappings"
    )
