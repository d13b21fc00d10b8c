"""Typed search spaces of parameter candidates: what values are allowed, and how they map to the unit cube.

A candidate is a JSON-able mapping from variable name to value; arrays are (nested) lists, permutations lists of
indices.
Every space maps onto [0, 1]^dimension, so that every numeric proposer works on every space: floats linearly or in the
logarithm, integers and choices by equal bins, permutations by random keys (the order of n numbers; Bean 1994).

It does not evaluate anything and holds no constraint between variables (see `problem`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from colony.primitives.errors import ProblemError
from colony.primitives.limits import INTEGER_MAX, SPACE_VARIABLES_MAX

Vector: TypeAlias = NDArray[np.float64]
Values: TypeAlias = dict[str, Any]


def _count(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _elements(value: Any, shape: tuple[int, ...]) -> list[Any] | None:
    """The flat elements of a nested list of exactly `shape`, or None where the shape differs."""
    if not shape:
        return [value]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple) or len(value) != shape[0]:
        return None
    flat: list[Any] = []
    for part in value:
        inner = _elements(part, shape[1:])
        if inner is None:
            return None
        flat.extend(inner)
    return flat


def _nested(flat: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [_nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.floating | np.integer) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Float:
    """A real number in [low, high], or an array of them; `log` searches in the logarithm."""

    low: float
    high: float
    log: bool = False
    shape: tuple[int, ...] = ()

    def problems(self) -> Iterator[str]:
        """What is wrong with the declaration, a sentence each."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            yield "bounds must be finite numbers"
        elif self.low > self.high:
            yield f"low {self.low!r} is above high {self.high!r}"
        elif self.log and self.low <= 0:
            yield f"a log scale needs low above 0, not {self.low!r}"

    @property
    def dimension(self) -> int:
        """How many coordinates of the unit cube it takes."""
        return _count(self.shape)

    def fault(self, value: Any) -> str | None:
        """Why `value` is not allowed, or None."""
        flat = _elements(value, self.shape)
        if flat is None:
            return f"needs shape {self.shape}"
        for item in flat:
            if not _is_number(item) or not math.isfinite(item):
                return f"{item!r} is not a finite number"
            if not self.low <= item <= self.high:
                return f"{item!r} is outside [{self.low!r}, {self.high!r}]"
        return None

    def decode(self, unit: Vector) -> Any:
        """The value at coordinates `unit`, clipped into the bounds."""
        unit = np.clip(unit, 0.0, 1.0)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            raw = np.exp(low + unit * (high - low))
        else:
            raw = self.low + unit * (self.high - self.low)
        return _nested(np.clip(raw, self.low, self.high).tolist(), self.shape)

    def encode(self, value: Any) -> Vector:
        """The coordinates of `value` in the unit cube."""
        raw = np.asarray(_elements(value, self.shape), dtype=np.float64)
        if self.high == self.low:
            return np.zeros(raw.shape)
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return (np.log(np.maximum(raw, self.low)) - low) / (high - low)
        return (raw - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in [low, high], both included, or an array of them; `log` searches in the logarithm."""

    low: int
    high: int
    log: bool = False
    shape: tuple[int, ...] = ()

    def problems(self) -> Iterator[str]:
        """What is wrong with the declaration, a sentence each."""
        if self.low > self.high:
            yield f"low {self.low!r} is above high {self.high!r}"
        elif self.log and self.low <= 0:
            yield f"a log scale needs low above 0, not {self.low!r}"
        if max(abs(self.low), abs(self.high)) > INTEGER_MAX:
            yield f"bounds must lie within ±{INTEGER_MAX}"

    @property
    def dimension(self) -> int:
        """How many coordinates of the unit cube it takes."""
        return _count(self.shape)

    def fault(self, value: Any) -> str | None:
        """Why `value` is not allowed, or None."""
        flat = _elements(value, self.shape)
        if flat is None:
            return f"needs shape {self.shape}"
        for item in flat:
            if not isinstance(item, int | np.integer) or isinstance(item, bool):
                return f"{item!r} is not a whole number"
            if not self.low <= item <= self.high:
                return f"{item!r} is outside [{self.low}, {self.high}]"
        return None

    def decode(self, unit: Vector) -> Any:
        """The value at coordinates `unit`: equal bins, or equal bins of the logarithm."""
        unit = np.clip(unit, 0.0, 1.0)
        if self.log:
            low, high = math.log(self.low), math.log(self.high + 1)
            raw = np.exp(low + unit * (high - low))
        else:
            raw = self.low + unit * (self.high + 1 - self.low)
        whole = np.clip(np.floor(raw), self.low, self.high)
        return _nested([int(x) for x in whole], self.shape)

    def encode(self, value: Any) -> Vector:
        """The middle of the bin of `value` in the unit cube."""
        raw = np.asarray(_elements(value, self.shape), dtype=np.float64)
        if self.log:
            low, high = math.log(self.low), math.log(self.high + 1)
            return (np.log(raw + 0.5) - low) / (high - low)
        return (raw + 0.5 - self.low) / (self.high + 1 - self.low)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several JSON-able options, or an array of them."""

    options: tuple[Any, ...]
    shape: tuple[int, ...] = ()

    def problems(self) -> Iterator[str]:
        """What is wrong with the declaration, a sentence each."""
        if not self.options:
            yield "a choice needs at least one option"
        elif any(a == b and type(a) is type(b) for i, a in enumerate(self.options) for b in self.options[:i]):
            yield "an option stands twice"

    @property
    def dimension(self) -> int:
        """How many coordinates of the unit cube it takes."""
        return _count(self.shape)

    def fault(self, value: Any) -> str | None:
        """Why `value` is not allowed, or None."""
        flat = _elements(value, self.shape)
        if flat is None:
            return f"needs shape {self.shape}"
        wrong = [item for item in flat if self._index(item) is None]
        return f"{wrong[0]!r} is none of the options" if wrong else None

    def _index(self, item: Any) -> int | None:
        for index, option in enumerate(self.options):
            if type(option) is type(item) and option == item:
                return index
        return None

    def decode(self, unit: Vector) -> Any:
        """The option at coordinates `unit`: equal bins."""
        count = len(self.options)
        index = np.minimum((np.clip(unit, 0.0, 1.0) * count).astype(int), count - 1)
        return _nested([self.options[i] for i in index], self.shape)

    def encode(self, value: Any) -> Vector:
        """The middle of the bin of `value` in the unit cube."""
        flat = _elements(value, self.shape) or []
        return (np.asarray([self._index(item) or 0 for item in flat], dtype=np.float64) + 0.5) / len(self.options)


@dataclass(frozen=True, slots=True)
class Permutation:
    """An order of the numbers 0 .. length - 1, each exactly once."""

    length: int

    def problems(self) -> Iterator[str]:
        """What is wrong with the declaration, a sentence each."""
        if self.length < 1:
            yield "a permutation needs a length of at least 1"

    @property
    def dimension(self) -> int:
        """How many coordinates of the unit cube it takes: one random key for each place."""
        return self.length

    def fault(self, value: Any) -> str | None:
        """Why `value` is not allowed, or None."""
        flat = _elements(value, (self.length,))
        if flat is None:
            return f"needs {self.length} numbers"
        if any(not isinstance(x, int | np.integer) or isinstance(x, bool) for x in flat):
            return "holds something that is not a whole number"
        return None if sorted(flat) == list(range(self.length)) else f"is not an order of 0..{self.length - 1}"

    def decode(self, unit: Vector) -> list[int]:
        """The order of the random keys `unit`."""
        return [int(i) for i in np.argsort(unit, kind="stable")]

    def encode(self, value: Any) -> Vector:
        """Evenly spread keys whose order is `value`."""
        keys = np.empty(self.length)
        keys[np.asarray(value, dtype=int)] = (np.arange(self.length) + 0.5) / self.length
        return keys


Variable: TypeAlias = Float | Integer | Choice | Permutation


@dataclass(frozen=True)
class Space:
    """Named variables, in order.

    Raises:
        ProblemError: a variable's declaration makes no sense, or there are none or too many.

    """

    variables: Mapping[str, Variable]
    dimension: int = field(init=False)

    def __post_init__(self) -> None:
        for name, variable in self.variables.items():
            for fault in variable.problems():
                raise ProblemError(f"space.{name}: {fault}; correct the declaration of the space")
        dimension = sum(v.dimension for v in self.variables.values())
        if not 1 <= dimension <= SPACE_VARIABLES_MAX:
            raise ProblemError(f"space: {dimension} coordinates; between 1 and {SPACE_VARIABLES_MAX} are allowed")
        object.__setattr__(self, "dimension", dimension)

    @property
    def is_continuous(self) -> bool:
        """True where every variable is a float."""
        return all(isinstance(v, Float) for v in self.variables.values())

    @property
    def permutation(self) -> str | None:
        """The name of the variable where the whole space is one permutation, else None."""
        names = [n for n, v in self.variables.items() if isinstance(v, Permutation)]
        return names[0] if len(names) == len(self.variables) == 1 else None

    @property
    def size(self) -> int | None:
        """How many candidates there are, or None where a float makes them uncountable."""
        total = 1
        for variable in self.variables.values():
            match variable:
                case Float():
                    return None
                case Integer():
                    total *= (variable.high - variable.low + 1) ** variable.dimension
                case Choice():
                    total *= len(variable.options) ** variable.dimension
                case Permutation():
                    total *= math.factorial(min(variable.length, 20)) if variable.length <= 20 else 10**18
        return total

    def faults(self, values: Any) -> list[str]:
        """Every reason why `values` is not a point of this space; empty where it is one."""
        if not isinstance(values, Mapping):
            return ["a candidate is a mapping from variable names to values"]
        faults = [f"{name}: missing" for name in self.variables if name not in values]
        faults += [f"{name}: no such variable" for name in values if name not in self.variables]
        for name, variable in self.variables.items():
            fault = variable.fault(values[name]) if name in values else None
            if fault:
                faults.append(f"{name}: {fault}")
        return faults

    def decode(self, unit: Vector) -> Values:
        """The JSON-able candidate at `unit`, shape (dimension,), clipped to [0, 1]."""
        values: Values = {}
        at = 0
        for name, variable in self.variables.items():
            values[name] = variable.decode(unit[at : at + variable.dimension])
            at += variable.dimension
        return values

    def encode(self, values: Mapping[str, Any]) -> Vector:
        """The unit-cube coordinates of a valid candidate, shape (dimension,)."""
        return np.concatenate([v.encode(values[n]) for n, v in self.variables.items()])

    def arrays(self, values: Mapping[str, Any]) -> Values:
        """What an evaluator receives: shaped floats and integers as numpy arrays, permutations as index arrays."""
        return {name: self._array(variable, values[name]) for name, variable in self.variables.items()}

    @staticmethod
    def _array(variable: Variable, value: Any) -> Any:
        match variable:
            case Float(shape=()):
                return float(value)
            case Integer(shape=()) | Choice():
                return value
            case Float():
                return np.asarray(value, dtype=np.float64)
            case Integer() | Permutation():
                return np.asarray(value, dtype=np.int64)

    def midpoint(self) -> Values:
        """The candidate in the middle of the unit cube; the seed where a problem gives none."""
        middle = self.decode(np.full(self.dimension, 0.5))
        for name, variable in self.variables.items():
            if isinstance(variable, Permutation):
                middle[name] = list(range(variable.length))
        return middle

    def enumerate(self) -> Iterator[Values]:
        """Every candidate of a countable space, in a fixed order; small ones only."""
        assert self.size is not None, "only a countable space can be enumerated"
        sizes: list[int] = []
        for variable in self.variables.values():
            match variable:
                case Integer():
                    sizes += [variable.high - variable.low + 1] * variable.dimension
                case Choice():
                    sizes += [len(variable.options)] * variable.dimension
                case _:
                    raise ProblemError("a permutation is not enumerated coordinate by coordinate; use local search")
        for index in np.ndindex(*sizes):
            yield self._at_index(index)

    def _at_index(self, index: tuple[int, ...]) -> Values:
        values: Values = {}
        at = 0
        for name, variable in self.variables.items():
            part = index[at : at + variable.dimension]
            at += variable.dimension
            if isinstance(variable, Integer):
                values[name] = _nested([variable.low + i for i in part], variable.shape)
            elif isinstance(variable, Choice):
                values[name] = _nested([variable.options[i] for i in part], variable.shape)
        return values

    def as_record(self) -> dict[str, Any]:
        """The JSON-able declaration, for the journal and the content hash."""
        return {name: _declaration(variable) for name, variable in self.variables.items()}


def _declaration(variable: Variable) -> dict[str, Any]:
    match variable:
        case Float() | Integer():
            kind = "float" if isinstance(variable, Float) else "integer"
            return {
                "type": kind,
                "low": variable.low,
                "high": variable.high,
                "log": variable.log,
                "shape": list(variable.shape),
            }
        case Choice():
            return {"type": "choice", "options": list(variable.options), "shape": list(variable.shape)}
        case Permutation():
            return {"type": "permutation", "length": variable.length}


def _shape(entry: Any, where: str) -> tuple[int, ...]:
    shape = entry if isinstance(entry, list | tuple) else [entry]
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in shape):
        raise ProblemError(f"{where}: shape must be a list of whole numbers of at least 1, not {entry!r}")
    return tuple(shape)


_KEYS = {
    "float": {"low", "high", "log", "shape"},
    "integer": {"low", "high", "log", "shape"},
    "choice": {"options", "shape"},
    "permutation": {"length"},
}


def variable_from(declaration: Any, where: str) -> Variable:
    """A variable from what a user wrote.

    Takes a variable as it is; `(low, high)` with a float among them as a float, with two ints as an integer; a list of
    options as a choice; or a table `{type = "float", low, high, log, shape}` and so on, as in `problem.toml`.

    Raises:
        ProblemError: names `where` and what is wrong.

    """
    if isinstance(declaration, Float | Integer | Choice | Permutation):
        return declaration
    if isinstance(declaration, tuple) and len(declaration) == 2 and all(_is_number(x) for x in declaration):
        low, high = declaration
        if isinstance(low, int) and isinstance(high, int):
            return Integer(low, high)
        return Float(float(low), float(high))
    if isinstance(declaration, list | tuple):
        return Choice(tuple(declaration))
    if isinstance(declaration, Mapping):
        return _variable_from_table(declaration, where)
    raise ProblemError(
        f"{where}: {declaration!r} declares no variable; write (low, high), a list of options or a table"
    )


def _variable_from_table(table: Mapping[str, Any], where: str) -> Variable:
    kind = table.get("type", "float")
    if kind not in _KEYS:
        raise ProblemError(f"{where}: unknown type {kind!r}; one of {', '.join(sorted(_KEYS))}")
    unknown = set(table) - _KEYS[kind] - {"type"}
    if unknown:
        raise ProblemError(f"{where}: unknown key {min(unknown)!r}; allowed: {', '.join(sorted(_KEYS[kind]))}")
    shape = _shape(table["shape"], where) if "shape" in table else ()
    try:
        match kind:
            case "float":
                return Float(float(table["low"]), float(table["high"]), bool(table.get("log", False)), shape)
            case "integer":
                return Integer(int(table["low"]), int(table["high"]), bool(table.get("log", False)), shape)
            case "choice":
                return Choice(tuple(table["options"]), shape)
            case _:
                return Permutation(int(table["length"]))
    except KeyError as missing:
        raise ProblemError(f"{where}: key {missing.args[0]!r} is missing") from None
    except (TypeError, ValueError) as error:
        raise ProblemError(f"{where}: {error}") from None


def space_from(declaration: Mapping[str, Any]) -> Space:
    """A space from what a user wrote, variable by variable (see `variable_from`).

    Raises:
        ProblemError: names the variable and what is wrong.

    """
    if not isinstance(declaration, Mapping) or not declaration:
        raise ProblemError("space: declare at least one variable, for instance {'x': (0.0, 5.0)}")
    return Space({name: variable_from(entry, f"space.{name}") for name, entry in declaration.items()})


def as_space(declaration: Space | Mapping[str, Any]) -> Space:
    """A space as it is, or made from what a user wrote.

    Raises:
        ProblemError: names the variable and what is wrong.

    """
    return declaration if isinstance(declaration, Space) else space_from(declaration)
