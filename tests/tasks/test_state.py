"""The state of a matrix as a pure fold: order, duplicates, incremental growth, clocks, and what is reported."""

from __future__ import annotations

import random

import msgspec
from clerks import NOW_MILLISECONDS, Clerk, fold, roles_of, whats
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.journal.record import SignedRecord
from colony.primitives.encoding import canonical, parse
from colony.primitives.limits import CLOCK_AHEAD_SECONDS_MAX
from colony.tasks.state import records
from colony.tasks.state.imagined import imagine
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import Stamp
from colony.tasks.task import Edge, State, Task


def added(*names, **fields):
    return records.added(Task(id=name, title=f"do {name}", **fields) for name in names)


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_order_grouping_and_repetition_of_records_gives_the_same_bytes(chance):
    """Records of a small world, shuffled, split and repeated, come to the bytes of the whole at once."""
    world = imagine(random.Random(chance.randrange(10**9)))
    everything = [*world.past, *(one for shard in world.shards for one in shard)]
    expected = MatrixState.of(everything, roles=world.roles).canonical
    shuffled = [*everything, *chance.sample(everything, len(everything) // 3)]
    chance.shuffle(shuffled)
    state = MatrixState(world.roles)
    while shuffled:
        cut = chance.randrange(1, len(shuffled) + 1)
        state.apply(shuffled[:cut])
        shuffled = shuffled[cut:]
    assert state.canonical == expected


@given(st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_what_apply_says_has_changed_is_the_difference_between_before_and_after(seed):
    """The changes that `apply` returns lead from the old tasks and dependencies to the new ones, none missing."""
    world = imagine(random.Random(seed))
    state = MatrixState.of(world.past, roles=world.roles)
    for shard in world.shards:
        tasks, edges = dict(state.tasks), set(state.edges)
        changes = state.apply(shard)
        names = tasks.keys() | state.tasks.keys()
        assert changes.tasks == {name for name in names if tasks.get(name) != state.tasks.get(name)}
        assert set(changes.unlinked) <= edges
        assert not set(changes.linked) & edges
        assert (edges - set(changes.unlinked)) | set(changes.linked) == set(state.edges)


def test_the_bytes_are_canonical_json():
    """The fast writer of the state writes what the definition of canonical JSON writes, floats and umlauts included."""
    clerk = Clerk("hana")
    tasks = [
        Task(id="a", title='Grüße, "Welt"\n', heat=1.0, complexity=2.5, estimate_seconds=1e9, labels=("x", "ü")),
        Task(id="b", title="b", state=State.DONE, commit="c0ffee", scope=("src", "docs")),
    ]
    written = clerk.write(records.added(tasks), records.linked([Edge("a", "b"), Edge("x", "b"), Edge("b", "a")]))
    state = fold(written, clerk.write(records.held("a", "wait"), records.deleted(["zz"])))
    assert canonical(parse(state.canonical)) == state.canonical
    assert len(state.reports) == 2


def test_the_last_value_of_a_field_counts_and_the_others_are_kept():
    """Of two titles the later one stands, on both sides; the history still has the other."""
    one, two = Clerk("hana"), Clerk("otto", NOW_MILLISECONDS + 5)
    base = one.write(added("a"))
    first, second = (
        one.write(records.changed("a", title="first", priority=5)),
        two.at(99).write(records.changed("a", title="second")),
    )
    state = fold(base, second, first)
    assert (state.tasks["a"].title, state.tasks["a"].priority) == ("second", 5)
    titles = [item.fields.get("title") for _, item in state.history("a")[1:]]
    assert titles == ["first", "second"]


def test_the_first_of_two_tasks_with_one_id_counts_and_the_other_is_reported():
    """Two additions under one id: the earlier task stands whatever arrives first; saying the same twice is no fault."""
    one, two = Clerk("hana"), Clerk("otto", NOW_MILLISECONDS + 50)
    first, second = one.write(added("a", stars=1)), two.write(added("a", stars=2))
    for state in (fold(first, second), fold(second, first)):
        assert state.tasks["a"].stars == 1
        assert whats(state) == ["duplicate"]
    assert whats(fold(first, two.write(added("a", stars=1)))) == []


def test_a_completion_counts_even_if_its_addition_is_set_aside():
    """A task that somebody else added first and that was imported as done is done."""
    one, two = Clerk("hana"), Clerk("otto", NOW_MILLISECONDS + 50)
    state = fold(one.write(added("a")), two.write(added("a", state=State.DONE, commit="c1")))
    assert (state.tasks["a"].state, state.tasks["a"].commit) == (State.DONE, "c1")


def test_a_deleted_task_stays_deleted_and_takes_its_dependencies_along():
    """No later word of anybody brings a deleted task back; what waited for it waits no longer, and that is reported."""
    one, two = Clerk("hana"), Clerk("otto", NOW_MILLISECONDS + 50)
    base = one.write(added("a", "b"), records.linked([Edge("a", "b")]))
    gone = one.write(records.deleted(["a"]))
    stale = two.write(records.changed("a", title="alive"), added("a"))
    state = fold(stale, gone, base)
    assert set(state.tasks) == {"b"}
    assert list(state.edges) == []
    assert state.is_deleted("a")
    assert "dangling" in whats(state, "b")


def test_a_missing_task_blocks_and_is_reported_until_somebody_adds_it():
    """A hard dependency on a task that nobody added stands and is reported; the report goes when the task comes."""
    clerk = Clerk("hana")
    base = clerk.write(added("b"), records.linked([Edge("a", "b")]))
    state = fold(base)
    assert list(state.edges) == [Edge("a", "b")]
    assert whats(state, "b") == ["missing"]
    state.apply(clerk.write(added("a")))
    assert whats(state) == []


def test_what_is_said_of_an_unknown_task_waits_for_it():
    """A claim that arrives before its task has no effect and is reported; when the task comes, it counts."""
    clerk = Clerk("hana")
    base = clerk.write(added("a"))
    claim = clerk.write(records.claimed(fold(base).tasks["a"], agent="ada"))
    state = fold(claim)
    assert whats(state) == ["unadded"]
    state.apply(base)
    assert state.tasks["a"].agent == "ada"
    assert whats(state) == []


def test_a_record_from_the_future_waits_for_its_time_and_the_root_does_not_depend_on_it():
    """A clock years ahead changes nothing yet, and is reported; replicas with other clocks have the same root."""
    honest, liar = Clerk("hana"), Clerk("otto", NOW_MILLISECONDS + 10**10)
    base, ahead = honest.write(added("a")), liar.write(records.changed("a", title="mine for ever"))
    state = fold(base, ahead, now_milliseconds=NOW_MILLISECONDS)
    believing = fold(base, ahead)
    assert state.tasks["a"].title == "do a"
    assert whats(state) == ["ahead"]
    assert believing.tasks["a"].title == "mine for ever"
    assert state.root == believing.root
    assert state.canonical != believing.canonical
    state.apply((), now_milliseconds=NOW_MILLISECONDS + 10**10)
    assert state.canonical == believing.canonical
    assert not state.waiting


def test_the_bound_on_clocks_is_where_the_limits_say():
    """A record of just the allowed time ahead counts, one of a millisecond more waits."""
    clerk = Clerk("hana", NOW_MILLISECONDS + CLOCK_AHEAD_SECONDS_MAX * 1_000 - 1)
    allowed, ahead = clerk.write(added("a"), added("b"))
    state = fold([allowed, ahead], now_milliseconds=NOW_MILLISECONDS)
    assert set(state.tasks) == {"a"}
    assert set(state.waiting) == {ahead.id}


def test_two_records_with_one_number_both_count_and_are_reported():
    """Equivocation: a key that was copied signs two records n = 1; both are kept and both are named."""
    one, copy = Clerk("hana"), Clerk("hana", NOW_MILLISECONDS + 50)
    base = one.write(added("a"))
    copy.write(added("a"))
    first, second = one.write(added("b")), copy.write(added("c"))
    state = fold(base, first, second)
    assert set(state.tasks) == {"a", "b", "c"}
    assert {report.record for report in state.reports} == {first[0].id, second[0].id}
    assert set(whats(state)) == {"equivocation"}


def test_records_are_ordered_by_time_author_number_and_id():
    """Of two settings at one moment the larger author's counts, whichever arrives last."""
    one, two = sorted((Clerk("hana"), Clerk("otto")), key=lambda clerk: clerk.did)
    base = one.write(added("a"))
    first = one.at(10).write(records.changed("a", title="smaller"))
    second = two.at(10).write(records.changed("a", title="larger"))
    assert first[0].record.at == second[0].record.at
    assert fold(base, second, first).tasks["a"].title == "larger"
    assert Stamp("0", "a", 1, "x") < Stamp("0", "a", 1, "y") < Stamp("0", "a", 2, "") < Stamp("0", "b", 0, "")


def test_only_what_is_touched_is_folded_again(monkeypatch):
    """A record about one task of many costs one fold."""
    clerk = Clerk("hana")
    state = fold(clerk.write(added(*(f"t{i}" for i in range(200)))))
    folded = []
    monkeypatch.setattr("colony.tasks.state.matrix_state.fold", lambda name, *rest: folded.append(name))
    state.apply(clerk.write(records.changed("t7", title="new")))
    assert folded == ["t7"]


def test_statistics_count_what_there_is():
    """The counts of a state follow from its records."""
    clerk = Clerk("hana")
    state = fold(clerk.write(added("a", "b"), records.linked([Edge("a", "b")]), records.deleted(["b"])))
    assert state.statistics() == (3, 0, 1, 1, 1, 0)


def test_reports_are_sentences_with_task_author_and_record():
    """A report names what, which task, who, and which record; its severity is known."""
    clerk = Clerk("ada")
    base = clerk.write(added("a"), records.deleted(["a"]))
    (report,) = fold(base, roles=roles_of(ada="agent")).reports
    assert (report.what, report.task, report.author, report.record) == ("forbidden", "a", clerk.did, base[1].id)
    assert report.severity == "fault"
    assert str(report).startswith("task a: forbidden: its author's role does not allow it")


def test_records_about_other_things_are_passed_over():
    """A record of a known kind that is not about tasks is no fault; one of an unknown kind is."""
    clerk = Clerk("hana")
    known = clerk.write(("run.resumed/1", {"run": "r", "budget": {}}))
    unknown = clerk.write(("task.dreamt/1", {"dreams": []}))
    assert whats(fold(known)) == []
    assert whats(fold(known, unknown)) == ["unknown-kind"]


def test_a_fold_takes_records_that_were_read_as_well_as_fresh_ones():
    """The state depends on the records' content, not on the type they come in."""
    clerk = Clerk("hana")
    fresh = clerk.write(added("a"))
    copied = [SignedRecord(one.record, one.id, one.payload, one.signature) for one in fresh]
    assert fold(copied).root == fold(fresh).root
    assert msgspec.structs.asdict(fold(copied).tasks["a"])["author"] == clerk.did
