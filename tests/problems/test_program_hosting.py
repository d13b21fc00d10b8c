"""Hosts of native program problems, called in this process: running a candidate, and scoring what it returned."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.problems.program_hosting import open_program, open_scorer, plain, run_program


def run(files, cases, entry="f"):
    return run_program({"files": files, "entry": entry, "cases": cases})["outputs"]


def test_the_entry_is_called_once_for_each_case():
    """Each case is a list of arguments."""
    assert run({"initial.py": "def f(a, b):\n    return a * b\n"}, [[2, 3], [4, 5]]) == [6, 20]


def test_files_import_each_other_by_name():
    """A program of several files needs no disk, packages included."""
    files = {
        "initial.py": "from part.inner import g\ndef f(x):\n    return g(x) + 1\n",
        "part/__init__.py": "",
        "part/inner.py": "def g(x):\n    return 10 * x\n",
    }
    assert run(files, [[2]]) == [21]


def test_a_folder_without_init_is_a_package():
    """As in Python itself."""
    files = {"initial.py": "import part.inner\ndef f():\n    return part.inner.x\n", "part/inner.py": "x = 3\n"}
    assert run(files, [[]]) == [3]


def test_two_candidates_in_one_process_do_not_meet():
    """The module of the first is forgotten before the second is imported."""
    assert run({"initial.py": "def f():\n    return 1\n"}, [[]]) == [1]
    assert run({"initial.py": "def f():\n    return 2\n"}, [[]]) == [2]
    assert "initial" not in sys.modules


def test_a_program_without_the_entry_is_refused():
    """The message names the missing function."""
    with pytest.raises(AttributeError, match=r"no function f\(\)"):
        run({"initial.py": "g = 1\n"}, [[]])


def test_the_candidates_host_loads_what_it_may_import_before_any_fork():
    """The import is paid once."""
    sys.modules.pop("colorsys", None)
    open_program({"imports": ["colorsys"]})
    assert "colorsys" in sys.modules


@given(st.recursive(st.integers() | st.floats(allow_nan=False) | st.text(), st.lists, max_leaves=20))
def test_plain_values_stay_as_they_are(value):
    """What JSON carries passes unchanged."""
    assert plain(value) == value


def test_arrays_tuples_and_sets_become_lists():
    """Candidates that use numpy need no conversion of their own."""
    numpy = pytest.importorskip("numpy")
    value = {"a": numpy.arange(3), "b": (numpy.float64(0.5), {7}), 3: [(1, 2)]}
    assert json.loads(json.dumps(plain(value))) == {"a": [0, 1, 2], "b": [0.5, [7]], "3": [[1, 2]]}


@pytest.fixture
def scorer(tmp_path, monkeypatch):
    """A scorer whose evaluator spoils the cases it is given."""
    (tmp_path / "evaluate.py").write_text(
        "def cases():\n    return [[[1, 2]], [(3,)]]\n"
        "def score(outputs, cases):\n    value = sum(outputs) - sum(cases[0][0])\n    cases.clear()\n    return value\n"
    )
    (tmp_path / "holdout.py").write_text("def holdout_cases():\n    return [[[100]]]\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("evaluate", "holdout"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield open_scorer({"folder": str(tmp_path)})
    for name in ("evaluate", "holdout"):
        sys.modules.pop(name, None)


def test_an_evaluator_that_spoils_its_cases_spoils_one_scoring_only(scorer):
    """Every scoring gets fresh cases."""
    assert scorer({"op": "cases"}) == [[[1, 2]], [[3]]]
    assert [scorer({"op": "score", "outputs": [5]}) for _ in range(2)] == [2, 2]


def test_hold_out_scores_use_the_unseen_cases(scorer):
    """They come from holdout.py, and the same `score` judges."""
    assert scorer({"op": "has"}) == ["holdout"]
    assert scorer({"op": "holdout_cases"}) == [[[100]]]
    assert scorer({"op": "holdout", "outputs": [101]}) == 1


def test_an_unknown_request_is_refused(scorer):
    """A typing error in the engine must not look like a score."""
    with pytest.raises(ValueError, match="unknown request"):
        scorer({"op": "scores"})
