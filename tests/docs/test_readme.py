"""Every sentence of the README is executed: each paragraph names a test of this file, and each example runs.

A paragraph ends with `<!-- test: name -->`; `test_name` is here. What this file does not do: prove a claim in depth,
which the tests of the packages do; it shows that each is true of the command that a reader runs.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import pytest
from documents import ROOT, Place, blocks, cheap, commands
from typer.main import get_command

import colony
from colony.cli.main import app
from colony.experiments.catalogue import NAMES
from colony.journal.sqlite import SqliteReader
from colony.node.memories import open_memory
from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key
from colony.problems.loaders import find_folder, load_folder

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
MARKER = re.compile(r"<!-- test: (\w+) -->$")
FIXTURES = ROOT / "tests" / "fixtures"


# -- every paragraph has a check --------------------------------------------------------------------------------------


def unchecked(text):
    """The paragraphs of a page, headings and code apart, that name no test."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    paragraphs = [p.strip() for p in prose.split("\n\n") if p.strip() and not p.startswith("#")]
    return [p for p in paragraphs if not MARKER.search(p) or f"test_{MARKER.search(p)[1]}" not in globals()]


def test_every_paragraph_names_a_test():
    """No sentence stands without a check."""
    assert unchecked(TEXT) == []


def test_a_paragraph_without_a_test_is_found():
    """So the check above can fail: for a claim without a marker, and for a marker without a test."""
    assert unchecked("# Title\n\nIt flies.\n") == ["It flies."]
    assert unchecked("It flies.\n<!-- test: flying -->\n")


def test_every_test_named_is_used_once_written():
    """Each marker leads to a function of this file."""
    assert {f"test_{name}" for name in re.findall(r"<!-- test: (\w+) -->", TEXT)} <= set(globals())


# -- runs that several paragraphs look at -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wave(lasting_place):
    """A run of `wave-3d` in an empty folder and an almost empty environment: the object that it printed."""
    return lasting_place.json("solve wave-3d --budget 200e --seed 1")


def records(found):
    """The records of a run's journal, as (author, kind, body)."""
    entries = SqliteReader(ROOT / found["journal"]["file"]).read()
    return [(e.record.author, e.record.kind, e.record.body) for e in entries]


# -- what it is, and set-up -------------------------------------------------------------------------------------------


def test_anyone_can_start(wave):
    """No key, no server, no configuration: several agents, a verified result, a journal to replay."""
    assert wave["best"]["status"] == "verified"
    assert len(wave["agents"]) > 1
    assert wave["journal"]["records"] > 0


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_set_up(tmp_path):
    """Both commands build on `make setup`; the demo solves circles-26; a Python too old is refused in a sentence."""
    for target in ("demo", "test"):
        plan = subprocess.run(
            ["make", "-n", target, f"VENV={tmp_path}/venv"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert "tools/make_venv.sh" in plan
        assert ("colony solve circles-26" if target == "demo" else "-m pytest") in plan
        assert ("tools/system_packages.sh" in plan) == (target == "test")
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; esac\necho 3.10\n')
    old.chmod(0o755)
    command = ["sh", "tools/make_venv.sh", str(tmp_path / "venv"), str(old)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "is 3.10; Colony needs Python 3.11 or newer" in refused.stderr


# -- what is shown ----------------------------------------------------------------------------------------------------

LABEL = re.compile(r"^[│ ]*(seed|plain baseline|ours|known record|isolation|candidate|report|check it)\b")


def labels(text):
    """What a transcript shows, line by line, without its figures."""
    found = [LABEL.match(line) for line in text.splitlines()]
    return [label[1] for label in found if label]


def test_transcript(place):
    """The command of the demo prints what the transcript shows, with the figures of its own run."""
    (block,) = [b for b in blocks(README, "console") if "circles-26" in b]
    said = place.colony(cheap(commands(block)[0])).stdout
    assert labels(said) == labels(block)
    assert said.splitlines()[0].strip() == block.splitlines()[1].strip()
    figures = r"\d+ experiments, \d+ evaluations, [\d.]+ s wall, [\d.]+ s CPU, cost 0.00 USD"
    assert re.search(figures, said)
    assert re.search(figures, block)


def test_table_and_folder(wave):
    """Seed, baseline at no more evaluations, best and record are there; the folder holds what the README lists."""
    assert None not in {wave["seed_value"], wave["baseline"]["value"], wave["best"]["value"], wave["record"]["value"]}
    assert wave["baseline"]["evaluations"] <= wave["evaluations"]
    report = ROOT / wave["folder"] / "report.md"
    assert all(name in report.read_text() for name in ("seed", "plain baseline", "ours", "known record"))
    held = {p.name for p in report.parent.iterdir()}
    assert {"best.json", "report.md", "result.json", "journal.sqlite", "progress.png", "progress.svg"} <= held


def test_python_example(place):
    """The ten lines print a verified best."""
    (code,) = [b for b in blocks(README, "python") if "colony.solve" in b]
    (place.folder / "example.py").write_text(code)
    said = place.run([sys.executable, "example.py"]).stdout
    assert "verified" in said
    assert float(said.split()[0]) > 1.4


def test_folder(place):
    """The three commands work one after the other; the check attacks the evaluator."""
    (block,) = [b for b in blocks(README, "console") if "problems new" in b]
    new, check, solve = (place.colony(cheap(line)).stdout for line in commands(block))
    assert {p.name for p in (place.folder / "my-problem").iterdir()} >= {"problem.toml", "evaluate.py"}
    assert "wrote my-problem/problem.toml" in new
    assert "attacks on the evaluator" in check
    assert "verified" in solve


def test_spaces_and_programs():
    """All sorts of variables fit in one space, and frozen text may not change."""
    space = {
        "f": (0.0, 1.0),
        "i": (1, 9),
        "c": ["a", "b"],
        "p": colony.Permutation(5),
        "array": colony.Float(0.0, 1.0, shape=(3, 2)),
    }
    problem = colony.Problem(space=space, evaluate=lambda values: 0.0, minimise="nothing")
    assert problem.faults(problem.seed) == []
    packing = load_folder(find_folder("bin-packing"))
    text = packing.program.files["initial.py"]
    inside = packing.seed.program({"initial.py": text.replace("return -gap", "return gap")})
    outside = packing.seed.program({"initial.py": text.replace("opened + 1", "opened")})
    assert not packing.faults(inside)
    assert packing.faults(outside)


@pytest.mark.parametrize(("name", "codes"), [("openevolve_line", {0, 11}), ("shinka_wave", {0})])
def test_foreign_folders(place, name, codes):
    """A folder of another system runs as it is, is left as it is, and its package is not installed."""
    folder = shutil.copytree(FIXTURES / name, place.folder / name)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    done = place.colony(f"solve {name} --budget 12x --no-baseline --json", code=None)
    if done.returncode == 9:
        pytest.skip("this machine cannot isolate foreign code, and says so")
    assert done.returncode in codes, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["experiments"] == 12
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


# -- how far to believe a result --------------------------------------------------------------------------------------


def test_verified_by_another(wave):
    """The verdict on the best is by another author than its claim, and its value is the verifier's own."""
    found = records(wave)
    best = wave["best"]["experiment"]
    (claimant,) = {a for a, kind, body in found if kind == "candidate.claimed/1" and body["experiment"] == best}
    ((verifier, verdict),) = [(a, b) for a, k, b in found if k == "verdict.given/1" and b["experiment"] == best]
    assert claimant != verifier
    assert verdict["verdict"] == "verified"
    assert verdict["value"] == wave["best"]["value"]


def test_weak_evaluator(place):
    """An evaluator that adds up what the program says of itself is refused by name, unless the reader insists."""
    shutil.copytree(FIXTURES / "openevolve_plain", place.folder / "weak")
    refused = place.colony("solve weak --budget 6x --no-baseline", code=None)
    if refused.returncode == 9:
        pytest.skip("this machine cannot isolate foreign code, and says so")
    assert refused.returncode == 4
    assert "out of bounds" in refused.stderr
    assert "--accept-weak-evaluator" in refused.stderr
    place.colony("solve weak --budget 6x --no-baseline --accept-weak-evaluator", code=0)


def solved(tmp_path, budget="200e", **keywords):
    """A small problem given in Python, solved; and its journal's records."""
    options = {n: keywords.pop(n) for n in ("workers", "deterministic", "seed") if n in keywords}
    problem = colony.Problem(minimise="value", **keywords)
    result = colony.solve(problem, budget=budget, home=tmp_path / "home", baseline=False, **options)
    return result, records(result.as_record())


def test_noise(tmp_path, monkeypatch):
    """Pure noise verifies nothing: every lucky draw is refuted, and of a candidate only the first score counts."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))

    def dice(n):
        import random

        return random.random()

    result, found = solved(tmp_path, space={"n": (1, 40)}, evaluate=dice, budget="300e", deterministic=True)
    verdicts = [body["verdict"] for _, kind, body in found if kind == "verdict.given/1"]
    assert verdicts
    assert set(verdicts) == {"refuted"}
    assert result.best is None or result.best.status == "claimed"
    proposed = [e for _, kind, body in found if kind == "experiment.proposed/1" for e in body["experiments"]]
    candidates = {e["id"]: e["candidate"] for e in proposed if "candidate" in e}
    batches = [batch for _, kind, body in found if kind == "experiment.evaluated/1" for batch in body["batches"]]
    first: dict[str, float] = {}
    for entry in (result for batch in batches for result in batch["results"]):
        first.setdefault(entry.get("candidate") or candidates[entry["id"]], entry["value"])
    claims = [body for _, kind, body in found if kind == "candidate.claimed/1"]
    assert all(claim["value"] == first[claim["candidate"]] for claim in claims)


def test_exact(tmp_path, monkeypatch):
    """A violation too small for a float is found in rational arithmetic, and refutes."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))
    too_much = Fraction(1, 10**400)
    keywords = {"space": {"x": (0.0, 1.0)}, "evaluate": lambda x: (x - 0.2) ** 2, "budget": "60e"}
    result, found = solved(tmp_path, exact=lambda x: {"rule": too_much}, **keywords)
    assert float(too_much) == 0.0
    assert result.best is None or result.best.status == "claimed"
    assert "violated" in next(b["reason"] for _, k, b in found if k == "verdict.given/1" and b["verdict"] == "refuted")
    result, _ = solved(tmp_path, exact=lambda x: {"rule": 0}, **keywords)
    assert result.best.status == "verified"


def test_isolation(place, wave, tmp_path, monkeypatch):
    """Evaluators run in another process; the report says what holds; without a sandbox programs are refused."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))
    ours = os.getpid()

    def elsewhere(x):
        return float(os.getpid() == ours) + 0.0 * x

    result, _ = solved(tmp_path, space={"x": (0.0, 1.0)}, evaluate=elsewhere, budget="20e")
    assert result.seed_value == 0.0
    assert "Isolation:" in (ROOT / wave["folder"] / "report.md").read_text()
    assert set(place.json("doctor")["isolation"]) == {"data", "program", "foreign"}
    refused = place.colony("solve bin-packing --budget 6x", code=9, path=str(tmp_path))
    assert "bubblewrap" in refused.stderr


def test_journal(wave, lasting_place):
    """Replay comes to the recorded state, the audit holds; one byte changed, and the audit names a record."""
    run = wave["run"]
    assert lasting_place.json(f"replay {run}")["matches"] is True
    assert lasting_place.json(f"audit {run}")["ok"] is True
    source = lasting_place.folder / wave["folder"]
    touched = shutil.copytree(source, lasting_place.folder / "touched")
    journal = touched / "journal.sqlite"
    content = journal.read_bytes()
    assert content.count(b"run.started/1") >= 1
    journal.write_bytes(content.replace(b'"seed":1', b'"seed":2'))
    done = lasting_place.colony("audit touched --json", code=5)
    assert json.loads(done.stdout.splitlines()[0])["faults"][0]["seq"] >= 0


def test_deterministic(tmp_path, monkeypatch):
    """One worker and three come to the same state hash; another seed comes to another."""
    monkeypatch.setenv("COLONY_KEYS", str(tmp_path / "keys"))
    keywords = {"space": {"x": (0.0, 5.0), "y": (0.0, 5.0)}, "evaluate": lambda x, y: (x - 1) ** 2 + abs(y - 2)}
    courses = [(1, 7), (3, 7), (1, 8)]
    one, three, other = (
        solved(tmp_path, **keywords, workers=workers, seed=seed, deterministic=True)[0] for workers, seed in courses
    )
    assert one.state_hash == three.state_hash != other.state_hash


# -- commands ---------------------------------------------------------------------------------------------------------


def leaves(command, name="colony"):
    """Every command with its full name."""
    if not hasattr(command, "commands"):
        return {name: command}
    found = {}
    for part, inner in command.commands.items():
        found |= leaves(inner, f"{name} {part}")
    return found


# -- agents that share a memory ---------------------------------------------------------------------------------------


def test_shared_memory(tmp_path):
    """The example prints the first of the queue; named variables with a journal come back from it."""
    (example,) = [b for b in blocks(README, "python") if "def take(t)" in b]
    said = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=True)
    assert said.stdout == "dig\n"
    clock, key = SystemClock(), Key.derive(b"a secret of the test, long enough", "readme")
    with open_memory(tmp_path, key, clock) as memory:
        count = memory.variable("count", 0)
        memory.atomically(lambda t: t.write(count, t.read(count) + 1))
    with open_memory(tmp_path, key, clock) as memory:
        assert memory.variable("count", 0).value == 1


def test_experiments(place):
    """Both examples run, and their journals replay; there are three experiments."""
    (block,) = [b for b in blocks(README, "console") if "experiment sudoku" in b]
    for line in commands(block):
        found = place.json(line)
        assert found["solved"] in (True, False)
        assert place.json(f"replay {found['run']}")["matches"]
    assert {"optimisation", "sudoku", "research"} == set(NAMES)


def test_compare(place):
    """One small comparison ends with a verdict; the page of findings has one for each experiment."""
    options = "--task wave-3d --seeds 2 --agents 1,2 --evaluations 40 --wall 0.02 --evaluation-ms 0"
    assert "worth_it" in place.json(f"compare optimisation {options}")["verdicts"]["wave-3d"]
    page = (ROOT / "docs" / "results" / "swarm.md").read_text("utf-8")
    assert all(f"- {name}: **" in page for name in NAMES)


# -- tasks in the repository ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tasks(lasting_place):
    """A repository in which the example of the page was typed."""
    subprocess.run(["git", "init", "-q", str(lasting_place.folder / "tasks")], check=True)
    place = Place(lasting_place.folder / "tasks", lasting_place.environment)
    (block,) = [b for b in blocks(README, "console") if "task add" in b]
    for line in block.splitlines():
        place.colony(line.removeprefix("colony "))
    return place


def test_matrix(tasks, tmp_path):
    """Nothing in the working tree; the merge keeps its laws; a claim is exclusive."""
    assert [p.name for p in tasks.folder.iterdir()] == [".git"]
    assert tasks.json("matrix laws --triples 20")["violations"] == 0
    refused = tasks.colony("task claim parser --as zed", code=21)
    assert "ralph" in refused.stderr
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    fork = Place(tmp_path, tasks.environment)
    assert fork.json(f"matrix merge {tasks.folder}")["root"] == tasks.json("matrix")["root"]


def test_order_and_tiers(tasks):
    """The terms of a score add up; T0 needs no model; a secure task is local."""
    why = tasks.json("task why tests")
    assert {"priority", "stars", "heat", "path", "age"} <= {term["name"] for term in why["terms"]}
    tasks.colony("task add Keys --id keys --secure")
    assert tasks.json("route keys")["tier"] == "T5"
    assert tasks.json("route keys")["provider"] == "ollama"


def test_commands():
    """The table names every command there is, and no other."""
    named = re.findall(r"`(colony [a-z ]+?)(?: PROBLEM)?`", TEXT[TEXT.index("| command |") :].split("\n\n")[0])
    assert set(named) == set(leaves(get_command(app)))


def test_json_and_exit_codes(place, wave):
    """Almost all commands take --json; Ctrl-C keeps everything and prints the way on; an error is one sentence."""
    silent = {
        name for name, c in leaves(get_command(app)).items() if "--json" not in {o for p in c.params for o in p.opts}
    }
    assert silent <= {"colony problems new"}
    assert wave["state_hash"]
    command = [sys.executable, "-m", "colony", "solve", "wave-3d", "--budget", "100s", "--no-baseline"]
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as running:
        next(line for line in running.stderr if "searching" in line)
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()
        assert running.wait(60) == 130
    (way_on,) = re.findall(r"colony resume \S+", said)
    place.colony(f"{way_on.removeprefix('colony ')} --budget 1s", code=None)
    error = place.colony("solve nowhere", code=3).stderr.strip()
    assert error.startswith("error:")
    assert len(error.splitlines()) == 1


def test_not_yet():
    """What is said to be missing is missing: when it comes, this sentence has to go."""
    there = {p.name for p in (ROOT / "src" / "colony").iterdir()}
    assert not there & {"economy", "models", "replication", "fleet", "web"}


def test_tree():
    """The tree names every package and folder, and nothing that is not there."""
    (tree,) = [b for b in blocks(README, "") if b.startswith("src/colony/")]
    inner = re.findall(r"^  (\w+)/ ", tree, re.MULTILINE)
    assert set(inner) == {p.parent.name for p in (ROOT / "src" / "colony").glob("*/__init__.py")}
    outer = re.findall(r"^(\w+)/ ", tree, re.MULTILINE)
    assert all((ROOT / name).is_dir() for name in outer)
    assert "[tool.importlinter]" in (ROOT / "pyproject.toml").read_text()


def test_links():
    """The pages that the last paragraph names are there, and the licence is the one it says."""
    assert all((ROOT / name).is_file() for name in ("docs/tutorial.md", "docs/index.md", "CONTRIBUTING.md"))
    assert "Apache License" in (ROOT / "LICENSE").read_text()
