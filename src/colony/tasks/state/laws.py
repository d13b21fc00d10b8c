"""A fuzzer of the laws that the fold has to keep: random triples of shards, merged in every order and grouping.

The algebraic law is one: whatever the order, grouping and repetition in which the shards arrive, the bytes are the
same. The others say what the bytes have to mean: a completion or a hold is never lost, a task is in one pair of hands,
what was removed or deleted stays away, nobody acts beyond his role, the order has no circles. Each is judged from the
records, by code that shares nothing with the fold. What this file does not do: sign, or touch a repository.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import permutations
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from colony.journal.record import SignedRecord
from colony.tasks.circles import reaches
from colony.tasks.state.imagined import NOW_MILLISECONDS, World, imagine
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.roles import Roles
from colony.tasks.task import State

Records = Sequence[SignedRecord]


class Replica(Protocol):
    """What the fuzzer feeds: a `MatrixState`, or a rule that somebody thinks is as good."""

    def apply(self, records: Iterable[SignedRecord]) -> object:
        """Take in records that may be known already."""
        ...

    @property
    def canonical(self) -> bytes:
        """The state as bytes: two replicas agree if and only if these are equal."""
        ...


class LawReport(NamedTuple):
    """What a fuzzer found: how many triples and records it made, and how often which law was broken."""

    triples: int
    records: int
    violations: int
    broken: Mapping[str, int]
    first: str
    """Where the first violation was found; empty if there was none."""


def laws(triples: int, seed: int, *, replica: Callable[[Roles], Replica] = MatrixState) -> LawReport:
    """Return what `triples` random triples of shards show; the same for the same seed.

    What the bytes mean is judged only for `MatrixState`.
    """
    broken: Counter[str] = Counter()
    first, records = "", 0
    for triple in range(triples):
        world = imagine(Random(f"{seed}/{triple}"))  # noqa: S311 - a game, not a secret
        records += len(world.past) + sum(map(len, world.shards))
        faults = [*_disagreements(world, replica, Random(triple))]  # noqa: S311 - the same
        if replica is MatrixState:
            faults += _misreadings(world)
        broken.update(faults)
        first = first or (f"{faults[0]}: triple {triple} of seed {seed}" if faults else "")
    return LawReport(triples, records, broken.total(), dict(sorted(broken.items())), first)


def _disagreements(world: World, replica: Callable[[Roles], Replica], chance: Random) -> Iterator[str]:
    """Yield the ways in which the result depends on how the shards arrive."""
    past, (a, b, c) = world.past, world.shards
    everything = (*past, *a, *b, *c)
    expected = _bytes(replica, world, [everything])
    for order in permutations((a, b, c)):  # each time the three arrive one after another, the past with each
        if _bytes(replica, world, [(*past, *shard) for shard in order]) != expected:
            yield "order"
    for one, two, three in ((a, b, c), (b, c, a), (c, a, b)):
        if _bytes(replica, world, [(*past, *one), (*past, *two, *three)]) != expected:
            yield "grouping"
    shuffled = [*everything, *chance.sample(everything, len(everything) // 2)]
    chance.shuffle(shuffled)
    if _bytes(replica, world, [[record] for record in shuffled]) != expected:
        yield "repetition"


def _bytes(replica: Callable[[Roles], Replica], world: World, batches: Iterable[Records]) -> bytes:
    state = replica(world.roles)
    for batch in batches:
        state.apply(batch)
    return state.canonical


def _misreadings(world: World) -> Iterator[str]:
    """Yield the laws of meaning that the union of the shards breaks."""
    shards = [MatrixState.of([*world.past, *shard], roles=world.roles) for shard in world.shards]
    everything = [*world.past, *(record for shard in world.shards for record in shard)]
    union = MatrixState.of(everything, roles=world.roles)
    told = _Told(everything, world.roles)
    for law, is_broken in _LAWS.items():
        if any(is_broken(shard, union, told) for shard in shards):
            yield law
    late = MatrixState.of(everything, roles=world.roles, now_milliseconds=NOW_MILLISECONDS)
    if late.root != union.root:
        yield "clock"


class _Told:
    """The records as plain lists of what was said by somebody who may: the judge's own reading of them."""

    def __init__(self, everything: Records, roles: Roles) -> None:
        self.roles = roles
        self.said: list[tuple[tuple[str, str, int, str], str, Any]] = [
            ((one.record.at, one.record.author, one.record.n, one.id), one.record.kind, item)
            for one in {one.id: one for one in everything}.values()
            for items in one.record.body.values()
            for item in items
            if isinstance(item, (dict, list))
        ]

    def moves(self, task: str, *names: str) -> Iterator[tuple[tuple[str, str, int, str], dict[str, Any]]]:
        """Yield the moves of those names, by whoever may make them."""
        for stamp, kind, item in self.said:
            is_about = kind == "task.moved/1" and isinstance(item, dict) and item.get("task") == task
            if is_about and item["move"] in names and self.roles.may(stamp[1], item["move"]):
                yield stamp, item


def _loses_completion(shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether a task that was done in a shard is open in the union, though no reopening names what did it."""
    for name, task in shard.tasks.items():
        now = union.tasks.get(name)
        if task.state is not State.DONE or now is None or now.state is State.DONE:
            continue
        cited = {cite for _, move in told.moves(name, "reopen") for cite in move.get("cites", ())}
        if any(not cited & {record, commit} for record, commit in shard.completions(name).items()):
            return True
    return False


def _loses_hold(shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether a hold of a shard is gone, though nobody lifted it who may."""
    lifted = {
        record
        for stamp, kind, item in told.said
        if kind == "task.held/1" and told.roles.may(stamp[1], "lift")
        for record in item.get("lifts", ())
    }
    return any(
        name in union.tasks and not union.tasks[name].held and not set(shard.holds(name)) <= lifted
        for name in shard.tasks
    )


def _has_two_hands(_shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether an agent has a task that another claimed with a larger fence, or first with the same."""
    for name, task in union.tasks.items():
        if task.agent is None or task.state is State.DONE or not task.fence:
            continue
        claims = told.moves(name, "claim", "steal")
        rivals = sorted((-move["fence"], stamp, move) for stamp, move in claims if move["epoch"] == task.epoch)
        believed = [(stamp, move) for fence, stamp, move in rivals if -fence == task.fence]
        if not believed or believed[0][1].get("agent") != task.agent:
            return True
    return False


def _returns(_shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether a dependency counts though every record that made it was named by one that ended it."""
    for edge in [*union.edges, *union.aside]:
        link = list(edge)
        made = {stamp[3] for stamp, kind, item in told.said if kind == "task.linked/1" and item == link}
        ended = {
            record
            for stamp, kind, item in told.said
            if kind == "task.unlinked/1" and item[:3] == link and told.roles.may(stamp[1], "override")
            for record in item[3]
        }
        if made <= ended:
            return True
    return False


def _is_undeleted(_shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether a task exists that somebody deleted who may."""
    return any(
        kind == "task.deleted/1" and told.roles.may(stamp[1], "delete") and item["task"] in union.tasks
        for stamp, kind, item in told.said
    )


def _goes_in_circles(_shard: MatrixState, union: MatrixState, _told: _Told) -> bool:
    """Tell whether hard dependencies that count wait for each other."""
    before: dict[str, set[str]] = {}
    for edge in union.edges:
        if edge.kind == "^":
            before.setdefault(edge.after, set()).add(edge.before)
    try:
        TopologicalSorter(before).prepare()
    except CycleError:
        return True
    return False


def _is_needless(_shard: MatrixState, union: MatrixState, _told: _Told) -> bool:
    """Tell whether a dependency is set aside though it closes no circle with those that count."""
    after: dict[str, set[str]] = {}
    for edge in union.edges:
        if edge.kind == "^":
            after.setdefault(edge.before, set()).add(edge.after)
    return not all(reaches(after, edge.after, edge.before) for edge in union.aside)


def _goes_back(shard: MatrixState, union: MatrixState, _told: _Told) -> bool:
    """Tell whether a task has a smaller epoch or fence in the union than in a shard."""
    return any(
        name in union.tasks
        and (union.tasks[name].epoch, union.tasks[name].fence) < (task.epoch, task.fence)
        and State.DONE not in (task.state, union.tasks[name].state)
        for name, task in shard.tasks.items()
    )


def _is_overreached(_shard: MatrixState, union: MatrixState, told: _Told) -> bool:
    """Tell whether a task has more stars than anybody gave it who may raise them."""
    given: dict[str, int] = {}
    for stamp, kind, item in told.said:
        if not told.roles.may(stamp[1], "raise"):
            continue
        fields = item if kind == "task.added/1" else item.get("fields", {}) if kind == "task.set/1" else {}
        name = item.get("id", item.get("task")) if isinstance(item, dict) else None
        if isinstance(name, str):
            given[name] = max(given.get(name, 0), fields.get("stars", 0))
    return any(task.stars > given.get(name, 0) for name, task in union.tasks.items())


_LAWS: Final[Mapping[str, Callable[[MatrixState, MatrixState, _Told], bool]]] = {
    "completion": _loses_completion,
    "hold": _loses_hold,
    "hands": _has_two_hands,
    "removal": _returns,
    "deletion": _is_undeleted,
    "circle": _goes_in_circles,
    "needless": _is_needless,
    "fence": _goes_back,
    "role": _is_overreached,
}
"""What the union of shards must not do, by the name of the law."""
