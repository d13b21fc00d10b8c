"""The swarm against four optimisers on 24 black-box functions (COCO's bbob suite), at 200 evaluations a dimension.

    python bench/coco.py peers            run what is missing of the peers (cached in bench/results/coco-peers.json)
    python bench/coco.py swarm            run the swarm on the reported instances, and print the table
    python bench/coco.py swarm --develop  the same on the instances that the defaults may be tuned on

The score is the share of (function, dimension, instance, target) tuples reached, for 51 targets of precision from 1e2
to 1e-8, evenly spaced in the logarithm. Instances 11-15 are reported and never tuned on; 1-3 are for development.
Intervals are bootstrapped over the problems. What it does not measure: time (see the other benches).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import cocoex
import numpy as np

RESULTS = Path(__file__).parent / "results"
TARGETS = 10.0 ** np.linspace(2, -8, 51)
DIMENSIONS = (2, 5, 10)
EVALUATIONS_PER_DIMENSION = 200
REPORTED = (11, 12, 13, 14, 15)
DEVELOPMENT = (1, 2, 3)

Task = tuple[str, int, int, int]  # method, function, dimension, instance


class Counted:
    """A bbob function that counts its calls, remembers the best precision and stops at the limit."""

    def __init__(self, function: int, dimension: int, instance: int) -> None:
        self._problem = cocoex.BareProblem("bbob", function, dimension, instance)
        self._optimum = self._problem.best_value()
        self.left = EVALUATIONS_PER_DIMENSION * dimension
        self.precision = np.inf

    def __call__(self, x: np.ndarray) -> float:
        from coco_peers import Spent

        if self.left <= 0:
            raise Spent
        self.left -= 1
        value = float(self._problem(x))
        self.precision = min(self.precision, value - self._optimum)
        return value


def run(task: Task) -> tuple[str, float]:
    """Run one method on one problem; its key and the best precision it reached."""
    from coco_peers import run_peer

    method, function, dimension, instance = task
    objective = Counted(function, dimension, instance)
    seed = 10_000 * function + 100 * dimension + instance
    if method == "swarm":
        run_swarm(objective, dimension, seed)
    else:
        run_peer(method, objective, dimension, EVALUATIONS_PER_DIMENSION * dimension, seed)
    return key(task), float(max(objective.precision, 1e-12))


def key(task: Task) -> str:
    return "{} f{} d{} i{}".format(*task)


def tasks(method: str, instances: Iterable[int]) -> list[Task]:
    return [(method, f, d, i) for i in instances for d in DIMENSIONS for f in range(1, 25)]


def complete(path: Path, wanted: list[Task], processes: int) -> dict[str, float]:
    """The results of the tasks: those in the file, and the missing ones run now and added to it."""
    done: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    missing = [t for t in wanted if key(t) not in done]
    with multiprocessing.Pool(processes) as pool:
        for count, (name, precision) in enumerate(pool.imap_unordered(run, missing), 1):
            done[name] = precision
            if count % 24 == 0 or count == len(missing):
                path.write_text(json.dumps(dict(sorted(done.items())), indent=0))
                print(f"{count}/{len(missing)} {name}", flush=True)
    return done


def run_swarm(objective: Callable[[np.ndarray], float], dimension: int, seed: int) -> None:
    """The swarm with its defaults, inline."""
    from coco_peers import HIGH, LOW, Spent
    from inline_swarm import solve_inline

    from colony.problems.problem import Problem
    from colony.problems.space import Float

    problem = Problem(space={"x": Float(LOW, HIGH, shape=(dimension,))}, evaluate=lambda x: objective(x), minimise="value")
    try:
        solve_inline(problem, EVALUATIONS_PER_DIMENSION * dimension, seed)
    except Spent:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["peers", "swarm"])
    parser.add_argument("--develop", action="store_true")
    parser.add_argument("--method", default=None)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    instances = DEVELOPMENT if options.develop else REPORTED
    from coco_peers import PEERS

    names = [options.method] if options.method else list(PEERS)
    complete(RESULTS / "coco-peers.json", [t for n in names for t in tasks(n, instances)], options.processes)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
