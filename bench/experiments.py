"""What coordination costs where an evaluation takes a millisecond: a table, and one JSON line with figures and bars.

    python bench/experiments.py           about a minute
    python bench/experiments.py --quick   about 10 seconds, noisier

A swarm of climbers shares its best point and its regions; each evaluation waits one millisecond. The overhead is CPU
time inside transactions as a share of the agents' wall time, with the memory alone and with every commit signed and
durable in a journal (which costs a signature and a wait for the disk, and has no bar); the same agents without sharing
stand beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from colony.experiments.optimisation import OPTIMISATION
from colony.experiments.running import run_experiment
from colony.experiments.trial import Measurement, Setting, run_trial
from colony.memory.named_memory import NamedMemory
from colony.node.home import Home

BAR = 0.01
EVALUATIONS = 300  # for each agent


def share(measured: Measurement, agents: int) -> float:
    return measured.coordination_cpu_seconds / (agents * measured.wall_seconds)


def setting(agents: int, seed: int, configuration: str = "swarm") -> Setting:
    total = EVALUATIONS * agents
    return Setting(
        configuration=configuration, agents=agents, seed=seed, evaluations_max=total, evaluation_seconds=0.001
    )


def in_memory(agents: int, seed: int, configuration: str) -> float:
    wanted = setting(agents, seed, configuration)
    return share(run_trial(OPTIMISATION.team("wave-3d", wanted, NamedMemory), wanted), agents)


def durable(agents: int, seed: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home", {"COLONY_KEYS": str(Path(place) / "keys")})
        return share(run_experiment("optimisation", "wave-3d", setting(agents, seed), home).measurement, agents)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 2 if parser.parse_args().quick else 9
    figures, missed = {}, []
    for agents in (1, 4, 16):
        for name, run in (
            ("shared", lambda n, s: in_memory(n, s, "swarm")),
            ("not_shared", lambda n, s: in_memory(n, s, "parallel")),
            ("shared_and_durable", durable),
        ):
            value = median(run(agents, seed) for seed in range(rounds))
            figure = f"overhead_{name}_{agents}_agents"
            figures[figure] = value
            missed += [figure] if value >= BAR and name == "shared" else []
            print(f"{figure:40}{value:10.4%}  {'MISSED' if figure in missed else ''}", flush=True)
    print(json.dumps({"bench": "experiments", "python": sys.version.split()[0], **figures, "missed": missed}))
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
