"""What a run came to, as a value for programs: the library's return value and the one object of `solve --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Best:
    """The best candidate that beat the seed beyond noise. `value` is the verifier's where `status` is "verified"."""

    value: float
    status: str
    candidate: Mapping[str, Any]
    file: str
    found_by: str
    experiment: str

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "value": self.value,
            "status": self.status,
            "candidate": dict(self.candidate),
            "file": self.file,
            "found_by": self.found_by,
            "experiment": self.experiment,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to; `best` is None where nothing beat the seed beyond noise. Seconds are of the whole run."""

    run: str
    folder: str
    problem: str
    metric: Mapping[str, Any]
    reason: str
    best: Best | None
    seed_value: float | None
    baseline: Mapping[str, Any] | None
    record: Mapping[str, Any] | None
    holdout: float | None
    experiments: int
    evaluations: int
    wall_seconds: float
    cpu_seconds: float
    cost: float
    agents: Mapping[str, Any]
    diversity: Mapping[str, Any]
    isolation: Mapping[str, Any]
    journal: Mapping[str, Any]
    state_hash: str
    attacks: Mapping[str, Any]
    failures: Mapping[str, int]

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        names = [name for name in self.__slots__ if name != "best"]
        record = {name: getattr(self, name) for name in names}
        record["best"] = self.best.as_record() if self.best is not None else None
        return record
