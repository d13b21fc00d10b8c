"""The ready problems through the whole loop (sandbox, journal, verification): how good, how soon, for several seeds.

Each run ends when a verified candidate reaches the bar, or when its time is up. A row counts the seeds that got there
and gives the median and range of seconds and of evaluations to the first candidate at the bar. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import colony
from colony.node.home import Home
from colony.node.replaying import replay
from colony.problems.loaders import find_folder, load_folder

# name: (bar, seconds on two cores, seeds wanted of ten)
BARS = {
    "wave-3d": (1.0004546831, 20, 10),
    "circles-26": (2.63598, 120, 8),
    "distance-ratio-16-2d": (12.88923, 20, 10),
    "distance-ratio-14-3d": (4.165784, 20, 10),
    "heilbronn-triangle-11": (0.0365, 600, 1),
    "tour": (7542, 60, 10),
    "circles-32": (2.9379, 120, 0),
    "circles-rectangle-21": (2.3658, 120, 0),
}


def one(name: str, bar: float, seconds: int, seed: int, budget: str | None) -> dict[str, object]:
    """One run: what it reached, whether that is verified at the bar, and when."""
    problem = load_folder(find_folder(name))
    with tempfile.TemporaryDirectory() as place:
        result = colony.solve(
            problem, budget=budget or f"{seconds}s", seed=seed, target=bar, home=place, baseline=False
        )
        state = replay(Home(Path(place)).find_run(result.run)).state
    metric = problem.metric
    hits = [at for at, value, _agent in state.progress if not metric.better(bar, value)]
    best = result.best
    reached = best is not None and best.status == "verified" and not metric.better(bar, best.value)
    return {
        "seed": seed,
        "best": best.value if best is not None else None,
        "status": best.status if best is not None else None,
        "found_by": best.found_by if best is not None else None,
        "reached": reached,
        "seconds": result.wall_seconds,
        "evaluations_to_bar": hits[0] if hits else None,
        "evaluations": result.evaluations,
        "cpu_seconds": result.cpu_seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=["wave-3d", "circles-26", "distance-ratio-16-2d", "distance-ratio-14-3d"]
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--budget", help="instead of the bar's own seconds")
    parser.add_argument("--quick", action="store_true", help="one seed of each")
    options = parser.parse_args()
    seeds = range(options.first, options.first + (1 if options.quick else options.seeds))
    found = {}
    for name in options.names:
        bar, seconds, wanted = BARS[name]
        runs = [one(name, bar, seconds, seed, options.budget) for seed in seeds]
        found[name] = runs
        reached = [r for r in runs if r["reached"]]
        line = f"{name:24} {len(reached):2}/{len(runs)} reached {bar:.10g} (wanted {wanted}/10)"
        if reached:
            times = [float(r["seconds"]) for r in reached]
            counts = [r["evaluations_to_bar"] for r in reached if r["evaluations_to_bar"] is not None]
            line += f"; seconds {statistics.median(times):.1f} ({min(times):.1f}..{max(times):.1f})"
            line += f"; evaluations {statistics.median(counts):.0f} ({min(counts)}..{max(counts)})"
        values = [r["best"] for r in runs if r["best"] is not None]
        if values:
            line += f"; best {min(values):.10g}..{max(values):.10g}"
        print(line, flush=True)
    print(json.dumps({"runs": found}))


if __name__ == "__main__":
    main()
