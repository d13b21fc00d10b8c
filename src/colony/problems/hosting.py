"""What runs inside a sandbox for a parameter problem: loads the evaluator once and answers requests.

Requests are JSON-able mappings with `op`:
`evaluate` {values} -> raw answer; `attack` the same without the space's check;
`search` {method, spec, evaluations_max, seed, values} -> best of a search;
`exact`, `picture`, `holdout` {values} -> the answer of that function. The engine judges what comes back.
It imports the proposer's method by name, because a search runs next to the evaluator and not in the engine.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from colony.problems.evaluation import Rules
from colony.problems.metric import Metric
from colony.problems.oracle import Exhausted, Functions, Oracle, plain
from colony.problems.problem import FUNCTIONS
from colony.problems.space import Space, Values, space_from

METHODS_PREFIX = "colony.agents."


def load_module(path: Path, name: str) -> ModuleType:
    """Import one file under a name of its own.

    Raises:
        ImportError: the file cannot be imported.

    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def open_parameters(argument: Mapping[str, Any], pickled: Any = None) -> Callable[[Mapping[str, Any]], Any]:
    """The host factory: `argument` holds space, metric, tolerances and perhaps a folder; `pickled` the functions."""
    space = space_from(argument["space"])
    rules = Rules(Metric(**argument["metric"]), dict(argument["tolerances"]))
    functions = dict(pickled) if pickled is not None else folder_functions(argument)
    return ParameterHost(space, rules, Functions(space, functions))


def folder_functions(argument: Mapping[str, Any]) -> dict[str, Callable[..., Any]]:
    """The functions that a problem folder offers, by name: those of `evaluate.py`, and `holdout` of `holdout.py`."""
    folder = Path(argument["folder"])
    sys.path.insert(0, str(folder))
    module = load_module(folder / argument.get("file", "evaluate.py"), "colony_problem_evaluate")
    functions = {name: getattr(module, name) for name in FUNCTIONS if callable(getattr(module, name, None))}
    if (folder / "holdout.py").is_file():
        functions["holdout"] = load_module(folder / "holdout.py", "colony_problem_holdout").holdout
    return functions


class ParameterHost:
    """Answers the requests of one parameter problem."""

    def __init__(self, space: Space, rules: Rules, functions: Functions) -> None:
        self.space = space
        self.rules = rules
        self.functions = functions

    def __call__(self, request: Mapping[str, Any]) -> Any:
        """Answer one request; what the user's code raises is raised."""
        match request["op"]:
            case "evaluate":
                return self._evaluate(request["values"])
            case "search":
                return self._search(request)
            case "attack":
                return self.functions.answer(request["values"])
            case "exact":
                return {n: _exact(v) for n, v in self.functions.call("exact", request["values"]).items()}
            case "has":
                return [name for name in FUNCTIONS if self.functions.has(name)]
            case name:
                return plain(self.functions.call(name, request["values"]))

    def _evaluate(self, values: Values) -> Any:
        if faults := self.space.faults(values):
            raise ValueError(faults[0])
        return self.functions.answer(values)

    def _search(self, request: Mapping[str, Any]) -> dict[str, Any]:
        module, _, name = request["method"].partition(":")
        if not module.startswith(METHODS_PREFIX):
            raise ValueError(f"a search method lies under {METHODS_PREFIX}, not {module}")
        method = getattr(importlib.import_module(module), name)
        oracle = Oracle(
            self.functions, self.rules, request["evaluations_max"], is_late=_deadline(request.get("seconds_max"))
        )
        notes: Any = None
        with suppress(Exhausted):
            notes = method(
                oracle, request.get("values"), request.get("spec", {}), np.random.default_rng(request["seed"])
            )
        best = oracle.best
        return {
            "values": oracle.best_values,
            "value": best.value if best else None,
            "constraints": dict(best.amounts) if best else {},
            "metrics": dict(best.metrics) if best else {},
            "evaluations": oracle.evaluations,
            "trace": oracle.trace,
            "failure": oracle.failure,
            "notes": plain(notes),
        }


def _deadline(seconds_max: float | None) -> Callable[[], bool]:
    """Whether more than `seconds_max` have passed since this call; never, where there is no limit."""
    if seconds_max is None:
        return lambda: False
    end = time.monotonic() + seconds_max
    return lambda: time.monotonic() >= end


def _exact(value: Any) -> str:
    """An exact violation as text `numerator/denominator`, which JSON carries without rounding."""
    return str(Fraction(value))
