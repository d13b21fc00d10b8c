"""Check a problem without a run: the seed, the noise, the attacks, the grade of isolation."""

from __future__ import annotations

from typing import Any

from colony.node.workshop import opener
from colony.primitives.errors import ProblemError
from colony.problems.problem import Problem
from colony.verification.attacks import attack
from colony.verification.verifier import measure_noise


def check_problem(problem: Problem) -> dict[str, Any]:
    """What an examination of the problem shows, JSON-able.

    Raises:
        ProblemError: the evaluator fails on the seed and on everything else. IsolationError: it cannot be run here.

    """
    evaluator = opener(problem)(True)  # as a verifier
    try:
        noise = measure_noise(evaluator, problem.seed)
        report = attack(evaluator, problem, noise.mean)
        if noise.mean is None and not report.anything_scored:
            raise ProblemError(
                f"{problem.name}: the evaluator fails on the seed: {noise.failures[0]}; correct evaluate"
            )
        return {
            "problem": problem.name,
            "hash": problem.hash,
            "seed_value": noise.mean,
            "noise": noise.as_record(),
            "attacks": [a.as_record() for a in report.attacks],
            "winners": report.winners,
            "isolation": evaluator.isolation.grade,
        }
    finally:
        evaluator.close()
