"""The style that a linter does not know, as tests: sizes, names, and the few calls that no replay could repeat.

Each rule is a function from one file to complaints, and each complaint names what to write instead. What this file does
not do: layout and idioms (ruff), types (mypy), floors (import-linter).
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
PLACES = ("src", "tests", "bench", "examples", "tools")


@dataclass(frozen=True)
class File:
    """One source file; `path` is relative to the repository."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file as a syntax tree."""
        return ast.parse(self.text)


Rule = Callable[[File], Iterator[str]]


# -- shape ----------------------------------------------------------------------------------------------------------


def opens_with_a_docstring(file: File) -> Iterator[str]:
    """A file opens with what it does and does not do."""
    if not ast.get_docstring(file.tree):
        yield "begin with a docstring that says what this file does, and what it does not do"


def is_short(file: File) -> Iterator[str]:
    """A file has at most 500 lines."""
    lines = len(file.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines; split it by what its parts are about, {FILE_LINES_MAX} are allowed"


def has_short_functions(file: File) -> Iterator[str]:
    """A function has at most 70 lines without its docstring."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines; give its leaves names, {FUNCTION_LINES_MAX} are allowed"


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    return (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0


BANNED_NAMES = ("utils", "util", "common", "helpers", "helper", "base", "core", "manager", "misc")
NAMES_OF_OTHERS = "src/colony/problems/shims/"  # import paths that foreign evaluators ask for


def says_what_is_inside(file: File) -> Iterator[str]:
    """A module's name says what is inside."""
    if not file.path.startswith(NAMES_OF_OTHERS):
        for name in set(Path(file.path).with_suffix("").parts) & set(BANNED_NAMES):
            yield f"the name {name!r} says nothing; name the thing that the module holds"


LAZY_FACE = "src/colony/__init__.py"  # loads the house on first use, so that a worker that needs one floor stays small


def is_only_a_face(file: File) -> Iterator[str]:
    """An `__init__` holds a docstring and re-exports."""
    if not file.path.endswith("__init__.py") or file.path == LAZY_FACE:
        return
    for node in file.tree.body[1:]:
        is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if not (isinstance(node, ast.Import | ast.ImportFrom) or is_all):
            yield f"line {node.lineno}: an __init__ holds re-exports only; move code into a module of its own"


# -- what would make a run impossible to replay -----------------------------------------------------------------------


@dataclass(frozen=True)
class Ban:
    """A name that may stand only in `allowed` places, and what to write instead."""

    pattern: str
    instead: str
    allowed: tuple[str, ...] = ()


CLOCKS = (
    "src/colony/primitives/clock.py",
    "src/colony/sandbox/",  # deadlines of real processes
    "src/colony/problems/hosting.py",  # runs in the sandbox, where a search ends itself in time
    "src/colony/problems/shims/",  # runs in the sandbox
    "src/colony/stm/",  # measures its own waiting, with a clock that its owner may replace
    "src/colony/memory/shared_memory.py",  # the same
)
BANS = (
    Ban(
        r"time\.(time|monotonic|perf_counter|process_time)(_ns)?",
        "take a primitives.clock.Clock as an argument",
        CLOCKS,
    ),
    Ban(r"datetime\.(now|utcnow|today)|date\.today", "take a primitives.clock.Clock as an argument"),
    Ban(
        r"random\.(?!Random$)\w+",
        "take a stream as an argument: numpy.random.Generator, or random.Random(seed)",
        ("src/colony/sandbox/inside/handle.py",),  # seeds the global stream of user code, so that it repeats
    ),
    Ban(
        r"(np|numpy)\.random\.(?!(default_rng|Generator|SeedSequence|PCG64)$)\w+",
        "take a numpy.random.Generator as an argument",
        ("src/colony/sandbox/inside/",),  # as above
    ),
    Ban(r"(uuid\.)?uuid[14]", "derive the name from content: primitives.encoding.sha256 over canonical bytes"),
    Ban(r"(asyncio|loop)\.create_task", "use the create_task of an asyncio.TaskGroup, which owns the task"),
    Ban(
        r"asyncio\.ensure_future",
        "use the create_task of an asyncio.TaskGroup, which owns the task",
        (
            "src/colony/swarm/run.py",  # a wait with three ends; both futures are cancelled before it returns
            "src/colony/swarm/claims.py",  # a record under way is not cut short; its owner awaits it
        ),
    ),
    Ban(r"asyncio\.gather", "use an asyncio.TaskGroup, which cancels the rest where one fails"),
    Ban(
        r"(cloud)?pickle\.\w+",
        "store canonical JSON: primitives.encoding.canonical",
        ("src/colony/verification/evaluator.py", "src/colony/sandbox/inside/"),  # ships a function, stores nothing
    ),
)


def can_be_replayed(file: File) -> Iterator[str]:
    """Time, chance and tasks come from where they can be governed."""
    for line, name in _names_used(file.tree):
        for ban in BANS:
            if re.fullmatch(ban.pattern, name) and not file.path.startswith(ban.allowed):
                yield f"line {line}: {name}: {ban.instead}"


def _names_used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name with its line; `from time import monotonic` counts as `time.monotonic`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


# -- the rules, applied -----------------------------------------------------------------------------------------------

SOURCE_RULES: tuple[Rule, ...] = (is_short, has_short_functions, is_only_a_face, can_be_replayed)
RULES: tuple[Rule, ...] = (opens_with_a_docstring, says_what_is_inside)
WRITTEN_FOR_EVALUATORS = ("tests/fixtures/", "tests/sandbox/hostile.py")  # as their users wrote them


def files(*places: str) -> list[File]:
    found = [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]
    return [File(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in found]


def complaints(rule: Rule, among: list[File]) -> list[str]:
    return [f"{file.path}: {complaint}" for file in among for complaint in rule(file)]


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_every_source_file(rule):
    """Every file of the package keeps every rule."""
    found = complaints(rule, files("src"))
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_of_the_project(rule):
    """So do tests, benches, examples and tools, as far as it concerns them."""
    among = [f for f in files(*PLACES) if f.text.strip() and not f.path.startswith(WRITTEN_FOR_EVALUATORS)]
    found = complaints(rule, among)
    assert not found, "\n" + "\n".join(found)


PERSONAL = re.compile(r"(?<![\w./}])/(?:work|root|Users/\w+|home/\w+)/[\w.]")
TEXTS = ("*.md", "*.py", "*.toml", "*.txt", "*.sh", "*.yaml")


def test_no_path_of_one_machine():
    """Nothing that is shipped names a folder of the machine it was written on."""
    found = []
    for place in (*PLACES, "docs", ".ci"):
        if place == "tests":  # attackers reach for such folders on purpose
            continue
        paths = [p for pattern in TEXTS for p in (ROOT / place).rglob(pattern)]
        found += [f"{p}: {m[0]}" for p in paths for m in PERSONAL.finditer(p.read_text("utf-8"))]
    for name in ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml", "CHANGELOG.md", "SECURITY.md"):
        found += [f"{name}: {m[0]}" for m in PERSONAL.finditer((ROOT / name).read_text("utf-8"))]
    assert not found, "\n" + "\n".join(found)


# -- each rule bites -------------------------------------------------------------------------------------------------

OFFENDERS = [
    (opens_with_a_docstring, "src/colony/a.py", "x = 1\n"),
    (is_short, "src/colony/a.py", "x = 1\n" * 501),
    (has_short_functions, "src/colony/a.py", "def f():\n" + "    x = 1\n" * 70),
    (says_what_is_inside, "src/colony/swarm/utils.py", ""),
    (is_only_a_face, "src/colony/swarm/__init__.py", '"""A face."""\nx = 1\n'),
    (can_be_replayed, "src/colony/swarm/a.py", "import time\ntime.time()\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "from time import monotonic\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "import random\nrandom.random()\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "import numpy as np\nnp.random.rand(3)\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "from uuid import uuid4\nuuid4()\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "asyncio.create_task(f())\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "asyncio.gather(f())\n"),
    (can_be_replayed, "src/colony/swarm/a.py", "pickle.dumps(1)\n"),
]


@pytest.mark.parametrize(("rule", "path", "text"), OFFENDERS, ids=lambda value: getattr(value, "__name__", None))
def test_each_rule_bites(rule, path, text):
    """A file that breaks a rule is found, so a rule that has gone blind is noticed."""
    assert list(rule(File(path, text)))


GOOD = [
    "async with asyncio.TaskGroup() as group:\n    group.create_task(f())",
    "random.Random(3).random()",
    "np.random.default_rng(3).random()",
    "clock.monotonic_seconds()",
]


@pytest.mark.parametrize("line", GOOD)
def test_what_to_write_instead_is_allowed(line):
    """The replacements that the rules name break no rule."""
    text = f'"""A file."""\nasync def main():\n    {line.replace(chr(10), chr(10) + "    ")}\n'
    assert not [c for rule in SOURCE_RULES for c in rule(File("src/colony/swarm/a.py", text))]


def test_a_path_of_one_machine_is_found():
    """The pattern sees a home folder, and lets addresses and attacks on whole trees be."""
    assert PERSONAL.search("see /home/" + "ann/colony for more")
    assert not PERSONAL.search("see https://example.org/home/ann/colony, or /home")
