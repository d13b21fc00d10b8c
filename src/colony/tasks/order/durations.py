"""How long a task takes, as far as anybody said: its estimate, else its kind's median, else that of all, else an hour.

What this file does not do: learn from outcomes (routing), or measure anything.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from colony.tasks.task import Task

UNKNOWN_SECONDS: Final = 3_600.0
"""What a task is taken to last where no task at all has an estimate; with all alike, paths are counted in tasks."""

_ALL: Final = ""  # no kind is empty


class Durations:
    """The estimates known of each kind, sorted, so that a median is a look-up and a new estimate moves it exactly."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._known: defaultdict[str, list[float]] = defaultdict(list)
        for task in tasks:
            if task.estimate_seconds is not None:
                self._known[task.kind].append(task.estimate_seconds)
                self._known[_ALL].append(task.estimate_seconds)
        for values in self._known.values():
            values.sort()

    @property
    def typical_seconds(self) -> float:
        """The median of all estimates: the unit in which paths are counted."""
        return self._median(_ALL, UNKNOWN_SECONDS)

    def guess_seconds(self, kind: str) -> float:
        """What a task of this kind lasts if nobody said: the lower median, so always a value that somebody did say."""
        return self._median(kind, self.typical_seconds)

    def replace(self, old: Task | None, new: Task | None) -> bool:
        """Forget the estimate of `old`, learn that of `new`; return whether that may have changed any guess."""
        before, after = _known(old), _known(new)
        if before == after:
            return False
        if before:
            for key in (before[0], _ALL):
                values = self._known[key]
                del values[bisect_left(values, before[1])]
        if after:
            for key in (after[0], _ALL):
                insort(self._known[key], after[1])
        return True

    def guesses(self) -> dict[str, float]:
        """Every kind with what is guessed of it; two equal answers mean that no weight changed."""
        return {kind: self._median(kind, UNKNOWN_SECONDS) for kind, values in self._known.items() if values}

    def _median(self, key: str, otherwise: float) -> float:
        values = self._known.get(key)
        return values[(len(values) - 1) // 2] if values else otherwise


def _known(task: Task | None) -> tuple[str, float] | None:
    return None if task is None or task.estimate_seconds is None else (task.kind, task.estimate_seconds)
