"""A good candidate that the whole colony may build on, with who found it and how."""

from __future__ import annotations

from dataclasses import dataclass

from colony.problems.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Elite:
    """One evaluated, feasible candidate: `value` in the metric's unit, `experiment` the id that found it."""

    experiment: str
    candidate: Candidate
    value: float
    agent: str
    operator: str = ""
    parents: tuple[str, ...] = ()
