"""The ledger: a pure fold of outcomes into chances, costs, durations and fixes."""

import math

import numpy as np
import pytest
from choosing import model, outcome, outcomes
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import UsageError
from colony.routing.evidence import (
    ABLE_CHANCE,
    NOTHING,
    chance,
    expected_dollars,
    patience_seconds,
    prior_chance,
    seconds_distribution,
)
from colony.routing.fingerprints import fingerprint
from colony.routing.ledger import EMPTY, Fix, ledger_of
from colony.routing.outcomes import outcome_from
from colony.routing.table import Learning
from colony.routing.tiers import Tier

LEARNING = Learning()


@given(outcomes(), st.integers(0, 30))
def test_a_fold(past, place):
    """Folding the first part and then the rest is folding all of it, and folding again gives the same."""
    whole = ledger_of(past, evidence_max=20)
    assert ledger_of(past[:place], evidence_max=20).with_outcomes(past[place:], evidence_max=20) == whole
    assert ledger_of(past, evidence_max=20) == whole
    assert whole.outcomes == len(past)
    assert whole.cost_microdollars == sum(each.cost_microdollars for each in past)


@given(outcomes())
def test_counts(past):
    """Below the fading limit, wins and losses are the verified attempts, and the unverified ones teach no chance."""
    for (kind, tier, name), evidence in ledger_of(past, evidence_max=100).rows():
        own = [each for each in past if (each.kind, each.tier, each.model) == (kind, tier, name)]
        assert evidence.wins == sum(each.success is True for each in own)
        assert evidence.losses == sum(each.success is False for each in own)
        assert evidence.attempts == len(own)
        assert evidence.cost_mean_microdollars == pytest.approx(np.mean([each.cost_microdollars for each in own]))


@given(st.lists(st.floats(0.01, 1e4), min_size=2, max_size=40))
def test_durations(seconds):
    """The running figures of durations are the mean and the variance of their logarithms."""
    evidence = NOTHING
    for each in seconds:
        evidence = evidence.with_outcome(outcome(seconds=each), 100)
    logs = np.log(seconds)
    assert evidence.log_seconds_mean == pytest.approx(logs.mean(), abs=1e-9)
    assert evidence.log_seconds_squares == pytest.approx(logs.var() * len(seconds), abs=1e-6)


def test_what_is_expected_before_and_after():
    """Before any attempt the list price and the stated duration hold; after many, what was seen does."""
    assert expected_dollars(NOTHING, 1_000_000, LEARNING) == pytest.approx(1 + 60 / 3600)
    evidence = NOTHING
    for _ in range(2000):
        evidence = evidence.with_outcome(outcome(seconds=7.2, cost_microdollars=50_000), 60)
    assert expected_dollars(evidence, 1_000_000, LEARNING) == pytest.approx(0.05 + 7.2 / 3600, rel=0.05)
    mu, sigma = seconds_distribution(evidence, LEARNING)
    assert math.exp(mu) == pytest.approx(7.2, rel=0.01)
    assert sigma < 0.12
    assert patience_seconds(evidence, LEARNING) < patience_seconds(NOTHING, LEARNING)


def test_old_attempts_fade():
    """A model that has changed is believed in its new form after about as many attempts as are remembered."""
    evidence = NOTHING
    for _ in range(500):
        evidence = evidence.with_outcome(outcome(success=True), 20)
    for _ in range(40):
        evidence = evidence.with_outcome(outcome(success=False), 20)
    assert evidence.wins + evidence.losses == pytest.approx(20)
    assert chance(evidence, 0.8, 4).mean < 0.3
    assert evidence.attempts == 540


@pytest.mark.parametrize("difficulty", list(Tier)[1:5])
def test_priors_follow_the_tier(difficulty):
    """Whoever serves the tier is thought able; each tier that a model falls short makes it less so."""
    priors = [prior_chance(model("m", tiers=(Tier.T1, highest)), difficulty) for highest in list(Tier)[1:5]]
    assert priors == sorted(priors)
    assert priors[-1] == ABLE_CHANCE
    assert all((prior == ABLE_CHANCE) == (highest >= difficulty) for highest, prior in enumerate(priors, 1))


def test_solvers_have_no_model():
    """What solvers did is counted, and is no evidence on any model."""
    ledger = ledger_of([outcome(None, tier=Tier.T0)], evidence_max=20)
    assert ledger.outcomes == 1
    assert not list(ledger.rows())


def test_what_fixed_it():
    """An error is fixed by the next verified success of its task, with its commit; not by one of another task."""
    error = str(fingerprint("bash: foo: command not found"))
    other = str(fingerprint("Permission denied"))
    past = [
        outcome("a", task="X-1", success=False, fingerprint=error),
        outcome("a", task="X-2", success=True, commit="0" * 40),
        outcome("a", task="X-1", success=False, fingerprint=other),
        outcome("a", task="X-1", success=None, commit="f" * 40),
    ]
    assert ledger_of(past, evidence_max=20).fixed_by(error) == ()
    ledger = ledger_of([*past, outcome("b", task="X-1", success=True, commit="1" * 40)], evidence_max=20)
    fix = Fix("X-1", "1" * 40, "worker", "b")
    assert ledger.fixed_by(error) == ledger.fixed_by(other) == (fix,)
    assert ledger.fixed_by("missing:0") == ()
    again = ledger.with_outcomes([outcome("a", task="X-1", success=True)], evidence_max=20)
    assert again.fixed_by(error) == (fix,)


def test_similar_errors():
    """The same text under another type comes first, then errors with most words in common; others not at all."""
    texts = [
        "error[E0308]: mismatched types in function call",
        "error[E0308]: mismatched types in method call",
        "ssh: connect to host 10.0.0.1 port 22: Connection refused",
    ]
    marks = [fingerprint(text) for text in texts]
    past = [outcome(success=False, fingerprint=str(mark), error=mark.text, task=mark.hash) for mark in marks]
    ledger = ledger_of([*past, outcome(success=True, task=marks[1].hash, commit="c")], evidence_max=20)
    found = ledger.similar(str(marks[0]))
    assert [each.fingerprint for each in found] == [str(marks[1])]
    assert found[0].fixes[0].commit == "c"
    moved = f"cmd:{marks[0].hash}"
    assert ledger.similar(moved)[0] == (str(marks[0]), 1.0, ())
    assert EMPTY.similar(str(marks[0]), text=marks[0].text) == ()


@given(outcomes())
def test_bodies_come_back(past):
    """The body of a record is canonical JSON, and gives back the outcome."""
    for each in past:
        assert outcome_from(parse(canonical(each.body()))) == each


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", None),
        ("kind", 3),
        ("tier", 6),
        ("tier", True),
        ("seconds", -1),
        ("seconds", math.inf),
        ("success", "yes"),
    ],
)
def test_bodies_that_are_wrong(field, value):
    """A body with a wrong field is refused, and the field named."""
    with pytest.raises(UsageError, match=f"outcome: {field}: "):
        outcome_from({**outcome().body(), field: value})


def test_bodies_of_a_newer_version():
    """Keys that this version does not know are passed over."""
    assert outcome_from({**outcome().body(), "mood": "fine"}) == outcome()
