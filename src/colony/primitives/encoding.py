"""Bytes that every replica writes alike: canonical JSON (RFC 8785), strict parsing, SHA-256 and base58btc.

What this file does not do: know what a record is, or keep a whole float apart from an integer. Canonical JSON writes 1
and 1.0 as `1`, and 1e16 as its digits; both are read as integers, so whoever means a float applies `float` to what was
read, which gives back the float that was written. Repeated keys pass `parse`, the last one winning, since the decoder
under it does not see them; whoever stores bytes compares them with `canonical(parse(data))`, which finds that and every
other deviation. The package `rfc8785` is the definition; the tests prove our faster path equal to it, byte for byte.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import INTEGER_MAX, JSON_DEPTH_MAX, RECORD_BYTES_MAX

_BASE58_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES: Final = {character: value for value, character in enumerate(_BASE58_ALPHABET)}
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


def canonical(value: Any) -> bytes:
    """Return the one canonical JSON text (RFC 8785, UTF-8) of `value`.

    `value` is None, bool, int, float, str, list, tuple or dict with string keys, nested. Lists made of floats only
    take a fast path of about 0.05 microseconds per float.

    Raises:
        EncodingError: NaN or infinity, a lone surrogate, a key that is no string, a type JSON does not have.
        LimitError: an integer beyond 2**53 - 1 that is not exactly the text of a double, or nesting deeper than
            `JSON_DEPTH_MAX`.
    """
    chunks: list[bytes] = []
    _write(value, chunks, JSON_DEPTH_MAX)
    return b"".join(chunks)


def parse(data: bytes, *, bytes_max: int = RECORD_BYTES_MAX) -> Any:
    """Return the value of one JSON text in UTF-8.

    Raises:
        EncodingError: the bytes are no JSON.
        LimitError: more than `bytes_max` bytes, or nesting deeper than `JSON_DEPTH_MAX`.
    """
    if len(data) > bytes_max:
        raise LimitError(f"JSON text of {len(data)} bytes exceeds the limit of {bytes_max}; send less at once")
    try:
        value = _decode(data)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EncodingError(f"the bytes are no JSON text: {error}") from error
    if data.count(b"[") + data.count(b"{") > JSON_DEPTH_MAX:  # only then can it be too deep
        _check_depth(value, JSON_DEPTH_MAX)
    return value


def sha256(data: bytes) -> bytes:
    """Return the 32-byte SHA-256 digest of `data`."""
    return hashlib.sha256(data).digest()


def base58_encode(data: bytes) -> str:
    """Return `data` in base58btc (the Bitcoin alphabet; each leading zero byte becomes a `1`)."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, remainder = divmod(number, 58)
        text = _BASE58_ALPHABET[remainder] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def base58_decode(text: str) -> bytes:
    """Return the bytes that base58btc `text` stands for.

    Raises:
        EncodingError: a character outside the alphabet.
    """
    number = 0
    for character in text:
        value = _BASE58_VALUES.get(character)
        if value is None:
            raise EncodingError(f"{character!r} is no base58btc character")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _write(value: Any, chunks: list[bytes], depth_left: int) -> None:
    """Append the canonical text of `value`; types in the order of their frequency in records."""
    if isinstance(value, str):
        chunks.append(_string(value))
    elif isinstance(value, float):
        chunks.append(_float(value))
    elif isinstance(value, bool):
        chunks.append(b"true" if value else b"false")
    elif isinstance(value, int):
        chunks.append(_integer(value))
    elif value is None:
        chunks.append(b"null")
    elif isinstance(value, (list, tuple)):
        _write_list(value, chunks, depth_left - 1)
    elif isinstance(value, dict):
        _write_object(value, chunks, depth_left - 1)
    else:
        raise EncodingError(f"JSON has no form for {type(value).__name__}; give numbers, strings, lists or dicts")


def _write_list(values: list[Any] | tuple[Any, ...], chunks: list[bytes], depth_left: int) -> None:
    if depth_left < 0:
        raise _too_deep()
    if not values:
        chunks.append(b"[]")
    elif set(map(type, values)) == {float}:
        chunks.append(_floats(values))
    else:
        separator = b"["
        for value in values:
            chunks.append(separator)
            _write(value, chunks, depth_left)
            separator = b","
        chunks.append(b"]")


def _write_object(members: dict[Any, Any], chunks: list[bytes], depth_left: int) -> None:
    if depth_left < 0:
        raise _too_deep()
    separator = b"{"
    for key in _ordered(members):
        chunks += (separator, _string(key), b":")
        _write(members[key], chunks, depth_left)
        separator = b","
    chunks.append(b"}" if members else b"{}")


def _ordered(members: dict[Any, Any]) -> list[str]:
    """Return the keys by UTF-16 code units (RFC 8785, 3.2.3); code points sort alike where all are ASCII."""
    try:
        keys: list[str] = sorted(members)
        if "".join(keys).isascii():
            return keys
        return sorted(keys, key=lambda key: key.encode("utf-16-be"))
    except TypeError as error:
        raise EncodingError("every key of a JSON object must be a string") from error
    except UnicodeEncodeError as error:
        raise EncodingError("a key holds a lone surrogate, which UTF-8 cannot carry") from error


def _string(text: str) -> bytes:
    try:
        return _encode(text)
    except UnicodeEncodeError as error:
        raise EncodingError("a string holds a lone surrogate, which UTF-8 cannot carry") from error


def _integer(number: int) -> bytes:
    """Return `number`; beyond 2**53 - 1 only if a double has just these digits: that is how 1e16 is read back."""
    if -INTEGER_MAX <= number <= INTEGER_MAX:
        return b"%d" % number
    if number.bit_length() <= 70 and (text := _float(float(number))) == b"%d" % number:
        return text
    raise LimitError(f"an integer of {number.bit_length()} bits has no exact place in canonical JSON; use a string")


def _floats(values: list[float] | tuple[float, ...]) -> bytes:
    """Return a list of floats; the encoder's shortest digits are ECMAScript's, its exponents and `.0` are not."""
    text = _encode(values)[1:-1] + b","
    if b"n" in text:  # null stands for NaN and the infinities
        raise _not_finite()
    if b"e" in text:
        text = b",".join(_float(float(token)) if b"e" in token else token for token in text.split(b","))
    return b"[" + text.replace(b"-0.0,", b"0,").replace(b".0,", b",")[:-1] + b"]"


def _float(number: float) -> bytes:
    """Return `number` as ECMAScript's Number::toString writes it (ECMA-262, 6.1.6.1.20)."""
    if number - number != 0:
        raise _not_finite()
    mantissa, _, exponent_text = float.__repr__(number).partition("e")
    if not exponent_text:
        return b"0" if number == 0 else mantissa.removesuffix(".0").encode()
    exponent, sign = int(exponent_text), "-" if number < 0 else ""
    digits = mantissa.removeprefix("-").removesuffix(".0").replace(".", "")
    if 0 < exponent < 21:
        text = digits.ljust(exponent + 1, "0")
    elif -7 < exponent < 0:
        text = "0." + digits.rjust(len(digits) - exponent - 1, "0")
    else:
        text = ".".join(filter(None, (digits[0], digits[1:]))) + f"e{exponent:+d}"
    return (sign + text).encode()


def _check_depth(value: Any, depth_left: int) -> None:
    if not isinstance(value, (list, dict)):
        return
    if depth_left <= 0:
        raise _too_deep()
    for child in value.values() if isinstance(value, dict) else value:
        _check_depth(child, depth_left - 1)


def _too_deep() -> LimitError:
    return LimitError(f"JSON nests deeper than {JSON_DEPTH_MAX} levels; flatten the value")


def _not_finite() -> EncodingError:
    return EncodingError("JSON has no NaN and no infinity; record the failure instead of the number")
