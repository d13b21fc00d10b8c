"""Who would do a task and with which model, asked of the router with everything that the matrix knows.

The table is `routing.toml` at the repository's root, else the shipped one. What this file does not do: decide (the
router does), or call a model.
"""

from __future__ import annotations

from typing import Any, Final

from colony.node.matrix.claiming import home_of
from colony.node.matrix.workspace import Workspace
from colony.primitives.limits import PROBLEM_FILE_BYTES_MAX
from colony.routing.ledger import Ledger, ledger_of
from colony.routing.outcomes import Outcome, outcomes_in
from colony.routing.published_prices import PublishedPrices
from colony.routing.requests import Position, Signers, literal_tier, request_of
from colony.routing.router import Available, Route, available_providers, route
from colony.routing.table import Table
from colony.routing.table_file import default_table, table_from
from colony.routing.tiers import Tier
from colony.tasks.order.heat import heat
from colony.tasks.shards.claims import Claims
from colony.tasks.task import ACTIVE, Task

ROUTING: Final = "routing.toml"


def table_of(place: Workspace) -> Table:
    """The repository's own table, else the shipped one.

    Raises:
        UsageError: the file makes no sense; names the key and the line.

    """
    file = place.root / ROUTING if place.root is not None else None
    if file is None or not file.exists():
        return default_table()
    with file.open("rb") as source:
        return table_from(source.read(PROBLEM_FILE_BYTES_MAX).decode(errors="replace"), name=str(file))


def routed(place: Workspace, task_id: str) -> tuple[Route, dict[str, Any]]:
    """The route of a task as things are, and the same JSON-able; nothing is reserved.

    Raises:
        NoRouteError: nobody able, allowed, available and free. UsageError: an unknown hint.

    """
    task = place.task(task_id)
    table = table_of(place)
    signers = Signers(task, place.state.history(task_id), place.settings.roles)
    position = _position(place, task)
    ceiling = _ceiling(place, task_id)
    request = request_of(
        task,
        signers,
        table,
        ceiling=ceiling,
        at_milliseconds=place.now_milliseconds,
        position=position,
    )
    found = route(
        request,
        table,
        prices=PublishedPrices(place.now_milliseconds),
        available=Available(providers=available_providers(table, place.environ), busy=_busy(place)),
        ledger=ledger_of_records(place, table),
    )
    literal, terms = literal_tier(task, signers, position)
    record = {
        "task": task_id,
        "tier": found.tier.name,
        "mode": found.mode,
        "agent": found.agent,
        "model": found.model,
        "model_id": found.model_id,
        "provider": found.provider,
        "fallbacks": list(found.fallbacks),
        "cost_microdollars": found.cost_microdollars,
        "expected_dollars": found.expected_dollars,
        "ceiling": ceiling.name,
        "literal": {"tier": literal.name, "terms": list(terms)},
        "why": list(found.why),
    }
    return found, record


def ledger_of_records(place: Workspace, table: Table) -> Ledger:
    """What the outcomes have taught; everybody may state what came of a task."""
    found, _ = outcomes_in(place.shards.read().records, believed=lambda _: True)
    return ledger_of(found, evidence_max=table.learning.evidence_max)


def attempted(outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """The record of one outcome."""
    return "task.attempted/1", outcome.body()


def _position(place: Workspace, task: Task) -> Position:
    """Where the task stands: its unfinished dependencies, its share of the critical path, its heat."""
    graph = place.ranking.graph
    node, whole = graph.node(task.id), graph.critical_path().seconds
    return Position(
        dependencies=len(node.before),
        critical_share=node.path_seconds / whole if whole else 0.0,
        heat=heat(node).value,
        by="whoever drew the graph",
        role=_least_role(place),
    )


def _ceiling(place: Workspace, task_id: str) -> Tier:
    """The highest tier that the lease allows, and never more than the settings do: an agent signs its lease itself."""
    claims = Claims(place.git, home_of(place), place.key, place.clock, agent=place.actor)
    held = claims.look().claims.get(task_id)
    ceiling = int(place.settings.matrix.ceiling[1])
    return Tier(min(ceiling, held.claim.tier_max) if held else ceiling)


def _least_role(place: Workspace) -> str:
    """The least role of all who have written here: anybody's edges and estimates may have moved a task in the graph."""
    order = ("owner", "human", "agent")
    roles = {place.settings.roles.role(author) for author in place.shards.read().chains}
    return max(roles, key=order.index, default="agent")


def _busy(place: Workspace) -> dict[str, int]:
    """How many tasks each agent is at."""
    busy: dict[str, int] = {}
    for task in place.state.tasks.values():
        if task.agent and task.state in ACTIVE:
            busy[task.agent] = busy.get(task.agent, 0) + 1
    return busy
