"""Warm workers: one process for many requests, and another one after each request that cost it."""

from __future__ import annotations

from colony.sandbox import Limits

LIMITS = Limits(wall_seconds=5)


def test_one_process_answers_many_requests(warm):
    """Two batches are answered by the same process."""
    first = warm.run([{"do": "processes"}] * 3, LIMITS)
    second = warm.run([{"do": "processes"}] * 3, LIMITS)
    assert len({result.value for result in first + second}) == 1


def test_a_new_worker_is_a_fork_and_the_host_is_loaded_once(warm):
    """A crash costs a fork and no second load of the host."""
    before = warm.statistics()
    warm.run([{"do": "segfault"}, {"do": "echo", "with": [1]}], LIMITS)
    after = warm.statistics()
    assert after.loads == before.loads
    assert after.forks >= before.forks + 1


def test_what_a_request_prints_is_kept_with_its_result(warm):
    """Prints belong to their own request, also for the next one that prints nothing."""
    said, silent = warm.run([{"do": "say", "with": ["hello"]}, {"do": "echo", "with": [1]}], LIMITS)
    assert (said.printed, said.value) == ("hello\n", "said")
    assert silent.printed == ""


def test_an_error_carries_the_tail_of_its_traceback(warm):
    """The last line of an error names what was wrong and where."""
    (result,) = warm.run([{"do": "add", "with": [1, "2"]}], LIMITS)
    assert "TypeError" in result.error
    assert "hostile.py" in result.error


def test_other_limits_hold_from_the_next_batch(warm):
    """Limits belong to a batch: a smaller one binds the same executor, a larger one frees it again."""
    eat = {"do": "eat_memory", "with": [100 << 20]}
    assert warm.run([eat], Limits(memory_bytes=50 << 20))[0].status == "memory"
    assert warm.run([eat], Limits(memory_bytes=400 << 20))[0].status == "ok"


def test_an_empty_batch_has_no_results(warm):
    """Nothing asked, nothing answered."""
    assert warm.run([], LIMITS) == []


def test_a_large_batch_does_not_block(warm):
    """Requests and results that fill every buffer of the channel still pass."""
    requests = [{"do": "echo", "with": ["x" * 50_000]} for _ in range(100)]
    results = warm.run(requests, LIMITS)
    assert all(result.value == "x" * 50_000 for result in results)
