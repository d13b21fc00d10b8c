"""Builders: each command's record says what is needed and nothing else, and refuses what is out of range."""

from __future__ import annotations

import pytest

from colony.journal import events
from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import UsageError
from colony.tasks.state import records
from colony.tasks.task import Edge, State, Task, checked

TASK = Task(id="a", title="A", agent="ada", epoch=1, fence=4, lease_expires=9)


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (records.added([Task(id="a", title="A", stars=2)])[0], {"tasks": [{"id": "a", "title": "A", "stars": 2}]}),
        (records.changed("a", size=None), {"settings": [{"task": "a", "fields": {"size": None}}]}),
        (
            records.claimed(TASK, agent="bob", lease_expires=7),
            {
                "moves": [
                    {
                        "task": "a",
                        "move": "claim",
                        "epoch": 1,
                        "fence": 5,
                        "state": "%",
                        "agent": "bob",
                        "lease_expires": 7,
                    }
                ]
            },
        ),
        (
            records.claimed(TASK, agent="bob", fence=8, is_steal=True),
            {"moves": [{"task": "a", "move": "steal", "epoch": 1, "fence": 8, "state": "%", "agent": "bob"}]},
        ),
        (
            records.stepped(TASK, State.PAUSED),
            {"moves": [{"task": "a", "move": "step", "epoch": 1, "fence": 4, "state": "_", "lease_expires": 9}]},
        ),
        (
            records.failed(TASK, "why"),
            {"moves": [{"task": "a", "move": "fail", "epoch": 1, "fence": 4, "reason": "why"}]},
        ),
        (
            records.done(TASK, commit="c"),
            {"moves": [{"task": "a", "move": "done", "epoch": 1, "fence": 4, "agent": "ada", "commit": "c"}]},
        ),
        (
            records.reopened(TASK, {"r1": "c", "r2": None}),
            {"moves": [{"task": "a", "move": "reopen", "epoch": 2, "fence": 4, "cites": ["r1", "r2", "c"]}]},
        ),
        (records.lifted("a", {"r2", "r1"}), {"holds": [{"task": "a", "held": False, "lifts": ["r1", "r2"]}]}),
        (records.linked([Edge("a", "b")])[0], {"edges": [["a", "b", "^"]]}),
        (records.unlinked({Edge("a", "b"): ["r1"]})[0], {"edges": [["a", "b", "^", ["r1"]]]}),
        (records.deleted(["a"], "old")[0], {"deletions": [{"task": "a", "reason": "old"}]}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_builder_says_what_is_needed(draft, expected):
    """Each body is a list of items, allowed by its kind, without what is as usual."""
    assert parse(canonical(draft[1])) == expected
    events.check(*draft)


@pytest.mark.parametrize(
    "build",
    [
        lambda: records.added([Task(id="a b", title="A")]),
        lambda: records.added([Task(id="a", title="")]),
        lambda: records.added([Task(id="a", title="A", priority=0)]),
        lambda: records.added([Task(id="a", title="A", heat=float("nan"))]),
        lambda: records.added([Task(id="a", title="A", estimate_seconds=0.0)]),
        lambda: records.changed("a", priority=6),
        lambda: records.changed("a", fence=6),
        lambda: records.changed("a"),
        lambda: records.held("..", "why"),
        lambda: records.linked([Edge("a", "a")]),
        lambda: records.claimed(TASK, agent="bob", fence=0),
        lambda: records.stepped(TASK, State.FAILED),
    ],
)
def test_a_builder_refuses_what_is_out_of_range(build):
    """What a reader would set aside is not written in the first place."""
    with pytest.raises(UsageError):
        build()


def test_a_checked_task_is_the_same_task():
    """The check changes nothing about a good task."""
    task = Task(id="a", title="A", scope=("lib",), labels=("x",), heat=-1.5, size="large", state=State.PAUSED)
    assert checked(task) == task
