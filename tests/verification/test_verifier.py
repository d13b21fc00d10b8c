"""From claims to verdicts: false ones are rare, true ones are found, and a constraint is held to the last digit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from colony.problems.candidate import Candidate
from colony.problems.evaluation import Evaluation
from colony.problems.problem import Problem
from colony.sandbox.protocol import Result
from colony.testing.inline import INLINE
from colony.verification.evaluator import Measured
from colony.verification.verifier import (
    ERROR_RATE,
    NOISE_REPEATS_IF_NOISY,
    REEVALUATIONS_MAX,
    Noise,
    measure_noise,
    verify,
)

SEED = Candidate.parameters({"x": 0.5})
OTHER = Candidate.parameters({"x": 0.7})
RUNS = 400


def problem(direction="maximise", **options):
    return Problem(space={"x": (0.0, 1.0)}, evaluate=lambda x: x, **{direction: "height"}, **options)


@dataclass
class Drawn:
    """An evaluator in memory: draws from a normal distribution; `mean` of candidates other than the seed."""

    rng: np.random.Generator
    mean: float = 0.0
    deviation: float = 1.0
    exact: dict | None = None
    statuses: list = field(default_factory=list)
    isolation = INLINE
    evaluations: int = 0

    def measure(self, proposals, seconds_max=None):
        return [self._one(p.candidate) for p in proposals]

    def _one(self, candidate):
        self.evaluations += 1
        mean = 0.0 if candidate.hash == SEED.hash else self.mean
        status = self.statuses.pop(0) if self.statuses else "ok"
        value = mean + self.deviation * float(self.rng.standard_normal()) if status != "failed" else None
        return Measured(Evaluation(status, value, reason=""), candidate, 1)

    def ask(self, op, candidate):
        return Result(status="ok", value=self.exact)

    def offers(self):
        return frozenset() if self.exact is None else frozenset({"exact"})

    def close(self):
        pass


def drawn(seed, **options):
    return Drawn(np.random.default_rng(seed), **options)


def one_claim(seed, mean, number=1, direction="maximise"):
    """Measure the seed's noise, then judge one lucky claim."""
    evaluator = drawn(seed, mean=mean)
    noise = measure_noise(evaluator, SEED)
    return verify(evaluator, problem(direction), noise, OTHER, 4.0, number=number)


def test_a_candidate_no_better_than_the_seed_is_hardly_ever_verified():
    """Under the null, lucky claims are verified at no more than the error rate of 1 percent (400 seeds)."""
    verified = sum(one_claim(seed, 0.0).verdict == "verified" for seed in range(RUNS))
    assert verified <= 2 * ERROR_RATE * RUNS


def test_claiming_again_and_again_does_not_wear_the_test_out():
    """Twenty false claims in one run together are verified about as rarely as a single one."""

    def any_verified(seed):
        evaluator = drawn(seed)
        noise = measure_noise(evaluator, SEED)
        judged = (verify(evaluator, problem(), noise, OTHER, 4.0, number=k) for k in range(1, 21))
        return any(v.verdict == "verified" for v in judged)

    runs = RUNS // 4
    assert sum(map(any_verified, range(runs))) <= 3 * ERROR_RATE * runs


def test_a_later_claim_has_to_show_more():
    """The same moderate gain that is believed of a first claim is not believed of the thousandth of a run."""
    verdicts = [[one_claim(seed, 2.0, number=k).verdict for seed in range(40)] for k in (1, 1000)]
    first, late = (sum(v == "verified" for v in judged) for judged in verdicts)
    assert first > late + 10


@pytest.mark.parametrize(("direction", "sign"), [("maximise", 1.0), ("minimise", -1.0)])
def test_a_gain_of_three_deviations_is_found(direction, sign):
    """A true gain of three standard deviations is verified nearly always, within the evaluations of one verdict."""
    verdicts = [one_claim(seed, 3.0 * sign, direction=direction) for seed in range(RUNS // 2)]
    assert sum(v.verdict == "verified" for v in verdicts) >= 0.98 * len(verdicts)
    assert max(v.evaluations for v in verdicts) <= REEVALUATIONS_MAX


def test_a_candidate_worse_than_the_seed_is_refuted_early():
    """A claim that is far worse than the seed costs a few evaluations, not all."""
    verdicts = [one_claim(seed, -4.0) for seed in range(50)]
    assert {v.verdict for v in verdicts} == {"refuted"}
    assert np.median([v.evaluations for v in verdicts]) < REEVALUATIONS_MAX / 2


def test_a_verdict_rests_on_fresh_values_only():
    """The value of a verified claim is the mean of the verifier's own evaluations, whatever was claimed."""
    verdict = one_claim(1, 5.0)
    assert verdict.value == pytest.approx(np.mean(verdict.values))
    assert abs(verdict.value - 5.0) < 2.0
    boast = verify(drawn(1, mean=5.0), problem(), Noise((0.1, -0.1, 0.2)), OTHER, 1e9)
    assert boast.value < 10


def test_a_verdict_keeps_to_what_it_may_use():
    """Where fewer evaluations are left than a verdict may take, it takes no more, and does not verify on too few."""
    evaluator = drawn(3, mean=50.0)
    verdict = verify(evaluator, problem(), Noise((0.1, -0.1, 0.2)), OTHER, 50.0, evaluations_max=2)
    assert (verdict.verdict, verdict.evaluations, evaluator.evaluations) == ("refuted", 2, 2)


def test_without_noise_one_fresh_evaluation_decides():
    """A deterministic evaluator must give the claimed value again, and it must beat the seed."""
    quiet = {"deviation": 0.0}
    noise = measure_noise(drawn(1, **quiet), SEED)
    assert (noise.is_noisy, noise.evaluations) == (False, 3)
    told = {mean: verify(drawn(1, mean=mean, **quiet), problem(), noise, OTHER, 2.0) for mean in (2.0, 1.0, 2.1)}
    assert {mean: v.verdict for mean, v in told.items()} == {2.0: "verified", 1.0: "refuted", 2.1: "refuted"}
    assert {v.evaluations for v in told.values()} == {1}
    no_gain = verify(drawn(1, mean=0.0, **quiet), problem(), noise, OTHER, 0.0)
    assert (no_gain.verdict, no_gain.reason) == ("refuted", "does not beat the seed's 0.0")


def test_noise_is_measured_with_more_repeats_where_there_is_some():
    """Three evaluations of the seed; ten where they differ; never more than the budget allows."""
    assert measure_noise(drawn(1), SEED).evaluations == NOISE_REPEATS_IF_NOISY
    assert measure_noise(drawn(1), SEED, 5).evaluations == 5
    assert measure_noise(drawn(1), SEED, 1).evaluations == 1


@pytest.mark.parametrize("status", ["failed", "infeasible"])
def test_a_claim_that_fails_once_is_refuted(status):
    """A candidate that one fresh evaluation finds failing or infeasible is no record."""
    evaluator = drawn(1, mean=9.0, statuses=["ok", status])
    verdict = verify(evaluator, problem(), Noise((0.1, -0.1, 0.2)), OTHER, 9.0)
    assert (verdict.verdict, verdict.value) == ("refuted", None)
    assert status in verdict.reason


@pytest.mark.parametrize(
    ("amount", "tolerances", "verdict"),
    [
        ("0/1", {}, "verified"),
        ("-1/3", {}, "verified"),
        ("1/1000000000000", {}, "refuted"),
        ("1/1099511627776", {"gap": 2.0**-40}, "verified"),
        ("1099511627777/1208925819614629174706176", {"gap": 2.0**-40}, "refuted"),
    ],
)
def test_the_exact_check_has_no_tolerance_but_the_stated_one(amount, tolerances, verdict):
    """In rational arithmetic a violation of 1e-12 refutes a claim, unless the problem forgives exactly that much."""
    evaluator = drawn(1, mean=2.0, deviation=0.0, exact={"gap": amount})
    found = verify(evaluator, problem(tolerances=tolerances), Noise((0.0, 0.0, 0.0)), OTHER, 2.0)
    assert found.verdict == verdict
    assert "gap" in found.exact


def test_a_seed_without_a_value_sets_no_bar():
    """Where the seed is infeasible, any candidate that is feasible each time is a gain."""
    quiet = verify(drawn(1, mean=-3.0, deviation=0.0), problem(), Noise((), ("infeasible",)), OTHER, -3.0)
    assert quiet.verdict == "verified"
