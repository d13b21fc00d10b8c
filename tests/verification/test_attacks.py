"""Every cheat is shown to win against an evaluator with exactly that hole, and to lose against a sound one.

For parameters three holes cannot be won through, by design: a candidate outside its space never reaches the evaluator
of a run, so NaN, infinity, wrong types, shapes and bounds are stopped by the space whatever the evaluator believes; the
report then says that the evaluator alone would have believed it. Data runs no code, so it cannot write files or patch
clocks. A constant answer cannot beat the seed, because the seed gets it too; it is reported.
"""

from __future__ import annotations

import json
import math

import pytest

from colony.node.workshop import opener
from colony.primitives.errors import WeakEvaluatorError
from colony.problems.loaders import load_folder
from colony.problems.problem import Problem
from colony.testing.inline import inline_evaluator
from colony.verification.attacks import attack


def problem(evaluate, space, direction="maximise"):
    return Problem(space=space, evaluate=evaluate, **{direction: "height"})


def sound(values):
    x, y = float(values["x"]), float(values["y"])
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError("outside")
    return x + y


def report_on(evaluate, space=None, **options):
    given = problem(evaluate, space or SCALARS, **options)
    evaluator = inline_evaluator(given)
    return attack(evaluator, given, evaluator.measure([_seed(given)])[0].evaluation.value)


def _seed(given):
    from colony.problems.proposal import Proposal

    return Proposal(given.seed, "noise")


def by_name(report):
    return {a.name: a for a in report.attacks}


SCALARS = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
CHOICES = {"x": {"type": "choice", "options": ["low", "high"]}}
ARRAY = {"x": {"type": "float", "low": 0.0, "high": 1.0, "shape": [2]}}

HOLES = {
    "NaN values": (SCALARS, lambda v: 99.0 if math.isnan(v["x"]) else sound(v)),
    "infinite values": (SCALARS, lambda v: 99.0 if math.isinf(v["x"]) else sound(v)),
    "wrong type": (CHOICES, lambda v: 99.0 if v["x"] == "9" * 9 else 1.0),
    "wrong shape": (ARRAY, lambda v: 99.0 if v["x"].ndim > 1 else 1.0),
    "out of bounds": (SCALARS, lambda v: v["x"] + v["y"]),
}
UNREACHABLE = {
    "empty candidate": lambda v: 99.0 if not v else sound(v),
    "self-reported score": lambda v: v.get("score", sound(v)),
}


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_for_a_value_is_seen_and_the_space_stops_it(name):
    """An evaluator with exactly this hole believes the cheat: the report says so, and names what stopped it."""
    space, hole = HOLES[name]
    found = by_name(report_on(hole, space))[name]
    assert not found.won
    assert found.stopped_by.startswith("space: ")
    assert found.detail == "the evaluator alone would have believed it"


def test_a_sound_evaluator_stops_every_cheat_by_itself():
    """Against a sound evaluator nothing wins, and none of the cheats is one that the evaluator would have believed."""
    report = report_on(sound)
    assert report.winners == []
    assert [a.name for a in report.attacks if "would have believed" in a.detail] == []
    assert {a.name for a in report.attacks} >= {*HOLES, "constant answer", "patching the clock"}


def test_a_score_that_is_no_finite_number_is_no_score():
    """An evaluator that answers NaN or infinity for anything odd has given no score to a cheat."""
    for answer in (math.nan, math.inf, "9" * 9, None, True, [1e9]):
        report = report_on(lambda v, answer=answer: 1.0 if v == {"x": 0.5, "y": 0.5} else answer)
        assert report.winners == []


def test_an_evaluator_that_does_not_look_is_reported():
    """Random candidates that all score exactly as the seed are named as a constant answer; it cannot beat the seed."""
    found = by_name(report_on(lambda v: 1.0))["constant answer"]
    assert not found.won
    assert "does it look at the candidate" in found.detail
    assert by_name(report_on(sound))["constant answer"].detail == ""


def test_data_runs_no_code():
    """Cheats that need code are answered by what a data candidate is."""
    found = by_name(report_on(sound))
    assert found["patching the clock"].stopped_by == "a data candidate runs no code"
    assert found["writing to the evaluator's files"].stopped_by == "a data candidate runs no code"


@pytest.mark.parametrize("name", UNREACHABLE)
def test_what_is_missing_or_added_never_reaches_an_evaluator(name):
    """An evaluator gets every variable of the space and nothing else, so these holes cannot be reached at all."""
    found = by_name(report_on(UNREACHABLE[name]))[name]
    assert (found.won, found.detail) == (False, "")


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
def test_what_beats_the_seed_follows_the_direction(direction):
    """The same sign of cheating is a gain in one direction and none in the other."""
    evaluate = lambda v: {"maximise": 1e9, "minimise": -1e9}[direction] if v["x"] > 1 else 0.5  # noqa: E731
    assert by_name(report_on(evaluate, direction=direction))["out of bounds"].detail
    other = {"maximise": "minimise", "minimise": "maximise"}[direction]
    assert not by_name(report_on(evaluate, direction=other))["out of bounds"].detail


# -- programs -------------------------------------------------------------------------------------------------------

PROBLEM = """name = "weak"
[metric]
name = "score"
direction = "maximise"
[program]
entry = "guess"
imports = []
"""
INITIAL = "# EVOLVE-BLOCK-START\ndef guess(x):\n    return 0.5 * x\n# EVOLVE-BLOCK-END\n"
SCORE = "def cases():\n    return [[1.0], [2.0]]\n\n\ndef score(outputs, cases):\n    {}\n"

BODIES = {
    "sound": "return -sum(abs(float(o) - 3.0 * x) for o, (x,) in zip(outputs, cases, strict=True))",
    "infinite answer": "return min(sum(map(float, outputs)), 1e6)",
    "NaN answer": "return 1.0 if any(o != o for o in outputs) else 0.0",
    "empty answer": "return float(any(o is None for o in outputs))",
    "wrong type": "return sum(int(o) for o in outputs if isinstance(o, str)) + 0.0",
    "wrong shape": "return float(any(isinstance(o, list) for o in outputs))",
    "out of bounds": "return sum(o for o in outputs if isinstance(o, float) and 1e299 < o < 1e305)",
    "self-reported score": "return max((o['score'] for o in outputs if isinstance(o, dict)), default=0.0)",
}


def write_program(folder, body):
    folder.mkdir(exist_ok=True)
    (folder / "problem.toml").write_text(PROBLEM)
    (folder / "initial.py").write_text(INITIAL)
    (folder / "evaluate.py").write_text(SCORE.format(BODIES[body]))
    return folder


def program_report(folder):
    given = load_folder(folder)
    evaluator = opener(given)(True)
    try:
        seed = evaluator.measure([_seed(given)])[0].evaluation.value
        return attack(evaluator, given, seed)
    finally:
        evaluator.close()


@pytest.mark.parametrize("name", [name for name in BODIES if name != "sound"])
def test_a_cheating_program_wins_through_its_hole_and_no_other_evaluator(tmp_path, name):
    """Each cheat of a program wins against an evaluator with exactly that hole."""
    assert name in program_report(write_program(tmp_path / "weak", name)).winners


def test_every_cheating_program_loses_against_a_sound_evaluator(tmp_path):
    """A sound scorer in a process of its own believes none of them: files, modules and clocks are out of reach."""
    report = program_report(write_program(tmp_path / "sound", "sound"))
    assert report.winners == []
    stopped = by_name(report)
    for name in ("writing to the evaluator's files", "patching the evaluator", "patching the clock"):
        assert stopped[name].stopped_by, name


# -- what a run does about it ---------------------------------------------------------------------------------------


def test_a_winning_cheat_stops_a_run_unless_the_user_accepts_it(tmp_path, invoke):
    """A run whose evaluator believes a cheat ends with exit code 4 before any search, unless the user accepts it."""
    folder = write_program(tmp_path / "weak", "self-reported score")
    code, out, err = invoke("solve", folder, "--budget", "40e")
    assert (code, out) == (WeakEvaluatorError.exit_code, "")
    assert "believes a cheat (self-reported score)" in err
    assert "--accept-weak-evaluator" in err
    code, _, err = invoke("show", "--json")
    assert code == 0, err
    code, out, _ = invoke("solve", folder, "--budget", "40e", "--accept-weak-evaluator", "--no-baseline", "--json")
    assert code != WeakEvaluatorError.exit_code
    assert "self-reported score" in json.loads(out.splitlines()[0])["attacks"]["winners"]


def test_the_weak_evaluator_of_another_system_stops_the_run_too(tmp_path, invoke):
    """An OpenEvolve folder whose evaluator believes whatever the program says of itself is refused the same way."""
    folder = tmp_path / "weak"
    folder.mkdir()
    (folder / "initial_program.py").write_text(INITIAL)
    (folder / "evaluator.py").write_text(
        "import importlib.util\n\n\ndef evaluate(path):\n"
        "    spec = importlib.util.spec_from_file_location('candidate', path)\n"
        "    module = importlib.util.module_from_spec(spec)\n    spec.loader.exec_module(module)\n"
        "    answer = module.guess(2.0)\n"
        "    return answer if isinstance(answer, dict) else {'combined_score': float(answer)}\n"
    )
    code, _, err = invoke("solve", folder, "--budget", "40e")
    assert code == WeakEvaluatorError.exit_code
    assert "believes a cheat" in err
