"""A problem: what to improve, how it is measured, within which constraints and budgets.

Written in Python (`Problem(space=..., evaluate=f, maximise="sum of radii")`) or as a folder (see `loaders`).
A problem is a frozen value with a content hash over everything that gives a score its meaning: statement, metric,
constraints, space or frozen program text, and the evaluator's own content. Scores of different hashes are never
compared. It evaluates nothing itself: that happens in a sandbox (see `hosting`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from colony.primitives.encoding import canonical
from colony.primitives.errors import ProblemError
from colony.primitives.limits import STATEMENT_CHARACTERS_MAX
from colony.problems.candidate import Candidate
from colony.problems.evaluation import Rules
from colony.problems.fence import fence_faults
from colony.problems.metric import Budget, Direction, KnownRecord, Metric, budget_from
from colony.problems.program import Program
from colony.problems.space import Space, as_space

Style = Literal["function", "folder", "openevolve", "shinka"]

FUNCTIONS = ("evaluate", "gradient", "constraints", "exact", "repair", "picture", "formulation", "holdout")


@dataclass(frozen=True)
class Evaluator:
    """Where the frozen evaluator is: functions given in Python, or a folder in one of three styles.

    `hash` is hex SHA-256 over its content: the files of the folder, or the source text of the functions and the
    values they close over. `holdout` says whether scores on unseen data exist.
    """

    style: Style
    hash: str
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    folder: Path | None = None
    holdout: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Exactly one of `space` and `program`; `evaluate` or a whole `evaluator`; `maximise` or `minimise` or a `metric`.

    `constraints` maps a name to a function of the candidate that returns the amount of violation (a number, or an
    array whose largest entry counts; at most 0 holds); `tolerances` maps names to what is forgiven (0 by default).
    `timeout_seconds` and `memory_bytes` limit one evaluation. `gradient`, `exact`, `repair`, `picture`, `formulation`
    and `holdout` are optional functions of the candidate.

    Raises:
        ProblemError: names the part that is missing or makes no sense.

    """

    name: str = "problem"
    statement: str = ""
    space: Space | None = None
    program: Program | None = None
    metric: Metric = None  # type: ignore[assignment]  # set below from maximise/minimise
    initial: Mapping[str, Any] | None = None
    tolerances: Mapping[str, float] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    timeout_seconds: float = 60.0
    memory_bytes: int = 2 * 1024**3
    record: KnownRecord | None = None
    evaluator: Evaluator = None  # type: ignore[assignment]  # set below from the functions

    evaluate: InitVar[Callable[..., Any] | None] = None
    maximise: InitVar[str | None] = None
    minimise: InitVar[str | None] = None
    unit: InitVar[str] = "1"
    bound: InitVar[float | None] = None
    constraints: InitVar[Mapping[str, Callable[..., Any]] | None] = None
    gradient: InitVar[Callable[..., Any] | None] = None
    exact: InitVar[Callable[..., Any] | None] = None
    repair: InitVar[Callable[..., Any] | None] = None
    picture: InitVar[Callable[..., Any] | None] = None
    formulation: InitVar[Callable[..., Any] | None] = None
    holdout: InitVar[Callable[..., Any] | None] = None

    def __post_init__(  # noqa: PLR0913, PLR0917  # the face of the library: one keyword each, all optional
        self,
        evaluate: Callable[..., Any] | None,
        maximise: str | None,
        minimise: str | None,
        unit: str,
        bound: float | None,
        constraints: Mapping[str, Callable[..., Any]] | None,
        gradient: Callable[..., Any] | None,
        exact: Callable[..., Any] | None,
        repair: Callable[..., Any] | None,
        picture: Callable[..., Any] | None,
        formulation: Callable[..., Any] | None,
        holdout: Callable[..., Any] | None,
    ) -> None:
        self._set("space", as_space(self.space) if self.space is not None else None)
        self._set("budget", budget_from(self.budget))
        if self.metric is None:
            self._set("metric", _metric(maximise, minimise, unit, bound))
        if self.evaluator is None:
            given = dict(
                zip(FUNCTIONS, (evaluate, gradient, None, exact, repair, picture, formulation, holdout), strict=True)
            )
            self._set(
                "evaluator", _function_evaluator({n: f for n, f in given.items() if f is not None}, constraints or {})
            )
        self._check()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check(self) -> None:
        if (self.space is None) == (self.program is None):
            raise ProblemError(f"problem {self.name!r}: give either a space of parameters or a program, and not both")
        if len(self.statement) > STATEMENT_CHARACTERS_MAX:
            raise ProblemError(
                f"problem {self.name!r}: the statement is longer than {STATEMENT_CHARACTERS_MAX} characters"
            )
        if self.space is not None and self.initial is not None and (faults := self.space.faults(self.initial)):
            raise ProblemError(f"problem {self.name!r}: initial candidate: {faults[0]}")

    @property
    def rules(self) -> Rules:
        """What judges its evaluations."""
        return Rules(self.metric, self.tolerances)

    @property
    def seed(self) -> Candidate:
        """The candidate that every search starts from."""
        if self.program is not None:
            return Candidate.program(self.program.files)
        assert self.space is not None
        return Candidate.parameters(self.initial if self.initial is not None else self.space.midpoint())

    def faults(self, candidate: Candidate) -> list[str]:
        """Every reason why a candidate may not even be evaluated; empty where it may."""
        if self.space is not None:
            return self.space.faults(candidate.content)
        assert self.program is not None
        faults = self.program.faults(candidate.content)
        if not faults and self.evaluator.style == "folder":
            faults = fence_faults(self.program, candidate.content)
        return faults

    def as_record(self) -> dict[str, Any]:
        """What a journal says of the problem, JSON-able."""
        return {
            "name": self.name,
            "hash": self.hash,
            "kind": "parameters" if self.space is not None else "program",
            "metric": self.metric.as_record(),
            "tolerances": dict(self.tolerances),
            "evaluator": {"style": self.evaluator.style, "hash": self.evaluator.hash},
            "record": self.record.as_record() if self.record is not None else None,
            "statement": self.statement,
        }

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 over everything that gives a score its meaning."""
        meaning = {
            "metric": self.metric.as_record(),
            "tolerances": dict(self.tolerances),
            "evaluator": self.evaluator.hash,
            "space": self.space.as_record() if self.space else None,
            "program": self.program.as_record() if self.program else None,
        }
        return sha256(canonical(meaning)).hexdigest()


def _metric(maximise: str | None, minimise: str | None, unit: str, bound: float | None) -> Metric:
    if (maximise is None) == (minimise is None):
        raise ProblemError("metric: say what to improve and in which direction: maximise='...' or minimise='...'")
    direction: Direction = "maximise" if maximise is not None else "minimise"
    return Metric(maximise or minimise or "", direction, unit, bound)


def _function_evaluator(
    functions: dict[str, Callable[..., Any]], constraints: Mapping[str, Callable[..., Any]]
) -> Evaluator:
    if "evaluate" not in functions:
        raise ProblemError("evaluate: give the function that scores a candidate, evaluate=f")
    named = {**functions, **{f"constraint:{name}": f for name, f in constraints.items()}}
    for name, function in named.items():
        if not callable(function):
            raise ProblemError(f"{name}: must be a function of the candidate, not {function!r}")
    content = canonical({name: _source(function) for name, function in named.items()})
    return Evaluator("function", sha256(content).hexdigest(), named, holdout="holdout" in functions)


def _source(function: Callable[..., Any]) -> dict[str, str]:
    """What a function says: its source text and the values that it closes over."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = code.co_code.hex() + repr(code.co_consts) if code is not None else repr(function)
    closure = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    return {"source": text, "closure": repr(sorted((k, repr(v)) for k, v in closure.items()))}
