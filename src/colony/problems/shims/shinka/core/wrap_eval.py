"""`run_shinka_eval` and its neighbours: run a program several times, validate, aggregate, write the two result files.

Accepts every argument of the original. Three are accepted and not obeyed, because the result must not depend on them:
runs are never stopped early, always follow one another, and nothing is plotted.
"""

from __future__ import annotations

import importlib.util
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

Validate = Callable[[Any], tuple[bool, str | None]]


def load_program(program_path: str) -> ModuleType:
    """Import a program from its path, under the name `program`.

    Raises:
        ImportError: it is no Python file.

    """
    spec = importlib.util.spec_from_file_location("program", program_path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{program_path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["program"] = module
    spec.loader.exec_module(module)
    return module


def save_json_results(
    results_dir: str, metrics: Mapping[str, Any], correct: bool, error: str | None = None, *, verbose: bool = True
) -> None:
    """Write `correct.json` and `metrics.json`."""
    folder = Path(results_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("correct", {"correct": correct, "error": error}), ("metrics", metrics)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=4, default=_plain), "utf-8")
    if verbose:
        print(f"results written to {folder}")  # noqa: T201  # evaluators' users expect a word


def run_shinka_eval(  # noqa: PLR0913, PLR0917  # the signature is the contract
    program_path: str,
    results_dir: str,
    experiment_fn_name: str,
    num_runs: int,
    get_experiment_kwargs: Callable[[int], dict[str, Any]] | None = None,
    aggregate_metrics_fn: Callable[[list[Any]], dict[str, Any]] | None = None,
    validate_fn: Validate | None = None,
    plotting_fn: Any = None,  # noqa: ARG001  # never plotted
    default_metrics_on_error: Mapping[str, Any] | None = None,
    early_stop_method: Any = None,  # noqa: ARG001  # never stopped early
    early_stop_threshold: float | None = None,  # noqa: ARG001
    early_stop_score_fn: Any = None,  # noqa: ARG001
    early_stop_kwargs: Any = None,  # noqa: ARG001
    run_workers: int = 1,  # noqa: ARG001  # runs follow one another
    max_workers_cap: int | None = None,  # noqa: ARG001
    **_newer: Any,
) -> tuple[dict[str, Any], bool, str | None]:
    """Run `experiment_fn_name` of the program `num_runs` times; write and return (metrics, correct, first error)."""
    runs = _Runs(validate_fn)
    try:
        run = getattr(load_program(program_path), experiment_fn_name)
        for index in range(num_runs):
            runs.add(run, get_experiment_kwargs(index) if get_experiment_kwargs else {"seed": index + 1})
        metrics = runs.metrics(aggregate_metrics_fn)
        error = runs.error or _not_finite(metrics.get("combined_score", 0.0))
    except Exception as failure:  # noqa: BLE001  # whatever the program raises is its result
        metrics, error = {"combined_score": 0.0, **(default_metrics_on_error or {})}, str(failure) or repr(failure)
    metrics.pop("extra_data", None)
    save_json_results(results_dir, metrics, error is None, error)
    return metrics, error is None, error


class _Runs:
    """The results, seconds and faults of the runs so far."""

    def __init__(self, validate: Validate | None) -> None:
        self.validate = validate
        self.results: list[Any] = []
        self.seconds: list[float] = []
        self.faults: list[str] = []

    @property
    def error(self) -> str | None:
        return f"Validation failed: {self.faults[0]}" if self.faults else None

    def add(self, run: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        start = time.perf_counter()
        self.results.append(run(**arguments))
        self.seconds.append(time.perf_counter() - start)
        valid, fault = self.validate(self.results[-1]) if self.validate else (True, None)
        if not valid:
            self.faults.append(fault or "a run is not valid")

    def metrics(self, aggregate: Callable[[list[Any]], dict[str, Any]] | None) -> dict[str, Any]:
        found: dict[str, Any] = aggregate(self.results) if aggregate else {"num_successful_runs": len(self.results)}
        found["execution_time_mean"] = statistics.fmean(self.seconds) if self.seconds else 0.0
        found["execution_time_std"] = statistics.pstdev(self.seconds) if self.seconds else 0.0
        if self.validate:
            found["num_valid_runs"] = len(self.results) - len(self.faults)
            found["num_invalid_runs"] = len(self.faults)
            found["all_validation_errors"] = sorted(set(self.faults))
        return found


def _not_finite(score: Any) -> str | None:
    return None if math.isfinite(score) else f"combined_score is {score}"


def _plain(value: Any) -> Any:
    """A numpy number or array, or anything else, as something JSON carries."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
