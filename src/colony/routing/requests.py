"""From a task of the matrix to what the router asks for: each input with whoever answers for it, and the hints.

The matrix has already dropped what a role may not set; here every value is signed once more, by an identity that stated
it, one that may raise a tier before one that may not, so that a tier can be explained and does not rest on the fold
alone. Where a task stands in the graph is stated by whoever drew its edges; without a word on that it counts as an
agent's. It computes no figures of the graph (tasks/), and chooses nothing (router.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from colony.routing.hints import hints_in
from colony.routing.prices import Tokens
from colony.routing.router import TOKENS, Request
from colony.routing.table import Table
from colony.routing.tiers import MAY_RAISE, Inputs, Signed, Tier, complexity_of, literal_complexity, tier_of
from colony.tasks.state.folding import Said
from colony.tasks.state.records import Setting
from colony.tasks.state.roles import Roles
from colony.tasks.task import Task

_NOBODY: Final = ("nobody", "agent")


class Position(NamedTuple):
    """Where a task stands in the graph, and who drew the edges that put it there: an identity and its role."""

    dependencies: int = 0
    critical_share: float = 0.0
    heat: float = 0.0
    """B + A - D, for the literal sum only; a human's override goes before it."""
    by: str = "the graph"
    role: str = "agent"


class Signers:
    """Who stated what of one task, by its history (`MatrixState.history`) and the roles of identities."""

    def __init__(self, task: Task, history: Iterable[Said], roles: Roles) -> None:
        self._task, self._history, self._roles = task, tuple(history), roles

    def signed(self, field: str) -> Signed[Any] | None:
        """The value of a field with the identity that answers for it; None where the field says nothing."""
        value = getattr(self._task, field)
        if value in (None, ""):
            return None
        stated = [
            (stamp.author, self._roles.role(stamp.author))
            for stamp, item in self._history
            if (isinstance(item, Setting) and field in item.fields and item.fields[field] == value)
            or (isinstance(item, Task) and getattr(item, field) == value)
        ]
        by, role = next((each for each in stated if each[1] in MAY_RAISE), stated[0] if stated else _NOBODY)
        return Signed(value, by, role)


def inputs_of(task: Task, signers: Signers, position: Position | None = None) -> Inputs:
    """The inputs of a task's complexity, signed."""
    place = position or Position()
    return Inputs(
        size=signers.signed("size"),
        stars=signers.signed("stars") if task.stars else None,
        dependencies=Signed(place.dependencies, place.by, place.role),
        critical_share=Signed(place.critical_share, place.by, place.role),
        heat=signers.signed("heat") or Signed(place.heat, place.by, place.role),
        override=signers.signed("complexity"),
    )


def request_of(
    task: Task,
    signers: Signers,
    table: Table,
    *,
    ceiling: Tier,
    at_milliseconds: int,
    position: Position | None = None,
    tokens: Tokens = TOKENS,
) -> Request:
    """What to ask the router for a task; `dataclasses.replace` adds what has been tried.

    Hints are those of the field, where an unknown one is an error when it is routed, then those in the title.
    """
    own, title = signers.signed("hints"), signers.signed("title")
    hints = [Signed(hint, own.by, own.role) for hint in own.value.split()] if own else []
    hints += [Signed(hint, title.by, title.role) for hint in hints_in(task.title, table.hints)] if title else []
    return Request(
        task=task.id,
        kind=task.kind,
        complexity=complexity_of(inputs_of(task, signers, position)),
        ceiling=ceiling,
        at_milliseconds=at_milliseconds,
        tokens=tokens,
        secure=task.secure,
        hints=tuple(hints),
    )


def literal_tier(task: Task, signers: Signers, position: Position) -> tuple[Tier, tuple[str, ...]]:
    """The tier that the seed's own sum would give, and its terms in words."""
    complexity = literal_complexity(inputs_of(task, signers, position))
    return tier_of(complexity.value, secure=task.secure), complexity.explain()
