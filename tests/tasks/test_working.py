"""Agents at work: claims are exclusive, late results are refused, and what a crash cut off is completed."""

from __future__ import annotations

import pytest
from repositories import START_MILLISECONDS, clone, key, opened, repository, shards

from colony.primitives.clock import ManualClock
from colony.primitives.errors import ClaimError, RemoteError
from colony.tasks.shards.claims import Terms
from colony.tasks.shards.git import RefChange
from colony.tasks.shards.places import Here, Remote
from colony.tasks.shards.shards import Shards
from colony.tasks.shards.syncing import SHARD_REFS, sync
from colony.tasks.shards.working import Worker
from colony.tasks.state import records
from colony.tasks.task import State, Task

TERMS = Terms(lease_seconds=600, skew_seconds=30, idle_seconds=120)


class Site:
    """A hub that several clones share, each with a key, and one clock for all of them."""

    def __init__(self, place):
        self.place = place
        self.hub = repository(place / "hub.git", "--bare")
        self.clock = ManualClock(START_MILLISECONDS)

    def worker(self, name, *, is_local=False):
        """An agent with a clone of its own; called again, the same agent as a new command finds things."""
        folder = self.place / name
        git = opened(folder) if folder.exists() else clone(self.place / "hub.git", folder)
        mine = Shards(git, self.clock)
        home = Here(git) if is_local else Remote(git, "origin")
        return Worker(mine, home, key(name), self.clock, agent=name, terms=TERMS)

    def add(self, *tasks):
        """Tasks that everybody finds at the hub."""
        worker = self.worker("owner")
        worker._append(records.added(Task(id=name, title=f"Task {name}", **fields) for name, fields in tasks))
        worker.mend()


@pytest.fixture
def site(tmp_path):
    """A hub with three tasks."""
    here = Site(tmp_path)
    here.add(("A", {"scope": ("lib",)}), ("B", {"scope": ("web",)}), ("C", {}))
    return here


def test_a_task_is_claimed_begun_and_done(site):
    """The life of a task, as everybody sees it in the end."""
    ann = site.worker("ann")
    held = ann.claim(["A"]).held[0]
    assert (held.claim.fence, held.claim.agent) == (1, "ann")
    held = ann.begin(held)
    assert ann.state.tasks["A"].state is State.AGENT_EXECUTING
    ann.finish({held: "c0ffee"})
    task = site.worker("bob").refresh().tasks["A"]
    assert (task.state, task.commit, task.fence) == (State.DONE, "c0ffee", 1)
    assert not ann.claims.look().claims


def test_a_claimed_task_is_refused_to_others_and_renewed_for_its_holder(site):
    """One fence, one holder; asking again changes nothing but the lease."""
    ann, bob = site.worker("ann"), site.worker("bob")
    first = ann.claim(["A"]).held[0]
    assert "ann has it" in bob.claim(["A"]).refused["A"]
    site.clock.advance(1000)
    again = site.worker("ann").claim(["A"]).held[0]
    assert again.claim.fence == first.claim.fence
    assert again.claim.expires > first.claim.expires


def test_what_cannot_be_claimed_says_why(site):
    """Unknown, done and held tasks, and those with an obstacle, are refused."""
    ann = site.worker("ann")
    ann.finish({ann.claim(["A"]).held[0]: None})
    ann._append([records.held("B")])
    refused = ann.claim(["A", "B", "C", "X"], obstacle=lambda _, task: f"{task.id} waits").refused
    assert refused == {"A": "it is done", "B": "a human holds it", "C": "C waits", "X": "there is no such task"}


def test_a_stale_clone_cannot_claim_what_is_done(site):
    """Whoever has not heard of a completion finds it before the claim counts."""
    ann, bob = site.worker("ann"), site.worker("bob")
    bob.refresh()
    ann.finish({ann.claim(["A"]).held[0]: None})
    survey, looks = bob._survey, []

    def late(names, *args, **options):
        """The first look is at old records, as if the completion came just after it."""
        looks.append(names)
        if len(looks) == 1:
            bob.look = lambda: (bob.claims.look(), bob._folded())
            try:
                return survey(names, *args, **options)
            finally:
                del bob.look
        return survey(names, *args, **options)

    bob._survey = late
    assert bob.claim(["A"]).refused == {"A": "it is done"}
    assert not bob.claims.look().claims


def test_overlapping_scopes_are_refused(site):
    """A claim on paths that another's claim touches is refused; one's own do not stand in the way."""
    overlaps = Terms(overlaps=lambda one, other: not one or not other or one == other)
    ann, bob = site.worker("ann"), site.worker("bob")
    for worker in (ann, bob):
        object.__setattr__(worker.claims, "terms", overlaps)
    assert ann.claim(["A", "C"]).held
    assert "touches that of" in bob.claim(["B"]).refused["B"]


def test_an_ended_lease_lets_others_in_with_a_larger_fence(site):
    """After the lease and the margin for clocks, and not before; the late result is then refused."""
    ann, bob = site.worker("ann"), site.worker("bob")
    late = ann.begin(ann.claim(["A"]).held[0])
    site.clock.advance(610_000)
    assert "ann has it" in bob.claim(["A"]).refused["A"]
    site.clock.advance(30_000)
    held = bob.claim(["A"]).held[0]
    assert held.claim.fence == 2
    with pytest.raises(ClaimError, match="stale"):
        ann.finish({late: "dead"})
    bob.finish({held: "beef"})
    task = ann.refresh().tasks["A"]
    assert (task.state, task.commit, task.agent) == (State.DONE, "beef", "bob")
    assert len(ann.state.completions("A")) == 1


def test_a_claim_lost_between_the_check_and_the_push_withdraws_the_record(site):
    """A result whose claim goes in the last moment is never seen by anybody, and its number is used again."""
    ann, bob = site.worker("ann"), site.worker("bob")
    late = ann.begin(ann.claim(["A"]).held[0])
    ann.claims.check = lambda _: (site.clock.advance(640_000), bob.claim(["A"]))
    with pytest.raises(ClaimError, match="went on meanwhile"):
        ann.finish({late: "dead"})
    assert ann.refresh().tasks["A"].state is not State.DONE
    bob.finish({bob.claim(["A"]).held[0]: "beef"})
    ann.mend()
    for worker in (ann, bob):
        assert worker.refresh().completions("A").keys() == worker.state.completions("A").keys()
        assert worker.state.tasks["A"].commit == "beef"
        assert not worker._shards.read().faults


def test_an_idle_task_is_stolen_and_one_in_work_is_not(site):
    """Assigned and left alone: a steal by one in fence + 1. Begun: refused."""
    ann, bob = site.worker("ann"), site.worker("bob")
    taken = ann.claim(["A", "B"]).held
    ann.begin(next(held for held in taken if held.claim.task == "B"))
    assert "at work" in bob.claim(["A"], is_steal=True).refused["A"]
    site.clock.advance(130_000)
    stolen = bob.claim(["A", "B"], is_steal=True)
    assert [(held.claim.task, held.claim.fence) for held in stolen.held] == [("A", 2)]
    assert "ann" in stolen.refused["B"]
    assert bob.state.tasks["A"].agent == "bob"


def test_a_released_task_goes_to_the_next_with_a_larger_fence(site):
    """The fence outlives the claim, since the records have it."""
    ann, bob = site.worker("ann"), site.worker("bob")
    ann.give_up(ann.claim(["A"]).held, "too hard")
    assert bob.claim(["A"]).held[0].claim.fence == 2
    bob.give_up([bob.claims.look().claims["A"]], "broken", has_failed=True)
    assert ann.refresh().tasks["A"].state is State.FAILED


def test_agents_of_one_clone_agree_in_the_repository_itself(site):
    """Without a remote the refs of the clone decide."""
    ann = site.worker("ann", is_local=True)
    other = Worker(
        shards(opened(site.place / "ann")), Here(ann._shards.git), key("ann"), site.clock, agent="eve", terms=TERMS
    )
    sync(ann._shards, Remote(ann._shards.git, "origin"), key("ann").did)
    held = ann.claim(["A"]).held[0]
    assert "ann has it" in other.claim(["A"]).refused["A"]
    ann.finish({held: "c0ffee"})
    assert other.claim(["A"]).refused["A"] == "it is done"


def test_a_look_sees_what_another_process_of_the_clone_has_written(site):
    """Without a remote, too, the newest records count, however long the agent has been at work."""
    ann = site.worker("ann", is_local=True)
    sync(ann._shards, Remote(ann._shards.git, "origin"), key("ann").did)
    assert ann.refresh().tasks["A"].state is State.PENDING
    shards(opened(site.place / "ann")).append(key("eve"), [records.held("A")])
    assert ann.refresh().tasks["A"].held
    assert ann.claim(["A"]).refused == {"A": "a human holds it"}


# -- what a crash leaves, at each step ---------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


def cut(owner, name):
    """Let a step be the last thing that this process did not do."""

    def gone(*_args, **_options):
        raise Killed

    setattr(owner, name, gone)


def test_a_claim_cut_off_before_its_record_is_completed(site):
    """The ref stands, the record is missing: the next command writes it."""
    ann = site.worker("ann")
    cut(ann, "_append")
    with pytest.raises(Killed):
        ann.claim(["A"])
    ann = site.worker("ann")
    assert ann.refresh().tasks["A"].state is State.PENDING
    assert ann.mend().recorded == ["A"]
    assert site.worker("bob").refresh().tasks["A"].agent == "ann"
    assert ann.mend()[:2] == ([], [])


def test_a_completion_cut_off_before_its_push_is_pushed(site):
    """The record is here, the hub has not heard: the next command pushes it and ends the claim."""
    ann = site.worker("ann")
    held = ann.claim(["A"]).held[0]
    cut(ann._exchange._place, "change")
    with pytest.raises(Killed):
        ann.finish({held: "c0ffee"})
    assert site.worker("bob").refresh().tasks["A"].state is State.PENDING
    mended = site.worker("ann").mend()
    assert mended.released == ["A"]
    bob = site.worker("bob")
    assert bob.refresh().tasks["A"].commit == "c0ffee"
    assert not bob.claims.look().claims


def test_a_push_cut_off_before_it_is_noticed_changes_nothing(site):
    """The hub has everything, the process died before it heard: the next command finds all in order."""
    ann = site.worker("ann")
    held = ann.claim(["A"]).held[0]
    change = ann._exchange._place.change
    ann._exchange._place.change = lambda changes: (
        change(changes),
        cut(ann._exchange._place, "change"),
        ann._exchange._place.change(changes),
    )
    with pytest.raises(Killed):
        ann.finish({held: "c0ffee"})
    mended = site.worker("ann").mend()
    assert (mended.recorded, mended.released, mended.union.sent) == ([], [], 0)
    assert site.worker("bob").refresh().tasks["A"].commit == "c0ffee"


def test_a_sync_cut_off_before_its_join_starts_again(site):
    """What was fetched and not joined is fetched again."""
    site.worker("ann").claim(["A"])
    site.worker("ann").mend()
    bob = site.worker("bob")
    cut(bob._shards, "commit")
    cut(bob._shards.git, "change_refs")
    with pytest.raises(Killed):
        bob.refresh()
    assert site.worker("bob").refresh().tasks["A"].agent == "ann"


def test_a_hub_that_refuses_leaves_everything_here(site):
    """A completion that the hub declines is kept, and goes through when it allows it again."""
    ann = site.worker("ann")
    held = ann.claim(["A"]).held[0]
    hook = site.hub.shared_folder / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho closed for the night >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RemoteError, match="closed for the night"):
        ann.finish({held: "c0ffee"})
    hook.unlink()
    assert site.worker("ann").mend().union.sent == 2
    assert site.worker("bob").refresh().tasks["A"].commit == "c0ffee"


def test_a_forged_claim_is_reported_and_replaced(site):
    """A text that its replica did not sign holds nobody off."""
    ann, bob = site.worker("ann"), site.worker("bob")
    held = ann.claim(["A"]).held[0]
    text = ann._shards.git.objects([held.oid])[0].replace(b'"agent":"ann"', b'"agent":"eve"')
    [forged] = ann._shards.git.write([text])
    assert ann._exchange._place.change([RefChange(held.claim.ref, held.oid, forged)])
    standing = bob.claims.look()
    assert "forged" in str(standing.faults[0])
    assert "refs/colony/claims/A" in str(standing.faults[0])
    site.clock.advance(700_000)
    assert bob.claim(["A"]).held


def test_each_replica_has_one_ref_at_the_hub(site):
    """All that the hub keeps stands under a ref for each replica, and claims that were ended leave none."""
    ann = site.worker("ann")
    ann.finish({ann.claim(["A"]).held[0]: None})
    replicas = {SHARD_REFS + key(name).did.rpartition(":")[2] for name in ("ann", "owner")}
    assert site.hub.refs("refs/colony/").keys() == replicas
