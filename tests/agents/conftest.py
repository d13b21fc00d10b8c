"""What tests of agents share: a way to drive an agent on a function, and problems to drive it on."""

import numpy as np
import pytest

from colony.agents.proposer import Outcome, View
from colony.problems.problem import Problem
from colony.problems.space import Choice, Float, Integer


class Driver:
    """Asks, evaluates in this process, tells; keeps every candidate's hash and the best cost."""

    def __init__(self, agent, function, *, status=lambda x: "ok", batch=4, view=View()):  # noqa: B008  # a frozen value
        self.agent, self.function, self.status, self.batch, self.view = agent, function, status, batch, view
        self.hashes, self.points, self.best, self.evaluations = [], [], np.inf, 0

    def outcome(self, proposal):
        x = np.asarray(proposal.candidate.content["x"], dtype=float)
        status = self.status(x)
        self.hashes.append(proposal.candidate.hash)
        self.points.append(x)
        self.evaluations += 1
        if status == "failed":
            return Outcome(f"e{self.evaluations}", proposal, "failed", reason="fell over")
        if status != "ok":
            return Outcome(f"e{self.evaluations}", proposal, "infeasible", 0.0, proposal.candidate, float(status))
        value = float(self.function(x))
        self.best = min(self.best, value)
        return Outcome(f"e{self.evaluations}", proposal, "ok", value, proposal.candidate)

    def run(self, evaluations, target=-np.inf):
        """Drive for so many evaluations, or until the target is met or the agent has nothing to propose."""
        while self.evaluations < evaluations and self.best > target:
            proposals = self.agent.ask(self.view, min(self.batch, evaluations - self.evaluations))
            if not proposals:
                break
            self.agent.tell([self.outcome(p) for p in proposals])
        return self


@pytest.fixture
def driver():
    """The driver's class."""
    return Driver


@pytest.fixture
def box():
    """A box problem: the cube [-5, 5] of a dimension, to be minimised from an off-centre seed."""

    def make(dimension, start=1.5):
        space = {"x": Float(-5.0, 5.0, shape=(dimension,))}
        return Problem(space=space, evaluate=lambda x: 0.0, minimise="cost", initial={"x": [start] * dimension})

    return make


@pytest.fixture
def mixed():
    """A problem with a float, integers and a choice."""
    space = {"a": Float(0.001, 10.0, log=True), "n": Integer(0, 3, shape=(2,)), "c": Choice(("red", "green", "blue"))}
    return Problem(space=space, evaluate=lambda a, n, c: 0.0, minimise="cost")
