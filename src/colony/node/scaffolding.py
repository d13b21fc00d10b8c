"""Make a small working problem folder for somebody to start from."""

from __future__ import annotations

from pathlib import Path

from colony.primitives.errors import UsageError

_TOML_PARAMETERS = """name = "{name}"
statement = "Find the highest point of a hilly curve."

[metric]
name = "height"
unit = "1"
direction = "maximise"

[space.x]
type = "float"
low = 0.0
high = 5.0

[space.y]
type = "float"
low = 0.0
high = 5.0

[budget]
evaluations = 500
"""

_EVALUATE_PARAMETERS = '''"""Scores a candidate: called with the variables of problem.toml; returns a number."""

import math


def evaluate(x, y):
    return math.sin(3 * x) * math.cos(2 * y) + 0.1 * x
'''

_TOML_PROGRAM = """name = "{name}"
statement = "Write a function that is close to a hidden curve at many places."

[metric]
name = "mean absolute error"
unit = "1"
direction = "minimise"
bound = 0.0

[program]
entry = "guess"
imports = ["math"]

[budget]
experiments = 1000
"""

_INITIAL_PROGRAM = """# EVOLVE-BLOCK-START
def guess(x):
    return 1.0 + 0.5 * x
# EVOLVE-BLOCK-END
"""

_EVALUATE_PROGRAM = '''"""Scores what a program returned, apart from it: `cases` go out, `outputs` come back."""


def cases():
    """The argument lists that the program is called with."""
    return [[x / 10] for x in range(50)]


def score(outputs, cases):
    """The score of the outputs, one for each case."""
    wanted = [0.3 * x * x - 1.7 * x + 2.2 for (x,) in cases]
    return sum(abs(float(got) - want) for got, want in zip(outputs, wanted, strict=True)) / len(wanted)
'''

KINDS = {
    "parameters": {"problem.toml": _TOML_PARAMETERS, "evaluate.py": _EVALUATE_PARAMETERS},
    "program": {"problem.toml": _TOML_PROGRAM, "initial.py": _INITIAL_PROGRAM, "evaluate.py": _EVALUATE_PROGRAM},
}


def new_problem(folder: Path, kind: str) -> list[Path]:
    """Write the files of a new problem; returns them.

    Raises:
        UsageError: the folder exists already or cannot be made.

    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"{folder}: exists already; choose another name") from None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror}") from None
    written = []
    for name, text in KINDS[kind].items():
        file = folder / name
        file.write_text(text.replace("{name}", folder.name), "utf-8")
        written.append(file)
    return written
