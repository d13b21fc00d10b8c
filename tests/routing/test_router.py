"""The router: the cheapest able model within ceiling and budget; a secure task never leaves, whatever is tried."""

import numpy as np
import pytest
from choosing import AT, EVERYBODY, FARAWAY, LOCAL, Client, PriceOf, model, models, outcome, outcomes, request, table
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.primitives.errors import BudgetError, ConfinementError, NoRouteError, UsageError
from colony.routing.budgets import Budgets
from colony.routing.calls import call, guard_call
from colony.routing.ledger import ledger_of
from colony.routing.prices import Tokens
from colony.routing.router import Available, Route, available_providers, route
from colony.routing.table import SOLVERS, Agent, Learning, Limits, Row, Table
from colony.routing.tiers import Tier

SOME = (
    model("cheap", tiers=(Tier.T1, Tier.T2), price=0.01),
    model("able", tiers=(Tier.T2, Tier.T3), price=0.1),
    model("strong", tiers=(Tier.T3, Tier.T4), price=1.0),
)


def chosen(asked, of, **more):
    return route(asked, of, **{"prices": PriceOf(), "available": EVERYBODY, **more})


# -- the cheapest able model ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("complexity", "name"), [(3, "cheap"), (5, "cheap"), (7, "able"), (10, "strong")], ids=["T1", "T2", "T3", "T4"]
)
def test_the_cheapest_that_serves_the_tier(complexity, name):
    """Before any attempt, the cheapest model whose range has the tier is chosen; the others stand ready."""
    found = chosen(request(complexity), table(*SOME))
    assert found.model == name
    assert sorted([found.model, *found.fallbacks]) == ["able", "cheap", "strong"]
    assert found.cost_microdollars == {"cheap": 10_000, "able": 100_000, "strong": 1_000_000}[name]


def test_nothing_without_a_model_costs():
    """T0, and kinds of tasks that solvers do, need no model, reserve nothing, and need no table of models."""
    for asked in (request(1), request(9, kind="run"), request(9, kind="run", secure=True)):
        found = chosen(asked, table(), budgets=Budgets(Limits(task_dollars=0.0)))
        assert (found.agent, found.model, found.provider, found.cost_microdollars) == (SOLVERS, None, None, 0)
        assert found.reserved is None


def test_evidence_decides():
    """A cheap model that fails at a kind is passed over there, and only there; one that proves able comes first."""
    failed = [outcome("cheap", success=False, cost_microdollars=10_000) for _ in range(60)]
    proven = [outcome("cheap", tier=Tier.T3, cost_microdollars=10_000) for _ in range(20)]
    ledger = ledger_of([*failed, *proven], evidence_max=60)
    assert chosen(request(5), table(*SOME), ledger=ledger).model == "able"
    assert chosen(request(5, kind="docs"), table(*SOME), ledger=ledger).model == "cheap"
    assert chosen(request(7), table(*SOME), ledger=ledger).model == "cheap"


def test_waiting_counts():
    """A free model that takes hours and mostly fails comes after one that costs a cent."""
    slow = [outcome("free", success=bool(i % 4 == 0), seconds=7200.0) for i in range(20)]
    free, paid = model("free", price=0.0), model("paid", price=0.01)
    found = chosen(request(5), table(free, paid), ledger=ledger_of(slow, evidence_max=60))
    assert found.model == "paid"
    assert chosen(request(5), table(free, paid)).model == "free"


def test_exploring_follows_the_stream():
    """The same stream gives the same route; over many draws even a model below the tier is tried; without, never."""
    draws = [chosen(request(7), table(*SOME), stream=np.random.default_rng(seed)).model for seed in range(60)]
    assert draws == [chosen(request(7), table(*SOME), stream=np.random.default_rng(seed)).model for seed in range(60)]
    assert {"cheap", "able"} <= set(draws)
    quiet = table(*SOME, learning=Learning(explore=False))
    assert {chosen(request(7), quiet, stream=np.random.default_rng(seed)).model for seed in range(60)} == {"able"}


def test_the_next_after_a_failure():
    """What has been tried is not asked again, and when all have been, there is no route."""
    tried = set()
    for name in ("cheap", "able", "strong"):
        found = chosen(request(5, tried=frozenset(tried)), table(*SOME))
        assert found.model == name
        tried.add(name)
    with pytest.raises(NoRouteError, match="it has been tried"):
        chosen(request(5, tried=frozenset(tried)), table(*SOME))


def test_fallbacks_of_the_table():
    """A tier's own fallbacks come right after the first choice, in their order."""
    found = chosen(request(3), table(*SOME, fallbacks=("strong", "able")))
    assert (found.model, found.fallbacks) == ("cheap", ("strong", "able"))


def test_who_is_not_available():
    """A provider without key, a model out of order and one too small for the prompt are passed over, and why."""
    three = (model("a", price=0.1), model("b", price=0.2), model("c", price=0.3, context=5), model("d", price=0.4))
    found = chosen(
        request(5, tokens=Tokens(4, 2)),
        table(*three, model("e", "near", price=9.0)),
        available=Available(providers=frozenset({"far"}), down=frozenset({"a", "b"})),
    )
    assert found.model == "d"
    for reason in ("not a: it is out of order", "not c: 6 tokens do not fit into its 5", "not e: provider near"):
        assert reason in found.explain()


def test_providers_by_environment():
    """A provider is available if its variable is set to something, or if it needs none; the secret appears nowhere."""
    of = table(*SOME)
    assert available_providers(of, {}) == {"near", "liar"}
    assert available_providers(of, {"FAR_KEY": ""}) == {"near", "liar"}
    available = Available(providers=available_providers(of, {"FAR_KEY": "s3cret"}))
    assert "s3cret" not in chosen(request(5), of, available=available).explain() + repr(available)


def test_agents_have_capacity():
    """The agent of the tier with the freest hands is chosen; when all are busy that is said."""
    of = table(*SOME)
    agents = {
        name: Agent(name=name, lowest=Tier.T2, highest=Tier.T2, capacity=capacity)
        for name, capacity in (("one", 1), ("four", 4))
    }
    of = Table(**{**{name: getattr(of, name) for name in of.__dataclass_fields__}, "agents": agents})
    assert (
        chosen(request(5), of, available=Available(providers=EVERYBODY.providers, busy={"one": 1, "four": 3})).agent
        == "four"
    )
    assert chosen(request(5), of).agent == "one"
    with pytest.raises(NoRouteError, match="all are busy"):
        chosen(request(5), of, available=Available(providers=EVERYBODY.providers, busy={"one": 1, "four": 4}))
    with pytest.raises(NoRouteError, match="none takes it"):
        chosen(request(7), of)


# -- ceilings and hints -----------------------------------------------------------------------------------------------


@given(
    st.lists(models, min_size=1, max_size=6), st.floats(0, 12), st.sampled_from(list(Tier)[:5]), outcomes(), st.data()
)
@settings(max_examples=150, deadline=None)
def test_no_model_above_the_ceiling(some, complexity, ceiling, past, data):
    """Neither complexity, hints, exploration, evidence nor failures lead to a model above the ceiling of the lease."""
    of = table(*some, hints=[("h.x", data.draw(st.sampled_from(some)).name)])
    hint = data.draw(st.none() | st.just("@h.x"))
    stream = data.draw(st.none() | st.integers(0, 99).map(np.random.default_rng))
    asked = request(complexity, ceiling=ceiling, hint=hint, role=data.draw(st.sampled_from(["human", "agent"])))
    try:
        found = chosen(asked, of, ledger=ledger_of(past, evidence_max=60), stream=stream)
    except NoRouteError:
        return
    assert found.tier <= ceiling
    used = [found.model, *found.fallbacks] if found.model else []
    assert all(of.models[name].lowest <= ceiling for name in used)


def test_a_hint_is_followed():
    """A hint of a model meant for the tier, or for a lower one, is followed; the others stay as fallbacks."""
    of = table(*SOME, hints={"x.cheap": "cheap", "x.able": "able", "x.strong": "strong"}.items())
    for role in ("human", "agent"):
        assert chosen(request(5, hint="@x.able", role=role), of).model == "able"
        assert chosen(request(7, hint="@X.Cheap", role=role), of).model == "cheap"


def test_a_hint_raises_as_far_as_its_signer_may():
    """A human's hint may raise the tier up to the ceiling, an agent's may not raise it at all."""
    of = table(*SOME, hints={"x.strong": "strong"}.items())
    raised = chosen(request(5, hint="@x.strong", role="human"), of)
    assert (raised.model, raised.tier) == ("strong", Tier.T3)
    refused = chosen(request(5, hint="@x.strong", role="agent"), of)
    assert (refused.model, refused.tier) == ("cheap", Tier.T2)
    assert "ann (agent) may not raise a tier" in refused.explain()
    capped = chosen(request(5, hint="@x.strong", role="human", ceiling=Tier.T2), of)
    assert (capped.model, capped.tier) == ("cheap", Tier.T2)
    assert "above the ceiling T2" in capped.explain()


def test_a_hint_where_no_model_is_needed():
    """A human may give a T0 task to a model; an agent may not, and solvers' tasks stay with the solvers."""
    of = table(*SOME, hints={"x.cheap": "cheap"}.items())
    assert chosen(request(1, hint="@x.cheap", role="owner"), of).model == "cheap"
    assert chosen(request(1, hint="@x.cheap", role="agent"), of).agent == SOLVERS
    assert chosen(request(9, kind="run", hint="@x.cheap", role="owner"), of).agent == SOLVERS


def test_an_unknown_hint():
    """It is an error that lists the known ones, and nothing is reserved."""
    budgets = Budgets(Limits(task_dollars=1.0))
    with pytest.raises(UsageError, match=r"known are: @x\.cheap"):
        chosen(request(5, hint="@x.chaep"), table(*SOME, hints=[("x.cheap", "cheap")]), budgets=budgets)
    assert not budgets.spending.open


# -- secure tasks stay here -------------------------------------------------------------------------------------------


@given(st.lists(models, min_size=1, max_size=8), outcomes(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_secure_task_never_leaves(some, past, data):
    """No table, lie, hint, role, ceiling, budget, availability, evidence or stream sends a T5 task elsewhere."""
    of = table(*some, hints=[("h.x", data.draw(st.sampled_from(some)).name)], solvers=())
    asked = request(
        data.draw(st.floats(0, 12)),
        secure=True,
        ceiling=data.draw(st.sampled_from(list(Tier))),
        hint=data.draw(st.none() | st.just("h.x")),
        role=data.draw(st.sampled_from(["owner", "agent"])),
        tried=data.draw(st.frozensets(st.sampled_from("abcdefgh"))),
    )
    available = Available(providers=data.draw(st.frozensets(st.sampled_from(["far", "near", "liar"]))))
    budgets = data.draw(st.none() | st.floats(0, 9).map(lambda dollars: Budgets(Limits(task_dollars=dollars))))
    stream = data.draw(st.none() | st.integers(0, 99).map(np.random.default_rng))
    ledger = ledger_of(past, evidence_max=60)
    try:
        found = chosen(asked, of, available=available, budgets=budgets, stream=stream, ledger=ledger)
    except (NoRouteError, BudgetError):
        return
    assert found.tier is Tier.T5
    assert {of.models[name].provider for name in (found.model, *found.fallbacks)} == {"near"}


def test_a_table_that_lies():
    """A provider that calls itself local at a far address has no local model, so the task has no route."""
    lying = table(model("m", "liar", price=0.0))
    assert not lying.local_models
    with pytest.raises(NoRouteError, match="no model of this machine"):
        chosen(request(5, secure=True), lying)


@pytest.mark.parametrize(
    ("provider", "endpoint"),
    [("near", FARAWAY), ("near", "http://127.0.0.1@example.org"), ("far", LOCAL), ("near", "")],
)
def test_the_gate_asks_the_client(provider, endpoint):
    """Where a call is made the client's own address counts: a far one is refused, and nothing is sent."""
    found = chosen(request(5, secure=True), table(model("m", "near", price=0.0)))
    client = Client(provider, endpoint)
    with pytest.raises(ConfinementError):
        call(found, client, "the secret", tokens_max=1)
    assert not client.sent


def test_the_gate_knows_models_that_run_elsewhere():
    """A local server that sends a model's requests on is not this machine, even for a route made by hand."""
    forged = Route(task="X-1", tier=Tier.T5, mode="secure", agent="a", model="m", model_id="m:cloud", provider="near")
    with pytest.raises(ConfinementError, match="nothing was sent"):
        guard_call(forged, Client("near", LOCAL))


def test_the_gate_opens():
    """A secure route reaches this machine's server, any other route the provider it names, and T0 nobody."""
    here, there = Client("near", LOCAL), Client("far", FARAWAY)
    secure = chosen(request(5, secure=True), table(model("m", "near", price=0.0)))
    assert call(secure, here, "hello", tokens_max=1).text == "done"
    assert here.sent == [("m", "hello")]
    plain = chosen(request(5), table(model("m", "far", price=0.0)))
    call(plain, there, "hello", tokens_max=1)
    assert there.sent
    with pytest.raises(ConfinementError, match="about to call near"):
        call(plain, here, "hello", tokens_max=1)
    with pytest.raises(ConfinementError, match="needs no model"):
        call(chosen(request(1), table()), there, "hello", tokens_max=1)


# -- money ------------------------------------------------------------------------------------------------------------


def test_money_is_reserved_first():
    """The route holds a reservation of what its call can cost at most, which the budgets already count."""
    budgets = Budgets(Limits(day_dollars=0.5))
    found = chosen(request(7), table(*SOME), budgets=budgets)
    assert found.reserved is not None
    assert found.reserved.microdollars == 100_000
    assert budgets.left("X-1", AT) == 400_000
    assert "reserved $0.1000 for able" in found.explain()


def test_a_refused_reservation_falls_back_to_a_cheaper_model():
    """Where the budget does not hold the choice, a cheaper model gets the task; where it holds none, that is said."""
    budgets = Budgets(Limits(task_dollars=0.05))
    found = chosen(request(7), table(*SOME), budgets=budgets)
    assert found.model == "cheap"
    assert "not able: X-1: $0.1000 would pass the limit of the task" in found.explain()
    with pytest.raises(
        BudgetError, match=r"no able model fits.*not cheap.*limit of the task, which has \$0\.0010 left"
    ):
        chosen(request(7), table(*SOME), budgets=Budgets(Limits(task_dollars=0.001)))


def test_an_unknown_price_is_not_free():
    """A model without a known price is refused while money is limited, used where it is not, and never called free."""
    unknown = table(model("mystery"))
    with pytest.raises(BudgetError, match="nobody knows its price"):
        chosen(request(5), unknown, budgets=Budgets(Limits(month_dollars=300.0)))
    found = chosen(request(5), unknown, budgets=Budgets(Limits()))
    assert found.cost_microdollars is None
    assert "at an unknown price" in found.explain() or "an unknown price" in found.explain()
    assert chosen(request(5), table(model("mystery")), prices=PriceOf(mystery=0.25)).cost_microdollars == 250_000


def test_a_row_is_not_needed():
    """A table made by hand without rows routes all the same, with the mode of the tier."""
    of = table(model("m", "near", price=0.0))
    of = Table(
        **{**{name: getattr(of, name) for name in of.__dataclass_fields__}, "rows": {Tier.T0: Row(mode="query")}}
    )
    assert chosen(request(5), of).mode == "code"
    assert chosen(request(5, secure=True), of).mode == "secure"
