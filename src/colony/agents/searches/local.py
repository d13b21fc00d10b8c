"""Local searches one after another: the first from the given start, the others from a scrambled Sobol sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import qmc

from colony.agents.searches.smooth import descend
from colony.problems.oracle import Oracle
from colony.problems.space import Values


def search(oracle: Oracle, values: Values | None, spec: Mapping[str, Any], rng: np.random.Generator) -> None:
    """Descend from `values` and then from Sobol points until the evaluations are spent.

    Raises:
        Exhausted: always, in the end.

    """
    del spec
    starts = qmc.Sobol(oracle.space.dimension, rng=rng)
    while True:
        descend(oracle, values if values is not None else oracle.space.decode(starts.random()[0]))
        values = None
