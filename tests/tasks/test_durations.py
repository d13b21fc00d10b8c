"""Durations: what is guessed where nobody said."""

from hypothesis import given
from hypothesis import strategies as st
from matrices import HOUR, task, tasks

from colony.tasks.order.durations import Durations


def test_a_guess_is_the_lower_median_of_the_kind():
    """A guess is a value that somebody did say: of an even number, the lower of the two in the middle."""
    some = [task(str(n), kind="run", estimate_seconds=float(n)) for n in (40, 10, 30, 20)]
    known = Durations([*some, task("x", estimate_seconds=5.0)])
    assert known.guess_seconds("run") == 20
    assert known.guess_seconds("work") == 5
    assert known.guess_seconds("never seen") == known.typical_seconds == 20


def test_without_any_estimate_a_task_takes_an_hour():
    """Where nothing is known, all tasks are alike, and paths are counted in tasks."""
    assert Durations().typical_seconds == Durations([task("a")]).guess_seconds("work") == HOUR


@given(st.lists(tasks, max_size=10), st.lists(tasks, max_size=10))
def test_learning_and_forgetting_equals_knowing_only_the_rest(kept, passing):
    """Whatever came and went leaves no trace in any guess."""
    known = Durations(kept)
    for one in passing:
        known.replace(None, one)
    for one in passing:
        known.replace(one, None)
    assert known.guesses() == Durations(kept).guesses()
    assert known.typical_seconds == Durations(kept).typical_seconds
