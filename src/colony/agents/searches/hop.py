"""Perturb and resolve: disturb the current optimum, descend again, keep what is better or only a little worse.

Basin hopping (Wales and Doye 1997) with moves on items (see `moves`). One job is a piece of one chain (see `chain`). It
never restarts: that is the agent's decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from colony.agents.searches.chain import Chain
from colony.agents.searches.moves import Moves
from colony.agents.searches.smooth import Descent
from colony.problems.oracle import Exhausted, Oracle
from colony.problems.space import Values


def search(oracle: Oracle, values: Values | None, spec: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Hop on from `values` at `spec["cost"]`, or from a random optimum, until the evaluations are spent.

    `spec`: the state of the chain; `distrust` (see `Descent`); `weights`, how often to use each move. Returns the
    notes: the chain as it is now, `distrust`, and `tallies`, uses and gains of each move.
    """
    chain = Chain.resumed(values, spec)
    moves, descend = Moves(oracle.space), Descent(oracle, spec.get("distrust", 0))
    names = list(moves.named)
    weights = np.asarray([spec.get("weights", {}).get(name, 1.0) for name in names])
    try:
        while oracle.left > 0:
            if chain.is_lost:
                start, name = oracle.space.decode(rng.random(oracle.space.dimension)), None
            else:
                name = str(rng.choice(names, p=weights / weights.sum()))
                start = oracle.space.decode(moves(name, oracle.space.encode(chain.values or {}), rng))
            chain.hop(descend(oracle.repaired(start)), rng, name)
    except Exhausted:
        pass
    return {**chain.notes(), "distrust": descend.distrust}
