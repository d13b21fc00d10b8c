"""Fork mode: each request in a fresh process, side by side, none seeing what another has done."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from colony.primitives.errors import IsolationError
from colony.sandbox import Host, Limits, zygote

from .conftest import HOST, adapter

LIMITS = Limits(wall_seconds=10)


def test_results_come_in_the_order_of_the_requests(forked):
    """Whoever ends first, each result stands where its request stood."""
    requests = [{"do": "add", "with": [number, 1]} for number in range(40)]
    results = forked.run(requests, LIMITS, parallel=4)
    assert [result.value for result in results] == list(range(1, 41))


def test_no_request_sees_what_another_has_done(confined_fork):
    """Each child is the first process of its own namespace, user 65534, with an empty /tmp and an empty /proc."""
    results = confined_fork.run([{"do": "who"}] * 3, LIMITS)
    assert [result.value for result in results] == [[65534, 1, 1, []]] * 3


def test_hanging_requests_do_not_stop_healthy_ones(forked):
    """While some wait for their deadline, the others are answered: the whole takes hardly more than one deadline."""
    limits = Limits(wall_seconds=1.5)
    requests = [{"do": "hang"} if number % 5 == 0 else {"do": "add", "with": [number]} for number in range(20)]
    started = time.monotonic()
    results = forked.run(requests, limits, parallel=5)
    assert time.monotonic() - started < 4 * limits.wall_seconds
    assert [result.status for result in results] == ["timeout", "ok", "ok", "ok", "ok"] * 4


def test_each_child_has_fresh_random_numbers(forked):
    """Without a seed no two children draw the same, though the host was seeded before the fork."""
    values = [result.value[0] for result in forked.run([{"do": "dice"}] * 4, LIMITS)]
    assert len(set(values)) == 4


def test_a_seed_gives_the_same_random_numbers_to_the_same_request(any_executor):
    """With a seed, what a request draws depends on the seed and on itself only."""
    other = {"do": "dice", "with": []}
    first = any_executor.run([{"do": "dice"}, other], LIMITS, seed=5)
    again = any_executor.run([other, {"do": "dice"}], LIMITS, seed=5)
    assert [result.value for result in first] == [result.value for result in reversed(again)]
    assert any_executor.run([other], LIMITS, seed=6)[0].value != first[1].value


def test_peak_memory_is_known(forked):
    """A request that used 30 MB is seen to have used them."""
    (result,) = forked.run([{"do": "eat_memory", "with": [30 << 20]}], LIMITS)
    assert result.peak_bytes > 30 << 20


def test_the_zygote_is_loaded_again_after_many_runs(monkeypatch):
    """A zygote serves a limited number of runs."""
    monkeypatch.setattr(zygote, "RUNS_PER_LOAD_MAX", 3)
    executor = adapter("process").open(HOST, mode="fork")
    try:
        for _ in range(3):
            executor.run([{"do": "echo", "with": [1]}] * 2, LIMITS)
        assert executor.statistics().loads == 2
    finally:
        executor.close()


def test_statistics_count_by_status(forked):
    """Every request is counted once, under its status."""
    before = forked.statistics()
    forked.run([{"do": "echo", "with": [1]}, {"do": "not_json"}], LIMITS)
    after = forked.statistics()
    assert after.requests - before.requests == 2
    assert after.statuses["raised"] - before.statuses.get("raised", 0) == 1


def test_floats_survive_as_themselves(any_executor):
    """NaN, the infinities, the smallest float and minus zero come back bit for bit."""
    (result,) = any_executor.run([{"do": "odd_numbers"}], LIMITS)
    nan, high, low, *rest = result.value
    assert (math.isnan(nan), high, low) == (True, math.inf, -math.inf)
    assert rest[:2] == [0.1 + 0.2, 5e-324]
    assert math.copysign(1, rest[2]) == -1


def test_numpy_can_be_imported_and_its_values_are_numbers(any_executor):
    """The packages of the engine's interpreter are there inside; scalars and arrays become numbers and lists."""
    (result,) = any_executor.run([{"do": "numpy_values"}], LIMITS)
    assert result.value == [0.1, 0.5, 3, True, [0, 1, 2]], result


def test_a_closed_executor_refuses(any_executor):
    """After its end an executor says so."""
    del any_executor
    executor = adapter("process").open(HOST, mode="fork")
    executor.close()
    with pytest.raises(IsolationError, match="closed"):
        executor.run([{"do": "echo", "with": [1]}], LIMITS)


def test_what_was_given_in_python_is_called():
    """A function travels as its cloudpickle and is handed to the factory."""
    import cloudpickle

    offset = 4
    pickled = cloudpickle.dumps(lambda request: request + offset)
    executor = adapter("process").open(
        Host(factory="hostile:given", path=(str(Path(__file__).parent),), pickled=pickled), mode="fork"
    )
    try:
        assert executor.run([1, 2], LIMITS, parallel=2)[1].value == 6
    finally:
        executor.close()


@pytest.fixture(scope="module")
def confined_fork():
    executor = adapter("bubblewrap").open(HOST, mode="fork")
    yield executor
    executor.close()


def test_a_stream_is_not_held_up_by_those_that_hang(forked):
    """Results come as they end: all healthy ones before the hanging one that was asked first."""
    requests = [{"do": "hang"}, *[{"do": "add", "with": [number]} for number in range(12)]]
    order = [index for index, _ in forked.stream(requests, Limits(wall_seconds=3), parallel=3)]
    assert sorted(order) == list(range(13))
    assert order[-1] == 0


def test_a_stream_takes_requests_as_lanes_become_free(forked):
    """An endless source is asked for no more than can run, and a stream that is closed leaves the executor usable."""
    taken = []

    def source():
        while True:
            taken.append(len(taken))
            yield {"do": "echo", "with": [taken[-1]]}

    stream = forked.stream(source(), LIMITS, parallel=3)
    for _ in range(5):
        index, result = next(stream)
        assert result.value == index
    stream.close()
    assert len(taken) <= 5 + 3
    assert forked.run([{"do": "echo", "with": [1]}], LIMITS)[0].value == 1
