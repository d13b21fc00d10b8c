"""From a folder written for OpenEvolve or ShinkaEvolve to a problem, unchanged; and from any folder to its loader.

OpenEvolve: `initial_program.*`, `evaluator.py` and perhaps `config.yaml`. ShinkaEvolve: `initial.*` and `evaluate.py`,
which is run with `--program_path` and `--results_dir`. Loading reads and checks; it never imports or runs anything from
the folder. Keys of a configuration that steer a search or a model have no meaning here and are passed over.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # the package ships no types

from colony.primitives.encoding import canonical
from colony.primitives.errors import ProblemError
from colony.primitives.limits import PROBLEM_FILES_MAX, STATEMENT_CHARACTERS_MAX
from colony.problems.loaders import load_folder, read_text
from colony.problems.metric import Budget, Metric
from colony.problems.problem import Evaluator, Problem
from colony.problems.program import END, START, Program

_OUTPUTS = {"__pycache__", "openevolve_output", "results", "checkpoints"}
_TIMEOUT_SECONDS = 300.0
_THRESHOLDS = [0.5, 0.75, 0.9]
_FEATURES = ["complexity", "diversity"]
_SCORE = Metric("combined_score", "maximise")


def load(folder: Path) -> Problem:
    """The problem of a folder in any of the three styles.

    Raises:
        ProblemError: the folder is in none of them, or something in it is wrong.

    """
    folder = folder.resolve()
    if (folder / "problem.toml").is_file():
        return load_folder(folder)
    if (folder / "evaluator.py").is_file():
        return load_openevolve(folder)
    if (folder / "evaluate.py").is_file() and list(folder.glob("initial.*")):
        return load_shinka(folder)
    raise ProblemError(
        f"{folder}: no problem here; it needs problem.toml and evaluate.py, or evaluator.py and initial_program.* "
        "(OpenEvolve), or evaluate.py and initial.* (ShinkaEvolve)"
    )


def load_openevolve(folder: Path) -> Problem:
    """The problem of an OpenEvolve folder.

    Raises:
        ProblemError: a file is missing, or a value of the configuration makes no sense; names file and key.

    """
    folder = folder.resolve()
    seed = _seed_file(folder, "initial_program")
    config = _Config.read(folder)
    text = read_text(seed)
    unmarked = START not in text
    options = {
        "shared_process": True,
        "evaluator": "evaluator.py",
        "unmarked": unmarked,
        "cascade": config.flag("evaluator", "cascade_evaluation", default=True),
        "thresholds": config.numbers("evaluator", "cascade_thresholds", default=_THRESHOLDS),
        "arguments": config.value("evaluator", "evaluator_args", dict, {}),
        "feature_dimensions": config.value("database", "feature_dimensions", list, _FEATURES),
    }
    return Problem(
        name=folder.name,
        statement=config.value("prompt", "system_message", str, "").strip()[:STATEMENT_CHARACTERS_MAX],
        program=Program({seed.name: _marked(text) if unmarked else text}),
        metric=_SCORE,
        budget=Budget(experiments=config.value("", "max_iterations", int, None)),
        timeout_seconds=config.seconds("evaluator", "timeout", default=_TIMEOUT_SECONDS),
        evaluator=Evaluator("openevolve", content_hash(folder, seed), folder=folder, options=options),
    )


def load_shinka(folder: Path) -> Problem:
    """The problem of a ShinkaEvolve folder.

    Raises:
        ProblemError: a file is missing, or the seed has no marked region.

    """
    folder = folder.resolve()
    seed = _seed_file(folder, "initial")
    options = {"shared_process": True, "evaluator": "evaluate.py"}
    return Problem(
        name=folder.name,
        statement=_task_message(folder / "run_evo.py"),
        program=Program({seed.name: read_text(seed)}),
        metric=_SCORE,
        timeout_seconds=_TIMEOUT_SECONDS,
        evaluator=Evaluator("shinka", content_hash(folder, seed), folder=folder, options=options),
    )


def content_hash(folder: Path, seed: Path) -> str:
    """Hex SHA-256 over every file beside the seed that is no output of earlier runs and not hidden.

    Raises:
        ProblemError: there are too many files.

    """
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p != seed and not _is_output(p.relative_to(folder)))
    if len(found) > PROBLEM_FILES_MAX:
        raise ProblemError(f"{folder}: more than {PROBLEM_FILES_MAX} files; a problem folder holds only the problem")
    digests = {p.relative_to(folder).as_posix(): sha256(p.read_bytes()).hexdigest() for p in found}
    return sha256(canonical(digests)).hexdigest()


def _is_output(path: Path) -> bool:
    return any(part in _OUTPUTS or part.startswith((".", "results_")) for part in path.parts)


def _seed_file(folder: Path, stem: str) -> Path:
    found = sorted(folder.glob(f"{stem}.*")) or sorted(folder.glob("initial*"))
    if not found:
        raise ProblemError(f"{folder / stem}.*: missing; evolution starts from an initial program")
    return found[0]


def _marked(text: str) -> str:
    """A seed without markers as one mutable region; the host takes the two lines away again."""
    return f"# {START}\n{text if text.endswith(chr(10)) else text + chr(10)}# {END}\n"


def _task_message(file: Path) -> str:
    """The longest text given to a name that ends in `task_sys_msg`, read from the source without running it."""
    if not file.is_file():
        return ""
    try:
        tree = ast.parse(read_text(file))
    except SyntaxError:
        return ""
    texts = [
        node.value.value.strip()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.keyword)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and any(name.endswith("task_sys_msg") for name in _names(node))
    ]
    return max(texts, key=len, default="")[:STATEMENT_CHARACTERS_MAX]


def _names(node: ast.Assign | ast.keyword) -> list[str]:
    if isinstance(node, ast.keyword):
        return [node.arg or ""]
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


@dataclass(frozen=True)
class _Config:
    """The parts of a `config.yaml` that say how to evaluate; `file` is for messages."""

    file: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> _Config:
        found = [folder / "config.yaml", folder / "config.yml", *sorted(folder.glob("config*.y*ml"))]
        file = next((f for f in found if f.is_file()), None)
        if file is None:
            return cls(found[0], {})
        try:
            content = yaml.safe_load(read_text(file)) or {}
        except yaml.YAMLError as error:
            raise ProblemError(f"{file}: broken YAML: {' '.join(str(error).split())}; correct the file") from None
        if not isinstance(content, Mapping):
            raise ProblemError(f"{file}: must be a mapping from key to value")
        return cls(file, content)

    def value(self, section: str, key: str, sort: type, default: Any) -> Any:
        table = self.content.get(section) if section else self.content
        found = table.get(key) if isinstance(table, Mapping) else None
        if found is None:
            return default
        if not isinstance(found, sort) or isinstance(found, bool) is not (sort is bool):
            raise ProblemError(f"{self.file}: {section}.{key}: must be of type {sort.__name__}, not {found!r}")
        return found

    def flag(self, section: str, key: str, *, default: bool) -> bool:
        return bool(self.value(section, key, bool, default))

    def numbers(self, section: str, key: str, *, default: list[float]) -> list[float]:
        found = self.value(section, key, list, default)
        if not all(isinstance(n, int | float) for n in found):
            raise ProblemError(f"{self.file}: {section}.{key}: must be a list of numbers, not {found!r}")
        return [float(n) for n in found]

    def seconds(self, section: str, key: str, *, default: float) -> float:
        found = self.value(section, key, object, default)
        if isinstance(found, bool) or not isinstance(found, int | float) or not found > 0:
            raise ProblemError(f"{self.file}: {section}.{key}: must be a number of seconds above 0, not {found!r}")
        return float(found)
