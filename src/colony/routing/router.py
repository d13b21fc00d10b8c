"""Who does a task and with which model: the cheapest able one, with its money reserved and every step explained.

`route` is a function of its arguments: the task's features, the table, what is available, what outcomes have taught, a
random stream if it may explore. The one thing it changes are the budgets it is given. T0 needs no model; T5 takes
models of this machine and no other, whatever the table, a hint, a budget or the evidence say (calls.py checks it
again). After a failure or a stall, ask again with that model among the `tried`. It calls nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from colony.primitives.errors import BudgetError, NoRouteError
from colony.routing import cascade
from colony.routing.budgets import Budgets, Reservation, dollars
from colony.routing.evidence import chance, expected_dollars, patience_seconds, prior_chance
from colony.routing.hints import resolved
from colony.routing.ledger import EMPTY, Ledger
from colony.routing.prices import PriceList, Tokens, microdollars
from colony.routing.table import SOLVERS, Agent, Mode, Model, Row, Table
from colony.routing.tiers import MAY_RAISE, Complexity, Signed, Tier, tier_of
from colony.tasks.task import Size

TOKENS: Final = Tokens(20_000, 8_000)
"""What a call is reserved for where nobody says how large it is: in, and at most out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be routed. `ceiling` comes with the lease: no model above it is used."""

    task: str
    kind: str
    complexity: Complexity
    ceiling: Tier
    at_milliseconds: int
    tokens: Tokens = TOKENS
    secure: bool = False
    hints: tuple[Signed[str], ...] = ()
    """In order of preference; with or without the @."""
    tried: frozenset[str] = frozenset()
    """Models that have failed or stalled at this task."""
    attempt: int = 0
    """How many reservations were made for this task before: part of the reservation's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """What can be used now: providers whose secret is there, models that are out of order, tasks under way by agent."""

    providers: frozenset[str]
    down: frozenset[str] = frozenset()
    busy: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The answer. `model`, `model_id` and `provider` are None where no model is needed; `fallbacks` come in order."""

    task: str
    tier: Tier
    mode: Mode
    agent: str
    size: Size | None = None
    """The blast radius that the tier is meant for."""
    model: str | None = None
    model_id: str | None = None
    provider: str | None = None
    fallbacks: tuple[str, ...] = ()
    cost_microdollars: int | None = 0
    """The most that the call can cost; None where nobody knows."""
    reserved: Reservation | None = None
    seconds_max: float | None = None
    """How long to wait before the next model is asked."""
    expected_dollars: float = 0.0
    """Of the whole cascade, waiting included."""
    why: tuple[str, ...] = ()

    def explain(self) -> str:
        """Every step in words, one in a line."""
        return "\n".join(self.why)


class Candidate(NamedTuple):
    """A model that may be used, with what is believed of it."""

    model: Model
    cost_microdollars: int | None
    chance: float
    """The mean of what is believed."""
    option: cascade.Option
    """What it is ordered by: the mean, or a draw where the router explores."""
    attempts: int
    is_able: bool


def available_providers(table: Table, environ: Mapping[str, str]) -> frozenset[str]:
    """The providers that need no secret, or whose variable is set; the value is looked at for emptiness only."""
    return frozenset(p.name for p in table.providers.values() if p.key is None or environ.get(p.key))


def route(
    request: Request,
    table: Table,
    *,
    prices: PriceList,
    available: Available,
    ledger: Ledger = EMPTY,
    budgets: Budgets | None = None,
    stream: np.random.Generator | None = None,
) -> Route:
    """The route of a task. With `budgets` the money of its first call is reserved; without, nothing is changed.

    With a `stream`, and where the table allows it, the order is explored by Thompson sampling; without, it follows the
    means of what is believed.

    Raises:
        UsageError: an unknown hint.
        NoRouteError: nobody who is able, allowed, available and free.
        BudgetError: the budgets hold none of the able models; each is named with the limit.

    """
    tier, hinted, why = _tier(request, table)
    row = table.rows.get(tier) or Row(mode="secure" if tier is Tier.T5 else "code")
    if tier is Tier.T0 or request.kind in table.solvers:
        needs = "T0 needs no model" if tier is Tier.T0 else f"tasks of the kind {request.kind!r} need no model"
        why.append(f"{needs}: solvers and scripts do it, and it costs nothing")
        return Route(task=request.task, tier=Tier.T0, mode=row.mode, agent=SOLVERS, size=row.size, why=tuple(why))
    agent = _agent(tier, table, available)
    why.append(f"agent {agent.name}: it takes {tier.name} and has a free hand")
    usable = _usable(_allowed(request, tier, table), request, available, why)
    found = _candidates(usable, request, tier, table, prices=prices, ledger=ledger, stream=stream)
    order = _in_order(found, hinted, row.fallbacks)
    why += [_described(each) for each in order]
    chosen, reserved = _affordable(order, request, budgets, why)
    rest = [each for each in order if each is not chosen]
    why.append(f"chosen: {chosen.model.name}; then {', '.join(each.model.name for each in rest) or 'nothing'}")
    return Route(
        task=request.task,
        tier=tier,
        mode=row.mode,
        agent=agent.name,
        size=row.size,
        model=chosen.model.name,
        model_id=chosen.model.id,
        provider=chosen.model.provider,
        fallbacks=tuple(each.model.name for each in rest),
        cost_microdollars=chosen.cost_microdollars,
        reserved=reserved,
        seconds_max=patience_seconds(ledger.of(request.kind, tier, chosen.model.name), table.learning),
        expected_dollars=cascade.expected_dollars([_believed(each) for each in (chosen, *rest)]),
        why=tuple(why),
    )


def _tier(request: Request, table: Table) -> tuple[Tier, list[str], list[str]]:
    """The tier, the models that hints wish for and may have, and the reasons for both."""
    why = list(request.complexity.explain())
    asked = tier_of(request.complexity.value)
    tier = min(asked, request.ceiling)
    why.append(f"complexity {request.complexity.value:g} asks for {asked.name}")
    if request.secure:
        tier = Tier.T5
        why.append("the task is secure: T5, models of this machine only")
    elif tier < asked:
        why.append(f"the ceiling of the lease is {request.ceiling.name}: {tier.name}")
    hinted = []
    for hint in request.hints:
        model = table.models[resolved(hint.value, table.hints)]
        refusal = _hint_refused(hint, model, tier, request, table)
        if refusal is None:
            hinted.append(model.name)
            if not request.secure and model.lowest > tier:
                tier = model.lowest
                why.append(f"the hint @{hint.value.removeprefix('@')} of {hint.by} raises the tier to {tier.name}")
        why.append(f"hint @{hint.value.removeprefix('@')}: {model.name}, {refusal or 'followed'}")
    return tier, hinted, why


def _hint_refused(hint: Signed[str], model: Model, tier: Tier, request: Request, table: Table) -> str | None:
    if request.secure:
        return None if table.is_local(model) else "refused: it is no model of this machine"
    if model.lowest > request.ceiling:
        return f"refused: it is for {model.lowest.name}, above the ceiling {request.ceiling.name}"
    if model.lowest > tier and hint.role not in MAY_RAISE:
        return f"refused: it is for {model.lowest.name}, and {hint.by} ({hint.role}) may not raise a tier"
    return None


def _agent(tier: Tier, table: Table, available: Available) -> Agent:
    """The agent of this tier with the smallest share of its capacity in use, in the order of the table."""
    able = [agent for agent in table.agents.values() if agent.takes(tier)]
    free = [agent for agent in able if available.busy.get(agent.name, 0) < agent.capacity]
    if free:
        return min(free, key=lambda agent: available.busy.get(agent.name, 0) / agent.capacity)
    names = ", ".join(agent.name for agent in able)
    reason = f"all are busy ({names}); wait, or raise their capacity" if able else "none takes it; add one"
    raise NoRouteError(f"no agent for {tier.name}: {reason} under [agents] in routing.toml")


def _allowed(request: Request, tier: Tier, table: Table) -> Sequence[Model]:
    """The models that may be used at all. For T5 this is the only line that decides, and it asks the address."""
    if tier is Tier.T5:
        return table.local_models
    return [model for model in table.models.values() if model.lowest <= request.ceiling]


def _usable(allowed: Iterable[Model], request: Request, available: Available, why: list[str]) -> list[Model]:
    """Those of the allowed models that can do it now; the reasons against the others go to `why`."""
    allowed = list(allowed)
    refused = [(model, reason) for model in allowed if (reason := _refusal(model, request, available))]
    why += [f"not {model.name}: {reason}" for model, reason in refused]
    usable = [model for model in allowed if model not in [each for each, _ in refused]]
    if not usable:
        listed = "; ".join(f"{model.name}: {reason}" for model, reason in refused)
        kind = "model of this machine" if request.secure else f"model up to {request.ceiling.name}"
        raise NoRouteError(f"{request.task}: no {kind} can be used now: {listed or 'the table has none'}")
    return usable


def _refusal(model: Model, request: Request, available: Available) -> str | None:
    if model.name in request.tried:
        return "it has been tried"
    if model.provider not in available.providers:
        return f"provider {model.provider} is not available; is its key set?"
    if model.name in available.down:
        return "it is out of order"
    needed = request.tokens.input + request.tokens.output
    if model.context_tokens is not None and model.context_tokens < needed:
        return f"{needed} tokens do not fit into its {model.context_tokens}"
    return None


def _candidates(
    models: Sequence[Model],
    request: Request,
    tier: Tier,
    table: Table,
    *,
    prices: PriceList,
    ledger: Ledger,
    stream: np.random.Generator | None,
) -> list[Candidate]:
    learning, difficulty = table.learning, tier_of(request.complexity.value)
    costs = {model.name: microdollars(model, table, prices, request.tokens) for model in models}
    dearest = max((cost for cost in costs.values() if cost is not None), default=0)
    evidence = {model.name: ledger.of(request.kind, tier, model.name) for model in models}
    chances = {m.name: chance(evidence[m.name], prior_chance(m, difficulty), learning.prior_mass) for m in models}
    explores = stream is not None and learning.explore
    drawn = cascade.sampled(chances, stream) if explores and stream is not None else {}
    found = []
    for model in models:
        name, cost, mean = model.name, costs[model.name], chances[model.name].mean
        spent = expected_dollars(evidence[name], dearest if cost is None else cost, learning)
        option = cascade.Option(name, drawn.get(name, mean), spent)
        tries = evidence[name].attempts
        found.append(Candidate(model, cost, mean, option, tries, bool(drawn or tries or model.highest >= difficulty)))
    return found


def _in_order(found: Sequence[Candidate], hinted: Sequence[str], fallbacks: Sequence[str]) -> list[Candidate]:
    """Hinted models first, then the cheapest able one, then the table's own fallbacks, then the others.

    Within each part the order is that of least expected cost. A model that is not meant for so difficult a task counts
    as able once it was tried at its kind, or where the router explores.
    """
    by_name = {each.model.name: each for each in found}
    ranked = [o.name for able in (True, False) for o in cascade.in_order(c.option for c in found if c.is_able is able)]
    first = [name for name in hinted if name in by_name] or ranked[:1]
    names = dict.fromkeys((*first, *(name for name in fallbacks if name in by_name), *ranked))
    return [by_name[name] for name in names]


def _affordable(
    order: Sequence[Candidate], request: Request, budgets: Budgets | None, why: list[str]
) -> tuple[Candidate, Reservation | None]:
    """The first that the budgets hold, with its reservation; the others' refusals go to `why`."""
    if budgets is None:
        return order[0], None
    refusals: list[str] = []
    for each in order:
        cost = each.cost_microdollars
        if cost is None and not budgets.limits.are_none:
            refusals.append(f"not {each.model.name}: nobody knows its price, and money is limited; state its price")
            continue
        name = f"{request.task}/{request.attempt}/{each.model.name}"
        reservation = Reservation(name, request.task, request.at_milliseconds, cost or 0)
        try:
            budgets.reserve(reservation)
        except BudgetError as error:
            refusals.append(f"not {each.model.name}: {error}")
            continue
        why += [*refusals, f"reserved {dollars(reservation.microdollars)} for {each.model.name}"]
        return each, reservation
    raise BudgetError(f"{request.task}: no able model fits the budget: {'; '.join(refusals)}")


def _believed(each: Candidate) -> cascade.Option:
    return each.option._replace(chance=each.chance)


def _described(each: Candidate) -> str:
    cost = "an unknown price" if each.cost_microdollars is None else f"at most {dollars(each.cost_microdollars)}"
    drawn = "" if each.option.chance == each.chance else f", drawn {each.option.chance:.2f}"
    return (
        f"{each.model.name}: succeeds with {each.chance:.2f}{drawn} after {each.attempts} attempts, {cost} a call, "
        f"${each.option.dollars:.4f} with the waiting"
    )
