"""Clocks: the system's, the manual one, the hybrid logical one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.clock import HybridClock, ManualClock, SystemClock, is_timestamp, parse_timestamp
from colony.primitives.errors import LimitError


def test_a_manual_clock_ticks_on_each_read():
    """Time passes by reading, so a deterministic run has the same times every time."""
    clock = ManualClock(1_000, tick_milliseconds=5)
    assert [clock.wall_milliseconds(), clock.wall_milliseconds()] == [1_005, 1_010]
    assert clock.monotonic_seconds() == 0.015
    clock.advance(985)
    assert clock.cpu_seconds() == 1.005
    assert clock.wall_milliseconds() == 2_010


def test_the_system_clock_measures_time():
    """The wall clock is past 2025, and neither monotonic nor CPU time runs backwards."""
    clock = SystemClock()
    assert clock.wall_milliseconds() > 1_735_689_600_000
    assert clock.monotonic_seconds() <= clock.monotonic_seconds()
    assert 0 < clock.cpu_seconds() <= clock.cpu_seconds()


@given(st.lists(st.integers(0, 2**47), min_size=2, max_size=30))
def test_timestamps_rise_however_the_wall_clock_moves(walls):
    """Timestamps are strictly increasing as text, even where the wall clock steps back or stands still."""
    clock = ManualClock(tick_milliseconds=0)
    hybrid = HybridClock(clock)
    issued = []
    for wall in walls:
        clock.set_wall(wall)
        issued.append(hybrid.now())
    assert issued == sorted(set(issued))
    assert {len(at) for at in issued} == {17}


def test_an_observed_time_is_followed():
    """After a foreign timestamp from the future was observed, ours come after it."""
    hybrid = HybridClock(ManualClock(1_000))
    hybrid.observe("000000100000-0007")
    assert hybrid.now() == "000000100000-0008"
    hybrid.observe("000000000001-0000")
    assert hybrid.now() == "000000100000-0009"


def test_a_full_counter_carries_into_the_milliseconds():
    """65,536 timestamps in one millisecond go on in the next one."""
    hybrid = HybridClock(ManualClock(0, tick_milliseconds=0))
    hybrid.observe("000000000005-ffff")
    assert hybrid.now() == "000000000006-0000"


def test_the_end_of_time_is_an_error():
    """A forged last timestamp, once observed, is reported instead of wrapped around."""
    hybrid = HybridClock(ManualClock())
    hybrid.observe("ffffffffffff-ffff")
    with pytest.raises(LimitError):
        hybrid.now()


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**16 - 1))
def test_text_order_is_time_order(milliseconds, counter):
    """A timestamp parses back to its parts."""
    at = f"{milliseconds:012x}-{counter:04x}"
    assert parse_timestamp(at) == (milliseconds, counter)


@pytest.mark.parametrize(
    "at", ["", "now", "00000000000A-0000", "000000000001-000", "000000000001-0000\n", "\u0660" * 12 + "-0000"]
)
def test_what_is_no_timestamp_is_refused(at):
    """Only the fixed-width lower-case form is a timestamp."""
    assert not is_timestamp(at)
    with pytest.raises(ValueError, match="no timestamp"):
        HybridClock(ManualClock()).observe(at)
