"""From a folder to a problem: `problem.toml` + `evaluate.py` (+ `initial.*`), and the ready problems of the wheel.

Folders in the style of other systems are read by `foreign`. Loading reads and checks; it never imports or runs
anything from the folder, because the evaluator belongs into a sandbox.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from colony.primitives.encoding import canonical
from colony.primitives.errors import ProblemError
from colony.primitives.limits import PROBLEM_FILE_BYTES_MAX, PROBLEM_FILES_MAX
from colony.problems.metric import KnownRecord, Metric, budget_from
from colony.problems.problem import Evaluator, Problem
from colony.problems.program import Program
from colony.problems.space import space_from

READY = Path(__file__).parent / "ready"
PACKAGE = Path(__file__).parents[1]
_IMPORT = re.compile(rb"^\s*(?:from|import)\s+(colony\.[\w.]+)", re.MULTILINE)

PROGRAM_TIMEOUT_SECONDS = 10.0  # a program that hangs costs its whole time, so it is given less than an evaluator

_TABLES = {
    "": {"name", "statement", "metric", "space", "program", "constraints", "budget", "record", "initial", "limits"},
    "metric": {"name", "unit", "direction", "bound"},
    "record": {"value", "source"},
    "limits": {"timeout_seconds", "memory_bytes"},
    "program": {"entry", "imports", "files"},
}
_SKIPPED_PARTS = {"__pycache__", ".git", ".colony", ".venv"}


def ready_names() -> list[str]:
    """The names of the problems that ship with Colony, sorted."""
    return sorted(p.parent.name.replace("_", "-") for p in READY.glob("*/problem.toml"))


def find_folder(name_or_path: str) -> Path:
    """The folder of a ready problem's name or of a path.

    Raises:
        ProblemError: it is neither; the message lists what there is.

    """
    path = Path(name_or_path)
    if path.is_dir():
        return path.resolve()
    ready = READY / name_or_path.replace("-", "_")
    if (ready / "problem.toml").is_file():
        return ready
    raise ProblemError(
        f"{name_or_path!r} is neither a folder nor a ready problem; ready are: {', '.join(ready_names())}; "
        "`colony problems new NAME` makes a folder to start from"
    )


def load_folder(folder: Path) -> Problem:
    """The problem that a native folder describes.

    Raises:
        ProblemError: broken TOML, an unknown key, a missing evaluator, a space or metric that makes no sense; names
            the file and the key.

    """
    file = folder / "problem.toml"
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ProblemError(f"{file}: not found; a problem folder needs problem.toml and evaluate.py") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProblemError(f"{file}: broken TOML: {error}; correct the file") from None
    try:
        return _problem(table, folder)
    except ProblemError as error:
        text = str(error)
        raise ProblemError(text if str(folder) in text else f"{file}: {text}") from None


def _problem(table: Mapping[str, Any], folder: Path) -> Problem:
    _check_keys(table, "")
    if not (folder / "evaluate.py").is_file():
        raise ProblemError(f"{folder / 'evaluate.py'}: missing evaluator; it must define evaluate(candidate)")
    return Problem(
        name=str(table.get("name", folder.name)),
        statement=str(table.get("statement", "")).strip(),
        space=space_from(_section(table, "space")) if "space" in table else None,
        program=_program(table, folder),
        metric=_metric(table),
        initial=_section(table, "initial") or None,
        tolerances=_tolerances(_section(table, "constraints")),
        budget=budget_from(_section(table, "budget")),
        record=_record(table),
        **_limits(table),
        evaluator=Evaluator("folder", folder_hash(folder), folder=folder, holdout=(folder / "holdout.py").is_file()),
    )


def _section(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise ProblemError(f"[{name}]: must be a table, not {section!r}")
    return section


def _check_keys(section: Mapping[str, Any], name: str) -> None:
    unknown = sorted(set(section) - _TABLES[name])
    if unknown:
        where = f"[{name}]: " if name else ""
        raise ProblemError(f"{where}unknown key {unknown[0]!r}; allowed: {', '.join(sorted(_TABLES[name]))}")


def _metric(table: Mapping[str, Any]) -> Metric:
    section = _section(table, "metric")
    _check_keys(section, "metric")
    for key in ("name", "direction"):
        if key not in section:
            hint = "; write direction = 'maximise' or 'minimise'" if key == "direction" else ""
            raise ProblemError(f"[metric]: key {key!r} is missing{hint}")
    bound = section.get("bound")
    return Metric(str(section["name"]), section["direction"], str(section.get("unit", "1")), bound)


def _record(table: Mapping[str, Any]) -> KnownRecord | None:
    section = _section(table, "record")
    _check_keys(section, "record")
    if not section:
        return None
    if not isinstance(section.get("value"), int | float) or not section.get("source"):
        raise ProblemError("[record]: needs a number as value and a source")
    return KnownRecord(float(section["value"]), str(section["source"]))


def _limits(table: Mapping[str, Any]) -> dict[str, Any]:
    section = _section(table, "limits")
    _check_keys(section, "limits")
    if "program" in table:
        section.setdefault("timeout_seconds", PROGRAM_TIMEOUT_SECONDS)
    for name, value in section.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise ProblemError(f"[limits]: {name}: must be a number above 0, not {value!r}")
    return section


def _tolerances(section: Mapping[str, Any]) -> dict[str, float]:
    for name, value in section.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise ProblemError(f"[constraints]: {name}: the tolerance must be a number of at least 0, not {value!r}")
    return {name: float(value) for name, value in section.items()}


def _program(table: Mapping[str, Any], folder: Path) -> Program | None:
    if "program" not in table:
        return None
    section = _section(table, "program")
    _check_keys(section, "program")
    names = section.get("files") or sorted(p.name for p in folder.glob("initial.*"))
    if not names:
        raise ProblemError(f"{folder / 'initial.py'}: missing; a program problem starts from an initial program")
    files = {name: read_text(folder / name) for name in names}
    return Program(files, str(section.get("entry", "")), tuple(section.get("imports", ())))


def read_text(file: Path) -> str:
    """The text of a problem's file.

    Raises:
        ProblemError: missing, not UTF-8 text, or larger than the limit.

    """
    try:
        if file.stat().st_size > PROBLEM_FILE_BYTES_MAX:
            raise ProblemError(f"{file}: larger than {PROBLEM_FILE_BYTES_MAX} bytes")
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise ProblemError(f"{file}: missing") from None
    except UnicodeDecodeError:
        raise ProblemError(f"{file}: is not UTF-8 text") from None


def folder_hash(folder: Path) -> str:
    """Hex SHA-256 over the relative path and content of every file of a problem folder.

    What its Python files import of Colony itself (the geometry of the ready problems) counts as content too.

    Raises:
        ProblemError: too many files, or one that is too large.

    """
    found = sorted(
        p for p in folder.rglob("*") if p.is_file() and not _SKIPPED_PARTS & set(p.relative_to(folder).parts)
    )
    if len(found) > PROBLEM_FILES_MAX:
        raise ProblemError(f"{folder}: more than {PROBLEM_FILES_MAX} files; a problem folder holds only the problem")
    digests = {}
    for file in found:
        if file.stat().st_size > PROBLEM_FILE_BYTES_MAX:
            raise ProblemError(f"{file}: larger than {PROBLEM_FILE_BYTES_MAX} bytes")
        content = file.read_bytes()
        digests[file.relative_to(folder).as_posix()] = sha256(content).hexdigest()
        if file.suffix == ".py":
            digests.update(_imported(content))
    return sha256(canonical(digests)).hexdigest()


def _imported(source: bytes) -> dict[str, str]:
    """The digests of the modules of Colony that a source imports, by dotted name."""
    names = {name.decode() for name in _IMPORT.findall(source)}
    files = {name: PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names}
    return {name: sha256(file.read_bytes()).hexdigest() for name, file in files.items() if file.is_file()}
