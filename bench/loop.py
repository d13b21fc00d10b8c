"""The loop's own cost: a trivial evaluator against Optuna and OpenEvolve; 237 agents with 14,832 experiments.

Each contender evaluates the same trivial function of two floats. Colony's every record is signed, chained and durable,
and the function runs in a sandboxed worker; Optuna calls it in its own process. Microseconds are wall time of a search
divided by experiments. Ratios are made within one round, and the median over rounds is printed with its range; CPU time
of the engine's process stands beside, for neighbours on a shared machine slow only the wall. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import colony
from colony.node.home import Home
from colony.node.replaying import audit_record, replay

BARS = {"microseconds": 150.0, "optuna sqlite": 40.0, "optuna journal": 8.0}
AGENTS, EXPERIMENTS = 237, 14_832


def trivial(x, y):
    return x + 0.5 * y


def colony_microseconds(count: int, seed: int) -> tuple[float, float]:
    """Wall and engine CPU microseconds of one experiment, random agents only (as Optuna's random sampler)."""
    problem = colony.Problem(space={"x": (0.0, 1.0), "y": (0.0, 1.0)}, evaluate=trivial, maximise="height")
    with tempfile.TemporaryDirectory() as home:
        before = time.process_time()
        result = colony.solve(problem, budget=f"{count}x", seed=seed, only=["random"], home=home, baseline=False)
        cpu = time.process_time() - before
    assert result.experiments == count
    return result.wall_seconds / count * 1e6, cpu / count * 1e6


def optuna_microseconds(count: int, seed: int, sampler: str, storage: str) -> float:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        kept = {
            "sqlite": lambda: f"sqlite:///{folder}/study.db",
            "journal": lambda: JournalStorage(JournalFileBackend(f"{folder}/journal.log")),
            "memory": lambda: None,
        }[storage]()
        chosen = {"random": optuna.samplers.RandomSampler, "tpe": optuna.samplers.TPESampler}[sampler](seed=seed)
        study = optuna.create_study(direction="maximize", sampler=chosen, storage=kept)
        start = time.perf_counter()
        study.optimize(lambda t: trivial(t.suggest_float("x", 0, 1), t.suggest_float("y", 0, 1)), n_trials=count)
        return (time.perf_counter() - start) / count * 1e6


def openevolve_microseconds(count: int) -> float | None:
    """OpenEvolve's database and evaluator without a model: sample a parent, evaluate its code, add a child."""
    try:
        from openevolve.config import DatabaseConfig, EvaluatorConfig
        from openevolve.database import Program, ProgramDatabase
        from openevolve.evaluator import Evaluator
    except ImportError:
        return None
    code = "# EVOLVE-BLOCK-START\ndef point():\n    return 0.3, 0.4\n# EVOLVE-BLOCK-END\n"
    judge = (
        "import importlib.util\n"
        "def evaluate(path):\n"
        "    spec = importlib.util.spec_from_file_location('candidate', path)\n"
        "    module = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "    x, y = module.point()\n"
        "    return {'combined_score': x + 0.5 * y}\n"
    )

    async def loop(folder: Path) -> float:
        (folder / "evaluator.py").write_text(judge)
        database = ProgramDatabase(DatabaseConfig())
        evaluator = Evaluator(EvaluatorConfig(cascade_evaluation=False), str(folder / "evaluator.py"))
        metrics = await evaluator.evaluate_program(code, "seed")
        database.add(Program(id="seed", code=code, metrics=metrics), iteration=0)
        start = time.perf_counter()
        for number in range(1, count + 1):
            parent, _inspirations = database.sample()
            child = parent.code.replace("# EVOLVE-BLOCK-END", f"# {number}\n# EVOLVE-BLOCK-END")
            metrics = await evaluator.evaluate_program(child, f"p{number}")
            database.add(Program(id=f"p{number}", code=child, parent_id=parent.id, metrics=metrics), iteration=number)
        return (time.perf_counter() - start) / count * 1e6

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(loop(Path(folder)))


def swarm(seed: int) -> dict[str, float]:
    """237 agents of the default mix, 14,832 experiments; then replayed and audited."""
    problem = colony.Problem(space={"x": (0.0, 1.0), "y": (0.0, 1.0)}, evaluate=trivial, maximise="height")
    with tempfile.TemporaryDirectory() as place:
        before = time.perf_counter()
        result = colony.solve(problem, budget=f"{EXPERIMENTS}x", seed=seed, agents=AGENTS, home=place, baseline=False)
        whole = time.perf_counter() - before
        folder = Home(Path(place)).find_run(result.run)
        start = time.perf_counter()
        replayed = replay(folder)
        replay_seconds = time.perf_counter() - start
        start = time.perf_counter()
        audited = audit_record(folder)
        audit_seconds = time.perf_counter() - start
    assert replayed.matches, "a run that does not replay is no result"
    assert audited["ok"], "a run that does not pass its audit is no result"
    return {
        "experiments": result.experiments,
        "agents": sum(1 for a in result.agents.values() if a["experiments"]),
        "records": result.journal["records"],
        "search_seconds": result.wall_seconds,
        "whole_seconds": whole,
        "replay_seconds": replay_seconds,
        "audit_seconds": audit_seconds,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "children_peak_megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, a fifth of the experiments")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rounds, scale = (1, 5) if options.quick else (options.rounds, 1)
    rows: dict[str, list[float]] = {}

    def note(name: str, value: float | None) -> None:
        if value is not None:
            rows.setdefault(name, []).append(value)

    for seed in range(rounds):
        wall, cpu = colony_microseconds(15_000 // scale, seed)
        note("colony, every record signed and durable", wall)
        note("colony, engine CPU with start-up", cpu)
        for name, count, sampler, storage in (
            ("optuna random, SQLite", 300, "random", "sqlite"),
            ("optuna random, journal file", 1_000, "random", "journal"),
            ("optuna random, memory", 5_000, "random", "memory"),
            ("optuna TPE, memory", 500, "tpe", "memory"),
        ):
            note(name, optuna_microseconds(max(50, count // scale), seed, sampler, storage))
        note("openevolve loop without a model", openevolve_microseconds(500 // scale))
    ours = rows["colony, every record signed and durable"]
    print(f"{'microseconds per experiment':44} {'median':>10} {'min':>10} {'max':>10} {'x colony':>9}")
    ratios = {}
    for name, values in rows.items():
        ratios[name] = statistics.median(v / o for v, o in zip(values, ours, strict=True))
        print(
            f"{name:44} {statistics.median(values):10.0f} {min(values):10.0f} {max(values):10.0f} {ratios[name]:9.2f}"
        )
    swarms = [swarm(seed) for seed in range(rounds)]
    print(f"\n{AGENTS} agents, {EXPERIMENTS} experiments")
    for key in swarms[0]:
        values = [s[key] for s in swarms]
        print(f"{key:44} {statistics.median(values):10.2f} {min(values):10.2f} {max(values):10.2f}")
    print(json.dumps({"microseconds": rows, "ratios": ratios, "swarm": swarms, "bars": BARS}))


if __name__ == "__main__":
    main()
