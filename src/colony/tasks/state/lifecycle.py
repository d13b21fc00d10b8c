"""The life of one task as one register: who has it, in which state, or that it is finished; a pure function of moves.

Three rules, each independent of the order in which moves arrive:

1. Who has the task is said by its *grants* (claim, steal, reopening). The largest (epoch, fence) counts; of two alike
   the first by (at, author, n, id): whoever came first keeps the task. A reopening opens the next epoch; a steal needs
   none, since its larger fence already outranks whatever the former holder still writes.
2. Within a grant its holder's steps count, the latest one, until the grant *ends* (release, fail). Steps and endings of
   smaller fences are stale and change nothing, so state, agent and lease always come from one grant.
3. A *completion* is a fact of its own. It closes the task in every epoch, whoever has claimed it since, unless a
   reopening cites its record, or cites its commit and opened a later epoch than the completion's.

So a finished task cannot be undone by a shard that did not know, and no steal beats what has finished. What this file
does not do: decide who may do what (the caller leaves out what a role forbids), or handle holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from colony.primitives.limits import TASK_FENCE_STEP_MAX
from colony.tasks.state.records import Move, Stamp
from colony.tasks.task import State, Task

Said = tuple[Stamp, Move]


class Completion(NamedTuple):
    """That a task was finished, by which record, in which grant and with which commit."""

    epoch: int
    fence: int
    stamp: Stamp
    commit: str | None
    agent: str | None


class Life(NamedTuple):
    """What the moves come to."""

    state: State
    agent: str | None
    epoch: int
    fence: int
    lease_expires: int | None
    commit: str | None
    completions: tuple[Completion, ...]
    """Those that no reopening undid; the first is the one that counts."""


class _Grant(NamedTuple):
    epoch: int
    fence: int
    stamp: Stamp
    state: State
    agent: str | None
    lease_expires: int | None


Note = Callable[[str, Stamp, str], None]
"""Takes a key of `reports.WHATS`, the stamp of the record that has no effect, and a detail."""
_GRANTING: Final = frozenset({"claim", "steal", "reopen"})


def live(
    added: tuple[Stamp, Task],
    moves: Sequence[Said],
    completions: Iterable[Completion],
    may_override: Callable[[str], bool],
    note: Note,
) -> Life:
    """Return the life of a task from how it was added, its permitted moves, and completions known otherwise."""
    grant, reopenings = _granted(added, moves, note)
    grant = _stepped(grant, [said for said in moves if said[1].move in ("step", "release", "fail")], may_override, note)
    finished = [*completions, *(_completion(*said) for said in moves if said[1].move == "done")]
    standing = _standing(finished, reopenings, note)
    if not standing:
        return Life(grant.state, grant.agent, grant.epoch, grant.fence, grant.lease_expires, None, ())
    best = standing[0]
    fence = max((grant.epoch, grant.fence), (best.epoch, best.fence))
    return Life(State.DONE, best.agent, *fence, None, best.commit, standing)


def _granted(added: tuple[Stamp, Task], moves: Sequence[Said], note: Note) -> tuple[_Grant, list[Move]]:
    """Return the grant that counts, and the reopenings that have an effect."""
    stamp, task = added
    best = _Grant(0, 0, stamp, task.state, task.agent, None)
    reopenings: list[Move] = []
    grants = [said for said in moves if said[1].move in _GRANTING]
    for at, move in sorted(grants, key=lambda said: (said[1].epoch, said[1].fence, said[0])):
        is_reopening = move.move == "reopen"
        if move.epoch > best.epoch + is_reopening or move.fence > best.fence + TASK_FENCE_STEP_MAX:
            note("unseen", at, f"a {move.move} at epoch {move.epoch}, fence {move.fence}")
            continue
        if is_reopening:
            reopenings.append(move)
        if (move.epoch, move.fence) > (best.epoch, best.fence):
            state = State.PENDING if is_reopening else move.state or State.AGENT_ASSIGNED
            best = _Grant(move.epoch, move.fence, at, state, move.agent, move.lease_expires)
        elif not is_reopening and (at.author, move.agent) != (best.stamp.author, best.agent):
            note("double-claim", at, f"{move.agent} lost to {best.agent or 'a reopening'}")
    return best, reopenings


def _stepped(grant: _Grant, said: Sequence[Said], may_override: Callable[[str], bool], note: Note) -> _Grant:
    """Return the grant after the steps and the ending that belong to it."""
    fence, holder = (grant.epoch, grant.fence), grant.stamp.author
    ours: list[Said] = []
    for at, move in said:
        if (move.epoch, move.fence) > fence:
            note("unseen", at, f"a {move.move} at epoch {move.epoch}, fence {move.fence}")
        elif (move.epoch, move.fence) == fence and at.author != holder and not may_override(at.author):
            note("not-held", at, f"a {move.move} at fence {move.fence}")
        elif (move.epoch, move.fence) == fence:
            ours.append((at, move))
    ends = [(at, move) for at, move in ours if move.move != "step"]
    steps = [(at, move) for at, move in ours if move.move == "step" and (not ends or may_override(at.author))]
    if not ends and not steps:
        return grant
    at, move = max([*ends, *steps], key=lambda one: one[0])
    if move.move != "step":
        state = State.FAILED if move.move == "fail" else State.PENDING
        return grant._replace(state=state, agent=None, lease_expires=None)
    agent = None if ends else grant.agent
    return grant._replace(state=move.state or grant.state, agent=agent, lease_expires=move.lease_expires)


def _completion(stamp: Stamp, move: Move) -> Completion:
    return Completion(move.epoch, move.fence, stamp, move.commit, move.agent)


def _standing(finished: Iterable[Completion], reopenings: Sequence[Move], note: Note) -> tuple[Completion, ...]:
    """Return the completions that no reopening undid: the largest fence first, of equal ones the earliest record."""
    undone = {cite for move in reopenings for cite in move.cites}
    epochs = {cite: max(m.epoch for m in reopenings if cite in m.cites) for cite in undone}
    standing = [
        one
        for one in finished
        if one.stamp.id not in undone and not (one.commit and one.epoch < epochs.get(one.commit, 0))
    ]
    standing.sort(key=lambda one: one.stamp)
    standing.sort(key=lambda one: (one.epoch, one.fence), reverse=True)
    for other in standing[1:]:
        if other.commit != standing[0].commit:
            note("double-done", other.stamp, f"commit {other.commit or 'none'}")
    return tuple(standing)
