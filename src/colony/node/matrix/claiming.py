"""Who takes a task, and what comes of it: claim, begin, finish, fail, release, steal; each mends first what broke off.

Claims are agreed on at the remote that the settings name, else in this repository. What this file does not do: rank
(the workspace does), route (routing.py), or print.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from colony.node.matrix.verifying import undone
from colony.node.matrix.workspace import Workspace
from colony.primitives.errors import ClaimError, UsageError
from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.scopes import overlaps
from colony.tasks.shards.claims import Held, Terms
from colony.tasks.shards.commits import Commits, taken_by
from colony.tasks.shards.places import Here, Place, Remote
from colony.tasks.shards.stealing import takeable
from colony.tasks.shards.working import Obstacle, Worker
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import lifted, released
from colony.tasks.task import State, Task


def worker_of(place: Workspace, *, lease_seconds: float | None = None) -> Worker:
    """The actor at work in this repository; what an earlier command was cut off in is completed first.

    Raises:
        RemoteError: the place where claims are agreed on does not answer.

    """
    settings = place.settings
    terms = Terms(
        lease_seconds=lease_seconds or settings.matrix.lease_seconds,
        tier_max=int(settings.matrix.ceiling[1]),
        overlaps=overlaps,
    )
    worker = Worker(
        place.shards,
        home_of(place),
        place.key,
        place.clock,
        agent=place.actor,
        state=place.state,
        terms=terms,
        is_person=place.agent is None,
    )
    worker.mend()
    place.refresh()
    return worker


def home_of(place: Workspace) -> Place:
    """Where claims are agreed on."""
    remote = place.settings.matrix.remote
    return Remote.at(place.git, remote) if remote else Here(place.git)


def claim(
    place: Workspace, tasks: Sequence[str] = (), *, lease_seconds: float | None = None, is_steal: bool = False
) -> dict[str, Any]:
    """Claim these tasks, or the first one that can be had, by stealing from a longer queue if asked to; JSON-able.

    Raises:
        ClaimError: none of them could be had; says why.

    """
    worker = worker_of(place, lease_seconds=lease_seconds)
    for task in tasks:
        place.task(task)
    if tasks:
        wanted = [[*tasks]]
    elif is_steal:
        wanted = [[task] for task in _takeable(worker, place)]
    else:
        wanted = [[row.id] for row in place.ready()]
    refused: dict[str, str] = {}
    for some in wanted:
        taken = worker.claim(some, obstacle=_waits(), is_steal=is_steal)
        refused |= taken.refused
        if taken.held:
            place.refresh()
            return {"claimed": [_as_record(held) for held in taken.held], "refused": refused}
    why = "; ".join(f"{task}: {reason}" for task, reason in list(refused.items())[:5]) or "there is nothing to do"
    raise ClaimError(f"nothing was claimed: {why}")


def begin(place: Workspace, task: str) -> dict[str, Any]:
    """Say that work on a claimed task has begun, and renew its lease."""
    worker = worker_of(place)
    record = _as_record(worker.begin(_held(worker, place, task)))
    place.refresh()
    return record


def pause(place: Workspace, task: str, question: str) -> dict[str, Any]:
    """Say that work on a claimed task rests, or waits for an answer; `begin` goes on with it."""
    worker = worker_of(place)
    worker.pause(_held(worker, place, task), question)
    place.refresh()
    return {"task": task, "state": place.task(task).symbol, "question": question}


def finish(place: Workspace, task_id: str, commit: str | None) -> dict[str, Any]:
    """Say that a claimed task is done, by this commit or by the one that names it.

    Raises:
        ClaimError: the actor does not hold it, or the claim is stale. CommitError: there is no such commit, or it is
            another task's, or touches what lies outside the task's scope.

    """
    worker = worker_of(place)
    held = _held(worker, place, task_id)
    task = place.task(task_id)
    commits = Commits(place.git)
    if commit is None and (earlier := undone(place, task_id)):
        again = [one.commit for one in commits.named() if task_id in one.tasks and one.commit not in earlier]
        commit = again[0] if len(again) == 1 else None
    found = commits.check(task, commit, taken_by(place.state.tasks.values()))
    worker.finish({held: found})
    place.refresh()
    return {"task": task_id, "commit": found, "state": place.task(task_id).symbol}


def give_back(place: Workspace, task: str, reason: str, *, has_failed: bool) -> dict[str, Any]:
    """Give a claimed task back, or say that it failed; `release` also ends a hold that the actor may lift."""
    found = place.task(task)
    if found.state is State.FAILED and not has_failed:
        place.write([released(found, reason)])
        if place.task(task).state is State.FAILED:
            raise UsageError(f"task {task}: another has failed at it; a human may release it, or whoever failed")
    elif found.held and not has_failed:
        if not place.may("lift"):
            raise UsageError(f"task {task}: a human holds it, and {place.actor} may not lift that")
        place.write([lifted(task, place.state.holds(task), reason)])
    else:
        worker = worker_of(place)
        worker.give_up([_held(worker, place, task)], reason, has_failed=has_failed)
        place.refresh()
    return {"task": task, "state": place.task(task).symbol}


def _takeable(worker: Worker, place: Workspace) -> list[str]:
    """What may be taken over from others: ended leases, and what a longer queue leaves lying."""
    scores = {found.task.id: found.score for found in place.ranking.every(place.now_milliseconds)}
    return takeable(
        worker.claims.look(),
        did=place.key.did,
        agent=place.actor,
        terms=worker.claims.terms,
        now_milliseconds=place.now_milliseconds,
        score=lambda task: scores.get(task, 0.0),
    )


def _held(worker: Worker, place: Workspace, task: str) -> Held:
    """The actor's claim on a task."""
    place.task(task)
    held = worker.claims.look().claims.get(task)
    if held is None or (held.claim.did, held.claim.agent) != (place.key.did, place.actor):
        whose = f"{held.claim.agent} has it" if held else "nobody has claimed it"
        raise ClaimError(f"task {task}: {whose}; claim it first: colony task claim {task}")
    return held


def _waits() -> Obstacle:
    """Says what a task waits for, by the newest records; one graph is made for each state that it is asked about."""
    graphs: dict[int, TaskGraph] = {}

    def obstacle(state: MatrixState, task: Task) -> str | None:
        records = state.statistics().records
        if records not in graphs:
            graphs.clear()
            graphs[records] = TaskGraph(state.tasks.values(), sorted(state.edges))
        waits = [each for each in graphs[records].obstacles(task.id, 0) if each.tasks]
        return "; ".join(f"{each.reason}: {', '.join(each.tasks)}" for each in waits) or None

    return obstacle


def _as_record(held: Held) -> dict[str, Any]:
    claim = held.claim
    return {
        "task": claim.task,
        "agent": claim.agent,
        "fence": claim.fence,
        "epoch": claim.epoch,
        "expires": claim.expires,
        "ceiling": f"T{claim.tier_max}",
        "scope": list(claim.scope),
    }
