"""What a call may cost: the table's own price, else the price list of genai-prices, else unknown and said so.

The list ships with its package and is read offline. It states no price at all for some models (free offers, those of a
subscription) and computes 0 for them; here that is unknown, because only the user's table may call something free.
Where the list answers for another provider than was asked for, it is unknown too. What this file does not do: keep
account of money (budgets.py).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from genai_prices import Usage, calc_price

from colony.routing.table import Model, Price, Provider, Table

MICRODOLLARS: int = 1_000_000
"""Microdollars of a dollar; money is counted in whole ones, so that sums are exact."""


class Tokens(NamedTuple):
    """Tokens of a call: what goes in, and the most that may come out."""

    input: int
    output: int


class PriceList(Protocol):
    """Where prices come from when the table has none."""

    def dollars(self, provider: str, model: str, tokens: Tokens) -> float | None:
        """The dollars that a call costs; None where the price is not known. Never raises for an unknown name."""
        ...


class PublishedPrices:
    """The price list of genai-prices as it stood `at_milliseconds` after 1970, for prices that change with time."""

    def __init__(self, at_milliseconds: int) -> None:
        self._at = datetime.fromtimestamp(at_milliseconds / 1000, UTC)

    def dollars(self, provider: str, model: str, tokens: Tokens) -> float | None:
        """The published price, or None."""
        usage = Usage(input_tokens=tokens.input, output_tokens=tokens.output)
        try:
            found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=self._at)
        except LookupError:
            return None
        is_stated = found.model_price.input_mtok is not None and found.model_price.output_mtok is not None
        return float(found.total_price) if is_stated and found.provider.id == provider else None


def microdollars(model: Model, table: Table, prices: PriceList, tokens: Tokens) -> int | None:
    """The most that one call costs, rounded up to whole microdollars; None where nobody knows the price."""
    provider = table.providers[model.provider]
    dollars = _own(model.price, tokens) if model.price else prices.dollars(_listed(provider), model.id, tokens)
    return None if dollars is None else math.ceil(dollars * MICRODOLLARS)


def _own(price: Price, tokens: Tokens) -> float:
    return (price.input_dollars * tokens.input + price.output_dollars * tokens.output) / 1e6


def _listed(provider: Provider) -> str:
    return provider.prices or provider.name
