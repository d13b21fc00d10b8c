"""Which agents a problem gets: a mix of methods that fits its space, repeated with other streams for larger swarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from colony.agents.cma_es import CmaEs
from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.proposer import Proposer
from colony.agents.sampling import Random, Sobol
from colony.problems.problem import Problem

Maker = Callable[[str, Problem, int], Proposer]


def portfolio(problem: Problem, count: int, seed: int) -> list[Proposer]:
    """`count` agents for `problem`, each with its own stream drawn from `seed`, named `<kind>-<running number>`."""
    makers = mix(problem)
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    agents: list[Proposer] = []
    for index in range(count):
        maker = makers[index % len(makers)]
        kind = getattr(maker, "kind", "agent")
        agents.append(maker(f"{kind}-{index // len(makers) + 1}", problem, int(seeds[index])))
    return agents


def mix(problem: Problem) -> list[Maker]:
    """One maker for each method that can work on the problem."""
    if problem.space is None:
        return []
    return [CmaEs, DifferentialEvolution, Sobol, Random]
