"""The counted evaluator that a search sees inside a worker: every call is an evaluation, and there is a hard limit.

An `Oracle` wraps the functions of one problem. Points are given as unit-cube vectors or as values; costs are to be
minimised whatever the metric's direction. It keeps the best judged point and the improvements on the way. The engine
does not believe it: what a search brings home is a claim until another sandbox has evaluated it again.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from colony.problems.evaluation import Evaluation, Rules
from colony.problems.formulation import Formulation
from colony.problems.space import Space, Values, Vector

TRACE_MAX = 64


class Exhausted(Exception):  # noqa: N818  # not an error: a search simply ends here
    """The evaluations that were granted are spent."""


def caller(function: Callable[..., Any], space: Space) -> Callable[[Values], Any]:
    """How to call a user's function with a candidate.

    By keyword where its parameters, those with a default perhaps left out, are exactly the variables; else with the
    whole mapping as one argument.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    needed = {p.name for p in named if p.default is p.empty}
    if set(space.variables) in (needed, {p.name for p in named}):
        return lambda values: function(**space.arrays(values))
    return lambda values: function(space.arrays(values))


class Functions:
    """The user's functions of one parameter problem, ready to be called with JSON-able values."""

    def __init__(self, space: Space, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.space = space
        self._calls = {name: caller(function, space) for name, function in functions.items()}
        self._constraints = {
            n.removeprefix("constraint:"): c for n, c in self._calls.items() if n.startswith("constraint:")
        }

    def has(self, name: str) -> bool:
        """Whether the problem offers the function `name`."""
        return name in self._calls

    def call(self, name: str, values: Values) -> Any:
        """The raw answer of the function `name`."""
        return self._calls[name](values)

    def answer(self, values: Values) -> Any:
        """The raw answer of the evaluator, with every constraint's amount of violation beside it."""
        raw = self._calls["evaluate"](values)
        amounts = self.amounts(values)
        if not amounts and not isinstance(raw, Mapping):
            return plain(raw)
        answer = dict(raw) if isinstance(raw, Mapping) else {"value": raw}
        answer["constraints"] = {**(answer.get("constraints") or {}), **amounts}
        return plain(answer)

    @property
    def is_constrained(self) -> bool:
        """Whether there are constraint functions."""
        return bool(self._constraints) or "constraints" in self._calls

    def amounts(self, values: Values) -> dict[str, float]:
        """The violation of each constraint that is given as a function; at most 0 holds."""
        amounts = {name: largest(call(values)) for name, call in self._constraints.items()}
        if "constraints" in self._calls:
            amounts.update({name: largest(v) for name, v in self._calls["constraints"](values).items()})
        return amounts


def largest(value: Any) -> float:
    """The largest entry of a number or an array; NaN stays NaN, so that judgement refuses it."""
    array = np.asarray(value, dtype=np.float64)
    return float(np.max(array)) if array.size else 0.0


def plain(value: Any) -> Any:
    """`value` with numpy scalars and arrays turned into what JSON carries."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return plain(value.item()) if value.ndim == 0 else value.tolist()
    return value


class Oracle:
    """Counts, judges and remembers.

    `evaluations_max` is a hard limit: the call after it raises `Exhausted`. `penalty` is what one unit of violation
    adds to the cost that `cost` returns for an infeasible point. `is_late` is asked at every evaluation and ends it.
    """

    def __init__(
        self,
        functions: Functions,
        rules: Rules,
        evaluations_max: int,
        *,
        penalty: float = 1e3,
        is_late: Callable[[], bool] = lambda: False,
    ) -> None:
        self.functions = functions
        self.space = functions.space
        self.rules = rules
        self.evaluations_max = evaluations_max
        self.evaluations = 0
        self.penalty = penalty
        self._is_late = is_late
        self.best_values: Values | None = None
        self.best: Evaluation | None = None
        self.trace: list[tuple[int, float]] = []
        self._scored = False
        self._reason = ""

    @property
    def failure(self) -> str:
        """Why the last evaluation failed, where not a single one gave a score; else nothing."""
        return "" if self._scored else self._reason

    @property
    def left(self) -> int:
        """How many evaluations may still be made."""
        return self.evaluations_max - self.evaluations

    def spend(self, count: int = 1) -> None:
        """Count `count` evaluations.

        Raises:
            Exhausted: they are more than what is left, or it is late; nothing is counted.

        """
        if count > self.left or self._is_late():
            raise Exhausted
        self.evaluations += count

    def evaluate(self, values: Values) -> Evaluation:
        """Judge one candidate; counts 1.

        Raises:
            Exhausted: the limit is reached.

        """
        self.spend()
        if faults := self.space.faults(values):
            return Evaluation("failed", reason=faults[0])
        judged = self.rules.judge(self._answer(values))
        self._remember(values, judged)
        return judged

    def _answer(self, values: Values) -> Any:
        """The evaluator's answer, or what it raised as text, which judgement takes for no score: one point fails."""
        try:
            return self.functions.answer(values)
        except Exception as error:  # noqa: BLE001  # whatever the problem's code raises
            return f"{type(error).__name__}: {error}"

    def _remember(self, values: Values, judged: Evaluation) -> None:
        self._scored, self._reason = self._scored or judged.value is not None, judged.reason
        if judged.status != "ok" or judged.value is None:
            return
        if self.best is None or self.best.value is None or self.rules.metric.better(judged.value, self.best.value):
            self.best_values, self.best = values, judged
            self.trace.append((self.evaluations, judged.value))
            if len(self.trace) > TRACE_MAX:
                del self.trace[1::2]

    def cost(self, unit: Vector) -> float:
        """The cost to minimise at unit-cube coordinates; infeasible points are penalised, failed ones are infinite."""
        judged = self.evaluate(self.space.decode(unit))
        if judged.value is None:
            return math.inf
        return self.rules.metric.sign * judged.value + self.penalty * judged.violation

    def raw(self, unit: Vector) -> tuple[float, Vector]:
        """The unpenalised cost and the constraint amounts (at most 0 holds), for solvers that handle constraints."""
        values = self.space.decode(unit)
        self.spend()
        answer = self._answer(values)
        judged = self.rules.judge(answer)
        self._remember(values, judged)
        amounts = answer.get("constraints", {}) if isinstance(answer, Mapping) else {}
        cost = math.inf if judged.value is None else self.rules.metric.sign * judged.value
        return cost, np.asarray([float(a) for a in amounts.values()], dtype=np.float64)

    @property
    def is_constrained(self) -> bool:
        """Whether candidates can be infeasible."""
        return bool(self.rules.tolerances) or self.functions.is_constrained

    @property
    def has_gradient(self) -> bool:
        """Whether the problem gives a gradient (of a space of floats)."""
        return self.functions.has("gradient") and self.space.is_continuous

    def gradient(self, unit: Vector) -> Vector:
        """The derivative of the cost by the unit-cube coordinates, from the problem's own gradient; counts 1.

        Raises:
            Exhausted: the limit is reached.

        """
        self.spend()
        values = self.space.decode(unit)
        raw = self.functions.call("gradient", values)
        if not isinstance(raw, Mapping):
            raw = dict(zip(self.space.variables, [raw] if len(self.space.variables) == 1 else raw, strict=True))
        parts = []
        for name, variable in self.space.variables.items():
            slope = np.asarray(raw[name], dtype=np.float64).ravel()
            scale = variable.high - variable.low  # type: ignore[union-attr]  # is_continuous: floats only
            if getattr(variable, "log", False):
                at = np.asarray(values[name], dtype=np.float64).ravel()
                scale = at * math.log(variable.high / variable.low)  # type: ignore[union-attr]
            parts.append(slope * scale)
        return self.rules.metric.sign * np.concatenate(parts)

    def formulation(self, values: Values) -> Formulation | None:
        """The smooth formulation at a candidate, or None where the problem offers none."""
        if not self.functions.has("formulation"):
            return None
        made: Formulation = self.functions.call("formulation", values)
        return made

    def repaired(self, values: Values) -> Values:
        """The candidate made exactly feasible where the problem can, as JSON-able values."""
        mended: Values = self.functions.call("repair", values) if self.functions.has("repair") else values
        return {name: plain(value) for name, value in mended.items()}
