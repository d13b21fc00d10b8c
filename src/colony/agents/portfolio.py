"""Which agents a problem gets: a mix of methods that fits it, repeated with other random streams for larger swarms.

How much of the run each of them is given is decided by the allocator, while the run goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, cycle
from typing import Any

import numpy as np

from colony.agents.cma_es import CmaEs, ModelCmaEs
from colony.agents.coordinate import CoordinateSearch
from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.direct import Direct
from colony.agents.hop import Hop
from colony.agents.multistart import Multistart
from colony.agents.programs import Crossover, LiteralTuning, StructuredEdit
from colony.agents.proposer import Proposer
from colony.agents.sampling import Random, Sobol
from colony.primitives.errors import UsageError
from colony.problems.problem import Problem
from colony.problems.space import Space

ONCE = ("coordinate-search", "direct", "exhaustive")  # a second agent of these kinds would do much the same
ANY_SPACE = (ModelCmaEs, Multistart, CoordinateSearch, CmaEs, DifferentialEvolution, Direct, Sobol, Random)
PROGRAMS = (StructuredEdit, LiteralTuning, StructuredEdit, Crossover)


def portfolio(
    problem: Problem, count: int, seed: int, *, offers: frozenset[str] = frozenset(), only: Sequence[str] = ()
) -> list[Proposer]:
    """`count` agents for `problem`, each with its own stream drawn from `seed`, named `<kind>-<running number>`.

    `offers` are the optional functions that the problem has; `only` keeps agents of these kinds.

    Raises:
        UsageError: `only` leaves none.

    """
    assert count >= 1, "a colony has at least one agent"
    makers = mix(problem, offers)
    kept = [maker for maker in makers if not only or maker.kind in only]
    if not kept:
        known = ", ".join(sorted({maker.kind for maker in makers}))
        raise UsageError(f"--only: no agent of kind {', '.join(only)} fits this problem; there are {known}")
    streams = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    again = [maker for maker in kept if maker.kind not in ONCE] or kept
    numbers: Counter[str] = Counter()
    agents: list[Proposer] = []
    for maker, stream in zip(chain(kept, cycle(again)), streams, strict=False):
        numbers[maker.kind] += 1
        agents.append(maker(f"{maker.kind}-{numbers[maker.kind]}", problem, int(stream)))
    return agents


def mix(problem: Problem, offers: frozenset[str] = frozenset()) -> list[Any]:
    """The class of each agent that can work on the problem, the most useful first."""
    space = problem.space
    if space is None:
        return list(PROGRAMS)
    if space.permutation is not None:
        return [Random]
    general = [maker for maker in ANY_SPACE if space.is_continuous or maker is not Multistart]
    return [*_structured(space, offers), *general]


def _structured(space: Space, offers: frozenset[str]) -> list[Any]:
    """Agents that use what the problem says of itself."""
    return [Hop] if space.is_continuous and offers & {"formulation", "constraints"} else []
