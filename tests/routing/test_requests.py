"""From tasks and their histories to requests, and from records to outcomes: who said what counts as far as they may."""

import pytest
from choosing import AT, EVERYBODY, PriceOf, model, outcome, table

from colony.journal.record import Author
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.errors import UsageError
from colony.primitives.keys import Key
from colony.routing.ledger import ledger_of
from colony.routing.outcomes import ATTEMPTED, outcomes_in
from colony.routing.requests import Position, Signers, literal_tier, request_of
from colony.routing.router import route
from colony.routing.tiers import Tier, tier_of
from colony.tasks.state.records import Setting, Stamp
from colony.tasks.state.roles import Roles
from colony.tasks.task import Task

ROLES = Roles.of({"ann": "human", "bot": "agent"})
TABLE = table(
    model("cheap", tiers=(Tier.T1, Tier.T2), price=0.01),
    model("strong", tiers=(Tier.T3, Tier.T4), price=1.0),
    hints={"x.cheap": "cheap", "x.strong": "strong"}.items(),
)


def said(author, item, at="000000000001-0000"):
    return (Stamp(at, author, 0, "0" * 64), item)


def asked(task, *history, position=None):
    signers = Signers(task, [said(*each) for each in history], ROLES)
    return request_of(task, signers, TABLE, ceiling=Tier.T4, at_milliseconds=AT, position=position)


def tier(request):
    return tier_of(request.complexity.value, secure=request.secure)


def test_a_size_counts_as_far_as_its_signer_may():
    """A size that a human has stated counts; one that only an agent has stated counts as small, even in the fold."""
    task = Task(id="X-1", title="Rework the parser", size="large")
    plain = Task(id="X-1", title="Rework the parser")
    assert tier(asked(task, ("ann", task))) is Tier.T3
    assert tier(asked(task, ("bot", task))) is Tier.T1
    assert tier(asked(task, ("bot", plain), ("ann", Setting("X-1", {"size": "large"})))) is Tier.T3
    assert tier(asked(task, ("ann", plain), ("bot", Setting("X-1", {"size": "large"})))) is Tier.T1
    assert tier(asked(task, ("bot", task), ("ann", Setting("X-1", {"size": "large"})))) is Tier.T3
    assert tier(asked(task)) is Tier.T1


@pytest.mark.parametrize(("field", "value"), [("stars", 9), ("complexity", 12.0), ("heat", 12.0)])
def test_nothing_that_an_agent_states_raises(field, value):
    """Stars, an override and heat by an agent raise nothing; stars and an override by a human do."""
    task = Task(id="X-1", title="t", **{field: value})
    base = asked(Task(id="X-1", title="t")).complexity.value
    assert asked(task, ("bot", task)).complexity.value == base
    assert (asked(task, ("ann", task)).complexity.value > base) == (field != "heat")
    literal, why = literal_tier(task, Signers(task, [said("bot", task)], ROLES), Position())
    assert literal is Tier.T0
    assert why


def test_edges_that_nobody_answers_for():
    """A place in the graph counts only where its edges were drawn by those who may raise."""
    task = Task(id="X-1", title="t")
    drawn = Position(dependencies=4, critical_share=1.0, by="ann", role="human")
    assert tier(asked(task, ("ann", task), position=drawn)) is Tier.T2
    assert tier(asked(task, ("ann", task), position=drawn._replace(role="agent"))) is Tier.T1


def test_hints_of_the_field_and_of_the_title():
    """Both are found and signed; the field's come first, and an unknown one there is an error when it is routed."""
    task = Task(id="X-1", title="Do it with @x.cheap, like @pytest.fixture", hints="@x.strong")
    request = asked(task, ("bot", Task(id="X-1", title=task.title)), ("ann", Setting("X-1", {"hints": "@x.strong"})))
    assert [(hint.value, hint.role) for hint in request.hints] == [("@x.strong", "human"), ("x.cheap", "agent")]
    found = route(request, TABLE, prices=PriceOf(), available=EVERYBODY)
    assert (found.model, found.fallbacks) == ("strong", ("cheap",))
    wrong = Task(id="X-1", title="t", hints="@x.strnog")
    with pytest.raises(UsageError, match="unknown hint"):
        route(asked(wrong, ("ann", wrong)), TABLE, prices=PriceOf(), available=EVERYBODY)


def test_outcomes_of_records():
    """Outcomes come in the order of their records, once each, and only of those who are believed; nonsense is named."""
    good, bad = (
        Author(Key.derive(b"outcomes".ljust(32), name), HybridClock(ManualClock(start)))
        for name, start in (("good", 10), ("bad", 5))
    )
    first = good.write(ATTEMPTED, outcome("a", seconds=1.5).body())
    lie = bad.write(ATTEMPTED, outcome("a", success=False).body())
    nonsense = good.write(ATTEMPTED, {"task": "X-1", "kind": "work", "agent": "a", "tier": 9})
    second = good.write(ATTEMPTED, outcome("b").body())
    other = good.write("task.deleted/1", {"tasks": ["X-1"]})
    records = [second, other, lie, nonsense, first, first]
    outcomes, senseless = outcomes_in(records, believed=lambda did: did == good.did)
    assert outcomes == (outcome("a", seconds=1.5), outcome("b"))
    assert senseless == (nonsense.id,)
    everybody, _ = outcomes_in(reversed(records), believed=lambda _: True)
    assert [each.success for each in everybody] == [False, True, True]
    assert ledger_of(everybody, evidence_max=60).outcomes == 3
