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
from colony.agents.searches.smooth import Descent, judged
from colony.problems.oracle import Exhausted, Oracle
from colony.problems.space import Values, Vector

OFFERED = {"relocate": 12}  # how many places are tried by the metric before the descent


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
            if chain.values is None or chain.is_lost:
                start, name = oracle.repaired(oracle.space.decode(rng.random(oracle.space.dimension))), None
            else:
                name = str(rng.choice(names, p=weights / weights.sum()))
                start = _disturbed(oracle, moves, name, oracle.space.encode(chain.values), rng)
            chain.hop(descend(start), rng, name)
    except Exhausted:
        pass
    return {**chain.notes(), "distrust": descend.distrust}


def _disturbed(oracle: Oracle, moves: Moves, name: str, unit: Vector, rng: np.random.Generator) -> Values:
    """The best by the metric of the start points that a move offers, repaired; more than one counts 1 each."""
    offered = [oracle.space.decode(moves(name, unit, rng)) for _ in range(OFFERED.get(name, 1))]
    if len(offered) == 1:
        return oracle.repaired(offered[0])
    return min((judged(oracle, values) for values in offered), key=lambda end: end.cost).values
