"""The price list of the package genai-prices, which ships with it and is read offline.

The list states no price at all for some models (free offers, those of a subscription) and computes 0 for them; here
that is unknown, because only the user's table may call something free. Where the list answers for another provider than
was asked for, that is unknown too. Loading the list takes a fifth of a second, so it waits for the first question.
"""

from __future__ import annotations

from datetime import UTC, datetime

from colony.routing.prices import Tokens


class PublishedPrices:
    """The price list of genai-prices as it stood `at_milliseconds` after 1970, for prices that change with time."""

    def __init__(self, at_milliseconds: int) -> None:
        self._at = datetime.fromtimestamp(at_milliseconds / 1000, UTC)

    def dollars(self, provider: str, model: str, tokens: Tokens) -> float | None:
        """The published price, or None."""
        from genai_prices import Usage, calc_price  # noqa: PLC0415 - see above; most routes need no price

        usage = Usage(input_tokens=tokens.input, output_tokens=tokens.output)
        try:
            found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=self._at)
        except LookupError:
            return None
        is_stated = found.model_price.input_mtok is not None and found.model_price.output_mtok is not None
        return float(found.total_price) if is_stated and found.provider.id == provider else None
