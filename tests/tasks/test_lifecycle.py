"""The life of a task: who has it, that it is finished, and who may say so; across shards that did not know."""

from __future__ import annotations

from itertools import permutations

import pytest
from clerks import NOW_MILLISECONDS, Clerk, fold, roles_of, whats

from colony.primitives.errors import UsageError
from colony.primitives.limits import TASK_FENCE_STEP_MAX
from colony.tasks.state import records
from colony.tasks.task import State, Task

ROLES = roles_of(olga="owner", hana="human", ada="agent", bob="agent")


@pytest.fixture
def cast():
    """An owner, a human and two agents, whose clocks are a second apart."""
    return [Clerk(name, NOW_MILLISECONDS + 1_000 * i) for i, name in enumerate(("olga", "hana", "ada", "bob"))]


@pytest.fixture
def base(cast):
    """One task, added by the owner."""
    return cast[0].write(records.added([Task(id="a", title="a")]))


def seen(*batches):
    """The task as a shard with these records sees it."""
    return fold(*batches, roles=ROLES).tasks["a"]


def settled(*batches):
    """The state of the batches; the same in every order."""
    states = [fold(*order, roles=ROLES) for order in permutations(batches)]
    assert len({state.canonical for state in states}) == 1
    return states[0]


def test_a_task_goes_from_pending_to_claimed_to_executing_to_done(cast, base):
    """The plain course of things, with its fences and the commit."""
    _, _, ada, _ = cast
    records_so_far = [*base]
    steps = (
        (lambda task: records.claimed(task, agent="ada", lease_expires=7), (State.AGENT_ASSIGNED, "ada", 1, 7)),
        (lambda task: records.stepped(task, State.AGENT_EXECUTING), (State.AGENT_EXECUTING, "ada", 1, 7)),
        (
            lambda task: records.stepped(task, State.AWAITING_INPUT, lease_expires=9),
            (State.AWAITING_INPUT, "ada", 1, 9),
        ),
        (lambda task: records.done(task, commit="c1"), (State.DONE, "ada", 1, None)),
    )
    for draft, expected in steps:
        records_so_far += ada.write(draft(seen(records_so_far)))
        task = seen(records_so_far)
        assert (task.state, task.agent, task.fence, task.lease_expires) == expected
    assert task.commit == "c1"


def test_of_two_claims_at_once_the_first_counts_and_the_other_is_told(cast, base):
    """Two agents claim in two shards: one pair of hands, the same everywhere, however long the other goes on."""
    _, _, ada, bob = cast
    first, second = (
        ada.write(records.claimed(seen(base), agent="ada")),
        bob.write(records.claimed(seen(base), agent="bob")),
    )
    more = bob.write(records.stepped(seen(base, second), State.AGENT_EXECUTING, lease_expires=99))
    state = settled(base, first, second, more)
    task = state.tasks["a"]
    assert (task.state, task.agent, task.lease_expires) == (State.AGENT_ASSIGNED, "ada", None)
    assert sorted(whats(state)) == ["double-claim", "not-held"]


def test_a_larger_fence_outranks_an_earlier_claim(cast, base):
    """A steal counts though the former holder goes on writing later."""
    _, _, ada, bob = cast
    claim = ada.write(records.claimed(seen(base), agent="ada"))
    steal = bob.write(records.claimed(seen(base, claim), agent="bob", is_steal=True))
    stale = ada.at(50_000).write(records.stepped(seen(base, claim), State.AGENT_EXECUTING))
    task = settled(base, claim, steal, stale).tasks["a"]
    assert (task.agent, task.fence, task.state) == ("bob", 2, State.AGENT_ASSIGNED)


def test_a_steal_beats_nothing_that_has_finished(cast, base):
    """One finishes while another steals: the task is done, by the one who did it, in every order."""
    _, _, ada, bob = cast
    claim = ada.write(records.claimed(seen(base), agent="ada"))
    steal = bob.at(9_000).write(records.claimed(seen(base, claim), agent="bob", is_steal=True))
    done = ada.write(records.done(seen(base, claim), commit="c1"))
    task = settled(base, claim, steal, done).tasks["a"]
    assert (task.state, task.agent, task.commit, task.fence) == (State.DONE, "ada", "c1", 2)


def test_a_completion_without_a_commit_stands_as_well(cast, base):
    """A run or a verification may finish without a commit; a stale claim does not undo it either."""
    _, _, ada, bob = cast
    done = ada.write(records.done(seen(base)))
    stale = bob.at(99_000).write(records.claimed(seen(base), agent="bob"))
    assert settled(base, done, stale).tasks["a"].state is State.DONE


def test_only_a_reopening_that_cites_the_completion_undoes_it(cast, base):
    """A reopening opens the next epoch; a completion that it had not heard of keeps the task closed."""
    _, hana, ada, bob = cast
    done = ada.write(records.done(seen(base), commit="c1"))
    reopen = hana.write(records.reopened(seen(base, done), fold(base, done).completions("a"), "broken"))
    task = settled(base, done, reopen).tasks["a"]
    assert (task.state, task.epoch, task.commit) == (State.PENDING, 1, None)
    other = bob.write(records.done(seen(base), commit="c2"))
    assert settled(base, done, reopen, other).tasks["a"].commit == "c2"


def test_a_completion_without_a_commit_is_undone_by_its_record(cast, base):
    """A reopening names the record where there is no commit; an imported task that was done is reopened alike."""
    _, hana, ada, _ = cast
    done = ada.write(records.done(seen(base)))
    reopen = hana.write(records.reopened(seen(base, done), fold(base, done).completions("a")))
    assert settled(base, done, reopen).tasks["a"].state is State.PENDING
    imported = hana.write(records.added([Task(id="b", title="b", state=State.DONE, agent="ada")]))
    state = fold(imported, roles=ROLES)
    again = hana.write(records.reopened(state.tasks["b"], state.completions("b")))
    task = settled(imported, again).tasks["b"]
    assert (task.state, task.agent, task.epoch) == (State.PENDING, None, 1)


def test_reopenings_count_by_their_epochs_and_not_by_their_clocks(cast, base):
    """The second reopening stands though the clock of its author is behind the first one's."""
    olga, hana, ada, _ = cast
    past = [*base, *ada.write(records.done(seen(base), commit="c1"))]
    past += hana.at(500_000).write(records.reopened(seen(past), fold(past).completions("a")))
    past += ada.write(records.done(seen(past), commit="c2"))
    past += olga.write(records.reopened(seen(past), fold(past).completions("a")))
    assert past[-1].record.at < past[-3].record.at
    assert (seen(past).epoch, seen(past).state) == (2, State.PENDING)


def test_a_finished_task_has_the_fence_of_whoever_finished_it(cast, base):
    """A completion whose claim is not here yet closes the task; the next claim takes a larger fence than that one."""
    _, _, ada, _ = cast
    claim = ada.write(records.claimed(seen(base), agent="ada", fence=5))
    done = ada.write(records.done(seen(base, claim), commit="c1"))
    assert (seen(base, done).state, seen(base, done).fence) == (State.DONE, 5)


def test_a_reopening_that_cites_the_commit_undoes_what_a_stale_shard_says_of_it(cast, base):
    """Another shard's word on the same commit of the old epoch does not close the task again; a later epoch's does."""
    _, hana, ada, bob = cast
    done, again = ada.write(records.done(seen(base), commit="c1")), bob.write(records.done(seen(base), commit="c1"))
    reopen = hana.write(records.reopened(seen(base, done), fold(base, done).completions("a")))
    assert settled(base, done, reopen, again).tasks["a"].state is State.PENDING
    mistaken = ada.at(60_000).write(records.done(seen(base, done, reopen), commit="c1"))
    assert settled(base, done, reopen, mistaken).tasks["a"].state is State.DONE


def test_claims_of_an_earlier_epoch_lose_against_a_reopening(cast, base):
    """Whoever held the task before it was finished and reopened does not hold it now."""
    _, hana, ada, bob = cast
    claim = bob.write(records.claimed(seen(base), agent="bob", fence=9))
    done = ada.write(records.done(seen(base), commit="c1"))
    reopen = hana.write(records.reopened(seen(base, done), fold(base, done).completions("a")))
    task = settled(base, claim, done, reopen).tasks["a"]
    assert (task.agent, task.epoch, task.state) == (None, 1, State.PENDING)


def test_two_completions_with_different_commits_are_told(cast, base):
    """The one of the larger fence, else the earlier one, counts; the other is kept as a candidate."""
    _, _, ada, bob = cast
    one, two = ada.write(records.done(seen(base), commit="c1")), bob.write(records.done(seen(base), commit="c2"))
    state = settled(base, one, two)
    assert state.tasks["a"].commit == "c1"
    assert whats(state) == ["double-done"]
    assert set(state.completions("a").values()) == {"c1", "c2"}
    claim = bob.write(records.claimed(seen(base), agent="bob"))
    late = bob.write(records.done(seen(base, claim), commit="c3"))
    assert settled(base, one, claim, late).tasks["a"].commit == "c3"


def test_release_and_fail_end_the_holders_claim_and_nobody_elses(cast, base):
    """Only the holder or a human ends a claim; the next claim takes a larger fence."""
    _, hana, ada, bob = cast
    claim = ada.write(records.claimed(seen(base), agent="ada"))
    foreign = bob.write(records.released(seen(base, claim)))
    state = settled(base, claim, foreign)
    assert (state.tasks["a"].agent, whats(state)) == ("ada", ["not-held"])
    for end, state in ((records.released, State.PENDING), (records.failed, State.FAILED)):
        for clerk in (ada, hana):
            task = settled(base, claim, clerk.write(end(seen(base, claim)))).tasks["a"]
            assert (task.state, task.agent, task.fence) == (state, None, 1)


def test_a_stale_step_does_not_bring_back_what_was_released_or_failed(cast, base):
    """A human takes a task out of an agent's hands; the agent, who did not know, writes on in vain."""
    _, hana, ada, _ = cast
    claim = ada.write(records.claimed(seen(base), agent="ada"))
    release = hana.write(records.released(seen(base, claim)))
    stale = ada.at(70_000).write(records.stepped(seen(base, claim), State.AGENT_EXECUTING))
    task = settled(base, claim, release, stale).tasks["a"]
    assert (task.state, task.agent) == (State.PENDING, None)


def test_a_failed_task_is_pending_again_after_a_release_and_can_be_claimed(cast, base):
    """Failure is no end: whoever failed, or a human, gives the task back, and another claims it."""
    _, _, ada, bob = cast
    past = [*base, *ada.write(records.claimed(seen(base), agent="ada"))]
    past += ada.write(records.failed(seen(past), "no idea"))
    past += ada.write(records.released(seen(past)))
    assert seen(past).state is State.PENDING
    past += bob.write(records.claimed(seen(past), agent="bob"))
    assert (seen(past).agent, seen(past).fence) == ("bob", 2)


def test_a_human_may_step_what_nobody_holds(cast, base):
    """A released task can be paused by a human."""
    _, hana, ada, _ = cast
    past = [*base, *ada.write(records.claimed(seen(base), agent="ada"))]
    past += ada.write(records.released(seen(past)))
    past += hana.at(30_000).write(records.stepped(seen(past), State.PAUSED))
    assert (seen(past).state, seen(past).agent) == (State.PAUSED, None)


def test_a_fence_or_an_epoch_out_of_nowhere_has_no_effect(cast, base):
    """Nobody pins a task for ever with a huge number; a small gap is believed, since claims may be lost."""
    _, _, ada, _ = cast
    far = ada.write(records.claimed(seen(base), agent="ada", fence=TASK_FENCE_STEP_MAX + 1))
    assert settled(base, far).tasks["a"].agent is None
    assert whats(fold(base, far, roles=ROLES)) == ["unseen"]
    near = ada.write(records.claimed(seen(base), agent="ada", fence=TASK_FENCE_STEP_MAX))
    assert settled(base, near).tasks["a"].fence == TASK_FENCE_STEP_MAX
    later = Task(id="a", title="a", epoch=3)
    lost = ada.write(records.claimed(later, agent="ada"))
    assert whats(settled(base, lost)) == ["unseen"]


def test_a_step_that_cites_a_claim_which_is_not_here_waits_for_it(cast, base):
    """The step has no effect and is told; when the claim arrives, it has."""
    _, _, ada, _ = cast
    claim = ada.write(records.claimed(seen(base), agent="ada"))
    step = ada.write(records.stepped(seen(base, claim), State.AGENT_EXECUTING))
    state = fold(base, step, roles=ROLES)
    assert whats(state) == ["unseen"]
    state.apply(claim)
    assert state.tasks["a"].state is State.AGENT_EXECUTING
    assert whats(state) == []


def test_a_hold_outranks_every_agent_and_survives_a_stale_shard(cast, base):
    """A held task stays held and is shown so, whoever claims it before, meanwhile or later."""
    _, hana, ada, bob = cast
    claim, hold = ada.write(records.claimed(seen(base), agent="ada")), hana.write(records.held("a", "wait"))
    later = bob.at(80_000).write(records.claimed(seen(base, claim), agent="bob", is_steal=True))
    task = settled(base, claim, hold, later).tasks["a"]
    assert task.held
    assert (task.symbol, task.state, task.agent) == ("#", State.AGENT_ASSIGNED, "bob")


def test_a_lift_ends_the_holds_that_it_saw_and_no_other(cast, base):
    """A hold made at the same time somewhere else stands."""
    olga, hana, _, _ = cast
    one, two = hana.write(records.held("a")), olga.write(records.held("a"))
    lift = olga.at(90_000).write(records.lifted("a", fold(base, one, roles=ROLES).holds("a")))
    assert not settled(base, one, lift).tasks["a"].held
    state = settled(base, one, two, lift)
    assert state.tasks["a"].held
    assert state.holds("a") == (two[0].id,)


def test_only_an_owner_lifts_what_an_owner_holds(cast, base):
    """A human's lift of an owner's hold has no effect."""
    olga, hana, _, _ = cast
    hold = olga.write(records.held("a"))
    assert settled(base, hold, hana.write(records.lifted("a", [hold[0].id]))).tasks["a"].held
    assert not settled(base, hold, olga.write(records.lifted("a", [hold[0].id]))).tasks["a"].held


def test_moves_that_make_no_sense_are_refused_where_they_are_made(cast, base):
    """A claim leads to somebody's work, a step not to the end."""
    with pytest.raises(UsageError, match="cannot lead to DONE"):
        records.stepped(seen(base), State.DONE)
    with pytest.raises(UsageError, match="cannot lead to PENDING"):
        records.claimed(seen(base), agent="ada", state=State.PENDING)
