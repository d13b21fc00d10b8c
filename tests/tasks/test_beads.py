"""Issues of Beads: what they say comes in, goes out again, and what cannot is told."""

from __future__ import annotations

import json

import pytest
from clerks import Clerk, fold
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.tasks.forms.beads import FILE, read_beads, write_beads
from colony.tasks.task import Edge, State, Task

TIME = "2026-01-15T10:30:00Z"
EPIC = {
    "id": "bd-1", "title": "Epic", "description": "", "status": "open", "priority": 0, "issue_type": "epic",
    "labels": ["big"], "created_at": TIME, "updated_at": TIME,
}  # fmt: skip
CHILD = {
    "id": "bd-2", "title": "Part", "status": "in_progress", "priority": 4, "issue_type": "task", "assignee": "ada",
    "estimated_minutes": 90, "external_ref": "gh-9", "created_at": "2026-01-16T10:30:00.250+01:00",
    "dependencies": [
        {"issue_id": "bd-2", "depends_on_id": "bd-1", "type": "parent-child", "created_at": TIME, "created_by": "x"},
        {"issue_id": "bd-2", "depends_on_id": "bd-3", "type": "blocks", "created_at": TIME, "created_by": "x"},
    ],
}  # fmt: skip
CLOSED = {
    "id": "bd-3", "title": "Fixed", "description": "How", "status": "closed", "priority": 2, "issue_type": "bug",
    "created_at": TIME, "updated_at": TIME, "closed_at": "2026-02-01T00:00:00Z", "close_reason": "Done",
}  # fmt: skip
TOMBSTONE = {"id": "bd-4", "title": "Gone", "status": "tombstone", "priority": 2, "deleted_at": TIME}


def lines(*issues):
    return "".join(json.dumps(issue) + "\n" for issue in issues)


def test_what_beads_writes_comes_in():
    """Status, priority (turned round), type, assignee, labels, estimate, times and dependencies."""
    found = read_beads(lines(EPIC, CHILD, CLOSED, TOMBSTONE))
    epic, child, closed = found.tasks
    assert (epic.priority, epic.kind, epic.labels, epic.state) == (5, "epic", ("big",), State.PENDING)
    assert (child.priority, child.kind, child.agent, child.state) == (1, "work", "ada", State.AGENT_EXECUTING)
    assert child.labels == ("parent-child:bd-1", "external_ref:gh-9")
    assert child.estimate_seconds == 5_400
    assert closed.state is State.DONE
    assert found.edges == (Edge("bd-3", "bd-2"),)
    assert found.deleted == ("bd-4",)
    assert found.faults == ()
    assert [loss.what for loss in found.losses] == ["the field 'close_reason'", "the field 'description'"]


def test_an_import_becomes_records_and_goes_out_as_it_came_in():
    """Lines, records, state, lines: what has a place on both sides is the same again, the tombstone stays away."""
    found = read_beads(lines(EPIC, CHILD, CLOSED, TOMBSTONE))
    state = fold(Clerk("hana").write(found.drafts))
    assert state.is_deleted("bd-4")
    files, losses = write_beads(state.tasks.values(), state.edges, state.finished)
    written = {issue["id"]: issue for issue in map(json.loads, files[FILE].splitlines())}
    for issue in (EPIC, CHILD, CLOSED):
        for key in (
            "title",
            "status",
            "priority",
            "issue_type",
            "assignee",
            "labels",
            "estimated_minutes",
            "external_ref",
        ):
            assert written[issue["id"]].get(key) == issue.get(key)
    assert {(link["type"], link["depends_on_id"]) for link in written["bd-2"]["dependencies"]} == {
        ("parent-child", "bd-1"),
        ("blocks", "bd-3"),
    }
    assert written["bd-3"]["closed_at"] > TIME
    assert "closed_at" not in written["bd-1"]
    assert not losses
    assert read_beads(files[FILE]).tasks == found.tasks


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<<<<<<< HEAD", "a conflict that nobody resolved"),
        ('{"id": "bd-9", "title": "cut o', "no JSON"),
        ("[1]", "no object"),
        ('{"id": "bd 9", "title": "spaced"}', "no task id"),
        ('{"id": "bd-1", "title": "again"}', "a second time"),
        ('{"id": "bd-9", "title": "odd", "status": "dreaming"}', "state"),
        ('{"id": "bd-9", "title": "odd", "status": ["open"]}', "state"),
        ('{"id": "bd-9", "title": "odd", "priority": 7}', "priority"),
        ('{"id": "bd-9", "title": "odd", "dependencies": [{"type": "??"}]}', "no dependency"),
        ('{"id": "bd-9", "title": "odd", "dependencies": 7}', "no dependency"),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_others_count(line, said):
    """Nothing of the file is lost for one line."""
    found = read_beads(lines(EPIC) + line + "\n" + lines(CLOSED))
    assert {"bd-1", "bd-3"} <= {task.id for task in found.tasks}
    (fault,) = found.faults
    assert (fault.file, fault.line) == (FILE, 2)
    assert said in fault.what


def test_what_beads_has_no_place_for_is_told():
    """Stars, scopes, soft dependencies and the like are counted, not dropped in silence."""
    rich = Task(id="a", title="a", stars=3, scope=("src",), state=State.FAILED, commit=None, estimate_seconds=61.0)
    files, losses = write_beads([rich, Task(id="b", title="b")], [Edge("a", "b", ";")])
    assert {loss.what for loss in losses} == {
        "the field 'stars'", "the field 'scope'", "the state '!'", "the seconds of an estimate", "a soft dependency",
    }  # fmt: skip
    assert json.loads(files[FILE].splitlines()[0])["status"] == "blocked"


@given(
    st.lists(
        st.dictionaries(st.sampled_from([*CHILD, "odd"]), st.from_type(int) | st.text() | st.lists(st.text())),
        max_size=3,
    )
)
@settings(max_examples=100, deadline=None)
def test_no_line_breaks_the_reader(issues):
    """Whatever values stand in the lines, there is a result that can be written as records."""
    assert len(read_beads(lines(*issues)).drafts) <= 3
