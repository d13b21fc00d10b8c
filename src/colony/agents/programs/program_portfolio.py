"""Which agents a program problem gets: half edit structure, the rest tune numbers and cross programs."""

from __future__ import annotations

import numpy as np

from colony.agents.programs.crossover import Crossover
from colony.agents.programs.literal_tuning import LiteralTuning
from colony.agents.programs.program_agent import ProgramAgent
from colony.agents.programs.structured_edit import StructuredEdit
from colony.agents.proposer import Proposer
from colony.problems.problem import Problem

MIX: tuple[type[ProgramAgent], ...] = (StructuredEdit, LiteralTuning, StructuredEdit, Crossover)


def program_portfolio(problem: Problem, count: int, seed: int) -> list[Proposer]:
    """`count` agents, each with its own stream drawn from `seed`, named `<kind>-<running number>`."""
    seeds = np.random.SeedSequence(seed).generate_state(count, np.uint64)
    agents: list[Proposer] = []
    for index in range(count):
        kind = MIX[index % len(MIX)]
        number = sum(agent.kind == kind.kind for agent in agents) + 1
        agents.append(kind(f"{kind.kind}-{number}", problem, int(seeds[index])))
    return agents
