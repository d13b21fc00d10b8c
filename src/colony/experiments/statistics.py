"""Medians with bootstrap intervals, for one configuration and for two that share their seeds.

The interval is the percentile bootstrap (Efron 1979) of the median at 95 %, from a fixed stream of random numbers, so
that the same data always give the same text. Times of trials that never solved their task are infinite: they count,
and a median may be infinite too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 4_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its 95 % bootstrap interval; infinite or not a number where the data are."""

    median: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a median at all."""
        return math.isfinite(self.median)

    def as_record(self) -> list[float | None]:
        """Median, low and high; None for what is not finite."""
        return [x if math.isfinite(x) else None for x in (self.median, self.low, self.high)]


def median_of(values: Sequence[float]) -> Interval:
    """The median of `values`, shape (seeds,)."""
    data = np.asarray(values, dtype=float)
    medians = _medians(data[_resamples(len(data))])
    return Interval(float(_medians(data[None, :])[0]), *_edges(medians))


def ratio_of(values: Sequence[float], others: Sequence[float]) -> Interval:
    """The ratio of two medians, resampling seeds in pairs: `values[i]` and `others[i]` are of the same seed."""
    data, rival = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    if data.shape != rival.shape:
        raise ValueError(f"{len(data)} values against {len(rival)}: pairs are needed")
    chosen = _resamples(len(data))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = _medians(data[chosen]) / _medians(rival[chosen])
        ratio = _medians(data[None, :]) / _medians(rival[None, :])
    return Interval(float(ratio[0]), *_edges(ratios))


def _resamples(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(95).integers(0, count, (RESAMPLES, count))


def _medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each row; of two middle values their mean, infinite if one of them is."""
    ordered = np.sort(rows, axis=1)
    middle = ordered.shape[1] // 2
    if ordered.shape[1] % 2:
        return ordered[:, middle]
    return (ordered[:, middle - 1] + ordered[:, middle]) / 2


def _edges(medians: NDArray[np.float64]) -> tuple[float, float]:
    ordered = np.sort(medians[~np.isnan(medians)])
    if not len(ordered):
        return math.nan, math.nan
    last = len(ordered) - 1
    return float(ordered[math.floor(0.025 * last)]), float(ordered[math.ceil(0.975 * last)])
