"""The promises that exist already, each kept by a test that fails when its mechanism is taken out.

1. Anyone can start it. 2. What it says is true. 3. Nothing is lost, nothing is hidden. 4. It stays a swarm.
Runs without a sandbox (`course`) where isolation does not matter; the real command where it does.
"""

from __future__ import annotations

import json
import math
import random
import signal
import sqlite3
import time
from collections import Counter, defaultdict

import pytest

from colony.journal.record import decode
from colony.journal.sqlite import SqliteReader
from colony.node.api import conclude
from colony.node.history import history_of
from colony.node.home import RunFolder
from colony.node.replaying import audit_record, replay
from colony.primitives.clock import SystemClock
from colony.problems.metric import KnownRecord
from colony.problems.problem import Problem
from colony.testing.simulate import problems
from running import folder_of

SQUARE = {"x": (0.0, 5.0), "y": (0.0, 5.0)}
PROBLEMS = {p.name: p for p in problems()}


def records_of(folder, *kinds):
    """Records of some kinds, in order."""
    return [e.record for e in SqliteReader(folder.journal).read() if not kinds or e.record.kind in kinds]


# -- 1. anyone can start it -----------------------------------------------------------------------------------------

FIELDS = {
    "run", "problem", "metric", "best", "seed_value", "baseline", "record", "holdout", "experiments", "evaluations",
    "wall_seconds", "cpu_seconds", "cost", "agents", "diversity", "isolation", "journal", "state_hash",
}  # fmt: skip


def test_anyone_can_start_it(command):
    """With no key, no configuration and nothing in the environment, one command improves something real."""
    code, out, err = command("solve", "wave-3d", "--budget", "200e", "--seed", "1", "--json")
    assert code == 0, err
    said = json.loads(out.splitlines()[-1])
    assert set(said) >= FIELDS
    assert {"name", "unit", "direction"} <= set(said["metric"])
    assert {"value", "status", "candidate", "file", "found_by"} <= set(said["best"])
    assert {"name", "value", "evaluations"} <= set(said["baseline"])
    assert {"value", "source"} <= set(said["record"])
    assert {"records", "head"} <= set(said["journal"])
    assert said["best"]["status"] == "verified"
    assert said["best"]["value"] > said["seed_value"]
    assert said["evaluations"] <= 200
    folder = RunFolder(command.work / ".colony" / "runs" / said["run"])
    assert {p.name for p in folder.path.iterdir()} >= {"report.md", "best.json", "progress.png", "progress.svg"}
    code, out, _ = command("replay", "--json")
    assert (code, json.loads(out)["state_hash"]) == (0, said["state_hash"])
    code, out, _ = command("audit", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    keys = [p for p in (command.place / "person").rglob("*colony*/**/*") if p.is_file()]
    assert keys, "keys lie outside of what is copied with a run"
    assert all(p.stat().st_mode & 0o077 == 0 for p in keys)


# -- 2. what it says is true ----------------------------------------------------------------------------------------


def test_a_verdict_is_never_given_by_the_author_of_the_claim(course):
    """Every verdict is on a claim that was made before, by another identity, after at least one fresh evaluation."""
    for problem in (PROBLEMS["bowl"], PROBLEMS["ridge"]):
        folder = folder_of(course(problem, "150e").run())
        claims = {}
        for record in records_of(folder, "candidate.claimed/1", "verdict.given/1"):
            if record.kind == "candidate.claimed/1":
                claims[record.body["experiment"]] = record
                continue
            claim = claims[record.body["experiment"]]
            assert record.author != claim.author
            assert record.body["evaluations"] >= 1
            assert record.body["candidate"] == claim.body["candidate"]
        assert claims


def test_a_claim_is_no_result_until_it_is_re_executed(course):
    """Candidates that score high only the first time are refuted, and are never best."""

    def fickle():
        seen = Counter()

        def evaluate(x, y):
            seen[x, y] += 1
            once = 100.0 if (x, y) != (2.5, 2.5) and seen[x, y] == 1 and x > 2.5 else 0.0
            return once - (x - 1) ** 2 - (y - 1) ** 2

        return evaluate

    result = course(Problem(space=SQUARE, evaluate=fickle(), maximise="height"), "250e").run()
    state = replay(folder_of(result)).state
    refuted = {c.experiment for c in state.claims if c.status == "refuted"}
    assert refuted, "the lucky values were claimed"
    assert result.best is None or result.best.experiment not in refuted
    assert state.verified is None or state.verified.verified_value < 0.5
    assert refuted.isdisjoint(e.experiment for e in state.archive.elites())


def test_one_candidate_has_one_value(course):
    """On a grid where agents meet again and again, a candidate that was evaluated is refused, not rolled again."""
    noise = random.Random(1)

    def evaluate(n, m):
        return -((n - 3) ** 2) - (m - 2) ** 2 + noise.gauss(0, 0.3)

    result = course(Problem(space={"n": (0, 6), "m": (0, 6)}, evaluate=evaluate, maximise="h"), "400e").run()
    folder = folder_of(result)
    decided = [batch for r in records_of(folder, "experiment.decided/1") for batch in r.body["batches"]]
    reasons = [reason for batch in decided for reason in batch["refused"].values()]
    assert sum("already evaluated" in reason for reason in reasons) > 20
    first = first_values(folder)
    elites = [e for e in replay(folder).state.archive.elites() if e.candidate.hash in first]
    assert len(elites) > 5
    assert [e.value for e in elites] == [first[e.candidate.hash] for e in elites], "the first value stands"


def first_values(folder):
    """The first score of each candidate that was proposed as a point."""
    proposed, first = {}, {}
    for record in records_of(folder, "experiment.proposed/1", "experiment.evaluated/1"):
        for e in record.body.get("experiments", ()):
            proposed[e["id"]] = None if "method" in e else e.get("candidate")
        for result in [r for part in record.body.get("batches", ()) for r in part["results"]]:
            if proposed[result["id"]] is not None and result["status"] == "ok":
                first.setdefault(proposed[result["id"]], result["value"])
    return first


@pytest.mark.parametrize("deterministic", [True, False])
def test_noise_is_not_taken_for_a_gain(course, deterministic):
    """Where nothing differs but the noise, the best of hundreds of draws is no result: ten seeds, none believed."""
    for seed in range(10):
        noise = random.Random(seed)
        problem = Problem(space=SQUARE, evaluate=lambda x, y: noise.gauss(7.0, 1.0), maximise="height")  # noqa: B023
        result = course(problem, "200e", seed=seed, deterministic=deterministic, baseline=False).run()
        assert result.best is None
        assert result.evaluations <= 200


def test_a_gain_beyond_the_noise_is_verified(course):
    """A true gain of a few deviations is found, verified, and stated without the luck of its best draw."""
    for seed in range(5):
        noise = random.Random(seed)

        def evaluate(x, y):
            return noise.gauss(5.0 if x < 2 else 0.0, 1.0)  # noqa: B023

        best = course(Problem(space=SQUARE, evaluate=evaluate, maximise="height"), "300e", seed=seed).run().best
        assert best.status == "verified"
        assert 3.0 < best.value < 7.5


def test_scores_that_are_no_numbers_are_no_records(course):
    """NaN and infinity are failures with a reason, whatever an agent would make of them."""

    def evaluate(x, y):
        return math.nan if x > 4 else math.inf if y > 4 else x + y

    result = course(Problem(space=SQUARE, evaluate=evaluate, maximise="sum"), "200e").run()
    assert result.best.value <= 8.0
    assert any("finite number" in reason for reason in result.failures)


def test_a_constraint_is_not_bought_with_score(course):
    """The best candidate holds its constraints at zero tolerance, although better scores lie outside."""
    best = course(PROBLEMS["ridge"], "300e").run().best
    assert best.status == "verified"
    assert best.candidate["x"] ** 2 + best.candidate["y"] ** 2 <= 16


# -- 3. nothing is lost, nothing is hidden --------------------------------------------------------------------------


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_replay_from_zero_gives_the_state_that_was_reported(course, deterministic):
    """Every run's state is a fold over its journal: the same hash from sequence 0, twice."""
    for problem in problems():
        result = course(problem, "150e", deterministic=deterministic).run()
        folder = folder_of(result)
        assert replay(folder).state_hash == replay(folder).state_hash == result.state_hash
        assert audit_record(folder)["ok"]


def test_nothing_runs_before_its_decision_is_on_record(course):
    """Each batch is proposed, then decided, then evaluated, in the journal's order, and none is evaluated twice."""
    folder = folder_of(course(PROBLEMS["steps"], "200e").run())
    stage = defaultdict(list)
    for record in records_of(folder):
        if record.kind == "experiment.proposed/1":
            stage[record.body["batch"]].append("proposed")
        elif record.kind == "experiment.decided/1":
            for batch in record.body["batches"]:
                stage[batch["batch"]].append("decided")
        elif record.kind == "experiment.evaluated/1":
            for batch in record.body["batches"]:
                stage[batch["batch"]].append("evaluated")
    assert set(map(tuple, stage.values())) == {("proposed", "decided", "evaluated")}


@pytest.mark.slow
def test_kill_9_at_any_instant_loses_nothing_that_was_acknowledged(command):
    """A real `colony solve` is killed at random instants and resumed, until it ends; no record of before is lost."""
    moments = random.Random(20_261_120)
    solve = ("solve", "wave-3d", "--budget", "800e", "--deterministic", "--no-baseline", "--workers", "2")
    runs = command.work / ".colony" / "runs"
    kept, deaths = [], 0
    process = command.start(*solve)
    while True:
        wanted = len(kept) + moments.randrange(2, 25) if deaths < DEATHS else math.inf
        while process.poll() is None and _records(runs) < wanted:
            time.sleep(0.01)  # looks at the journal from outside, as often as a bystander may
        died = process.poll() is None
        if died:
            process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
        folder = RunFolder(next(runs.iterdir()))
        assert audit_record(folder)["ok"]
        now = [entry.id for entry in SqliteReader(folder.journal).read()]
        assert now[: len(kept)] == kept
        kept = now
        if not died:
            break
        deaths += 1
        process = command.start("resume", folder.name, "--workers", str(1 + deaths % 2))
    assert deaths >= 2
    assert process.returncode == 0, err
    assert replay(folder).matches
    assert command.json(*solve)["state_hash"] == replay(folder).state_hash


DEATHS = 4


def _records(runs):
    """How many records a journal has that somebody else is writing; acknowledged or about to be."""
    found = list(runs.glob("*/journal.sqlite"))
    if not found:
        return 0
    try:
        connection = sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)
        try:
            return connection.execute("SELECT count(*) FROM record").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def test_ctrl_c_keeps_everything_and_says_how_to_go_on(command):
    """An interrupted run ends with 130 and the command that resumes it; the resumed run ends as usual."""
    process = command.start("solve", "wave-3d", "--budget", "800e", "--no-baseline")
    runs = command.work / ".colony" / "runs"
    while process.poll() is None and _records(runs) < 8:
        time.sleep(0.005)  # looks at the journal from outside
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130, err
    folder = RunFolder(next(runs.iterdir()))
    assert f"colony resume {folder.name}" in err
    assert audit_record(folder)["ok"]
    before = [entry.id for entry in SqliteReader(folder.journal).read()]
    said = command.json("resume", folder.name)
    assert said["best"]["status"] == "verified"
    assert [entry.id for entry in SqliteReader(folder.journal).read()][: len(before)] == before


def test_a_changed_byte_of_a_record_is_noticed(course):
    """Whatever is changed in a stored record, its hash no longer fits, and the record at fault is named."""
    folder = folder_of(course(PROBLEMS["bowl"], "60e").run())
    entry = list(SqliteReader(folder.journal).read())[5]
    assert decode(entry.payload, entry.signature).id == entry.id
    data = bytearray(folder.journal.read_bytes())
    data[data.index(entry.payload) + len(entry.payload) // 2] ^= 1
    folder.journal.write_bytes(data)
    report = audit_record(folder)
    assert not report["ok"]
    assert report["faults"][0]["seq"] == 5


# -- 4. it stays a swarm --------------------------------------------------------------------------------------------


def test_no_agent_starves(course):
    """With a dozen agents on a problem that suits one of them best, every agent still gets evaluations."""
    result = course(PROBLEMS["bowl"], "3000e", agents=12).run()
    shares = {name: agent["evaluations"] for name, agent in result.agents.items()}
    assert len(shares) == 12
    assert min(shares.values()) > 0, shares


def test_diversity_is_measured_at_every_step(course):
    """Evenness of operators and agents, lineages and niches are known after each batch, and are numbers from 0 to 1."""
    seen = []

    class Watching:
        def phase(self, name, run):
            seen.append((name, run.diversity()))

    run = course(PROBLEMS["bowl"], "200e")
    folder = run.home.create_run("watched", SystemClock())
    conclude(run.open(folder, 2), Watching(), report=False)
    last = seen[-1][1]
    assert {"operators", "agents", "leading_lineage", "niches"} <= set(last)
    assert all(0 <= last[name] <= 1 for name in ("operators", "agents", "leading_lineage"))
    assert last["operators"] > 0.3, "several ideas are at work"
    entries = list(SqliteReader(folder.journal).read())
    parts = sum(len(e.record.body["batches"]) for e in entries if e.record.kind == "experiment.evaluated/1")
    assert len(history_of(entries).diversity) == parts


def test_one_agent_alone_is_no_swarm(course):
    """A single agent's diversity is zero: the measure tells one idea from many."""
    result = course(PROBLEMS["bowl"], "60e", agents=1).run()
    assert result.diversity["agents"] == 0.0


# -- all of them ----------------------------------------------------------------------------------------------------


def test_a_known_record_ends_a_run_only_when_it_is_verified(course):
    """A target is reached by a verified value, never by a claim."""
    problem = Problem(
        space=SQUARE, evaluate=lambda x, y: min(x + y, 8.0), maximise="sum", record=KnownRecord(8.0, "a bound")
    )
    result = course(problem, "500e", target="record").run()
    assert result.reason == "target reached"
    assert (result.best.status, result.best.value) == ("verified", 8.0)
    assert result.evaluations < 500
