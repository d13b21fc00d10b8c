"""The one gate between a route and a language model: nothing calls a model but through `call`.

The gate does not trust the routing table. It asks the client which address it will really use, and a T5 task goes to
this machine's loopback or nowhere. What this file does not do: speak to any provider; clients are adapters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from colony.primitives.errors import ConfinementError
from colony.routing.router import Route
from colony.routing.table import is_loopback, runs_elsewhere
from colony.routing.tiers import Tier


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered, and what it used."""

    text: str
    tokens_in: int
    tokens_out: int


class ModelClient(Protocol):
    """A connection to one provider. `endpoint` is the address that `complete` connects to, and no other."""

    @property
    def provider(self) -> str:
        """The provider's name in the routing table."""
        ...

    @property
    def endpoint(self) -> str:
        """The address, as a URL; redirects away from it are not followed."""
        ...

    def complete(self, model: str, prompt: str, *, tokens_max: int) -> Completion:
        """Ask `model`, the provider's id of it, for at most `tokens_max` tokens."""
        ...


def call(route: Route, client: ModelClient, prompt: str, *, tokens_max: int) -> Completion:
    """Ask the model of a route, if the client is the one that the route means.

    Raises:
        ConfinementError: see `guard_call`; nothing was sent.

    """
    guard_call(route, client)
    assert route.model_id is not None  # a route without a model does not pass the guard
    return client.complete(route.model_id, prompt, tokens_max=tokens_max)


def guard_call(route: Route, client: ModelClient) -> None:
    """Refuse a call that its route does not allow.

    Raises:
        ConfinementError: the route needs no model, means another provider, or is T5 and the client's address, or the
            model itself, lies beyond this machine.

    """
    if route.model_id is None or route.provider is None:
        raise ConfinementError(f"{route.task}: {route.tier.name} needs no model, so none may be called")
    if client.provider != route.provider:
        raise ConfinementError(f"{route.task}: routed to {route.provider}, and about to call {client.provider}")
    if route.tier is Tier.T5 and not (is_loopback(client.endpoint) and not runs_elsewhere(route.model_id)):
        raise ConfinementError(
            f"{route.task} is secure, and {route.model_id} at {client.endpoint} is not this machine; nothing was sent"
        )
