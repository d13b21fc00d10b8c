"""The commands of the task matrix, as people and agents type them, in real repositories."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from colony.cli import entry
from colony.node.matrix import projection
from colony.tasks.order import scoring

WHO = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "a@example.org"}
WHO |= {"GIT_COMMITTER_NAME": "ada", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}


def git(folder, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **WHO}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository, in which the commands are typed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def said(repository, invoke):
    """Type a command with --json; returns the object, and checks how it ended."""

    def run(line, code=0):
        ended, out, err = invoke(*line.split(), "--json")
        assert ended == code, f"{line}: {out}{err}"
        return json.loads(out.splitlines()[-1])

    return run


@pytest.fixture
def three(said):
    """A parser, its tests after it, and something else."""
    said("task add Parser --id parser --estimate 2h --scope src/parser")
    said("task add Tests --id tests --after parser --priority 4")
    said("task add Docs --id docs --scope docs")
    return said


def commit(repository, task, subject="work"):
    git(repository, "commit", "-q", "--allow-empty", "-m", subject, "--trailer", f"Colony-Task: {task}")
    return git(repository, "rev-parse", "HEAD")


def test_the_working_tree_stays_clean(three, repository):
    """Records live on a ref of their own: no file, no branch, no index entry."""
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "branch", "--list") == ""
    assert list(repository.iterdir()) == [repository / ".git"]


def test_ready_is_what_waits_for_nothing(three):
    """The first task of the longer path comes first; what waits is not offered."""
    found = three("task ready")
    assert ([row["id"] for row in found["ready"]], found["total"]) == (["parser", "docs"], 2)


def test_a_life(three, repository):
    """Claimed, begun, committed, done: what waited for it is ready, and the matrix agrees with the commits."""
    taken = three("task claim parser --as ralph")["claimed"][0]
    assert (taken["agent"], taken["fence"]) == ("ralph", 1)
    assert three("task begin parser --as ralph")["task"] == "parser"
    made = commit(repository, "parser")
    assert three("task done parser --as ralph") == {"task": "parser", "commit": made, "state": "-"}
    assert three("task ready")["ready"][0]["id"] == "tests"
    assert three("matrix verify")["ok"]


def test_every_state_can_be_reached(three, repository):
    """The seed's ten symbols, each by what people and agents do."""

    def symbol(task):
        return next(t["state"] for t in three("task list --all")["tasks"] if t["id"] == task)

    seen = {symbol("parser")}
    for line in ("task claim docs", "task begin docs"):
        three(line)
        seen.add(symbol("docs"))
    for line in ("claim", "begin", "pause", "begin", "pause --question why", "begin"):
        verb, *rest = line.split(" ", 1)
        three(f"task {verb} parser --as ralph {' '.join(rest)}".strip())
        seen.add(symbol("parser"))
    three("task hold parser")
    assert three("task show parser")["held"]
    three("task release parser")
    three("task fail parser --as ralph")
    seen.add(symbol("parser"))
    three("task set docs --label no-code")
    three("task done docs")
    seen.add(symbol("docs"))
    assert seen == set("+~$%&_?!-")


def test_a_failed_task_can_be_released(three):
    """By whoever failed at it, or by a person; another agent's word is refused."""
    three("matrix init --name ada")
    for releaser in (" --as ralph", ""):
        three("task claim parser --as ralph")
        three("task fail parser --as ralph")
        assert three("task release parser --as zed", code=2)["error"] == "UsageError"
        assert three(f"task release parser{releaser}")["state"] == "+"


def test_what_a_person_has_is_not_taken_away(three):
    """Neither by another claim, nor by a steal; who paused a task has it still."""
    three("task claim docs")
    three("task claim parser --as ralph")
    three("task pause parser --as ralph")
    for task in ("docs", "parser"):
        assert three(f"task claim {task} --as zed --steal", code=21)["error"] == "ClaimError"


def test_done_needs_exactly_one_commit(three, repository):
    """None is refused, and so are two; without anything to commit one says so."""
    three("task claim parser --as ralph")
    assert three("task done parser --as ralph", code=22)["error"] == "CommitError"
    commit(repository, "parser")
    commit(repository, "parser", "more work")
    assert three("task done parser --as ralph", code=22)["error"] == "CommitError"
    three("task add Decide --id decide --label no-code")
    three("task claim decide --as ralph")
    assert three("task done decide --as ralph") == {"task": "decide", "commit": None, "state": "-"}


def test_what_was_reopened_is_done_again_by_another_commit(three, repository):
    """The commit that did it once counts no more, and the matrix agrees with the history all the while."""
    for subject in ("first", "second"):
        three("task claim parser --as ralph")
        made = commit(repository, "parser", subject)
        assert three("task done parser --as ralph")["commit"] == made
        assert three("matrix verify")["ok"]
        if subject == "first":
            assert three("task reopen parser")["state"] == "+"
            assert three("matrix verify")["ok"]


def test_a_claim_is_exclusive(three):
    """Who comes second is told who has it; nobody else can finish it."""
    three("task claim parser --as ralph")
    assert "ralph" in three("task claim parser --as zed", code=21)["message"]
    assert "ralph" in three("task done parser --as zed", code=21)["message"]
    assert three("task claim --as zed")["claimed"][0]["task"] == "docs"


def test_scopes_that_touch_are_not_claimed_together(three):
    """`src` covers `src/parser`."""
    three("task add Sources --id sources --scope src")
    three("task claim parser --as ralph")
    assert "scope" in three("task claim sources --as zed", code=21)["message"]
    assert three("task why sources")["obstacles"] == ["its scope touches that of parser, which ralph has"]


def test_a_hold_outranks_agents(three):
    """A held task is not ready and cannot be claimed; the agent that is not allowed to cannot end it."""
    three("matrix init --name ada")
    three("task hold parser")
    assert [row["id"] for row in three("task ready")["ready"]] == ["docs"]
    assert three("task claim parser --as ralph", code=21)["error"] == "ClaimError"
    for forbidden in ("task release parser", "task hold docs", "task delete docs", "task reopen docs"):
        assert three(f"{forbidden} --as ralph", code=2)["error"] == "UsageError"
    assert three("task release parser")["state"] == "+"


def test_an_agent_cannot_raise_its_own_tier(three):
    """Its word on stars, size and complexity changes nothing, and is reported; a human's does."""
    three("matrix init --name ada")
    before = three("route docs")["tier"]
    for wish in ("--stars 9", "--size critical", "--complexity 12"):
        three(f"task set docs {wish} --as ralph")
    assert three("route docs")["tier"] == before
    assert three("task show docs")["stars"] == 0
    assert len([r for r in three("matrix verify", code=23)["reports"] if "forbidden" in r]) == 3
    three("task set docs --complexity 12")
    assert three("route docs")["tier"] == "T3"  # the ceiling of the settings


def test_the_ceiling_is_part_of_the_lease(three, repository):
    """What the settings allow stands in the claim, and no route goes above it, whatever the task asks for."""
    (repository / "colony.toml").write_text('[matrix]\nceiling = "T1"\n')
    three("task set docs --complexity 12")
    assert three("task claim docs --as ralph")["claimed"][0]["ceiling"] == "T1"
    (repository / "colony.toml").write_text('[matrix]\nceiling = "T4"\n')
    found = three("route docs")
    assert (found["ceiling"], found["tier"]) == ("T1", "T1")
    assert three("route parser")["ceiling"] == "T4"


def test_a_secure_task_stays_on_this_machine(three, monkeypatch):
    """Whatever keys are there and whatever a hint wishes for."""
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GROQ_API_KEY"):
        monkeypatch.setenv(name, "secret")
    three("task add Keys --id keys --secure --hint @anthropic.opus")
    found = three("route keys")
    assert (found["tier"], found["provider"]) == ("T5", "ollama")
    assert "secret" not in json.dumps(found)


def test_heat_path_and_why_explain_themselves(three):
    """Bands with meanings, the chain that nothing shortens, and terms that add up."""
    hottest = three("heat")["heat"][0]
    assert (hottest["task"], hottest["heat"], hottest["band"]) == ("parser", 1, "medium")
    assert [step["id"] for step in three("path")["path"]] == ["parser", "tests"]
    why = three("task why tests")
    assert sum(term["points"] for term in why["terms"]) == pytest.approx(why["score"])
    assert "parser" in why["obstacles"][0]
    assert three("task why tests --literal")["score"] == 10 * 4 + 15 * 1


def test_the_literal_matrix_stands_beside_ours(three):
    """The seed puts the end of the chain first; ours its beginning."""
    assert three("matrix")["tasks"][0]["id"] == "parser"
    assert three("matrix --literal")["tasks"][0]["id"] == "tests"


def test_a_circle_is_refused(three):
    """And so is a dependency on oneself, or on nothing."""
    assert "circle" in three("task depend parser tests", code=2)["message"]
    assert three("task depend parser parser", code=2)["error"] == "UsageError"
    assert "none of this id" in three("task depend parser nothing", code=2)["message"]
    three("task depend tests parser --remove")
    assert three("task depend parser tests")["edges"] == [["tests", "parser", "^"]]


def fork(repository, tmp_path, name="fork"):
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    other = tmp_path / name
    git(tmp_path, "clone", "-q", str(repository), str(other))
    return other


def test_two_forks_merge_to_the_same_root(three, repository, tmp_path, monkeypatch):
    """Each works on its own, each merges the other: same tasks, same bytes, and done stays done."""
    other = fork(repository, tmp_path)
    monkeypatch.chdir(other)
    three(f"matrix merge {repository}")
    three("task set docs --label no-code")
    three("task claim docs --as zed")
    three("task done docs --as zed")
    three("task add Fork --id fork")
    monkeypatch.chdir(repository)
    three("task set docs --priority 5")
    three("task depend docs tests")
    ours = three(f"matrix merge {other}")
    monkeypatch.chdir(other)
    theirs = three(f"matrix merge {repository}")
    assert ours["root"] == theirs["root"]
    assert three("task show docs")["state"] == "-"
    assert three("task show docs")["priority"] == 5


def test_a_remote_brings_clones_together(three, repository, tmp_path, monkeypatch):
    """Through a bare repository, without any server."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    three(f"matrix sync {bare}")
    other = fork(repository, tmp_path)
    monkeypatch.chdir(other)
    found = three(f"matrix sync {bare}")
    assert sum(found["received"].values()) > 0
    assert [row["id"] for row in three("task ready")["ready"]] == ["parser", "docs"]


def test_what_is_damaged_is_named_and_the_rest_works(three, repository, tmp_path, monkeypatch):
    """A forged line in a fork: file and line, an exit code of its own, and the good part comes in."""
    other = fork(repository, tmp_path)
    monkeypatch.chdir(other)
    three(f"matrix merge {repository}")
    three("task add Good --id good")
    forge(other)
    monkeypatch.chdir(repository)
    found = three(f"matrix merge {other}", code=23)
    assert [fault for fault in found["faults"] if ".jsonl:" in fault]
    assert found["error"] == "MatrixFaultsError"
    assert {t["id"] for t in three("task list")["tasks"]} == {"parser", "tests", "docs", "good"}


def forge(repository):
    """Append a line to the newest author's file that nobody signed."""
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/colony/").splitlines()
    ref = next(ref for ref in refs if "claims" not in ref)
    paths = git(repository, "ls-tree", "-r", "--name-only", ref).splitlines()
    path = next(path for path in paths if path.endswith(".jsonl"))
    text = git(repository, "show", f"{ref}:{path}") + '\n{"record":{"forged":true},"signature":"00"}\n'
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=repository, input=text, capture_output=True, text=True, check=True
    ).stdout.strip()
    index = {**os.environ, **WHO, "GIT_INDEX_FILE": str(repository / ".git" / "forged")}
    for command in (["read-tree", ref], ["update-index", "--add", "--cacheinfo", f"100644,{blob},{path}"]):
        subprocess.run(["git", *command], cwd=repository, env=index, check=True)
    tree = subprocess.run(
        ["git", "write-tree"], cwd=repository, env=index, capture_output=True, text=True, check=True
    ).stdout.strip()
    git(repository, "update-ref", ref, git(repository, "commit-tree", tree, "-p", ref, "-m", "forged"))


def test_damage_at_home_is_shown_with_what_is_good(three, repository):
    """`list` and `matrix` print every good task, name the file and the line, and fail; a next write mends the file."""
    forge(repository)
    for line in ("task list", "matrix"):
        found = three(line, code=23)
        assert len(found["tasks"]) == 3
        assert ".jsonl:" in found["message"]
    assert three("task ready")["total"] == 2
    three("task add More --id more")
    assert three("task list")["faults"] == 0


def test_organic_agents_go_out_and_come_in(three, tmp_path):
    """As the seed's words for tiers, and as sections for the table that people edit."""
    three(f"task export {tmp_path / 'organic'}")
    found = three(f"task import {tmp_path / 'organic'}")
    assert '[agents."ralph"]\ntiers = ["T0", "T1"]\ncapacity = 4' in found["agents"]


def test_organic_and_beads_go_out_and_come_in(three, tmp_path, monkeypatch):
    """What was exported comes into an empty repository as the same tasks; damage is told and the rest comes in."""
    three(f"task export {tmp_path / 'organic'}")
    three(f"task export {tmp_path / 'issues.jsonl'} --format beads")
    for number, source in enumerate(("organic", "issues.jsonl")):
        folder = tmp_path / f"new{number}"
        folder.mkdir()
        git(folder, "init", "-q")
        monkeypatch.chdir(folder)
        found = three(f"task import {tmp_path / source}")
        assert (found["added"], found["edges"], found["faults"]) == (3, 1, [])
        assert three(f"task import {tmp_path / source}")["added"] == 0
    broken = tmp_path / "broken.jsonl"
    broken.write_text("<<<<<<< ours\n" + (tmp_path / "issues.jsonl").read_text())
    assert "broken.jsonl:1" in three(f"task import {broken}", code=23)["faults"][0]
    assert broken.read_text().startswith("<<<<<<<")


def test_the_laws_can_be_tried(said):
    """The fuzzer counts its triples and finds no violation."""
    found = said("matrix laws --triples 30 --seed 4")
    assert (found["triples"], found["violations"]) == (30, 0)


def test_a_hook_refuses_what_names_no_task(three, repository):
    """`hooks install`: a trailer must name a task that is there."""
    three("hooks install")
    hook = {**os.environ, **WHO, "COLONY": "1"}
    message = ["git", "commit", "-q", "--allow-empty", "-m", "x", "--trailer", "Colony-Task: nowhere"]
    refused = subprocess.run(message, cwd=repository, env=hook, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "nowhere" in refused.stderr


def test_the_kept_order_is_the_one_of_the_scores(three, repository):
    """`task ready` prints the same from its projection as from the records; a damaged projection is made again."""
    first = three("task ready")["ready"]
    file = repository / ".git" / "colony" / "ready"
    assert file.exists()
    second = three("task ready")["ready"]
    assert [row["id"] for row in second] == [row["id"] for row in first]
    file.write_bytes(b"nonsense")
    assert [row["id"] for row in three("task ready")["ready"]] == [row["id"] for row in first]
    three("task hold parser")
    assert [row["id"] for row in three("task ready")["ready"]] == ["docs"]
    assert projection.AGE_POINTS_PER_DAY == scoring.AGE_POINTS_PER_DAY


def test_the_short_cut_prints_what_the_command_prints(three, capsys, monkeypatch):
    """`colony task ready` by its short cut is the same command."""
    monkeypatch.setattr("sys.argv", ["colony", "task", "ready", "--json"])
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code in (0, None)
    shown = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in shown["ready"]] == [row["id"] for row in three("task ready")["ready"]]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("task add Twice --id parser", 2, "parser"),
        ("task add Odd --id a/b", 2, "a/b"),
        ("task add Low --priority 9", 2, "priority"),
        ("task add Long --estimate soon", 2, "duration"),
        ("task add After --after nothing", 2, "nothing"),
        ("task show nothing", 2, "nothing"),
        ("task why nothing", 2, "nothing"),
        ("task list --state asleep", 2, "asleep"),
        ("task set parser --stars 99", 2, "stars"),
        ("task done parser", 21, "claim it first"),
        ("task export docs --format yaml", 2, "beads"),
        ("task import nowhere", 2, "nowhere"),
        ("matrix sync", 2, "remote"),
        ("matrix sync /nowhere/at/all", 20, "nowhere"),
        ("matrix merge /nowhere/at/all", 20, "nowhere"),
        ("matrix laws --triples 0", 2, "triples"),
        ("route nothing", 2, "nothing"),
    ],
)
def test_bad_input_is_one_clear_error(three, line, code, words):
    """The exit code of its kind, and a sentence that names what is wrong."""
    found = three(line, code=code)
    assert words in found["message"]


def test_outside_a_repository(invoke, tmp_path, monkeypatch):
    """One clear error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    code, _, err = invoke("task", "ready")
    assert code == 19
    assert "git init" in err


def test_settings_that_make_no_sense_are_named(three, repository):
    """The file, and the key at fault."""
    (repository / "colony.toml").write_text('[matrix]\nlease_seconds = "long"\n')
    assert "lease_seconds" in three("task list", code=2)["message"]
    (repository / "colony.toml").write_text('[roles]\nx = "king"\n')
    assert "king" in three("task list", code=2)["message"]
