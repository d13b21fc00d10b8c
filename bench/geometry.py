"""How fast the agents solve the ready parameter problems, on two processes, without journal or sandbox.

    python bench/geometry.py circles-26 --seeds 10 --seconds 120

Each line is one seed: the best value, wall and CPU seconds and evaluations until the bar was met. The driver is a bare
loop of ask, run, tell; what the engine adds (verification, records) is measured elsewhere.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

from colony.problems.hosting import ParameterHost, open_parameters
from colony.problems.loaders import find_folder, load_folder

HOST: ParameterHost | None = None


def argument(name: str) -> dict[str, Any]:
    """What a host of the ready problem `name` is opened with."""
    problem = load_folder(find_folder(name))
    return {
        "space": problem.space.as_record(),
        "metric": problem.metric.as_record(),
        "tolerances": problem.tolerances,
        "folder": str(find_folder(name)),
    }


def open_host(name: str) -> None:
    """Make this process a worker of one problem."""
    global HOST
    HOST = open_parameters(argument(name))


def run(request: Mapping[str, Any]) -> tuple[Any, float]:
    """Answer one request; the answer and the CPU seconds it took."""
    start = time.process_time()
    return HOST(request), time.process_time() - start


if __name__ == "__main__":
    open_host(sys.argv[1])
    for seed in range(3):
        answer, cpu = run({"op": "search", "method": "colony.agents.searches.local:search", "seed": seed, "evaluations_max": int(sys.argv[2])})
        print(answer["value"], answer["evaluations"], cpu, answer["trace"][-3:])
