"""What the tests of choosing share: tables of every kind, requests, and clients that remember what was sent.

It asserts nothing.
"""

from hypothesis import strategies as st

from colony.routing.calls import Completion
from colony.routing.outcomes import Outcome
from colony.routing.prices import Tokens
from colony.routing.router import Available, Request
from colony.routing.table import Agent, Learning, Limits, Model, Price, Provider, Row, Table
from colony.routing.tiers import Complexity, Signed, Tier

AT = 1_795_219_200_000
LOCAL = "http://127.0.0.1:11434"
FARAWAY = "https://api.example.org"


class PriceOf:
    """A price list: dollars a call by model, unknown for all others."""

    def __init__(self, **dollars):
        self.known = dollars

    def dollars(self, provider, model, tokens):
        return self.known.get(model)


class Client:
    """A client of a provider at an address; it remembers what was sent."""

    def __init__(self, provider, endpoint):
        self.provider, self.endpoint, self.sent = provider, endpoint, []

    def complete(self, model, prompt, *, tokens_max):
        self.sent.append((model, prompt))
        return Completion("done", 1, 1)


def model(name, provider="far", *, tiers=(Tier.T1, Tier.T4), price=None, context=None):
    lowest, highest = tiers
    return Model(
        name=name,
        provider=provider,
        id=name,
        lowest=lowest,
        highest=highest,
        price=None if price is None else Price(price * 1e6, 0.0),
        context_tokens=context,
    )


def table(*models, hints=(), limits=None, learning=None, fallbacks=(), solvers=("run",)):
    """A table of these models; the price of a model is that of a call of one token."""
    return Table(
        providers={
            "far": Provider(name="far", key="FAR_KEY"),
            "near": Provider(name="near", declared_local=True, endpoint=LOCAL),
            "liar": Provider(name="liar", declared_local=True, endpoint=FARAWAY),
        },
        models={each.name: each for each in models},
        agents={"worker": Agent(name="worker", lowest=Tier.T0, highest=Tier.T5, capacity=2)},
        hints=dict(hints),
        rows={tier: Row(mode="code", fallbacks=fallbacks) for tier in Tier},
        solvers=frozenset(solvers),
        limits=limits or Limits(),
        learning=learning or Learning(),
    )


def request(complexity=5.0, *, ceiling=Tier.T4, hint=None, role="human", **more):
    hints = () if hint is None else (Signed(hint, "ann", role),)
    values = {"task": "X-1", "kind": "work", "at_milliseconds": AT, "tokens": Tokens(1, 0), "hints": hints, **more}
    return Request(complexity=Complexity(complexity, ()), ceiling=ceiling, **values)


EVERYBODY = Available(providers=frozenset({"far", "near", "liar"}))

tiers = st.sampled_from([Tier.T1, Tier.T2, Tier.T3, Tier.T4])
models = st.builds(
    model,
    st.sampled_from("abcdefgh"),
    st.sampled_from(["far", "near", "liar"]),
    tiers=st.tuples(tiers, tiers).map(lambda pair: (min(pair), max(pair))),
    price=st.none() | st.floats(0, 3),
    context=st.none() | st.integers(1, 3),
)


def outcome(name="a", *, success=True, **more):
    values = {"task": "X-1", "kind": "work", "agent": "worker", "tier": Tier.T2, "seconds": 10.0, **more}
    return Outcome(model=name, success=success, **values)


@st.composite
def outcomes(draw):
    """Attempts at one kind of task by some models, verified or not."""
    return draw(
        st.lists(
            st.builds(
                outcome,
                st.sampled_from("abcdefgh"),
                success=st.none() | st.booleans(),
                tier=st.sampled_from(list(Tier)),
                cost_microdollars=st.integers(0, 10**6),
                seconds=st.floats(0, 1e4),
            ),
            max_size=30,
        )
    )
