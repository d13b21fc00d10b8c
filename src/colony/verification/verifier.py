"""From claims to verdicts: noise, a sequential test, an exact re-check of the constraints.

The verifier has an identity and a sandbox of its own. It believes no claimed number: a verdict rests on fresh
evaluations only, so a lucky draw regresses to its mean before it can become a record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import fmean, stdev
from typing import Any, Literal

from scipy.special import stdtrit

from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.verification.evaluator import Evaluator

NOISE_REPEATS = 3
NOISE_REPEATS_IF_NOISY = 10
REEVALUATIONS_MAX = 24
ERROR_RATE = 0.01
SAME_RELATIVE = 1e-9


@dataclass(frozen=True, slots=True)
class Noise:
    """What re-evaluating the seed showed, and how long it took in all."""

    values: tuple[float, ...]
    failures: tuple[str, ...] = ()
    wall_seconds: float = 0.0

    @property
    def mean(self) -> float | None:
        """The mean value of the seed, or None where it has none."""
        return fmean(self.values) if self.values else None

    @property
    def deviation(self) -> float:
        """The sample standard deviation in the metric's unit; 0 where every value was the same."""
        return stdev(self.values) if len(set(self.values)) > 1 else 0.0

    @property
    def is_noisy(self) -> bool:
        """Whether two evaluations of the seed differed."""
        return len(set(self.values)) > 1

    @property
    def evaluations(self) -> int:
        """How many evaluations it took."""
        return len(self.values) + len(self.failures)

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {"values": list(self.values), "deviation": self.deviation, "failures": list(self.failures)}


Decision = Literal["verified", "refuted"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verifier says of one claim; `value` is the mean of its own evaluations, never the claimed number."""

    verdict: Decision
    value: float | None
    evaluations: int
    reason: str
    values: tuple[float, ...] = ()
    exact: Mapping[str, str] = field(default_factory=dict)
    cpu_seconds: float = 0.0


def measure_noise(evaluator: Evaluator, seed: Candidate, evaluations_max: int | None = None) -> Noise:
    """Evaluate the seed three times; ten times where the values differ (fewer where the budget says so)."""
    first = NOISE_REPEATS if evaluations_max is None else max(1, min(NOISE_REPEATS, evaluations_max))
    noise = _repeat(evaluator, seed, first)
    more = NOISE_REPEATS_IF_NOISY - first
    if evaluations_max is not None:
        more = min(more, evaluations_max - first)
    if not noise.is_noisy or more <= 0:
        return noise
    rest = _repeat(evaluator, seed, more)
    return Noise(noise.values + rest.values, noise.failures + rest.failures, noise.wall_seconds + rest.wall_seconds)


def _repeat(evaluator: Evaluator, candidate: Candidate, times: int) -> Noise:
    measured = [evaluator.measure([Proposal(candidate, "noise")])[0] for _ in range(times)]
    values = [m.evaluation.value for m in measured if m.evaluation.status == "ok" and m.evaluation.value is not None]
    failures = [m.evaluation.reason or m.evaluation.status for m in measured if m.evaluation.status != "ok"]
    return Noise(tuple(values), tuple(failures), sum(m.wall_seconds for m in measured))


def reevaluations_max(noise: Noise) -> int:
    """How many evaluations one verdict may take."""
    return REEVALUATIONS_MAX if noise.is_noisy else 1


def verify(  # who, what and how much
    evaluator: Evaluator,
    problem: Problem,
    noise: Noise,
    candidate: Candidate,
    claimed: float,
    *,
    number: int = 1,
    evaluations_max: int | None = None,
) -> Verdict:
    """Re-execute a claim until it is verified or refuted; `number` says as the how-manieth of its run, from 1.

    Without noise one fresh evaluation must give the claimed value again. With noise the mean of fresh evaluations must
    beat the seed's mean: a one-sided two-sample t bound after each evaluation n of claim k, at the error rate
    0.01 / (n (n + 1) k (k + 1)), whose sum over all n and k is 0.01, so that neither looking again and again nor
    claiming again and again wears the test out.
    """
    most = reevaluations_max(noise) if evaluations_max is None else min(evaluations_max, reevaluations_max(noise))
    rate = ERROR_RATE / (number * (number + 1))
    values: list[float] = []
    cpu_seconds = 0.0
    decision = None
    while decision is None and len(values) < most:
        measured = evaluator.measure([Proposal(candidate, "verify")])[0]
        cpu_seconds += measured.cpu_seconds
        evaluation = measured.evaluation
        if evaluation.status != "ok" or evaluation.value is None:
            reason = f"a fresh evaluation was {evaluation.status}: {evaluation.reason or dict(evaluation.violations)}"
            return Verdict("refuted", None, len(values) + 1, reason, tuple(values), cpu_seconds=cpu_seconds)
        values.append(evaluation.value)
        decision = _decide(problem, noise, values, claimed, rate)
    verdict, reason = decision or ("refuted", f"no gain beyond the noise in {len(values)} fresh evaluations")
    exact: dict[str, str] = {}
    if verdict == "verified":
        verdict, reason, exact = _exactly(evaluator, problem, candidate, reason)
    return Verdict(verdict, fmean(values), len(values), reason, tuple(values), exact, cpu_seconds)


def _decide(  # noqa: PLR0911  # one return for each verdict
    problem: Problem, noise: Noise, values: Sequence[float], claimed: float, rate: float
) -> tuple[Decision, str] | None:
    mean, seed = fmean(values), noise.mean
    if not noise.is_noisy:
        if abs(mean - claimed) > SAME_RELATIVE * max(1.0, abs(claimed)):
            return "refuted", f"claimed {claimed!r}, but a fresh evaluation gave {mean!r}"
        if seed is not None and not problem.metric.better(mean, seed):
            return "refuted", f"does not beat the seed's {seed!r}"
        return "verified", "a fresh evaluation gave the claimed value"
    if len(values) < NOISE_REPEATS:
        return None
    if seed is None:
        return "verified", "fresh evaluations are feasible; the seed is not"
    gain = problem.metric.sign * (seed - mean)
    margin = _margin(noise.values, values, rate)
    if gain > margin:
        return "verified", f"beats the seed by {gain:.4g}, more than the noise margin {margin:.4g}"
    if gain < -margin:
        return "refuted", f"worse than the seed by {-gain:.4g}"
    return None


def _margin(seed: Sequence[float], fresh: Sequence[float], rate: float) -> float:
    """The one-sided bound on the difference of two means with pooled variance (Student) at the error `rate`."""
    n, m = len(fresh), len(seed)
    degrees = n + m - 2
    squares = sum((x - fmean(fresh)) ** 2 for x in fresh) + sum((x - fmean(seed)) ** 2 for x in seed)
    spread = math.sqrt(squares / degrees * (1 / n + 1 / m))
    return float(stdtrit(degrees, 1 - rate / (n * (n + 1)))) * spread


def _exactly(
    evaluator: Evaluator, problem: Problem, candidate: Candidate, reason: str
) -> tuple[Decision, str, dict[str, str]]:
    """Re-check the constraints in rational arithmetic, where the problem offers it."""
    if "exact" not in evaluator.offers():
        return "verified", reason, {}
    result = evaluator.ask("exact", candidate)
    if result.status != "ok":
        return "refuted", f"the exact check failed: {result.status}", {}
    amounts = {name: Fraction(text) for name, text in result.value.items()}
    broken = [n for n, amount in amounts.items() if amount > Fraction(problem.tolerances.get(n, 0.0))]
    shown = {name: f"{float(amount):.3g}" for name, amount in amounts.items()}
    if broken:
        return "refuted", f"{broken[0]} is violated by {shown[broken[0]]} in exact arithmetic", shown
    return "verified", f"{reason}; constraints hold exactly", shown
