"""The story of a task: nothing that was said is lost, and what became of it is said."""

from __future__ import annotations

from clerks import Clerk, fold, roles_of

from colony.tasks.state import records
from colony.tasks.state.history import story
from colony.tasks.task import State, Task


def test_the_story_tells_every_word_and_what_became_of_it():
    """Replaced values, lost claims, lifted holds, undone completions and forbidden deeds stand beside what counts."""
    hana, ada, bob = (Clerk(name, 1_800_000_000_000 + i) for i, name in enumerate(("hana", "ada", "bob")))
    roles = roles_of(hana="human", ada="agent", bob="agent")
    past = hana.write(records.added([Task(id="a", title="first")]))

    def write(clerk, moment, draft):
        past.extend(clerk.at(moment).write(draft))
        return fold(past, roles=roles)

    state = write(hana, 10, records.changed("a", title="second", priority=4))
    base = state.tasks["a"]
    write(ada, 20, records.claimed(base, agent="ada"))
    write(bob, 30, records.claimed(base, agent="bob"))
    state = write(hana, 40, records.changed("a", title="third", scope=("src",)))
    state = write(hana, 50, records.held("a", "wait"))
    state = write(hana, 60, records.lifted("a", state.holds("a")))
    state = write(ada, 70, records.changed("a", stars=9))
    state = write(ada, 80, records.done(state.tasks["a"], commit="c0ffee"))
    state = write(hana, 90, records.reopened(state.tasks["a"], state.completions("a"), "broken"))
    state = write(ada, 95, records.deleted(["a"])[0])
    assert [(said.words, said.remark.split(":")[0]) for said in story(state, "a")] == [
        ("added as 'first', pending", ""),
        ('set priority = 4, title = "second"', "replaced later"),
        ("claim to agent assigned by ada, fence 1", ""),
        ("claim to agent assigned by bob, fence 1", "double-claim"),
        ('set scope = ["src"], title = "third"', ""),
        ("held: wait", "lifted later"),
        ("lifted 1 hold(s)", ""),
        ("set stars = 9", "forbidden"),
        ("done by ada with commit c0ffee, fence 1", "undone by a reopening"),
        ("reopen, fence 1, epoch 1: broken", ""),
        ("deleted", "forbidden"),
    ]
    assert state.tasks["a"].state is State.PENDING


def test_nobody_has_a_story_of_what_does_not_exist():
    """A task of which nothing was said has no story."""
    assert story(fold(), "a") == []
