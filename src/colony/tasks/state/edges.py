"""Dependencies as an add-remove set, without those set aside because they would close a circle.

A link is said by records; an unlink names the records it saw, so that a link somebody else made meanwhile stands, and a
stale replica cannot bring back what was removed. An agent ends what agents linked, not what a human did. Of `^` and `;`
for one pair the stricter counts. Dependencies of deleted tasks count no more, nor do they close circles. What this file
does not do: find the circles (circles.py), or know whether there are such tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from colony.tasks.circles import Pair, closing, reaches, successors
from colony.tasks.state.reading import Link
from colony.tasks.state.records import Stamp, Unlink
from colony.tasks.task import Edge

Strength: TypeAlias = Literal["^", ";"]
_SEARCHES_MAX: Final = 64  # new dependencies above which one pass over all is cheaper than a search for each


class EdgeSet:
    """The dependencies that records made and ended; `may_override` tells whose links only their like may end.

    Not for several threads.
    """

    def __init__(self, may_override: Callable[[str], bool]) -> None:
        self._may_override = may_override
        self._said: dict[Strength, dict[Pair, tuple[Stamp, ...]]] = {"^": {}, ";": {}}
        self._ended: dict[Strength, dict[Pair, frozenset[tuple[str, Stamp]]]] = {"^": {}, ";": {}}
        self._dropped: set[str] = set()
        self._touched: dict[Pair, None] = {}
        self._shown: dict[Pair, Strength] = {}
        self._aside: dict[Pair, Stamp] = {}
        self._next: dict[str, list[str]] | None = None

    @property
    def shown(self) -> Mapping[Pair, Strength]:
        """The dependencies that count, as of the last `settle`."""
        return MappingProxyType(self._shown)

    @property
    def aside(self) -> Mapping[Pair, Stamp]:
        """The hard dependencies set aside, each with the record that first said it."""
        return MappingProxyType(self._aside)

    def link(self, links: Collection[Link], stamp: Stamp) -> None:
        """Take note of the dependencies that one record makes."""
        said, only = self._said, (stamp,)
        for before, after, strength in links:
            pair = (before, after)
            known = said[strength].setdefault(pair, only)
            if known is not only:
                said[strength][pair] = (*known, stamp)
        if self._shown:  # else everything is settled anew
            self._touched.update(((before, after), None) for before, after, _ in links)

    def unlink(self, unlinks: Iterable[Unlink], stamp: Stamp) -> None:
        """Take note of the dependencies that one record ends."""
        for before, after, strength, records in unlinks:
            pair, ended = (before, after), self._ended[strength]
            ended[pair] = ended.get(pair, frozenset()) | {(record, stamp) for record in records}
            self._touched[pair] = None

    def drop(self, tasks: Collection[str]) -> None:
        """Take note that tasks were deleted, so that their dependencies count no more."""
        if tasks:
            self._dropped.update(tasks)
            self._touched.update((pair, None) for pair, _ in self.dangling())

    def dangling(self) -> Iterator[tuple[Pair, Stamp]]:
        """Yield the dependencies of deleted tasks, each with the record that first said it."""
        for strength, said in self._said.items() if self._dropped else ():
            for pair in said:
                if not self._dropped.isdisjoint(pair) and (spoken := self._spoken(pair, strength)):
                    yield pair, min(spoken)

    def records(self, edge: Edge) -> tuple[str, ...]:
        """Return the ids of the records that say so and have not been ended: what an unlink has to name."""
        return tuple(sorted(stamp.id for stamp in self._spoken((edge.before, edge.after), edge.kind)))

    def first(self, edge: Edge) -> Stamp:
        """Return the first record that says so and has not been ended."""
        return min(self._spoken((edge.before, edge.after), edge.kind))

    def refused(self) -> Iterator[tuple[Pair, Stamp]]:
        """Yield the records that would end a dependency which only a human may end."""
        for strength, ends in self._ended.items():
            for pair, ended in ends.items():
                standing = {stamp.id for stamp in self._spoken(pair, strength)}
                yield from ((pair, by) for record, by in ended if record in standing)

    def copy(self) -> EdgeSet:
        """Return a set that can grow without this one."""
        other = EdgeSet(self._may_override)
        other._said = {strength: said.copy() for strength, said in self._said.items()}
        other._ended = {strength: ended.copy() for strength, ended in self._ended.items()}
        other._dropped = self._dropped.copy()
        other._touched, other._shown, other._aside = self._touched.copy(), self._shown.copy(), self._aside.copy()
        return other

    def settle(self) -> tuple[Collection[tuple[Pair, Strength]], Collection[tuple[Pair, Strength]]]:
        """Return the dependencies that have come to count since the last time, and those that no longer do."""
        if not self._shown:
            return self._begun(), ()
        touched, aside = self._touched, self._aside
        self._touched = {}
        self._aside = self._resolved(touched) if touched else aside
        came: list[tuple[Pair, Strength]] = []
        went: list[tuple[Pair, Strength]] = []
        for pair in chain(touched, self._aside.keys() ^ aside.keys()):
            before, now = self._shown.get(pair), self._strength(pair)
            if before == now:
                continue
            if before is not None:
                del self._shown[pair]
                went.append((pair, before))
            if now is not None:
                self._shown[pair] = now
                came.append((pair, now))
        return came, went

    def _begun(self) -> Collection[tuple[Pair, Strength]]:
        """Settle everything that was said so far, since nothing counted until now."""
        self._touched, self._next = {}, None
        self._aside = self._circles()
        self._shown.update(dict.fromkeys(self._said[";"], ";"))
        self._shown.update(dict.fromkeys(self._said["^"], "^"))
        unsure = {*self._aside, *self._ended["^"], *self._ended[";"], *(pair for pair, _ in self.dangling())}
        for pair in unsure & self._shown.keys():
            strength = self._strength(pair)
            if strength is None:
                del self._shown[pair]
            else:
                self._shown[pair] = strength
        return list(self._shown.items())

    def _standing(self, pair: Pair, strength: Strength) -> tuple[Stamp, ...]:
        """Return the records that make a dependency count."""
        return () if self._dropped and not self._dropped.isdisjoint(pair) else self._spoken(pair, strength)

    def _spoken(self, pair: Pair, strength: Strength) -> tuple[Stamp, ...]:
        """Return the records that say so and have not been ended by somebody who may."""
        said, ended = self._said[strength].get(pair, ()), self._ended[strength].get(pair)
        if ended is None:
            return said
        over = {record for record, by in ended if self._may_override(by.author)}
        weak = {record for record, _ in ended} - over
        return tuple(
            stamp
            for stamp in said
            if stamp.id not in over and (stamp.id not in weak or self._may_override(stamp.author))
        )

    def _strength(self, pair: Pair) -> Strength | None:
        if pair not in self._aside and self._standing(pair, "^"):
            return "^"
        return ";" if self._standing(pair, ";") else None

    def _resolved(self, touched: Collection[Pair]) -> dict[Pair, Stamp]:
        """Return what is set aside now. Where nothing was, only a new dependency can close a circle."""
        if self._aside or len(touched) > _SEARCHES_MAX:
            self._next = None
            return self._circles()
        if self._next is None:
            self._next = successors(pair for pair, strength in self._shown.items() if strength == "^")
        news: list[Pair] = []
        for before, after in touched:
            was, now = self._shown.get((before, after)) == "^", bool(self._standing((before, after), "^"))
            if was and not now:
                self._next[before].remove(after)
            elif now and not was:
                self._next.setdefault(before, []).append(after)
                news.append((before, after))
        if any(reaches(self._next, after, before) for before, after in news):
            self._next = None
            return self._circles()
        return {}

    def _circles(self) -> dict[Pair, Stamp]:
        said = self._said["^"]
        is_plain = not self._ended["^"] and not self._dropped
        hard = said.keys() if is_plain else [pair for pair in said if self._standing(pair, "^")]
        return {pair: min(self._standing(pair, "^")) for pair in closing(hard, lambda p: min(self._standing(p, "^")))}
