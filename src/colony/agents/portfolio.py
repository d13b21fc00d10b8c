"""Which agents a problem gets: a mix of methods that fits it, repeated with other random streams for larger swarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from colony.agents.cma_es import CmaEs, ModelCmaEs
from colony.agents.coordinate import CoordinateSearch
from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.direct import Direct
from colony.agents.multistart import Multistart
from colony.agents.proposer import Proposer
from colony.agents.sampling import Random, Sobol
from colony.problems.problem import Problem
from colony.problems.space import Space

Maker: TypeAlias = Callable[[str, Problem, int], Proposer]

ONCE = {"direct", "exhaustive"}  # kinds whose agents would all do the same


def portfolio(problem: Problem, count: int, seed: int) -> list[Proposer]:
    """`count` agents for `problem`, each with its own stream drawn from `seed`, named `<kind>-<running number>`.

    Raises:
        ValueError: `count` is below 1.

    """
    if count < 1:
        raise ValueError(f"a colony needs at least one agent, not {count}")
    makers = mix(problem)
    streams = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    numbers: dict[str, int] = {}
    agents: list[Proposer] = []
    for turn in range(count):
        kind, maker = makers[turn] if turn < len(makers) else repeated(makers)[(turn - len(makers)) % len(repeated(makers))]
        numbers[kind] = numbers.get(kind, 0) + 1
        agents.append(maker(f"{kind}-{numbers[kind]}", problem, int(streams[turn])))
    return agents


def repeated(makers: list[tuple[str, Maker]]) -> list[tuple[str, Maker]]:
    return [(kind, maker) for kind, maker in makers if kind not in ONCE]


def mix(problem: Problem) -> list[tuple[str, Maker]]:
    """Kind and maker of each method that can work on the problem, the most useful first."""
    if problem.space is None:
        return []
    makers = [ModelCmaEs, Multistart, CoordinateSearch, CmaEs, DifferentialEvolution, Direct, Sobol, Random]
    return [(maker.kind, maker) for maker in makers]
