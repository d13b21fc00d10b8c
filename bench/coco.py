"""The swarm against four optimisers on 24 black-box functions (COCO's bbob suite), at 200 evaluations a dimension.

    python bench/coco.py peers            run what is missing of the peers (cached in bench/results/coco-*.json)
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
        """The value at x, shape (dimension,); one call less is left."""
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


def cached(folder: Path) -> dict[str, float]:
    """The results of the peers so far: one file for each, so that several may be run beside each other."""
    files = sorted(folder.glob("coco-*.json"))
    return {name: value for file in files for name, value in json.loads(file.read_text()).items()}


def complete(folder: Path, wanted: list[Task], processes: int, *, fresh: bool = False) -> dict[str, float]:
    """The results of the tasks: what is cached in the folder, unless all is to be fresh, and the rest run and added."""
    done = {} if fresh else cached(folder)
    missing = [t for t in wanted if key(t) not in done]
    with multiprocessing.Pool(processes) as pool:
        for count, (name, precision) in enumerate(pool.imap_unordered(run, missing), 1):
            done[name] = precision
            if count % 8 == 0 or count == len(missing):
                print(f"{count}/{len(missing)} {name}", flush=True)
                store(folder, name.split(" ", 1)[0], done)
    return done


def store(folder: Path, method: str, done: dict[str, float]) -> None:
    """Write the results of one method."""
    own = {name: value for name, value in sorted(done.items()) if name.startswith(method + " ")}
    (folder / f"coco-{method}.json").write_text(json.dumps(own, indent=0))


def run_swarm(objective: Callable[[np.ndarray], float], dimension: int, seed: int) -> None:
    """The swarm with its defaults, inline."""
    from coco_peers import HIGH, LOW, Spent
    from inline_swarm import solve_inline

    from colony.problems.problem import Problem
    from colony.problems.space import Float

    def evaluate(x):
        return objective(x)

    problem = Problem(space={"x": Float(LOW, HIGH, shape=(dimension,))}, evaluate=evaluate, minimise="value")
    try:
        solve_inline(problem, EVALUATIONS_PER_DIMENSION * dimension, seed)
    except Spent:
        return


def shares(done: dict[str, float]) -> dict[str, dict[str, float]]:
    """By method and problem: the share of the targets that the best precision reaches."""
    found: dict[str, dict[str, float]] = {}
    for name, precision in done.items():
        method, problem = name.split(" ", 1)
        found.setdefault(method, {})[problem] = float(np.mean(precision <= TARGETS))
    return found


def interval(values: list[float]) -> tuple[float, float, float]:
    """The mean and its bootstrapped 95 % interval."""
    sample = np.asarray(values)
    draws = np.random.default_rng(1).choice(sample, (4000, len(sample))).mean(axis=1)
    return float(sample.mean()), *np.quantile(draws, [0.025, 0.975]).tolist()


def report(swarm: dict[str, float], peers: dict[str, dict[str, float]]) -> list[str]:
    """A Markdown table: every method on the problems it was run on, the swarm on the same ones, and the difference."""
    rows = [
        "| method | problems | share of targets | swarm on the same | swarm ahead by (95 %) | D=2 | D=5 | D=10 |",
        "|---|" + "---|" * 7,
    ]
    for name, found in {"swarm": swarm, **peers}.items():
        common = sorted(set(found) & set(swarm))
        mean, low, high = interval([found[p] for p in common])
        ahead = "-"
        if name != "swarm":
            ahead = "{:+.3f} ({:+.3f} to {:+.3f})".format(*interval([swarm[p] - found[p] for p in common]))
        parts = [np.mean([found[p] for p in common if f" d{d} " in p] or [np.nan]) for d in DIMENSIONS]
        ours = np.mean([swarm[p] for p in common])
        cells = [name, str(len(common)), f"{mean:.3f} ({low:.3f} to {high:.3f})", f"{ours:.3f}", ahead]
        rows.append("| " + " | ".join([*cells, *(f"{part:.3f}" for part in parts)]) + " |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["peers", "swarm"])
    parser.add_argument("--develop", action="store_true", help="the instances for development")
    parser.add_argument("--method", help="only this peer")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    instances = DEVELOPMENT if options.develop else REPORTED
    from coco_peers import PEERS

    names = [options.method] if options.method else list(PEERS)
    if options.what == "peers":
        complete(RESULTS, [t for n in names for t in tasks(n, instances)], options.processes)
        return
    swarm = shares(complete(RESULTS, tasks("swarm", instances), options.processes, fresh=True))["swarm"]
    peers = {
        name: found for name, found in shares(cached(RESULTS)).items() if name in PEERS and set(found) & set(swarm)
    }
    print("\n".join(report(swarm, peers)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
