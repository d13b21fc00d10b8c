"""The seed's organic/ folder: what it says comes in, goes out again, and damage is told with its line."""

from __future__ import annotations

import json

import pytest
from clerks import Clerk, fold
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.tasks.forms.organic import read_agents, read_organic, write_organic
from colony.tasks.task import Edge, State, Task

TASKS = """{
  "tasks": [
    {"id": "DOC-001", "repo": "web", "title": "Write it", "state": "-", "priority": 4, "stars": 2, "heat": 0.5,
     "agent": "ada", "created": "2026-04-10T08:00:00Z", "updated": "2026-04-11T08:00:00Z", "commit": "c0ffee"},
    {"id": "a1b2c3d4", "repo": "web", "title": "Read it", "state": "#", "priority": 1, "stars": 0, "heat": 0.0,
     "agent": null, "created": "2026-04-10", "updated": "", "scope": ["docs/"], "notes": "long"}
  ]
}
"""
DEPS = '{"edges": [{"from": "DOC-001", "to": "a1b2c3d4", "type": "^"},\n {"from": "x", "to": "a1b2c3d4", "type": ">"}]}'


def test_what_the_seed_writes_comes_in():
    """Symbols, priorities, stars, heat, agents, scopes, times and dependencies; what has no place is told."""
    found = read_organic({"tasks.json": TASKS, "deps.json": DEPS})
    done, held = found.tasks
    assert (done.state, done.priority, done.stars, done.agent, done.commit) == (State.DONE, 4, 2, "ada", "c0ffee")
    assert done.labels == ("repo:web",)
    assert done.heat == pytest.approx(3.0)
    assert (held.symbol, held.held, held.scope) == ("#", True, ("docs/",))
    assert done.created == f"{1775808000000:012x}-0000"
    assert found.edges == (Edge("DOC-001", "a1b2c3d4"),)
    assert [str(fault) for fault in found.faults] == ["deps.json:2: no dependency: 'x' '>' 'a1b2c3d4'"]
    assert [(loss.what, loss.times, loss.example) for loss in found.losses] == [("the field 'notes'", 1, "a1b2c3d4")]


def test_an_import_becomes_records_and_goes_out_as_it_came_in():
    """Files, records, state, files, and the same tasks again."""
    found = read_organic({"tasks.json": TASKS, "deps.json": DEPS})
    state = fold(Clerk("hana").write(found.drafts))
    assert {task.symbol for task in state.tasks.values()} == {"-", "#"}
    agents = [{"name": "ada", "tier": "cheap", "capacity": 2}]
    files, losses = write_organic(state.tasks.values(), state.edges, agents)
    again = read_organic(files)
    assert sorted(again.tasks, key=lambda task: task.id) == list(found.tasks)
    assert again.edges == found.edges
    assert not losses
    assert read_agents(files["agents.json"]) == (tuple(agents), ())


def test_a_conflict_that_git_left_is_told_with_its_lines_and_the_rest_is_read():
    """Both sides of the conflict are read, of one id the first; nothing is taken for an empty file."""
    theirs = '    {"id": "DOC-001", "title": "Other", "state": "+"},\n'
    lines = TASKS.split("\n")
    text = "\n".join([*lines[:2], "<<<<<<< HEAD", *lines[2:4], "=======", theirs + ">>>>>>> fork", *lines[4:]])
    found = read_organic({"tasks.json": text})
    assert [task.title for task in found.tasks] == ["Write it", "Read it"]
    assert [(fault.file, fault.line) for fault in found.faults] == [
        ("tasks.json", 3), ("tasks.json", 6), ("tasks.json", 8), ("tasks.json", 3), ("tasks.json", 7),
    ]  # fmt: skip
    assert "a second time" in found.faults[-1].what


def test_a_truncated_file_is_told_and_what_is_whole_is_read():
    """The first task stands, the second is cut off."""
    cut = TASKS[: TASKS.index("Read it") + 3]
    found = read_organic({"tasks.json": cut})
    assert [task.id for task in found.tasks] == ["DOC-001"]
    assert [fault.line for fault in found.faults] == [5]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"state": "@"}, "state"),
        ({"priority": 9}, "priority"),
        ({"heat": 3}, "between 0 and 1"),
        ({"created": "yesterday"}, "no time"),
        ({"labels": 7}, "labels"),
        ({"title": None}, "no title"),
        ({"id": "no id"}, "no task id"),
    ],
)
def test_a_value_that_makes_no_sense_is_told_with_file_and_line(wrong, said):
    """The rest of the task comes in; in an unknown state it is paused."""
    item = {"id": "a", "title": "a", "state": "+"} | wrong
    found = read_organic({"tasks.json": '{"tasks": [\n' + json.dumps(item) + "]}"})
    (fault,) = found.faults
    assert (fault.file, fault.line) == ("tasks.json", 2)
    assert said in fault.what
    if wrong.get("id") is None:
        assert found.tasks[0].state is (State.PAUSED if "state" in wrong else State.PENDING)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("id", "title", "state", "priority", "stars", "heat", "agent", "labels", "scope", "created", "repo", "odd")


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JSON), max_size=4), st.text(max_size=30))
@settings(max_examples=120, deadline=None)
def test_no_text_breaks_the_reader(items, junk):
    """Whatever stands in the files, there is a result, and every fault has a file and a line."""
    for text in (json.dumps({"tasks": items}), junk, json.dumps({"tasks": items}, indent=1)[:-5] + junk):
        found = read_organic({"tasks.json": text, "deps.json": text.replace("tasks", "edges")})
        assert all(fault.line for fault in found.faults)
        assert len(found.drafts) <= 2


tasks = st.builds(
    Task,
    id=st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True),
    title=st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_categories=("Cs",))),
    state=st.sampled_from([state for state in State if state is not State.HUMAN_HELD]),
    priority=st.integers(1, 5),
    stars=st.integers(0, 12),
    scope=st.lists(st.text("abc/", min_size=1, max_size=5), max_size=3).map(tuple),
    agent=st.none() | st.just("ada"),
    created=st.integers(0, 2**41).map(lambda ms: f"{ms:012x}-0000"),
    commit=st.none() | st.just("c1"),
)


@given(st.lists(tasks, unique_by=lambda task: task.id, max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_has_a_place_survives_the_way_out_and_in(given_tasks):
    """Tasks of fields that the seed knows come back as they were."""
    files, losses = write_organic(given_tasks, [])
    assert not losses
    found = read_organic(files)
    assert (list(found.tasks), found.faults) == (sorted(given_tasks, key=lambda task: task.id), ())
