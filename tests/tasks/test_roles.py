"""Who may do what to a task; what an agent may not, changes nothing and is told."""

from __future__ import annotations

import pytest
from clerks import Clerk, fold, key, roles_of, whats
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.errors import UsageError
from colony.tasks.state import records
from colony.tasks.state.folding import is_raised
from colony.tasks.state.roles import ACTS, Roles
from colony.tasks.task import Edge, State, Task

ROLES = roles_of(hana="human", ada="agent")


def test_without_a_table_everybody_is_an_owner_and_with_one_strangers_are_agents():
    """One person alone needs no table; a table closes the door behind those it names."""
    assert Roles.of({}).role("did:key:any") == "owner"
    assert ROLES.role("did:key:any") == "agent"
    assert ROLES.role(key("hana").did) == "human"
    with pytest.raises(UsageError, match="owner, human, agent"):
        Roles.of({"did:key:any": "king"})


def test_each_role_may_what_the_one_below_may():
    """Agents may least, owners everything."""
    assert ACTS["agent"] < ACTS["human"] < ACTS["owner"]


def test_an_agent_lowers_its_tier_inputs_but_never_raises_them():
    """Stars, heat, complexity and size go down at an agent's word, not up; security goes up, not down."""
    hana, ada = Clerk("hana"), Clerk("ada", 1_800_000_001_000)
    task = Task(id="a", title="a", stars=5, heat=1.0, complexity=5.0, size="large")
    base = hana.write(records.added([task]))
    higher = {"stars": 6, "heat": 2.0, "complexity": 9.0, "size": "critical"}
    lower = {"stars": 2, "heat": 0.5, "complexity": 1.0, "size": "small", "secure": True}
    raised = fold(
        base, ada.write(*(records.changed("a", **{name: value}) for name, value in higher.items())), roles=ROLES
    )
    assert {name: getattr(raised.tasks["a"], name) for name in higher} == {name: getattr(task, name) for name in higher}
    assert whats(raised) == ["forbidden"] * 4
    lowered = fold(base, ada.write(records.changed("a", **lower)), roles=ROLES)
    assert {name: getattr(lowered.tasks["a"], name) for name in lower} == lower
    assert whats(lowered) == []
    less_secure = ada.write(records.changed("a", **lower), records.changed("a", secure=False, title="new"))
    task = fold(base, less_secure, roles=ROLES).tasks["a"]
    assert (task.secure, task.title) == (True, "new")


def test_what_an_agent_adds_has_no_voice_of_a_human():
    """An agent adds a task, but without stars, heat, complexity, size, an earlier date, a hold."""
    ada = Clerk("ada")
    loud = Task(id="a", title="a", stars=9, heat=9.0, complexity=12.0, size="critical", created="000000000000-0000")
    state = fold(ada.write(records.added([loud])), roles=ROLES)
    task = state.tasks["a"]
    assert (task.stars, task.heat, task.complexity, task.size) == (0, None, None, None)
    assert task.created > loud.created
    assert whats(state) == ["forbidden"] * 5
    held = fold(ada.write(records.added([Task(id="b", title="b", held=True)])), roles=ROLES)
    assert "b" not in held.tasks


@pytest.mark.parametrize(
    "draft",
    [
        records.held("a"),
        records.lifted("a", ["0" * 64]),
        records.deleted(["a"])[0],
        records.reopened(Task(id="a", title="a"), {}),
    ],
    ids=["hold", "lift", "delete", "reopen"],
)
def test_what_only_humans_may_is_without_effect_from_an_agent(draft):
    """Holds, lifts, deletions and reopenings by an agent leave the task as it was, and are told."""
    hana, ada = Clerk("hana"), Clerk("ada")
    base = hana.write(records.added([Task(id="a", title="a")]))
    state = fold(base, ada.write(draft), roles=ROLES)
    assert state.tasks == fold(base, roles=ROLES).tasks
    assert whats(state) == ["forbidden"]
    assert whats(fold(base, hana.write(draft), roles=ROLES)) == []


def test_an_agent_ends_an_agents_dependency_but_not_a_humans():
    """Whoever is blocked by a human's word does not unblock himself."""
    hana, ada = Clerk("hana"), Clerk("ada")
    base = hana.write(records.added(Task(id=name, title=name) for name in "abc"))
    links = [*hana.write(records.linked([Edge("a", "b")])), *ada.write(records.linked([Edge("a", "c")]))]
    seen = fold(base, links, roles=ROLES)
    ended = ada.write(records.unlinked({edge: seen.links(edge) for edge in seen.edges}))
    state = fold(base, links, ended, roles=ROLES)
    assert list(state.edges) == [Edge("a", "b")]
    assert whats(state) == ["forbidden"]
    assert not list(
        fold(base, links, hana.write(records.unlinked({e: seen.links(e) for e in seen.edges})), roles=ROLES).edges
    )


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_number_is_raised_if_it_is_larger(old, new):
    """Raising stars means more stars; an unknown heat is never a lower one."""
    assert is_raised("stars", old, new) == (new > old)
    assert is_raised("heat", None, float(new))
    assert is_raised("heat", float(old), None)
    assert not is_raised("title", "a", "b")


def test_an_agent_may_finish_and_fail():
    """The acts of an agent's own work are allowed."""
    hana, ada = Clerk("hana"), Clerk("ada", 1_800_000_001_000)
    base = hana.write(records.added([Task(id="a", title="a")]))
    task = fold(base).tasks["a"]
    state = fold(base, ada.write(records.done(task, commit="c")), roles=ROLES)
    assert state.tasks["a"].state is State.DONE
    assert whats(state) == []
