"""What is measured and what it may cost: metric, known record, the five budgets.

Values only. Enforcing a budget is governance; comparing noisy scores is verification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from colony.primitives.errors import ProblemError, UsageError

Direction = Literal["maximise", "minimise"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One typed quantity: `unit` in words or symbols ("1" where it has none), `bound` the best value thinkable.

    Raises:
        ProblemError: the name is empty, the direction unknown or the bound not finite.

    """

    name: str
    direction: Direction
    unit: str = "1"
    bound: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ProblemError("metric: give it a name, for instance name = 'sum of radii'")
        if self.direction not in ("maximise", "minimise"):
            raise ProblemError(f"metric.direction: 'maximise' or 'minimise', not {self.direction!r}")
        if self.bound is not None and not math.isfinite(self.bound):
            raise ProblemError(f"metric.bound: must be a finite number, not {self.bound!r}")

    @property
    def sign(self) -> float:
        """The factor that turns a value into a cost to be minimised: -1 to maximise, +1 to minimise."""
        return -1.0 if self.direction == "maximise" else 1.0

    def better(self, a: float, b: float, *, by: float = 0.0) -> bool:
        """Whether `a` beats `b` by more than `by` (in the metric's unit)."""
        return self.sign * (b - a) > by

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {"name": self.name, "direction": self.direction, "unit": self.unit, "bound": self.bound}


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """The best value known to the world, where it comes from, and the tolerance it was checked with."""

    value: float
    source: str

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {"value": self.value, "source": self.source}


_UNITS = {
    "x": ("experiments", 1.0),
    "e": ("evaluations", 1.0),
    "ms": ("wall_seconds", 1e-3),
    "s": ("wall_seconds", 1.0),
    "m": ("wall_seconds", 60.0),
    "h": ("wall_seconds", 3600.0),
    "cs": ("cpu_seconds", 1.0),
    "cm": ("cpu_seconds", 60.0),
    "ch": ("cpu_seconds", 3600.0),
    "usd": ("money", 1.0),
}
_PART = re.compile(r"^(\d+(?:\.\d+)?)([kM]?)([a-z]+)$")


@dataclass(frozen=True, slots=True)
class Budget:
    """The five budgets of a run; each that is given binds, None means unlimited. `money` is in US dollars."""

    experiments: int | None = None
    evaluations: int | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ProblemError(f"budget.{field.name}: a number of at least 0, not {value!r}")

    @classmethod
    def parse(cls, text: str) -> Budget:
        """A budget from text such as `300e`, `60s` or `2kx,5m`: parts joined by commas.

        Units: x experiments, e evaluations, ms s m h wall time, cs cm ch CPU time, usd money; k and M multiply.

        Raises:
            UsageError: names the part that makes no sense.

        """
        found: dict[str, float] = {}
        for part in text.replace(" ", "").split(","):
            match = _PART.match(part)
            name, scale = _UNITS.get(match[3], (None, 0.0)) if match else (None, 0.0)
            if match is None or name is None:
                raise UsageError(
                    f"budget {part!r}: write a number and a unit, for instance 300e (evaluations), 2000x (experiments),"
                    " 60s, 5m or 1h (wall time), 90cs (CPU seconds), 2usd; join several with commas"
                )
            if name in found:
                raise UsageError(f"budget {text!r}: {name} is given twice")
            found[name] = float(match[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[match[2]] * scale
        whole = {n: int(v) for n, v in found.items() if n in ("experiments", "evaluations")}
        return cls(**{**found, **whole})  # type: ignore[arg-type]

    @property
    def is_unlimited(self) -> bool:
        """True where nothing binds."""
        return all(getattr(self, f.name) is None for f in fields(self))

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form, given parts only."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


def budget_from(table: Mapping[str, Any] | str | Budget | None) -> Budget:
    """A budget from a TOML table, the short text form, or a Budget.

    Raises:
        ProblemError, UsageError: an unknown key or a value that makes no sense.

    """
    if table is None:
        return Budget()
    if isinstance(table, Budget):
        return table
    if isinstance(table, str):
        return Budget.parse(table)
    unknown = set(table) - {f.name for f in fields(Budget)}
    if unknown:
        allowed = ", ".join(f.name for f in fields(Budget))
        raise ProblemError(f"budget: unknown key {min(unknown)!r}; allowed: {allowed}")
    return Budget(**table)
