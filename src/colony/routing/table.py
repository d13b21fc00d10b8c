"""The routing table as frozen values: providers, models, agents, hints, tiers, limits; and what may be called local.

`local` is never believed: a provider is local if the table says so *and* its address is this machine's loopback or a
Unix socket as it is written. That a server there does not pass requests on is the owner's word; for Ollama's models
that run elsewhere the name tells. What this file does not do: read a file (table_file.py),
know prices of models (prices.py), or choose (router.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from colony.routing.tiers import Tier
from colony.tasks.task import Size

Mode = Literal["query", "plan", "code", "secure"]
MODES: Final[tuple[Mode, ...]] = ("query", "plan", "code", "secure")
SOLVERS: Final = "solvers"
"""The agent of tier T0: solvers and scripts."""

_OCTET: Final = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_HOST: Final = rf"(localhost|127\.{_OCTET}\.{_OCTET}\.{_OCTET}|\[::1\])"
_LOOPBACK: Final = re.compile(rf"https?://{_HOST}(:\d{{1,5}})?(/[\w.~/-]*)?|unix:/[\w./-]+", re.ASCII)
_REMOTE_NAME: Final = re.compile(r"[:-]cloud$", re.IGNORECASE)


def is_loopback(endpoint: str) -> bool:
    """Whether an address is this machine's own, as written: loopback by number or as `localhost`, or `unix:/path`.

    Anything unusual is not: user names, names that only look like it, shortened or hexadecimal numbers, queries.
    """
    return _LOOPBACK.fullmatch(endpoint) is not None


def runs_elsewhere(model_id: str) -> bool:
    """Whether a local server would send this model's requests on: Ollama does so for the tags that end in `cloud`."""
    return _REMOTE_NAME.search(model_id) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who runs models. `key` names the environment variable that holds the secret; the secret is never read here."""

    name: str
    declared_local: bool = False
    endpoint: str | None = None
    key: str | None = None
    prices: str | None = None
    """Its name in the price list, where that differs."""

    @property
    def is_local(self) -> bool:
        """Whether it is declared local and its address proves it."""
        return self.declared_local and self.endpoint is not None and is_loopback(self.endpoint)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens in, and out; zero where the table says that it is free."""

    input_dollars: float
    output_dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of a provider. `lowest` is the tier it is meant for, `highest` the last that it can serve; T1 to T4."""

    name: str
    provider: str
    id: str
    lowest: Tier
    highest: Tier
    context_tokens: int | None = None
    price: Price | None = None
    """The user's own price, or free; None asks the price list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who works: the tiers it takes, and how many tasks at once."""

    name: str
    lowest: Tier
    highest: Tier
    capacity: int = 1

    def takes(self, tier: Tier) -> bool:
        """Whether this tier is within its range."""
        return self.lowest <= tier <= self.highest


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a tier means: the router's mode, the blast radius, and models to fall back to before all others."""

    mode: Mode
    size: Size | None = None
    fallbacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard limits in US dollars; None is no limit."""

    task_dollars: float | None = None
    day_dollars: float | None = None
    month_dollars: float | None = None

    @property
    def are_none(self) -> bool:
        """Whether money is not limited at all."""
        return self.task_dollars is None and self.day_dollars is None and self.month_dollars is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How outcomes are turned into choices; see docs/reference/routing-toml.md."""

    explore: bool = True
    hour_dollars: float = 1.0
    """What an hour of waiting counts, so that a free model that always fails is not free."""
    prior_mass: float = 4.0
    """How many attempts the prior of a tier is worth."""
    evidence_max: float = 60.0
    """Older attempts fade so that no more than this many are remembered."""
    attempt_seconds: float = 60.0
    """How long an attempt is thought to take before any was seen."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """All of it. A table from a file is consistent; one made by hand is checked where it is used."""

    providers: Mapping[str, Provider]
    models: Mapping[str, Model]
    agents: Mapping[str, Agent]
    hints: Mapping[str, str]
    """`provider.tier`, without the @, to the name of a model."""
    rows: Mapping[Tier, Row]
    solvers: frozenset[str] = frozenset()
    """The kinds of tasks that no model is asked for."""
    limits: Limits = field(default_factory=Limits)
    learning: Learning = field(default_factory=Learning)

    def is_local(self, model: Model) -> bool:
        """Whether the model runs on this machine: its provider is local, and the model's name sends nothing on."""
        provider = self.providers.get(model.provider)
        return provider is not None and provider.is_local and not runs_elsewhere(model.id)

    @cached_property
    def local_models(self) -> tuple[Model, ...]:
        """The models that a T5 task may use."""
        return tuple(model for model in self.models.values() if self.is_local(model))
