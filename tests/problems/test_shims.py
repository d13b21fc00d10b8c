"""The names that foreign evaluators import: what they do without the packages they were written for."""

import json
import math

import pytest

from colony.problems.shims.openevolve.evaluation_result import EvaluationResult
from colony.problems.shims.shinka.core import run_shinka_eval


def evaluate(tmp_path, source, **options):
    """Run `f` of a program; returns (metrics, correct, error) and the content of the two files."""
    program = tmp_path / "initial.py"
    program.write_text(source)
    answer = run_shinka_eval(str(program), str(tmp_path / "out"), "f", **{"num_runs": 2, **options})
    files = [json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("metrics", "correct")]
    return answer, files


def total(results):
    return {"combined_score": sum(results), "extra_data": object()}


def test_runs_get_their_arguments_and_results_are_aggregated(tmp_path):
    """The two files hold what was returned; data that is no JSON is left out of them."""
    options = {"get_experiment_kwargs": lambda index: {"x": 10 * index}, "aggregate_metrics_fn": total}
    (metrics, correct, error), files = evaluate(tmp_path, "def f(x):\n    return x + 1\n", **options)
    assert (metrics["combined_score"], correct, error) == (12, True, None)
    assert files[0]["combined_score"] == 12
    assert "extra_data" not in files[0]
    assert files[1] == {"correct": True, "error": None}


def test_without_arguments_each_run_gets_its_seed(tmp_path):
    """Seeds count from one."""
    (metrics, _, _), _ = evaluate(tmp_path, "def f(seed):\n    return seed\n", aggregate_metrics_fn=total)
    assert metrics["combined_score"] == 3


def test_a_run_that_is_not_valid_makes_the_program_incorrect(tmp_path):
    """The first fault is the error, and metrics are still written."""
    options = {"aggregate_metrics_fn": total, "validate_fn": lambda result: (result < 2, f"{result} is too much")}
    (metrics, correct, error), files = evaluate(tmp_path, "def f(seed):\n    return seed\n", **options)
    assert (correct, error) == (False, "Validation failed: 2 is too much")
    assert (metrics["num_valid_runs"], metrics["num_invalid_runs"]) == (1, 1)
    assert files[1]["correct"] is False


@pytest.mark.parametrize("source", ["def f(seed):\n    return 1 / 0\n", "def g():\n    pass\n", "def f(:\n"])
def test_whatever_the_program_raises_is_its_error(tmp_path, source):
    """The score is zero and the program incorrect."""
    (metrics, correct, error), _ = evaluate(tmp_path, source, aggregate_metrics_fn=total)
    assert (metrics["combined_score"], correct) == (0.0, False)
    assert error


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_incorrect(tmp_path, score):
    """As in the original."""
    answer, _ = evaluate(
        tmp_path, "def f(seed):\n    return 1\n", aggregate_metrics_fn=lambda _: {"combined_score": score}
    )
    assert answer[1] is False


def test_settings_of_newer_versions_are_accepted(tmp_path):
    """Early stopping, parallel runs and unknown keywords change nothing here."""
    options = {"run_workers": 4, "early_stop_method": "ci", "early_stop_threshold": 1.0, "something_new": 1}
    (metrics, correct, _), _ = evaluate(tmp_path, "def f(seed):\n    return 1\n", **options)
    assert (metrics["num_successful_runs"], correct) == (2, True)


def test_an_evaluation_result_measures_its_artifacts():
    """Text counts in bytes of UTF-8."""
    result = EvaluationResult.from_dict({"combined_score": 1.0})
    assert (result.to_dict(), result.has_artifacts()) == ({"combined_score": 1.0}, False)
    result.artifacts.update({"text": "é", "bytes": b"abc"})
    assert result.get_artifact_keys() == ["text", "bytes"]
    assert (result.get_artifact_size("text"), result.get_artifact_size("none")) == (2, 0)
    assert result.get_total_artifact_size() == 5
