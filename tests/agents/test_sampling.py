"""Agents that sample without learning."""

import numpy as np
from scipy.stats import qmc

from colony.agents.proposer import View
from colony.agents.sampling import Random, Sobol


def units(agent, count):
    """The first points of an agent, in the unit cube."""
    return (np.asarray([p.candidate.content["x"] for p in agent.ask(View(proposals_max=count), count)]) + 5) / 10


def test_sobol_covers_more_evenly_than_random(box):
    """Its discrepancy over 128 points is less than half of that of uniform draws."""
    sobol, random = (qmc.discrepancy(units(kind("a", box(4), 1), 128)) for kind in (Sobol, Random))
    assert sobol < random / 2


def test_sampling_never_runs_dry(box):
    """Any number of points is there without a single result."""
    for kind in (Sobol, Random):
        agent = kind("a", box(2), 1)
        assert all(len(agent.ask(View(), 64)) == 64 for _ in range(5))
