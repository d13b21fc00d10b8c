"""Colony: a governed swarm that improves anything that can be measured.

    import colony
    result = colony.solve(colony.Problem(space={"x": (0.0, 5.0)}, evaluate=f, maximise="sum of radii"), budget="300e")

The names below are loaded when they are first used, so that a worker that needs one floor does not load the house.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colony.node.api import solve
    from colony.node.result import Result
    from colony.problems.foreign import load as load_problem
    from colony.problems.metric import Budget, KnownRecord, Metric
    from colony.problems.problem import Problem
    from colony.problems.space import Choice, Float, Integer, Permutation

__version__ = "0.1.0"

__all__ = [
    "Budget",
    "Choice",
    "Float",
    "Integer",
    "KnownRecord",
    "Metric",
    "Permutation",
    "Problem",
    "Result",
    "load_problem",
    "solve",
]

_HOMES = {
    "Budget": "problems.metric",
    "Choice": "problems.space",
    "Float": "problems.space",
    "Integer": "problems.space",
    "KnownRecord": "problems.metric",
    "Metric": "problems.metric",
    "Permutation": "problems.space",
    "Problem": "problems.problem",
    "Result": "node.result",
    "solve": "node.api",
}


def __getattr__(name: str) -> Any:
    if name == "load_problem":
        return import_module("colony.problems.foreign").load
    if name in _HOMES:
        return getattr(import_module(f"colony.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'colony' has no attribute {name!r}")
