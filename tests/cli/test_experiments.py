"""The commands of the experiments and of their comparison, as a user types them."""

from __future__ import annotations

import json
import re

import pytest

from colony.cli.trial_progress import shown_of

SOLVED = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
EASY = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"


def said(invoke, *arguments):
    code, out, err = invoke(*arguments, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


@pytest.mark.parametrize("processes", [1, 2])
def test_optimisation_ends_with_a_run_that_replays(invoke, processes):
    """In threads or processes: the score, the counters of the memory, and a journal that gives the memory back."""
    found = said(invoke, "experiment", "optimisation", "--evaluations", "120", "--agents", "3", "-p", processes)
    assert (found["evaluations"], found["duplicates"]) == (120, 0)
    assert found["memory"]["commits"] > 0
    replayed = said(invoke, "replay", found["run"])
    assert (replayed["state_hash"], replayed["matches"]) == (found["state_hash"], True)
    assert said(invoke, "audit", found["run"])["ok"]
    assert said(invoke, "show", found["run"])["memory"]["best"][0] == found["score"]
    assert said(invoke, "runs")["runs"][0]["evaluations"] == 120


def test_sudoku_prints_the_solution(invoke, tmp_path):
    """81 digits, from an option, from a file in nine lines, or drawn for people."""
    assert said(invoke, "experiment", "sudoku", "--puzzle", EASY)["solution"] == SOLVED
    file = tmp_path / "puzzle.txt"
    file.write_text("\n".join(re.findall(".{9}", EASY.replace("0", "."))))
    found = said(invoke, "experiment", "sudoku", "--file", file, "--agents", "3")
    assert (found["solution"], found["reason"], found["solved"]) == (SOLVED, None, True)
    code, out, _ = invoke("experiment", "sudoku", "--puzzle", EASY)
    assert code == 0
    assert "5 3 4 | 6 7 8 | 9 1 2" in out


@pytest.mark.parametrize(
    ("puzzle", "reason"),
    [(EASY.replace("5300", "5320", 1), "none"), (SOLVED.replace("1", "0").replace("2", "0"), "several")],
)
def test_sudoku_says_why_there_is_no_solution(invoke, puzzle, reason):
    """None or several: the reason stands where the solution would."""
    found = said(invoke, "experiment", "sudoku", "--puzzle", puzzle)
    assert (found["solution"], found["reason"]) == (None, reason)
    assert len(found["found"]) == (2 if reason == "several" else 0)


def test_research_writes_a_report(invoke, tmp_path):
    """A folder is read, what cannot be read is named and counted, and the report stands where it was wanted."""
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "bees.md").write_text("# Bees\n\nA honey bee colony has one queen and many workers in its hive.\n")
    (documents / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    report = tmp_path / "report.md"
    arguments = ("experiment", "research", "--topic", "honey bee colony", "--folder", documents, "--to", report)
    found = said(invoke, *arguments)
    assert found["facts"] == 1
    assert list(found["unreadable"]) == ["broken.pdf"]
    assert "one queen" in report.read_text()
    code, _, err = invoke(*arguments)
    assert (code, "exists already" in err) == (2, True)


def test_a_panel_shows_values_and_counts_sorts():
    """Long values are cut; variables of one sort, such as a document's marks, are counted."""
    shown = shown_of({"best": "x" * 500, "source/a": 1, "source/b": 2, "open": 3})
    assert shown["source/"] == "2 variables"
    assert shown["open"] == "3"
    assert len(shown["best"]) <= 90


def test_compare_ends_with_the_verdict(invoke, tmp_path):
    """Data, report and figures in one folder; the verdict on the terminal as in the object."""
    folder = tmp_path / "results"
    options = ("--task", "wave-3d", "--seeds", "2", "--agents", "1,2", "--evaluations", "40", "--wall", "0.02")
    found = said(invoke, "compare", "optimisation", *options, "--evaluation-ms", "0", "--to", folder)
    assert set(found["verdicts"]) == {"wave-3d"}
    assert {"report.md", "trials.jsonl.gz", "optimisation-wave-3d.png"} <= {p.name for p in folder.iterdir()}
    answer = "yes" if found["verdicts"]["wave-3d"]["worth_it"] else "no"
    assert f"| **{answer}** |" in (folder / "report.md").read_text()
    again = ("compare", "optimisation", *options, "--evaluation-ms", "0", "--to", tmp_path / "again")
    code, out, err = invoke(*again, "--basis", "evaluations", "--configs", "parallel,swarm,best-only")
    assert code == 0, err
    assert re.search("Yes on 1 of 1|No: on none of 1", out)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("experiment sudoku --puzzle 123", "3 cells"),
        (f"experiment sudoku --puzzle {'x' * 81}", "character 1"),
        (f"experiment sudoku --puzzle 11{'0' * 79}", "1"),
        ("experiment sudoku --file nowhere.txt", "nowhere.txt"),
        ("experiment sudoku --puzzle 1 --file a", "one of them"),
        ("experiment sudoku --agents 0", "--agents"),
        ("experiment optimisation --task hill", "wave-3d"),
        ("experiment optimisation --processes 0", "processes"),
        ("experiment optimisation --evaluations -5", "negative"),
        ("experiment optimisation --agents 100000", "--agents"),
        ("experiment research --topic bees", "--folder"),
        ("experiment research --topic bees --folder nowhere", "nowhere"),
        ("experiment research --topic ?! --folder .", "topic"),
        ("experiment research --topic bees --url file:///etc/passwd", "http"),
        ("compare chess", "chess"),
        ("compare sudoku --task chess", "chess"),
        ("compare sudoku --agents many", "--agents"),
        ("compare sudoku --configs alone", "alone"),
        ("compare sudoku --basis luck", "--basis"),
        ("compare sudoku --jobs 0", "--jobs"),
        ("compare sudoku --seeds 0", "seeds"),
        ("compare sudoku --plan nowhere.toml", "nowhere.toml"),
    ],
)
def test_bad_input_is_one_clear_error(invoke, tmp_path, monkeypatch, arguments, words):
    """Exit code 2, one sentence that names what is wrong, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    code, _, err = invoke(*arguments.split())
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, len(lines)) == (2, 1), err
    assert words in lines[0]
    assert not (tmp_path / "home" / "runs").exists()
