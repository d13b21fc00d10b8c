"""Which dependencies close a circle, if they are taken in a given order; a pure function of the set and the order.

Most graphs have none, which one pass shows (Kahn, 1962). Only what is left, when everything before and after all
circles is taken away, is inserted one by one into an order that is kept topological (Pearce and Kelly, 2006).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias

Pair: TypeAlias = tuple[str, str]
"""Before and after."""


def closing(pairs: Collection[Pair], rank: Callable[[Pair], Any]) -> list[Pair]:
    """Return the pairs, taken by (rank, pair), that would close a circle with those taken and kept before them."""
    backwards = _core([(after, before) for before, after in _core(pairs)])
    core = [(before, after) for after, before in backwards]
    return _closing(sorted(core, key=lambda pair: (rank(pair), pair)))


def successors(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """Return the tasks that wait for each task."""
    after: dict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        after[first].append(second)
    return dict(after)


def reaches(after: Mapping[str, Collection[str]], start: str, goal: str) -> bool:
    """Tell whether a path of dependencies leads from one task to another; from a task to itself always."""
    seen, stack = {start}, [start]
    while stack:
        task = stack.pop()
        if task == goal:
            return True
        fresh = [one for one in after.get(task, ()) if one not in seen]
        seen.update(fresh)
        stack += fresh
    return False


def _core(pairs: Collection[Pair]) -> list[Pair]:
    """Return the pairs that are left when tasks that wait for nothing are taken away, again and again."""
    after = successors(pairs)
    waiting = Counter(map(itemgetter(1), pairs))
    ready = [task for task in after if task not in waiting]
    while ready:
        for task in after.get(ready.pop(), ()):
            if waiting[task] == 1:
                del waiting[task]
                ready.append(task)
            else:
                waiting[task] -= 1
    return [pair for pair in pairs if pair[0] in waiting] if waiting else []


def _closing(pairs: Collection[Pair]) -> list[Pair]:
    """Return those that close a circle when inserted in this order."""
    place: dict[str, int] = {}
    for pair in pairs:
        for task in pair:
            place.setdefault(task, len(place))
    after: dict[str, list[str]] = {task: [] for task in place}
    before: dict[str, list[str]] = {task: [] for task in place}
    aside: list[Pair] = []
    for first, second in pairs:
        if _is_placed(first, second, place, after, before):
            after[first].append(second)
            before[second].append(first)
        else:
            aside.append((first, second))
    return aside


def _is_placed(
    first: str, second: str, place: dict[str, int], after: Mapping[str, list[str]], before: Mapping[str, list[str]]
) -> bool:
    """Reorder `place` so that `first` comes before `second`; tell whether that can be."""
    low, high = place[second], place[first]
    if low > high:
        return True
    ahead = _region(second, after, lambda task: place[task] <= high)
    if first in ahead:
        return False
    behind = _region(first, before, lambda task: place[task] >= low)
    moved = sorted(behind, key=place.__getitem__) + sorted(ahead, key=place.__getitem__)
    places = sorted(place[task] for task in moved)
    place.update(zip(moved, places, strict=True))
    return True


def _region(start: str, next_to: Mapping[str, list[str]], is_near: Callable[[str], bool]) -> set[str]:
    """Return what can be reached from a task through tasks that are near."""
    seen, stack = {start}, [start]
    while stack:
        fresh = [task for task in next_to[stack.pop()] if task not in seen and is_near(task)]
        seen.update(fresh)
        stack += fresh
    return seen
