"""Scores packings: checks each one item by item, counts the bins itself, and compares with the lower bound.

It never runs the heuristic: a sandbox of its own does, and what arrives here is only the bin of each item.
The instances are the Weibull ones on which online heuristics are compared (Castineiras, De Cauwer, O'Sullivan 2012;
Romera-Paredes et al. 2024), made from our own seeds, so that figures of other papers are near but not equal.
"""

import math
import random
from typing import Any

CAPACITY = 100
SCALE, SHAPE = 45.0, 3.0


def items(seed: int, count: int) -> list[int]:
    """`count` whole sizes in 1..100: Weibull of scale 45 and shape 3 by inversion, rounded; a seed names a sequence."""
    draw = random.Random(seed).random  # noqa: S311  # reproducible on every Python
    sizes = (round(SCALE * (-math.log(1.0 - draw())) ** (1.0 / SHAPE)) for _ in range(count))
    return [min(CAPACITY, max(1, size)) for size in sizes]


def cases() -> list[Any]:
    """The arguments of `pack`: five sequences of 1,000 items."""
    return [[items(seed, 1000), CAPACITY] for seed in range(5)]


def score(outputs: list[Any], cases: list[Any]) -> dict[str, Any]:
    """The excess over the lower bound ceil(sum / capacity), in percent, over all sequences together.

    Raises:
        ValueError: a packing breaks a rule.

    """
    opened = [bins_of(chosen, *case) for chosen, case in zip(outputs, cases, strict=True)]
    bounds = [-(-sum(sizes) // capacity) for sizes, capacity in cases]
    worst = max(100.0 * (bins / bound - 1.0) for bins, bound in zip(opened, bounds, strict=True))
    return {
        "value": 100.0 * (sum(opened) / sum(bounds) - 1.0),
        "metrics": {"bins": sum(opened), "lower bound": sum(bounds), "worst sequence": worst},
    }


def bins_of(chosen: Any, sizes: list[int], capacity: int) -> int:
    """How many bins a packing opens, after checking that it is one.

    Raises:
        ValueError: an item without a bin, a bin that does not exist yet, or one that overflows.

    """
    if not isinstance(chosen, list) or len(chosen) != len(sizes):
        raise ValueError("a packing is one bin for each item")
    loads: list[int] = []
    for size, index in zip(sizes, chosen, strict=True):
        if type(index) is not int or not 0 <= index <= len(loads):
            raise ValueError(f"bin {index!r}: neither open nor the next one to open")
        if index == len(loads):
            loads.append(0)
        loads[index] += size
        if loads[index] > capacity:
            raise ValueError(f"bin {index} holds more than {capacity}")
    return len(loads)
