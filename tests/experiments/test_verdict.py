"""The verdict: yes and no exactly where the thresholds say."""

import pytest
from test_comparison import invented

from colony.experiments.report import best_size, report, summary
from colony.experiments.verdict import verdict, verdicts

PLAIN = {"quality": 1.0, "seconds": 1.0}


@pytest.mark.parametrize(
    ("swarm", "better", "faster", "worth_it"),
    [
        (PLAIN, False, False, False),
        ({"quality": 1.11, "seconds": 1.0}, True, False, True),
        ({"quality": 1.09, "seconds": 1.0}, False, False, False),
        ({"quality": 1.0, "seconds": 0.69}, False, True, True),
        ({"quality": 1.0, "seconds": 0.71}, False, False, False),
        ({"quality": 0.5, "seconds": 0.5}, False, True, True),
        ({"quality": 1.5, "seconds": 0.5, "overhead": 0.21}, True, True, False),
        ({"quality": 1.5, "seconds": 0.5, "overhead": 0.19}, True, True, True),
        ({"quality": 1.0, "seconds": None}, False, False, False),
    ],
)
def test_thresholds(swarm, better, faster, worth_it):
    """A tenth better, or three tenths faster, and less than a fifth of overhead."""
    found = verdict(invented(swarm, PLAIN), "wave-3d", "evaluations", 2)
    assert (found.better, found.faster, found.worth_it) == (better, faster, worth_it)


def test_a_gain_that_chance_explains_is_none():
    """A median that is higher by a fifth counts for nothing if the interval of the ratio holds 1."""
    comparison = invented({"quality": 1.2, "seconds": 1.0}, PLAIN)
    noisy = []
    for row in comparison.rows:
        factor = 0.2 if row.configuration == "swarm" and row.seed % 2 else 1.0
        noisy.append(
            type(row)(
                row.task,
                row.basis,
                row.configuration,
                row.agents,
                row.seed,
                {**row.figures, "quality": row["quality"] * factor},
                row.curve,
            )
        )
    found = verdict(type(comparison)(comparison.plan, comparison.machine, tuple(noisy)), "wave-3d", "evaluations", 2)
    assert found.quality_ratio.low < 1
    assert not found.better


def test_a_swarm_that_solves_where_parallel_never_does_is_faster():
    """An infinite time is a time: the ratio is zero."""
    found = verdict(invented(PLAIN, {"quality": 1.0, "seconds": None}), "wave-3d", "evaluations", 2)
    assert (found.time_ratio.median, found.faster) == (0.0, True)


def test_no_is_said_as_plainly_as_yes():
    """The report has the word in its table, and one sentence for all tasks."""
    yes, no = invented({"quality": 2.0, "seconds": 1.0}, PLAIN), invented(PLAIN, PLAIN)
    assert "| **yes** |" in "\n".join(report(yes))
    assert "| **no** |" in "\n".join(report(no))
    assert summary(verdicts(yes)) == "**Yes** on 1 of 1 tasks: wave-3d."
    assert summary(verdicts(no)) == "**No**: on none of 1 tasks is the swarm worth it."
    assert "both run" in summary([])


def test_what_was_not_run_is_not_judged():
    """No verdict without both sides."""
    assert verdict(invented(PLAIN, PLAIN), "wave-3d", "evaluations", 16) is None
    assert verdict(invented(PLAIN, PLAIN), "wave-3d", "wall", 2) is None


def test_the_best_size_is_that_of_the_shortest_time():
    """Named with its seconds; nothing is named where nothing was solved."""
    assert best_size(invented({"quality": 1.0, "seconds": 0.5}, PLAIN), "wave-3d").startswith("quickest with 2 agents")
    assert "not solved" in best_size(invented({"quality": 1.0, "seconds": None}, PLAIN), "wave-3d")
