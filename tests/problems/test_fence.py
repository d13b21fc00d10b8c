"""The first fence round mutable regions: what it refuses, and that it lets honest programs through."""

import pytest

from colony.problems.fence import fence_faults, mutable_lines
from colony.problems.loaders import find_folder, load_folder
from colony.problems.program import Program

SEED = """import math
# EVOLVE-BLOCK-START
def rank(x):
    return x
# EVOLVE-BLOCK-END
def best(xs):
    found = max(xs, key=rank)
    return found
"""
PROGRAM = Program({"initial.py": SEED}, "best", ("math",))


def faults(region):
    head, rest = SEED.split("# EVOLVE-BLOCK-START\n")
    tail = rest.split("# EVOLVE-BLOCK-END\n")[1]
    return fence_faults(PROGRAM, {"initial.py": f"{head}# EVOLVE-BLOCK-START\n{region}# EVOLVE-BLOCK-END\n{tail}"})


@pytest.mark.parametrize(
    "region",
    [
        "def rank(x):\n    return math.sqrt(abs(x))\n",
        "import math as m\nfrom math import log\ndef rank(x):\n    return m.exp(x) + log(2)\n",
        "LIMIT = 3\ndef rank(x):\n    found = [y for y in range(LIMIT)]\n    return max(found) + x\n",
        "def rank(x):\n    def best(y):\n        return y\n    return best(x)\n",
        "class A:\n    def __init__(self):\n        super().__init__()\n        self._x = 1\n",
    ],
)
def test_honest_regions_pass(region):
    """Arithmetic, allowed imports, helpers, and names of the frozen text as locals of a function."""
    assert faults(region) == []


@pytest.mark.parametrize(
    ("region", "what"),
    [
        ("import os\n", "import of 'os'"),
        ("from os import path\n", "import of 'os'"),
        ("from . import x\n", "import of '.'"),
        ("def rank(x):\n    import sys\n    return x\n", "import of 'sys'"),
        ("def rank(x):\n    return __import__('os')\n", "name '__import__'"),
        ("def rank(x):\n    return eval('x')\n", "name 'eval'"),
        ("def rank(x):\n    open('score', 'w')\n", "name 'open'"),
        ("def rank(x):\n    return getattr(x, 'a')\n", "name 'getattr'"),
        ("def rank(x):\n    return x.__class__.__mro__\n", "attribute '__class__'"),
        ("def rank(x):\n    return math._getframe()\n", "attribute '_getframe'"),
        ("def rank(x):\n    g = (i for i in [])\n    return g.gi_frame.f_back.f_locals\n", "attribute 'gi_frame'"),
        ("def max(xs, key):\n    return xs[0]\n", "take over the name 'max'"),
        ("rank = len = print\n", "take over the name 'len'"),
        ("def best(xs):\n    return 0\n", "take over the name 'best'"),
        ("def rank(x):\n    global found\n    found = 1\n", "take over the name 'found'"),
        ("import math as max\n", "take over the name 'max'"),
        ("for math in []: pass\n", "take over the name 'math'"),
        ("def rank(x:\n", "is no Python"),
    ],
)
def test_tricks_are_named(region, what):
    """Each refusal says what is not allowed."""
    assert [fault for fault in faults(region) if what in fault]


def test_frozen_text_may_use_what_a_region_may_not():
    """The fence is for the regions; the frozen text is the problem author's."""
    seed = "import os\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\nopen(os.devnull).close()\n"
    program = Program({"a.py": seed}, "", ("math",))
    assert fence_faults(program, program.files) == []


def test_without_a_list_every_import_is_left_to_the_sandbox():
    """An empty `imports` means any module that the sandbox has."""
    program = Program({"a.py": "# EVOLVE-BLOCK-START\nimport os\n# EVOLVE-BLOCK-END\n"})
    assert fence_faults(program, program.files) == []


def test_lines_between_markers_are_counted_from_one():
    """Marker lines themselves are frozen."""
    assert mutable_lines(SEED) == {3, 4}


def test_the_seed_of_bin_packing_passes_its_own_fence():
    """A seed that its fence refuses could not be improved."""
    program = load_folder(find_folder("bin-packing")).program
    assert fence_faults(program, program.files) == []
