"""What a call may cost: the table's own price, else that of a price list, else unknown and said so.

What this file does not do: hold prices (published_prices.py has a list), or keep account of money (budgets.py).
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from colony.routing.table import Model, Price, Provider, Table


class Tokens(NamedTuple):
    """Tokens of a call: what goes in, and the most that may come out."""

    input: int
    output: int


class PriceList(Protocol):
    """Where prices come from when the table has none."""

    def dollars(self, provider: str, model: str, tokens: Tokens) -> float | None:
        """The dollars that a call costs; None where the price is not known. Never raises for an unknown name."""
        ...


def microdollars(model: Model, table: Table, prices: PriceList, tokens: Tokens) -> int | None:
    """The most that one call costs, rounded up to whole microdollars; None where nobody knows the price."""
    provider = table.providers[model.provider]
    dollars = _own(model.price, tokens) if model.price else prices.dollars(_listed(provider), model.id, tokens)
    return None if dollars is None else math.ceil(round(dollars * 1e6, 3))


def _own(price: Price, tokens: Tokens) -> float:
    return (price.input_dollars * tokens.input + price.output_dollars * tokens.output) / 1e6


def _listed(provider: Provider) -> str:
    return provider.prices or provider.name
