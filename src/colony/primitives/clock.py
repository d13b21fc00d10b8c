"""Time as an argument: a protocol, the system's clock, a clock for tests, and the hybrid logical clock of records.

What this file does not do: sleep, set timers, or judge whether a foreign timestamp lies too far in the future; whoever
admits foreign records decides that before it calls `HybridClock.observe`.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Final, Protocol

from colony.primitives.errors import LimitError

_COUNTER_MAX: Final = 0xFFFF
_MILLISECONDS_MAX: Final = 0xFFFF_FFFF_FFFF
_TIMESTAMP: Final = re.compile(r"([0-9a-f]{12})-([0-9a-f]{4})", re.ASCII)


class Clock(Protocol):
    """Where time comes from. Implementations may be read from any thread."""

    def wall_milliseconds(self) -> int:
        """Return milliseconds since 1970-01-01 UTC; may step back when somebody sets the clock."""
        ...

    def monotonic_seconds(self) -> float:
        """Return seconds since an arbitrary moment; never steps back."""
        ...

    def cpu_seconds(self) -> float:
        """Return the CPU seconds this process has used."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def wall_milliseconds(self) -> int:
        """Return the system's wall clock."""
        return time.time_ns() // 1_000_000

    def monotonic_seconds(self) -> float:
        """Return the system's monotonic clock."""
        return time.monotonic()

    def cpu_seconds(self) -> float:
        """Return user and system time of this process, without its children."""
        return time.process_time()


class ManualClock:
    """A clock for tests and deterministic runs: each read of any clock advances all of them by one tick."""

    def __init__(self, start_milliseconds: int = 0, *, tick_milliseconds: int = 1) -> None:
        self._now_milliseconds = start_milliseconds
        self._elapsed_milliseconds = 0
        self._tick_milliseconds = tick_milliseconds
        self._lock = threading.Lock()

    def advance(self, milliseconds: int) -> None:
        """Let `milliseconds` pass."""
        with self._lock:
            self._now_milliseconds += milliseconds
            self._elapsed_milliseconds += milliseconds

    def set_wall(self, milliseconds: int) -> None:
        """Set the wall clock alone, backwards too, as a person or a time server may."""
        with self._lock:
            self._now_milliseconds = milliseconds

    def wall_milliseconds(self) -> int:
        """Return the wall clock, one tick on."""
        self.advance(self._tick_milliseconds)
        return self._now_milliseconds

    def monotonic_seconds(self) -> float:
        """Return the seconds that passed since the clock was made, one tick on."""
        self.advance(self._tick_milliseconds)
        return self._elapsed_milliseconds / 1_000

    def cpu_seconds(self) -> float:
        """Return the same as `monotonic_seconds`: the imagined process never waits."""
        return self.monotonic_seconds()


class HybridClock:
    """Timestamps that agree with causality and stay near the wall clock (Kulkarni et al., 2014).

    A timestamp is the fixed-width text `mmmmmmmmmmmm-cccc`: milliseconds and a counter in hexadecimal, so that the
    order of the texts is the order of the times. Each is larger than every one issued or observed before.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = (0, 0)
        self._lock = threading.Lock()

    def now(self) -> str:
        """Return the next timestamp.

        Raises:
            LimitError: no timestamp follows the latest (the year 10889, or a forged observation).
        """
        with self._lock:
            milliseconds, counter = self._latest
            self._latest = max((self._clock.wall_milliseconds(), 0), _after(milliseconds, counter))
            milliseconds, counter = self._latest
            return f"{milliseconds:012x}-{counter:04x}"

    def observe(self, at: str) -> None:
        """Take note of a timestamp issued elsewhere: all later ones are larger.

        Raises:
            ValueError: `at` is no timestamp.
        """
        seen = parse_timestamp(at)
        with self._lock:
            self._latest = max(self._latest, seen)


def parse_timestamp(at: str) -> tuple[int, int]:
    """Return (milliseconds since 1970-01-01 UTC, counter) of a hybrid timestamp.

    Raises:
        ValueError: `at` is no timestamp.
    """
    match = _TIMESTAMP.fullmatch(at)
    if match is None:
        raise ValueError(f"{at!r} is no timestamp; one looks like 0199c2d1a3f0-0000")
    return int(match[1], 16), int(match[2], 16)


def is_timestamp(at: str) -> bool:
    """Tell whether `at` is a hybrid timestamp."""
    return _TIMESTAMP.fullmatch(at) is not None


def _after(milliseconds: int, counter: int) -> tuple[int, int]:
    if counter < _COUNTER_MAX:
        return milliseconds, counter + 1
    if milliseconds < _MILLISECONDS_MAX:
        return milliseconds + 1, 0
    raise LimitError("no timestamp follows the latest one; a record with a forged time was observed")
