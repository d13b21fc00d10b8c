"""What attempts have shown of one model at one kind of task: chance of success, cost and duration, with uncertainty.

The chance is a Beta distribution: the prior of the tier plus the verified attempts, of which the older ones fade, so
that a model which changes is noticed. Durations are log-normal, costs a running mean; both are drawn towards what was
expected before any attempt. All of it is a fold, one outcome at a time. It chooses nothing (cascade.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from colony.routing.outcomes import Outcome
from colony.routing.table import Learning, Model
from colony.routing.tiers import Tier

ABLE_CHANCE: Final = 0.8
"""What a model that serves the tier is thought to succeed with, until outcomes say otherwise: a judgement."""
_BELOW: Final = 0.4  # for each tier that a model falls short, its prior chance is multiplied by this
_SECONDS_SPREAD: Final = 1.0  # standard deviation of the logarithm of a duration, before two attempts were seen
_SECONDS_MIN: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Evidence:
    """Attempts of one model at one kind of task. Wins and losses fade; the other figures count every attempt."""

    wins: float = 0.0
    losses: float = 0.0
    attempts: int = 0
    cost_mean_microdollars: float = 0.0
    log_seconds_mean: float = 0.0
    log_seconds_squares: float = 0.0
    """Sum of squared deviations from the mean (Welford)."""

    def with_outcome(self, outcome: Outcome, evidence_max: float) -> Evidence:
        """The evidence with one more attempt; an unverified one counts for cost and time alone."""
        count = self.attempts + 1
        seconds = math.log(max(outcome.seconds, _SECONDS_MIN))
        deviation = seconds - self.log_seconds_mean
        mean = self.log_seconds_mean + deviation / count
        is_verified, known = outcome.success is not None, self.wins + self.losses
        kept = min(1.0, max(evidence_max - 1.0, 0.0) / known) if is_verified and known else 1.0
        return Evidence(
            wins=self.wins * kept + (is_verified and bool(outcome.success)),
            losses=self.losses * kept + (is_verified and not outcome.success),
            attempts=count,
            cost_mean_microdollars=self.cost_mean_microdollars
            + (outcome.cost_microdollars - self.cost_mean_microdollars) / count,
            log_seconds_mean=mean,
            log_seconds_squares=self.log_seconds_squares + deviation * (seconds - mean),
        )


NOTHING: Final = Evidence()


class Chance(NamedTuple):
    """A Beta distribution of a chance of success."""

    wins: float
    losses: float

    @property
    def mean(self) -> float:
        """Its expectation."""
        return self.wins / (self.wins + self.losses)


def prior_chance(model: Model, difficulty: Tier) -> float:
    """What a model is thought to succeed with before any attempt: 0.8, and less for each tier that it falls short."""
    short = max(0, difficulty - model.highest)
    return float(ABLE_CHANCE * _BELOW**short)


def chance(evidence: Evidence, prior: float, mass: float) -> Chance:
    """The posterior: a prior worth `mass` attempts, and the attempts seen."""
    return Chance(prior * mass + evidence.wins, (1.0 - prior) * mass + evidence.losses)


def expected_dollars(evidence: Evidence, listed_microdollars: float, learning: Learning) -> float:
    """Money and waiting of one attempt: `listed_microdollars` is the price before any attempt was seen.

    The waiting is the mean of a log-normal duration, exp(mu + sigma^2 / 2), valued at `hour_dollars`.
    """
    mass, seen = learning.prior_mass, evidence.attempts
    money = (mass * listed_microdollars + seen * evidence.cost_mean_microdollars) / (mass + seen) / 1e6
    mu, sigma = seconds_distribution(evidence, learning)
    return money + math.exp(mu + sigma * sigma / 2) / 3600 * learning.hour_dollars


def seconds_distribution(evidence: Evidence, learning: Learning) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of a duration in seconds, with the prior counted as `prior_mass`."""
    mass, seen = learning.prior_mass, evidence.attempts
    total = mass + seen
    prior_mu = math.log(learning.attempt_seconds) - _SECONDS_SPREAD**2 / 2  # so that the mean is attempt_seconds
    mu = (mass * prior_mu + seen * evidence.log_seconds_mean) / total
    between = mass * seen / total * (prior_mu - evidence.log_seconds_mean) ** 2 if seen else 0.0
    variance = (mass * _SECONDS_SPREAD**2 + evidence.log_seconds_squares + between) / total
    return mu, math.sqrt(variance)


def patience_seconds(evidence: Evidence, learning: Learning) -> float:
    """How long to wait for an attempt: about 19 of 20 end sooner (mu + 1.645 sigma of the logarithm)."""
    mu, sigma = seconds_distribution(evidence, learning)
    return math.exp(mu + 1.645 * sigma)
