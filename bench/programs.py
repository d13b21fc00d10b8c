"""How far the agents without a model improve a program problem, and what a proposal and an evaluation cost.

    python bench/programs.py bin-packing --seeds 4 --evaluations 3000

Each line is one seed: the best value, the same program on the hold-out, and milliseconds of CPU per proposal (thinking)
and per evaluation (sandboxed). The driver is a bare loop of ask, evaluate, tell with the archive of the swarm; what the
engine adds (verification, records, allocation) is measured elsewhere. The last line is JSON. `--quick` is one seed.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass

from colony.agents.portfolio import portfolio
from colony.agents.proposer import Elite, Outcome, Proposer, View
from colony.memory.archive import Archive, archive_settings
from colony.node.workshop import opener
from colony.problems.foreign import load
from colony.problems.loaders import find_folder
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.verification.evaluator import Evaluator

AGENTS = 8
ELITES = 16
GRANT = 8


@dataclass(frozen=True, slots=True)
class Figures:
    """What one seed came to; CPU in milliseconds."""

    seed: int
    evaluations: int
    value: float
    holdout: float | None
    proposal_cpu_ms: float
    evaluation_cpu_ms: float
    evaluations_per_second: float


class Colony:
    """The agents of one seed and what they have found."""

    def __init__(self, problem: Problem, evaluator: Evaluator, seed: int) -> None:
        self.problem = problem
        self.evaluator = evaluator
        self.agents = portfolio(problem, AGENTS, seed)
        self.archive = Archive.from_record(archive_settings(problem), problem.metric.sign)
        self.used = 0
        self.thinking_seconds = 0.0
        self.evaluating_seconds = 0.0

    def turn(self, agent: Proposer) -> None:
        """One grant: ask, evaluate, tell."""
        start = time.process_time()
        proposals = list(agent.ask(View(self.archive.elites(ELITES), self.used), GRANT))
        self.thinking_seconds += time.process_time() - start
        outcomes = self.outcomes(agent.name, proposals)
        start = time.process_time()
        agent.tell(outcomes)
        self.thinking_seconds += time.process_time() - start

    def outcomes(self, agent: str, proposals: list[Proposal]) -> list[Outcome]:
        """Evaluate proposals and keep the good ones."""
        found = []
        for proposal, measured in zip(proposals, self.evaluator.measure(proposals), strict=True):
            self.used += 1
            self.evaluating_seconds += measured.cpu_seconds
            name, judged = f"{self.used}", measured.evaluation
            found.append(Outcome(name, proposal, judged.status, judged.value, proposal.candidate, judged.violation))
            if judged.status == "ok" and judged.value is not None and proposal.candidate is not None:
                self.archive.add(
                    Elite(name, proposal.candidate, judged.value, agent, proposal.operator, proposal.parents)
                )
        return found


def measure(problem: Problem, evaluator: Evaluator, seed: int, evaluations: int) -> Figures:
    """Run one seed."""
    colony = Colony(problem, evaluator, seed)
    start = time.perf_counter()
    while colony.used < evaluations:
        for agent in colony.agents:
            colony.turn(agent)
    seconds = time.perf_counter() - start
    best = colony.archive.elites(1)[0]
    unseen = evaluator.ask("holdout", best.candidate) if problem.evaluator.holdout else None
    holdout = problem.rules.judge(unseen.value).value if unseen is not None and unseen.status == "ok" else None
    thinking, evaluating = (1e3 * s / colony.used for s in (colony.thinking_seconds, colony.evaluating_seconds))
    return Figures(seed, colony.used, best.value, holdout, thinking, evaluating, colony.used / seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", nargs="?", default="bin-packing")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--evaluations", type=int, default=3000)
    parser.add_argument("--quick", action="store_true", help="one seed, 300 evaluations")
    options = parser.parse_args()
    seeds, evaluations = (1, 300) if options.quick else (options.seeds, options.evaluations)
    problem = load(find_folder(options.problem))
    evaluator = opener(problem)(False)  # not the verifier's
    figures = []
    try:
        seed_value = evaluator.measure([Proposal(problem.seed, "seed")])[0].evaluation.value
        print(f"{problem.name}: seed program {seed_value}, load {os.getloadavg()[0]:.1f}")
        for seed in range(1, seeds + 1):
            figures.append(measure(problem, evaluator, seed, evaluations))
            print(figures[-1], flush=True)
    finally:
        evaluator.close()
    rows = [{name: getattr(row, name) for name in Figures.__slots__} for row in figures]
    print(json.dumps({"problem": problem.name, "seed_value": seed_value, "rows": rows}))


if __name__ == "__main__":
    main()
