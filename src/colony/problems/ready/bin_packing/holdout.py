"""The unseen sequences: other seeds, and five times as long; neither agents nor candidates can read this file."""

from typing import Any

from evaluate import CAPACITY, items  # type: ignore[import-not-found, unused-ignore]  # our neighbour


def holdout_cases() -> list[Any]:
    """The arguments of `pack`: five sequences of 5,000 items."""
    return [[items(seed, 5000), CAPACITY] for seed in range(1000, 1005)]
