"""How fast the agents solve the ready parameter problems, on two processes, without journal or sandbox.

    python bench/geometry.py circles-26 --agents hop,multistart --target 2.63598 --seeds 10 --seconds 120

Each line is one seed: the best value, and CPU seconds, wall seconds and evaluations until the target was met, or until
the time was over. The driver is a bare loop of ask, run, tell, with the CPU seconds of all workers counted, because the
machine may be busy; what the engine adds (verification, records) is measured elsewhere.
"""
# ruff: noqa: E402  # numpy reads how many threads it may use when it is loaded

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib import import_module
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

from colony.agents.proposer import Elite, Outcome, Proposer, View
from colony.problems.candidate import Candidate
from colony.problems.hosting import ParameterHost, open_parameters
from colony.problems.loaders import find_folder, load_folder
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal

AGENTS = {
    "hop": "colony.agents.hop:Hop",
    "multistart": "colony.agents.multistart:Multistart",
    "tour": "colony.agents.tour:Tour",
    "exhaustive": "colony.agents.exhaustive:Exhaustive",
}
HOSTS: list[ParameterHost] = []


def open_host(name: str) -> None:
    """Make this process a worker of one ready problem."""
    folder = find_folder(name)
    problem = load_folder(folder)
    argument = {
        "space": problem.space.as_record(),
        "metric": problem.metric.as_record(),
        "tolerances": problem.tolerances,
        "folder": str(folder),
    }
    HOSTS.append(open_parameters(argument))


def run(request: Mapping[str, Any]) -> tuple[Any, float]:
    """Answer one request; the answer and the CPU seconds it took."""
    start = time.process_time()
    return HOSTS[0](request), time.process_time() - start


def request_of(proposal: Proposal) -> dict[str, Any]:
    """What a worker is asked for a proposal."""
    values = dict(proposal.candidate.content) if proposal.candidate else None
    if proposal.method is None:
        return {"op": "evaluate", "values": values}
    return {
        "op": "search",
        "method": proposal.method,
        "spec": proposal.spec,
        "evaluations_max": proposal.evaluations,
        "seed": proposal.seed,
        "values": values,
    }


class Colony:
    """The bare loop: agents in turn, two jobs at a time, elites shared."""

    def __init__(self, problem: Problem, agents: list[Proposer], pool: ProcessPoolExecutor, grant: int) -> None:
        self.problem, self.agents, self.pool, self.grant = problem, agents, pool, grant
        self.elites: list[Elite] = []
        self.evaluations, self.cpu_seconds, self.experiments = 0, 0.0, 0
        self.jobs: dict[Future[tuple[Any, float]], tuple[Proposer, Proposal]] = {}

    def solve(self, target: float, cpu_seconds_max: float) -> bool:
        """Whether the target was met within the CPU seconds."""
        turn = 0
        while self.cpu_seconds < cpu_seconds_max:
            while len(self.jobs) < 2:
                agent = self.agents[turn % len(self.agents)]
                turn += 1
                for proposal in agent.ask(View(tuple(self.elites)), self.grant):
                    self.jobs[self.pool.submit(run, request_of(proposal))] = (agent, proposal)
            done, _ = wait(self.jobs, return_when=FIRST_COMPLETED)
            for job in done:
                self._book(*self.jobs.pop(job), *job.result())
            if self.elites and not self.problem.metric.better(target, self.elites[0].value):
                break
        else:
            wait(self.jobs)
            return False
        wait(self.jobs)
        return True

    def _book(self, agent: Proposer, proposal: Proposal, answer: Any, cpu_seconds: float) -> None:
        self.experiments += 1
        self.cpu_seconds += cpu_seconds
        if proposal.method is None:
            judged = self.problem.rules.judge(answer)
            answer = {"value": judged.value, "values": request_of(proposal)["values"], "evaluations": 1, "notes": None}
        self.evaluations += answer["evaluations"]
        name, value = f"experiment-{self.experiments}", answer["value"]
        candidate = Candidate.parameters(answer["values"]) if value is not None else None
        if candidate is not None:
            self.elites.append(Elite(name, candidate, value, agent.name))
            self.elites.sort(key=lambda elite: self.problem.metric.sign * elite.value)
            del self.elites[16:]
        status = "failed" if value is None else "ok"
        agent.tell(
            [Outcome(name, proposal, status, value, candidate, 0.0, answer["evaluations"], notes=answer["notes"])]
        )


def agents_of(kinds: str, problem: Problem, seed: int) -> list[Proposer]:
    """The agents of a comma-separated list of kinds, each with its own seed."""
    made = []
    for number, kind in enumerate(kinds.split(",")):
        module, _, name = AGENTS[kind].partition(":")
        made.append(getattr(import_module(module), name)(f"{kind}-{number}", problem, 1000 * seed + number))
    return made


def main() -> None:
    """Solve one problem with several seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem")
    parser.add_argument("--agents", default="hop,hop,multistart")
    parser.add_argument("--target", type=float, help="the known record if not given")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU seconds of both workers at most")
    parser.add_argument("--grant", type=int, default=1000, help="evaluations offered at a time")
    options = parser.parse_args()
    problem = load_folder(find_folder(options.problem))
    target = options.target if options.target is not None else problem.record.value
    spent, counts = [], []
    with ProcessPoolExecutor(2, initializer=open_host, initargs=(options.problem,)) as pool:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            colony = Colony(problem, agents_of(options.agents, problem, seed), pool, options.grant)
            start = time.monotonic()
            hit = colony.solve(target, options.seconds)
            wall = time.monotonic() - start
            best = colony.elites[0].value if colony.elites else None
            print(
                f"{seed:4d} {'hit ' if hit else 'miss'} {best!r:22} {colony.cpu_seconds:7.2f} CPU s {wall:6.1f} s "
                f"{colony.evaluations:8d} evaluations, by {colony.elites[0].agent if colony.elites else None}",
                flush=True,
            )
            if hit:
                spent.append(colony.cpu_seconds)
                counts.append(colony.evaluations)
    if spent:
        print(
            f"{len(spent)} of {options.seeds} hit {target!r}; median of these {statistics.median(spent):.2f} CPU s, "
            f"{statistics.median(counts):.0f} evaluations"
        )


if __name__ == "__main__":
    main()
