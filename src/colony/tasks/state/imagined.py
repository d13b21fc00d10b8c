"""Small imagined worlds for the law fuzzer: a common past, then three shards that know nothing of each other.

In each shard an owner, a human and two agents do what they do to a handful of tasks, with what they see there, and now
and then what they should not: a deed beyond their role, a fence or an epoch out of nowhere, a clock hours or years off,
a body that makes no sense, a number signed twice. Each world knows only a few sorts of deeds, drawn for it, so that
they meet on one task far more often than if all were mixed (swarm testing: Groce et al., 2012). What this file does not
do: judge what becomes of it (laws.py), or sign; a fold takes records that were verified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import combinations
from random import Random
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from colony.journal.record import Record, SignedRecord
from colony.tasks.state import records
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import CLAIMED, STEPPED, Draft
from colony.tasks.state.roles import Roles
from colony.tasks.task import Edge, State, Task

NOW_MILLISECONDS: Final = 1_800_000_000_000
_TASKS: Final = tuple("abcd")
_OFTEN: Final = (6, 2, 1, 1)
_HOUR: Final = 3_600_000
_SKEWS: Final = (0, 0, 0, 0, 1, -_HOUR, _HOUR, 30 * 365 * 24 * _HOUR)
_PEOPLE: Final = ("owner", "human", "agent", "agent")
_STATES: Final = tuple(sorted(STEPPED, key=lambda state: state.name))

Deed: TypeAlias = Callable[["_Play", Task], Draft | None]
"""Returns what somebody writes who does something to a task; None if that makes no sense there."""
_Records: TypeAlias = Sequence[SignedRecord]


class World(NamedTuple):
    """A past, three shards that each hold it, and who may do what."""

    past: tuple[SignedRecord, ...]
    shards: tuple[tuple[SignedRecord, ...], ...]
    """Each shard's own records, without the past."""
    roles: Roles


class _Writer:
    """One key: it numbers its records, and has a clock of its own."""

    def __init__(self, name: str, skew_milliseconds: int) -> None:
        self.did = f"did:key:{name}"
        self._skew_milliseconds = skew_milliseconds
        self.n = 0

    def write(self, moment: int, kind: str, body: dict[str, Any]) -> SignedRecord:
        """Return the next record. The chain's hashes are left out: a fold does not look at them."""
        at = f"{NOW_MILLISECONDS + self._skew_milliseconds + moment:012x}-0000"
        record = Record(1, self.did, self.n, None, at, kind, body)
        payload = record.payload
        self.n += 1
        return SignedRecord(record, sha256(payload).hexdigest(), payload, b"")


class _Play:
    """One shard while it is made: what is seen there, who writes there, and what was written."""

    def __init__(
        self, chance: Random, deeds: Sequence[Deed], writers: Sequence[_Writer], roles: Roles, past: _Records
    ) -> None:
        self.chance = chance
        self.deeds = deeds
        self.writers = writers
        self.state = MatrixState.of(past, roles=roles)
        self.written: list[SignedRecord] = []

    def act(self, moment: int) -> None:
        """Let somebody do something; not if it makes no sense to whoever does it."""
        writer = self.chance.choice(self.writers)
        task = self.state.tasks.get(self.chance.choices(_TASKS, _OFTEN)[0])
        deed = self.chance.choice(self.deeds)
        draft = deed(self, task) if task is not None else _add(self, self.chance.choice(_TASKS))
        if draft is None:
            return
        signed = writer.write(moment, *draft)
        if self.chance.random() < 0.03:  # the same number once more
            writer.n -= 1
        self.written.append(signed)
        self.state.apply([signed])


def imagine(chance: Random, *, deeds: int = 6) -> World:
    """Return a world; in its past and in each of its shards about that many deeds are done."""
    names = [[f"{place}-{person}{index}" for index, person in enumerate(_PEOPLE)] for place in ("past", *"xyz")]
    roles = Roles.of({f"did:key:{name}": name[name.index("-") + 1 : -1] for place in names for name in place})
    casts = [[_Writer(name, chance.choice(_SKEWS)) for name in place] for place in names]
    known = chance.sample(_DEEDS, chance.choice((1, 2, 3, 5, 8, len(_DEEDS))))
    past = _Play(chance, known, casts[0], roles, ())
    first = records.added(Task(id=name, title=name) for name in _TASKS[:3])[0]
    past.written.append(casts[0][0].write(0, *first))
    past.state.apply(past.written)
    for moment in range(1, chance.randrange(1, deeds + 1)):
        past.act(moment)
    shards = []
    for cast in casts[1:]:
        play = _Play(chance, known, [*cast, _copied(chance, casts[0])], roles, past.written)
        for moment in range(deeds, deeds + 1 + chance.randrange(deeds + 1)):
            play.act(moment)
        shards.append(tuple(play.written))
    return World(tuple(past.written), tuple(shards), roles)


def _copied(chance: Random, cast: Sequence[_Writer]) -> _Writer:
    """Return a writer of the past whose key was copied into a shard: its numbers will be signed twice."""
    original = chance.choice(cast)
    copy = _Writer(original.did.removeprefix("did:key:"), 0)
    copy.n = original.n
    return copy


def _add(play: _Play, name: str) -> Draft:
    """Add a task, sometimes under an id that exists, sometimes finished or held from the start."""
    chance = play.chance
    state = chance.choice((State.PENDING, State.PENDING, State.DONE, State.PAUSED, State.HUMAN_ASSIGNED))
    commit = chance.choice((None, "c1", "c2"))
    task = Task(id=name, title=f"{name}{chance.randrange(3)}", state=state, commit=commit, stars=chance.randrange(3))
    draft = records.added([task])[0]
    draft[1]["tasks"][0] |= {"held": True} if chance.random() < 0.1 else {}
    return draft


def _set(play: _Play, task: Task) -> Draft:
    chance = play.chance
    field, values = chance.choice(tuple(_VALUES.items()))
    return records.changed(task.id, **{field: chance.choice(values)})


def _claim(play: _Play, task: Task) -> Draft:
    chance = play.chance
    state = chance.choice(sorted(CLAIMED, key=lambda one: one.name))
    agent = chance.choice(("ada", "bob", "eve"))
    lease = chance.choice((None, NOW_MILLISECONDS + 60_000))
    is_steal = task.agent is not None
    return records.claimed(task, agent=agent, state=state, lease_expires=lease, is_steal=is_steal)


def _step(play: _Play, task: Task) -> Draft:
    return records.stepped(task, play.chance.choice(_STATES))


def _end(play: _Play, task: Task) -> Draft:
    return play.chance.choice((records.released, records.failed))(task)


def _finish(play: _Play, task: Task) -> Draft:
    return records.done(task, commit=play.chance.choice((None, "c1", "c2", "c3")))


def _reopen(play: _Play, task: Task) -> Draft:
    completions = play.state.completions(task.id)
    if completions or task.state is State.FAILED:
        return records.reopened(task, completions)
    return _finish(play, task)


def _hold(_play: _Play, task: Task) -> Draft:
    return records.held(task.id)


def _lift(play: _Play, task: Task) -> Draft:
    holds = play.state.holds(task.id)
    return records.lifted(task.id, holds) if holds else records.held(task.id)


def _link(play: _Play, _task: Task) -> Draft:
    pairs = list(combinations(_TASKS, 2))
    before, after = play.chance.sample(play.chance.choice(pairs), 2)
    return records.linked([Edge(before, after, play.chance.choice(("^", "^", ";")))])[0]


def _unlink(play: _Play, task: Task) -> Draft:
    edges = sorted([*play.state.edges, *play.state.aside])
    edge = play.chance.choice(edges) if edges else None
    return records.unlinked({edge: play.state.links(edge)})[0] if edge else _link(play, task)


def _delete(play: _Play, task: Task) -> Draft | None:
    return records.deleted([task.id])[0] if play.chance.random() < 0.3 else None


def _lie(play: _Play, task: Task) -> Draft:
    """Say what cannot be: an epoch or a fence out of nowhere, another kind, a body of another shape."""
    far = play.chance.choice((1, 5, 10**9))
    move = {
        "task": task.id,
        "move": play.chance.choice(("claim", "step", "done", "reopen")),
        "epoch": far,
        "fence": far,
    }
    return play.chance.choice(
        (
            ("task.moved/1", {"moves": [move | ({"state": "%"} if move["move"] in ("claim", "step") else {})]}),
            ("task.moved/1", {"moves": [{"task": task.id, "move": "fly", "epoch": 0, "fence": 0}, 7]}),
            ("task.added/2", {"tasks": []}),
            ("task.added/1", {"tasks": [{"id": "d", "title": "d", "state": "Q", "heat": "hot", "mood": 1}]}),
            ("task.set/1", {"settings": [{"task": task.id, "fields": {"priority": 99, "title": "new"}}]}),
        )
    )


_VALUES: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        "title": ("one", "two", "three"),
        "priority": (1, 3, 5),
        "stars": (0, 1, 4),
        "heat": (None, 0.0, 1.0),
        "size": (None, "small", "critical"),
        "secure": (False, True),
    }
)
_DEEDS: Final[tuple[Deed, ...]] = (
    *(_claim, _claim, _claim, _step, _step, _end, _finish, _finish, _reopen, _reopen),
    *(_hold, _lift, _link, _link, _unlink, _set, _set, _delete, _lie),
    lambda play, task: _add(play, task.id),
)
