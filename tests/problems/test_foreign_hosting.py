"""Foreign evaluators run unchanged: through the sandbox where there is one, and the rules of their answers directly."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from colony.primitives.limits import ARTIFACT_CHARACTERS_MAX
from colony.problems.candidate import Candidate
from colony.problems.foreign import load
from colony.problems.foreign_hosting import CASCADE, clipped, fitness, open_openevolve, parts
from colony.problems.program import END, START
from colony.problems.proposal import Proposal
from colony.sandbox import bubblewrap
from colony.verification.programs import ForeignEvaluator

FIXTURES = Path(__file__).parent.parent / "fixtures"
BEST = {"1.0": "3.0"}

needs_sandbox = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="foreign code needs bubblewrap"
)


@pytest.fixture(scope="module", params=["openevolve_line", "openevolve_plain", "shinka_wave"])
def foreign(request):
    """A problem of each fixture with its evaluator in a sandbox."""
    problem = load(FIXTURES / request.param)
    evaluator = ForeignEvaluator.open(problem, bubblewrap.sandbox())
    yield problem, evaluator
    evaluator.close()


def changed(problem, old, new):
    """The seed with a piece of text replaced."""
    return Candidate.program({path: text.replace(old, new) for path, text in problem.program.files.items()})


def measure(problem, evaluator, *candidates):
    return [m.evaluation for m in evaluator.measure([Proposal(c, "test") for c in candidates])]


@needs_sandbox
def test_the_seed_and_a_better_program_are_scored(foreign):
    """With the evaluator's own numbers, and without the packages it was written for."""
    problem, evaluator = foreign
    better = {
        "openevolve_line": ("slope = 1.0", "slope = 3.0", 1.0),
        "openevolve_plain": ("6.0", "10.0", 6.0),
        "shinka_wave": ("0.5 + 0.1 * seed", "1.5", 0.9974949866040544),
    }
    old, new, value = better[problem.name]
    seed, best = measure(problem, evaluator, problem.seed, changed(problem, old, new))
    assert best.status == "ok"
    assert best.value == value
    assert seed.value < value


@needs_sandbox
def test_a_crash_a_wrong_exit_and_a_syntax_error_cost_only_themselves(foreign):
    """Neighbours before and after are scored as ever."""
    problem, evaluator = foreign
    region = next(piece for _frozen, pieces in problem.program.regions.values() for piece in pieces)
    bad = [changed(problem, region, text) for text in ("1 / 0\n", "import os\nos._exit(0)\n", "def (\n")]
    first, *failed, last = measure(problem, evaluator, problem.seed, *bad, problem.seed)
    assert first == last or problem.name == "shinka_wave"  # whose metrics hold execution times
    assert first.value == last.value
    assert [f.status for f in failed if f.value is None] == ["failed"] * 3


@needs_sandbox
def test_a_program_that_stops_early_in_the_cascade_is_infeasible():
    """Its score is of another kind than a full one, so the two are never compared."""
    problem = load(FIXTURES / "openevolve_line")
    evaluator = ForeignEvaluator.open(problem, bubblewrap.sandbox())
    early, full = measure(problem, evaluator, problem.seed, changed(problem, "slope = 1.0", "slope = 2.5"))
    evaluator.close()
    assert (early.status, early.violations, early.value) == ("infeasible", {CASCADE: 1.0}, 0.5)
    assert full.status == "ok"
    assert full.metrics["stage1"] == 1.0


@needs_sandbox
def test_the_folder_of_the_evaluator_cannot_be_written():
    """A candidate that rewrites the evaluator finds a read-only folder."""
    problem = load(FIXTURES / "openevolve_plain")
    evaluator = ForeignEvaluator.open(problem, bubblewrap.sandbox())
    target = str(problem.evaluator.folder / "evaluator.py")
    cheat = f"def answer():\n    open({target!r}, 'w').write('x')\n    return 1e9\n"
    (refused,) = measure(problem, evaluator, Candidate.program({"initial_program.py": f"# {START}\n{cheat}# {END}\n"}))
    evaluator.close()
    assert refused.status == "failed"
    assert "Read-only" in refused.reason or "Permission" in refused.reason


@needs_sandbox
def test_shinkas_verdict_incorrect_is_no_score():
    """A run that its own evaluator calls incorrect has no value, whatever combined_score says."""
    problem = load(FIXTURES / "shinka_wave")
    evaluator = ForeignEvaluator.open(problem, bubblewrap.sandbox())
    (wrong,) = measure(problem, evaluator, changed(problem, "0.5 + 0.1 * seed", "7.9"))
    measured = evaluator.measure([Proposal(problem.seed, "test")])[0]
    evaluator.close()
    assert (wrong.status, wrong.value) == ("failed", None)
    assert "out of range" in wrong.reason
    assert measured.notes["artifacts"]["text_feedback"] == "move towards half pi"
    assert "best" not in measured.evaluation.metrics  # private metrics stay private


def test_combined_score_goes_before_everything():
    """OpenEvolve's rule."""
    assert fitness({"combined_score": 2.0, "other": 100.0}, ()) == 2.0
    assert fitness({"combined_score": "high", "other": 100.0}, ()) is None


def test_without_it_the_mean_of_the_numeric_metrics_counts():
    """Flags and texts are no numbers; feature dimensions are no score unless there is nothing else."""
    assert fitness({"a": 1.0, "b": 3, "ok": True, "note": "x", "complexity": 99.0}, ("complexity",)) == 2.0
    assert fitness({"complexity": 99.0}, ("complexity",)) == 99.0
    assert fitness({"note": "x"}, ()) is None


def test_an_answer_of_another_type_is_an_error():
    """Not a score of zero."""
    with pytest.raises(TypeError, match="returned float"):
        parts(0.5)


def test_artifacts_are_bounded_together():
    """A flood of notes is cut, bytes become text."""
    kept = clipped({"a": b"\xff" * 10, "b": "x" * 10**6, "c": "y"})
    assert sum(map(len, kept.values())) == ARTIFACT_CHARACTERS_MAX
    assert kept["c"] == ""


def test_a_candidate_that_replaces_the_evaluators_functions_changes_nothing(tmp_path, monkeypatch):
    """They are taken from the module before any candidate runs."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(os.environ, "PYTHONPATH", "")
    (tmp_path / "evaluator.py").write_text(
        "import runpy\ndef evaluate(path):\n    runpy.run_path(path)\n    return {'combined_score': 1.0}\n"
    )
    host = open_openevolve({"folder": str(tmp_path), "evaluator": "evaluator.py"})
    cheat = "import sys\nsys.modules['evaluation_module'].evaluate = lambda path: {'combined_score': 1e300}\n"
    answers = [host({"files": {"initial_program.py": cheat}})["value"] for _ in range(2)]
    assert answers == [1.0, 1.0]
    sys.modules.pop("evaluation_module")
