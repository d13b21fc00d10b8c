"""Bad input: one clear sentence (what, where, what to do), a documented exit code, and the journal left as it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

from colony.journal.sqlite import SqliteLog
from colony.node.home import Home, RunFolder
from colony.primitives import errors
from colony.testing.simulate import problems
from running import folder_of

GOOD = """
[metric]
name = "height"
direction = "maximise"
[space.x]
type = "float"
low = 0.0
high = 1.0
"""
EVALUATE = "def evaluate(x):\n    return x\n"


@pytest.fixture
def folder(tmp_path):
    """A small working problem, to be broken."""
    place = tmp_path / "problem"
    place.mkdir()
    (place / "problem.toml").write_text(GOOD)
    (place / "evaluate.py").write_text(EVALUATE)
    return place


def broken(folder, toml=GOOD, evaluate=EVALUATE):
    (folder / "problem.toml").write_text(toml)
    if evaluate is None:
        (folder / "evaluate.py").unlink()
    else:
        (folder / "evaluate.py").write_text(evaluate)
    return folder


def refused(said, code, *words):
    """The last line of standard error is one sentence with these words; progress before it is no error."""
    exit_code, out, err = said
    assert exit_code == code, err
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, err
    assert err.rstrip().endswith(lines[0]), "the sentence stands last, and is one line"
    assert "Traceback" not in err
    for word in words:
        assert word in lines[0]


BROKEN = {
    "broken TOML": ({"toml": "[metric\n"}, "problem.toml", "broken TOML", "correct"),
    "unknown key": ({"toml": GOOD + "[limits]\ntimeout = 3\n"}, "problem.toml", "unknown key 'timeout'", "allowed"),
    "unknown table": ({"toml": GOOD + "[metrics]\nname = 'x'\n"}, "problem.toml", "unknown key 'metrics'"),
    "missing evaluator": ({"evaluate": None}, "evaluate.py", "missing evaluator", "define evaluate"),
    "low above high": ({"toml": GOOD.replace("high = 1.0", "high = -1.0")}, "problem.toml", "space.x", "low"),
    "low is no number": ({"toml": GOOD.replace("low = 0.0", "low = 'a'")}, "problem.toml", "space.x", "'a'"),
    "no direction": ({"toml": GOOD.replace('direction = "maximise"', "")}, "problem.toml", "direction", "maximise"),
    "unknown direction": ({"toml": GOOD.replace("maximise", "upwards")}, "problem.toml", "direction", "'upwards'"),
    "no metric": ({"toml": GOOD[GOOD.index("[space") :]}, "problem.toml", "metric"),
    "no space": ({"toml": GOOD[: GOOD.index("[space")]}, "problem.toml", "space", "program"),
    "unknown type": ({"toml": GOOD.replace('"float"', '"real"')}, "problem.toml", "space.x", "'real'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_problem_is_refused_before_anything_is_made(folder, invoke, tmp_path, name):
    """The problem's author gets the file, the key and what to write; no run is left behind."""
    change, *words = BROKEN[name]
    refused(invoke("solve", broken(folder, **change), "--budget", "100e"), 3, *words)
    assert not list((tmp_path / "home").glob("runs/*"))


RAISING = {
    "on every candidate": ("def evaluate(x):\n    raise ValueError('no luck today')\n", "no luck today"),
    "on being loaded": ("import no_such_module\n\ndef evaluate(x):\n    return x\n", "no_such_module"),
    "without the function": ("def score(x):\n    return x\n", "evaluate"),
    "with broken syntax": ("def evaluate(x:\n", "evaluate"),
}


@pytest.mark.parametrize("name", RAISING)
def test_an_evaluator_that_raises_is_its_authors_fault(folder, invoke, name):
    """One sentence says what it raised; a search that could only fail never begins."""
    text, word = RAISING[name]
    refused(invoke("solve", broken(folder, evaluate=text), "--budget", "100e"), 3, word)


BUDGETS = {
    ("--budget", "nonsense"): (2, "nonsense"),
    ("--budget", "12"): (2, "12"),
    ("--budget", "3q"): (2, "3q"),
    ("--budget=-5e",): (2, "-5e"),
    ("--budget", "5e"): (10, "too small for one cycle"),
    ("--budget", "0s"): (10, "too small for one cycle"),
    ("--budget", "60s", "--deterministic"): (2, "--deterministic", "depends on the machine", "2000e"),
    ("--budget", "100cs,100e", "--deterministic"): (2, "--deterministic"),
    ("--agents", "0"): (2, "--agents"),
    ("--workers", "0"): (2, "--workers"),
    ("--seed", "-1"): (2, "--seed"),
    ("--target", "record"): (2, "record"),
    ("--target", "soon"): (2, "soon"),
    ("--only", "wizard"): (2, "wizard"),
}


@pytest.mark.parametrize("arguments", BUDGETS, ids=" ".join)
def test_nonsense_in_an_option_is_the_callers_fault(folder, invoke, tmp_path, arguments):
    """The option, what is wrong with it, and an example."""
    code, *words = BUDGETS[arguments]
    given = arguments if any("budget" in a for a in arguments) else ("--budget", "100e", *arguments)
    refused(invoke("solve", folder, *given), code, *words)
    assert not list((tmp_path / "home").glob("runs/*"))


def test_a_problem_that_does_not_exist(invoke):
    """The message lists what there is."""
    refused(invoke("solve", "no-such-problem"), 3, "no-such-problem", "circles-26", "problems new")


@pytest.mark.parametrize("command_name", ["resume", "show", "replay", "audit", "export"])
def test_a_run_that_does_not_exist(invoke, command_name):
    """Every command on runs says how to find or make one."""
    refused(invoke(command_name, "nothing"), 2, "no run")


def test_errors_are_objects_for_programs(invoke, folder):
    """With --json the last line of standard output is an object with error, message and exit code."""
    code, out, _ = invoke("solve", broken(folder, toml="[metric\n"), "--json")
    said = json.loads(out.splitlines()[-1])
    assert set(said) == {"error", "message", "exit_code"}
    assert (said["error"], said["exit_code"], code) == ("ProblemError", 3, 3)
    assert "broken TOML" in said["message"]


# -- journals -------------------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(tmp_path, course):
    """A finished run in the home that `invoke` uses, its bytes remembered."""
    return folder_of(course(problems()[0], "60e").run())


def bytes_of(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.path.iterdir()) if p.suffix != ".lock" and p.is_file()}


READERS = ["show", "replay", "audit", "export", "resume"]


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_journal_is_refused_and_left_alone(stopped, invoke, tmp_path, name):
    """Whoever reads a journal with a flipped byte in a record names the sequence and changes nothing."""
    data = bytearray(stopped.journal.read_bytes())
    at = data.index(b'"kind":"verdict.given/1"')
    data[at + 8] ^= 1
    stopped.journal.write_bytes(data)
    before = bytes_of(stopped)
    code, _, err = invoke(name, stopped.name, *(("--to", tmp_path / "out") if name == "export" else ()))
    assert code == errors.JournalCorruptError.exit_code, err
    assert re.search(r"record \d+|sequence \d+", err), err
    assert bytes_of(stopped) == before


@pytest.mark.parametrize("name", READERS)
def test_a_journal_of_a_newer_version_is_refused_and_left_alone(stopped, invoke, tmp_path, name):
    """An older Colony says that a newer one wrote the journal, and keeps its hands off."""
    with sqlite3.connect(stopped.journal) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.close()
    before = bytes_of(stopped)
    code, _, err = invoke(name, stopped.name, *(("--to", tmp_path / "out") if name == "export" else ()))
    assert code == errors.JournalVersionError.exit_code, err
    assert "newer" in err
    assert bytes_of(stopped) == before


def test_a_second_process_on_the_same_journal_is_told_who_holds_it(folder, invoke, tmp_path, home):
    """While one process holds a run, another that wants to resume it learns the process id, and nothing changes."""
    _code, out, _err = invoke("solve", folder, "--budget", "40e", "--no-baseline", "--json")
    run = RunFolder(tmp_path / "home" / "runs" / json.loads(out.splitlines()[0])["run"])
    before = bytes_of(run)
    with SqliteLog(run.journal, Home(tmp_path / "home", home._environ).replica_key().child(f"{run.name}/journal")):
        refused(invoke("resume", run.name, "--budget", "60e"), 6, str(os.getpid()), "holds the journal")
    assert bytes_of(run) == before


def test_a_full_disk_ends_a_run_and_keeps_what_was_acknowledged(folder, tmp_path, command):
    """On a disk of one megabyte a run stops with exit code 8; its journal is whole and can be read."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs the rights to do so")
    try:
        code, _, err = command("solve", folder, "--budget", "50000e", "--no-baseline", "--home", disk / "home")
        assert code == errors.JournalFullError.exit_code, err
        assert "full" in err.splitlines()[-1]
        assert "Traceback" not in err
        run = next((disk / "home" / "runs").iterdir())
        shutil.copytree(run, tmp_path / "saved")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    code, out, err = command("audit", tmp_path / "saved", "--json")
    assert code == 0, err
    assert json.loads(out)["records"] > 3


# -- ends that are no success ---------------------------------------------------------------------------------------


def test_when_every_proposal_failed_the_reason_is_given(folder, invoke):
    """An evaluator that works on the seed only ends the run with exit code 12 and the reason of the failures."""
    only_seed = "def evaluate(x):\n    if x != 0.5:\n        raise ValueError('only the middle')\n    return x\n"
    refused(
        invoke("solve", broken(folder, evaluate=only_seed), "--budget", "60e", "--no-baseline"), 12, "only the middle"
    )


def test_when_nothing_was_verified_the_reason_is_given(folder, invoke):
    """A flat problem ends with exit code 11: nothing beat the seed."""
    code, _, err = invoke("solve", broken(folder, evaluate="def evaluate(x):\n    return 1.0\n"), "--budget", "60e")
    assert code == errors.NothingVerifiedError.exit_code
    assert "nothing beat the seed" in err
    assert "--budget" in err


def test_what_is_not_a_terminal_gets_no_colours(folder, command):
    """Neither standard output nor standard error holds escape codes when they are pipes."""
    code, out, err = command("solve", folder, "--budget", "60e", "--no-baseline")
    assert code == 0, err
    assert "\x1b" not in out + err
    code, out, err = command("solve", folder, "--budget", "1e")
    assert "\x1b" not in out + err


def test_every_error_has_a_documented_exit_code():
    """The tree at the top of the errors' file draws each class with its exit code."""
    drawn = dict(re.findall(r"(\w+Error)\s+(\d+|-)\s", errors.__doc__))
    for name, found in vars(errors).items():
        if isinstance(found, type) and name != "ColonyError" and drawn.get(name, "-") != "-":
            assert found.exit_code == int(drawn[name]), name
    classes = {n for n, c in vars(errors).items() if isinstance(c, type) and n != "ColonyError"}
    assert classes <= set(drawn), "each class stands in the picture"
    assert sys.version_info >= (3, 11)
