"""Which agents a problem gets: a mix of methods that fits it, repeated with other random streams for larger swarms.

How much of the run each of them is given is decided by the allocator, while the run goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain, cycle
from typing import TypeAlias

import numpy as np

from colony.agents.cma_es import CmaEs
from colony.agents.coordinate import CoordinateSearch
from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.direct import Direct
from colony.agents.exhaustive import Exhaustive, is_small
from colony.agents.explorer import Explorer
from colony.agents.hop import Hop
from colony.agents.model_cma_es import ModelCmaEs
from colony.agents.multistart import Multistart
from colony.agents.programs import Crossover, LiteralTuning, StructuredEdit
from colony.agents.proposer import Proposer
from colony.agents.sampling import Random, Sobol
from colony.agents.tour import Tour
from colony.primitives.errors import UsageError
from colony.problems.problem import Problem

Maker: TypeAlias = Callable[[str, Problem, int], Proposer]

MAKERS: dict[str, Maker] = {
    "coordinate-search": CoordinateSearch,
    "cma-es": CmaEs,
    "crossover": Crossover,
    "differential-evolution": DifferentialEvolution,
    "direct": Direct,
    "exhaustive": Exhaustive,
    "explorer": Explorer,
    "hop": Hop,
    "literal-tuning": LiteralTuning,
    "model-cma-es": ModelCmaEs,
    "multistart": Multistart,
    "random": Random,
    "sobol": Sobol,
    "structured-edit": StructuredEdit,
    "tour": Tour,
}
ONCE = ("coordinate-search", "direct", "exhaustive")  # a second agent of these kinds would do much the same


def portfolio(
    problem: Problem, count: int, seed: int, *, offers: frozenset[str] = frozenset(), only: Sequence[str] = ()
) -> list[Proposer]:
    """`count` agents for `problem`, each with its own stream drawn from `seed`, named `<kind>-<running number>`.

    `offers` are the optional functions that the problem has; `only` keeps agents of these kinds.

    Raises:
        UsageError: `only` leaves none.

    """
    fitting = mix(problem, offers)
    kept = [kind for kind in fitting if not only or kind in only]
    if not kept:
        there = ", ".join(sorted(set(fitting)))
        raise UsageError(f"--only: no agent of kind {', '.join(only)} fits here; there are {there}")
    again = [kind for kind in kept if kind not in ONCE] or kept
    streams = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    numbers: Counter[str] = Counter()
    agents: list[Proposer] = []
    for kind, stream in zip(chain(kept, cycle(again)), streams, strict=False):
        numbers[kind] += 1
        agents.append(MAKERS[kind](f"{kind}-{numbers[kind]}", problem, int(stream)))
    return agents


def mix(problem: Problem, offers: frozenset[str] = frozenset()) -> list[str]:
    """The kinds of agents that fit the problem, those of which more is expected first; some more than once."""
    space = problem.space
    if space is None:
        return ["structured-edit", "literal-tuning", "structured-edit", "crossover"]
    if "formulation" in offers:  # not smooth as it stands, and of many variables: its own form is worth more
        return ["hop", "multistart", "hop", "hop", "cma-es", "hop", "sobol"]
    if space.permutation is not None:
        return ["tour", "tour", "tour", "random"]
    descents = ["multistart"] if space.is_continuous else []
    if descents and "constraints" in offers:
        descents.append("hop")
    exhaustive = ["exhaustive"] if is_small(problem) else []
    rest = ["differential-evolution", "direct", "sobol", "explorer", "random"]
    if space.dimension == 1:
        return [*exhaustive, "coordinate-search", *descents, *rest]
    return [*exhaustive, "model-cma-es", *descents, "coordinate-search", "cma-es", *rest]
