"""Attacks of program candidates, through the sandbox: each costs only itself, and none touches a score."""

import shutil
import sys

import pytest

from colony.problems.candidate import Candidate
from colony.problems.loaders import find_folder, load_folder
from colony.problems.program import Program, join_regions
from colony.problems.proposal import Proposal
from colony.sandbox import bubblewrap, local
from colony.verification.programs import ProgramEvaluator

SEED = """# EVOLVE-BLOCK-START
def f(x):
    return 1
# EVOLVE-BLOCK-END
"""
EVALUATE = """
def cases():
    return [[1], [2], [3]]
def score(outputs, cases):
    return float(sum(outputs))
"""
HANG = "def f(x):\n    while True:\n        pass\n"
ATTACKS = {
    "prints a score": 'print(\'{"value": 1e9, "status": "ok"}\')\ndef f(x):\n    raise SystemExit(0)\n',
    "returns a score": "def f(x):\n    return {'value': 1e9, 'score': 1e9}\n",
    "leaves quietly": "import os\nos._exit(0)\n",
    "writes to every descriptor": (
        "import os\nfor n in range(3, 1024):\n    try:\n        os.write(n, b'{\"value\": 1e9}\\n' * 9)\n"
        "    except OSError:\n        pass\nos._exit(0)\n"
    ),
    "floods the result": "def f(x):\n    return 'x' * 10**8\n",
    "floods standard output": "def f(x):\n    while True:\n        print('x' * 10**6)\n",
    "dies by a signal": "import os\nos.kill(os.getpid(), 11)\n",
    "hangs": HANG,
    "waits for ever": "import threading\nthreading.Event().wait()\n",
    "raises": "def f(x):\n    raise MemoryError\n",
}


def candidate(problem, region):
    """The seed with its first mutable region replaced, unseen by the fence."""
    files = {path: join_regions(frozen, (region,)) for path, (frozen, _) in problem.program.regions.items()}
    return Candidate.program(files)


@pytest.fixture(scope="module", params=["bubblewrap", "process"])
def opened(request, tmp_path_factory):
    """A small native problem, open in each adapter."""
    if sys.platform != "linux" or (request.param == "bubblewrap" and shutil.which("bwrap") is None):
        pytest.skip("this sandbox is not here")
    folder = tmp_path_factory.mktemp("small")
    (folder / "evaluate.py").write_text(EVALUATE)
    (folder / "initial.py").write_text(SEED)
    (folder / "problem.toml").write_text(
        '[metric]\nname = "sum"\ndirection = "maximise"\n[program]\nentry = "f"\n[limits]\ntimeout_seconds = 0.5\n'
    )
    problem = load_folder(folder)
    sandbox = {"bubblewrap": bubblewrap, "process": local}[request.param].sandbox()
    evaluator = ProgramEvaluator.open(problem, sandbox, sandbox)
    yield problem, evaluator, request.param
    evaluator.close()


def measure(evaluator, *candidates):
    return [m.evaluation for m in evaluator.measure([Proposal(c, "test") for c in candidates])]


def test_attacks_cost_only_themselves(opened):
    """All at once, between healthy neighbours: the neighbours score three, the attacks nothing."""
    problem, evaluator, _ = opened
    candidates = [candidate(problem, region) for region in ATTACKS.values()]
    first, *attacks, last = measure(evaluator, problem.seed, *candidates, problem.seed)
    assert (first.value, last.value) == (3.0, 3.0)
    assert {n: a.value for n, a in zip(ATTACKS, attacks, strict=True)} == dict.fromkeys(ATTACKS)
    assert {a.status for a in attacks} == {"failed"}
    assert all(a.reason for a in attacks)


def test_the_evaluator_is_nowhere_in_the_candidates_process(opened):
    """Neither as a module, nor in a frame: there is no score to reach."""
    problem, evaluator, _ = opened
    spy = (
        "import sys\nframe, found = sys._getframe(), []\n"
        "while frame is not None:\n    found += [n for n in (*frame.f_globals, *frame.f_locals) if n == 'score']\n"
        "    frame = frame.f_back\n"
        "found += [n for n in sys.modules if n == 'evaluate']\n"
        "def f(x):\n    return len(found) + 1\n"
    )
    (judged,) = measure(evaluator, candidate(problem, spy))
    assert judged.value == 3.0


def test_the_problems_folder_is_out_of_sight(opened):
    """Only the forks of the plain process adapter could find it; its grade says so."""
    problem, evaluator, adapter = opened
    if adapter == "process":
        pytest.skip("a plain process sees the file system")
    spy = f"import os\nseen = os.path.exists({str(problem.evaluator.folder)!r})\ndef f(x):\n    return 1 + seen\n"
    (judged,) = measure(evaluator, candidate(problem, spy))
    assert judged.value == 3.0


def test_writing_files_changes_no_score(opened):
    """What a candidate writes is gone with its fork, and nothing of ours can be written."""
    problem, evaluator, adapter = opened
    if adapter == "process":
        pytest.skip("a plain process may write what its user may")
    target = str(problem.evaluator.folder / "evaluate.py")
    vandal = f"try:\n    open({target!r}, 'w').write('x')\nexcept OSError:\n    pass\ndef f(x):\n    return 1\n"
    values = [e.value for e in measure(evaluator, candidate(problem, vandal), problem.seed)]
    assert values == [3.0, 3.0]


def test_candidates_do_not_find_what_earlier_ones_left(opened):
    """Each runs in a fork of the same clean process."""
    problem, evaluator, _ = opened
    leave = "import builtins\nbuiltins.left = 100\ndef f(x):\n    return 1\n"
    find = "import builtins\ndef f(x):\n    return getattr(builtins, 'left', 1)\n"
    values = [e.value for e in measure(evaluator, candidate(problem, leave), candidate(problem, find))]
    assert values == [3.0, 3.0]


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bin_packing_is_scored_and_held_out_through_the_sandbox():
    """The figures of best fit, in-sample and on the longer unseen sequences."""
    problem = load_folder(find_folder("bin-packing"))
    sandbox = bubblewrap.sandbox()
    evaluator = ProgramEvaluator.open(problem, sandbox, sandbox)
    (judged,) = measure(evaluator, problem.seed)
    held_out = evaluator.ask("holdout", problem.seed)
    evaluator.close()
    assert judged.value == pytest.approx(4.405940594)
    assert held_out.value["value"] == pytest.approx(4.146730463)


def test_regions_of_a_program_join_to_what_they_were():
    """The tests replace regions with the same functions that agents use."""
    program = Program({"a.py": SEED})
    frozen, mutable = program.regions["a.py"]
    assert join_regions(frozen, mutable) == SEED
