"""Each of the five budgets ends a real run by its name, and none of those that can be counted is ever overrun."""

from __future__ import annotations

import random

import pytest

from colony.node.replaying import replay
from colony.primitives.errors import BudgetError
from colony.problems.problem import Problem
from colony.testing.simulate import problems
from running import folder_of

BOWL, STEPS, RIDGE = problems()


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("problem", problems(), ids=lambda p: p.name)
@pytest.mark.parametrize("budget", [20, 47, 133])
def test_evaluations_are_never_overrun(course, problem, budget, deterministic):
    """Whatever the problem: noise, attacks, search and verification together stay within the budget."""
    run = course(problem, f"{budget}e", deterministic=deterministic, baseline=False)
    result = run.run()
    assert result.evaluations <= budget
    assert replay(folder_of(result)).state.evaluations == result.evaluations


@pytest.mark.parametrize("budget", [24, 60, 130])
@pytest.mark.parametrize("deterministic", [True, False])
def test_a_noisy_evaluator_gets_no_more(course, budget, deterministic):
    """Verdicts on a noisy evaluator take many evaluations, and these come out of the same budget."""
    for seed in range(4):
        noise = random.Random(seed)
        problem = Problem(space={"x": (0.0, 1.0)}, evaluate=lambda x: noise.gauss(x, 1.0), maximise="h")  # noqa: B023
        result = course(problem, f"{budget}e", deterministic=deterministic, baseline=False, seed=seed).run()
        assert result.evaluations <= budget


@pytest.mark.parametrize("deterministic", [True, False])
def test_experiments_are_never_overrun(course, deterministic):
    """A budget in experiments counts proposals, whatever each of them costs."""
    result = course(BOWL, "37x", deterministic=deterministic, baseline=False).run()
    assert result.experiments <= 37
    assert result.reason == "budget: experiments"


def test_wall_time_ends_a_run_in_the_middle_of_a_search(course):
    """A budget in seconds ends a run that would go on, and what it found is verified."""
    result = course(BOWL, "0.5s", deterministic=False, baseline=False).run()
    assert result.reason == "budget: wall seconds"
    assert result.best.status == "verified"


def test_cpu_time_ends_a_run(tmp_path, invoke):
    """CPU seconds are those of the evaluators, as the sandbox measures them."""
    folder = tmp_path / "busy"
    folder.mkdir()
    (folder / "problem.toml").write_text(
        '[metric]\nname = "h"\ndirection = "maximise"\n[space.x]\ntype = "float"\nlow = 0.0\nhigh = 1.0\n'
    )
    (folder / "evaluate.py").write_text("def evaluate(x):\n    return sum(i % 7 for i in range(100_000)) * 0 + x\n")
    code, out, err = invoke("solve", folder, "--budget", "0.5cs", "--no-baseline")
    assert code == 0, err
    assert "budget: cpu seconds" in out


def test_money_that_is_not_spent_does_not_bind(course):
    """Agents that need no paid model run under a budget of no money at all, and cost nothing."""
    result = course(BOWL, "0usd,60e").run()
    assert (result.reason, result.cost) == ("budget: evaluations", 0.0)


@pytest.mark.parametrize("budget", ["0e", "5e", "0x", "0s", "0cs", "60e,0x"])
def test_a_budget_too_small_for_one_cycle_is_refused_at_once(course, budget):
    """No run is made that could not measure, propose and verify."""
    run = course(BOWL, budget, deterministic=False)
    with pytest.raises(BudgetError, match="too small for one cycle"):
        run.settings.budget_for(BOWL)


def test_the_first_of_several_budgets_binds(course):
    """Budgets are joined by commas, and each of them holds."""
    result = course(STEPS, "400e,30x", deterministic=False, baseline=False).run()
    assert result.experiments <= 30
    assert result.evaluations <= 400
    assert result.reason == "budget: experiments"
