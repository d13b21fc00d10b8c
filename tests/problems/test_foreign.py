"""Folders of OpenEvolve and ShinkaEvolve as problems: what is read from them, and what is said when they are broken."""

import shutil
from pathlib import Path

import pytest

from colony.primitives.errors import ProblemError
from colony.problems.foreign import load, load_openevolve
from colony.problems.loaders import find_folder

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def folder(tmp_path):
    """A copy of an OpenEvolve folder that a test may spoil."""
    return Path(shutil.copytree(FIXTURES / "openevolve_line", tmp_path / "line"))


def test_an_openevolve_folder_brings_its_settings():
    """Statement, time limit, budget and cascade come from config.yaml; keys about models are passed over."""
    problem = load(FIXTURES / "openevolve_line")
    assert problem.evaluator.style == "openevolve"
    assert problem.statement == "Improve the prediction of a line."
    assert (problem.timeout_seconds, problem.budget.experiments) == (20.0, 40)
    assert problem.evaluator.options["thresholds"] == [0.6]
    assert problem.metric.direction == "maximise"


def test_a_shinka_folder_brings_its_task_message():
    """It is read from run_evo.py, which is never run (it would not import here)."""
    problem = load(FIXTURES / "shinka_wave")
    assert problem.evaluator.style == "shinka"
    assert problem.statement == "Find where the wave is highest."


@pytest.mark.parametrize("name", ["openevolve_line", "openevolve_plain", "shinka_wave"])
def test_sharing_a_process_with_the_candidate_is_on_record(name):
    """Whoever reads a score can see that evaluator and candidate were not kept apart."""
    assert load(FIXTURES / name).evaluator.options["shared_process"] is True


def test_a_seed_without_markers_is_mutable_as_a_whole():
    """As in OpenEvolve; the two marker lines are ours and are taken away before it runs."""
    problem = load(FIXTURES / "openevolve_plain")
    assert problem.evaluator.options["unmarked"] is True
    assert problem.program.regions["initial_program.py"][1] == ("def answer():\n    return 6.0\n",)


def test_seeds_in_other_languages_keep_their_suffix(folder):
    """The evaluator gets a file of the suffix it expects."""
    (folder / "initial_program.py").rename(folder / "initial_program.rs")
    assert list(load(folder).program.files) == ["initial_program.rs"]


def test_native_folders_are_loaded_too():
    """One door for the three styles."""
    assert load(find_folder("bin-packing")).evaluator.style == "folder"


def test_the_evaluators_hash_follows_its_content_and_not_the_output_of_runs(folder):
    """A changed helper file changes the meaning of a score; results of an earlier run and the seed do not."""
    first = load(folder).evaluator.hash
    (folder / "openevolve_output").mkdir()
    (folder / "openevolve_output" / "best.py").write_text("x = 1\n")
    (folder / "initial_program.py").write_text("# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\n")
    assert load(folder).evaluator.hash == first
    (folder / "points.json").write_text("[9]\n")
    assert load(folder).evaluator.hash != first


def test_a_folder_without_configuration_has_the_defaults_of_openevolve():
    """Five minutes for an evaluation, and the cascade where the evaluator has stages."""
    problem = load(FIXTURES / "openevolve_plain")
    assert problem.timeout_seconds == 300.0
    assert problem.evaluator.options["thresholds"] == [0.5, 0.75, 0.9]


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("evaluator: {timeout: soon}", "evaluator.timeout: must be a number of seconds"),
        ("evaluator: {timeout: 0}", "evaluator.timeout: must be a number of seconds"),
        ("evaluator: {cascade_thresholds: [high]}", "evaluator.cascade_thresholds: must be a list of numbers"),
        ("evaluator: {cascade_evaluation: 1}", "evaluator.cascade_evaluation: must be of type bool"),
        ("max_iterations: true", "max_iterations: must be of type int"),
        ("evaluator: {timeout", "broken YAML"),
        ("- a list", "must be a mapping"),
    ],
)
def test_a_broken_configuration_is_named_with_file_and_key(folder, config, complaint):
    """One sentence: what, where."""
    (folder / "config.yaml").write_text(config)
    with pytest.raises(ProblemError, match=complaint) as caught:
        load(folder)
    assert "config.yaml" in str(caught.value)


def test_a_missing_seed_is_named(folder):
    """It says which file evolution would start from."""
    (folder / "initial_program.py").unlink()
    with pytest.raises(ProblemError, match=r"initial_program\.\*: missing"):
        load_openevolve(folder)


def test_a_folder_of_no_style_is_refused_with_what_is_missing(tmp_path):
    """The message lists what each style needs."""
    with pytest.raises(ProblemError, match=r"problem\.toml and evaluate\.py, or evaluator\.py"):
        load(tmp_path)


def test_a_relative_path_is_made_absolute(monkeypatch):
    """The sandbox shows the folder under its full name."""
    monkeypatch.chdir(FIXTURES)
    assert load(Path("shinka_wave")).evaluator.folder == (FIXTURES / "shinka_wave").resolve()
