"""The commands that look and change nothing, on a real run; each also as an object for programs."""

from __future__ import annotations

import json

import pytest

from colony.journal.sqlite import SqliteReader
from colony.primitives.encoding import sha256
from colony.primitives.keys import verify
from colony.testing.simulate import problems
from running import folder_of


@pytest.fixture
def finished(course):
    """A finished run in the home of `invoke`."""
    return course(problems()[0], "120e").run()


def said(invoke, *arguments):
    code, out, err = invoke(*arguments, "--json")
    assert code == 0, err
    return json.loads(out.splitlines()[-1])


def test_looking_changes_nothing(finished, invoke, tmp_path):
    """`runs`, `show`, `replay`, `audit` and `export` leave every byte of a run as it was."""
    folder = folder_of(finished)
    before = {p.name: p.read_bytes() for p in folder.path.iterdir()}
    for arguments in (["runs"], ["show"], ["replay"], ["audit"], ["export", "--to", tmp_path / "run.jsonl"]):
        assert invoke(*arguments)[0] == 0
    assert {p.name: p.read_bytes() for p in folder.path.iterdir()} == before


def test_replay_and_audit_agree_with_the_run(finished, invoke):
    """The state hash is rebuilt, and every record holds."""
    replayed, audited = said(invoke, "replay"), said(invoke, "audit")
    assert (replayed["state_hash"], replayed["matches"]) == (finished.state_hash, True)
    assert (audited["ok"], audited["faults"]) == (True, [])
    assert audited["records"] == replayed["records"] == finished.journal["records"]


def test_runs_are_listed_and_found_by_a_prefix(finished, invoke):
    """The list says how each run ended; a beginning of a name that fits one run is enough."""
    entry = said(invoke, "runs")["runs"][0]
    assert (entry["run"], entry["status"]) == (finished.run, "verified")
    assert said(invoke, "show", finished.run[:6])["run"] == finished.run


def test_an_experiment_is_shown_with_its_proof(finished, invoke):
    """One experiment comes with its result and the path from its record to the signed root."""
    code, out, err = invoke("show", "--experiment", finished.best.experiment[:10])
    assert code == 0, err
    proof = json.loads(out)
    assert proof["experiment"] == finished.best.experiment
    assert proof["inclusion"]


def test_an_export_can_be_verified_without_colony(finished, invoke, tmp_path):
    """Each line holds the bytes that were signed, their hash and the signature of a did:key."""
    target = tmp_path / "run.jsonl"
    assert said(invoke, "export", "--to", target)["records"] == finished.journal["records"]
    for line in map(json.loads, target.read_text().splitlines()):
        payload = line["record"].encode()
        assert sha256(payload).hex() == line["id"]
        assert verify(json.loads(payload)["author"], sha256(payload), bytes.fromhex(line["signature"]))


def test_an_export_overwrites_nothing(finished, invoke, tmp_path):
    """A file that exists is left alone."""
    target = tmp_path / "run.jsonl"
    target.write_text("mine")
    code, _, err = invoke("export", "--to", target)
    assert (code, target.read_text()) == (2, "mine")
    assert "exists already" in err


def test_problems_are_listed_shown_made_and_checked(invoke, tmp_path):
    """Every ready problem is listed; a made one checks clean and is shown."""
    names = {p["name"] for p in said(invoke, "problems", "list")["problems"]}
    assert names >= {"wave-3d", "circles-26", "tour", "bin-packing"}
    folder = tmp_path / "mine"
    assert invoke("problems", "new", folder)[0] == 0
    assert said(invoke, "problems", "check", folder)["winners"] == []
    assert said(invoke, "problems", "show", folder)["metric"]["direction"] == "maximise"
    assert invoke("problems", "new", folder)[0] == 2, "what exists is not overwritten"


def test_a_state_that_is_not_the_recorded_one_is_told(finished, invoke, monkeypatch):
    """`replay` ends with the code of a corrupt journal where the rebuilt state differs from the recorded."""
    from colony.memory.run_state import RunState

    honest = RunState.state_hash
    monkeypatch.setattr(RunState, "state_hash", lambda self: honest(self)[::-1])
    code, _, err = invoke("replay")
    assert code == 5
    assert "not the recorded one" in err
    assert list(SqliteReader(folder_of(finished).journal).read())
