"""What runs inside sandboxes for a native program problem: one host runs candidates, another scores what they return.

`open_program` is for forks: it holds no evaluator and no score, so a candidate can forge nothing but its own outputs.
`open_scorer` is for a warm worker: it holds `evaluate.py` (and `holdout.py`) and never runs a candidate.
Foreign evaluators, which run the candidate themselves, are in `foreign_hosting`. This file imports no numpy, because
every candidate pays for a fork of what is loaded here.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path, PurePosixPath
from typing import Any

_SCALARS = frozenset((int, float, str, bool, type(None)))


def open_program(argument: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The host factory for candidates: `argument` may name `imports`, modules to load once before the forks."""
    for name in argument.get("imports", ()):
        importlib.import_module(name)
    return run_program


def run_program(request: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of `entry` for every case: {files, entry, cases} -> {outputs}.

    The first file in order of name that defines `entry` is the program; the others can be imported by their names.
    What the candidate raises is raised.
    """
    sources = {module_name(path): text for path, text in request["files"].items() if path.endswith(".py")}
    with importable(sources):
        entry = find_entry(sorted(sources), request["entry"])
        return {"outputs": [plain(entry(*case)) for case in request["cases"]]}


@contextmanager
def importable(sources: Mapping[str, str]) -> Iterator[None]:
    """Make source texts importable by dotted name, and forget them afterwards."""
    finder = SourceFinder(sources)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in sources:
            sys.modules.pop(name, None)


def module_name(path: str) -> str:
    """The dotted name of a source file: `a/b.py` is `a.b`, `a/__init__.py` is `a`."""
    return ".".join(PurePosixPath(path).with_suffix("").parts).removesuffix(".__init__")


def find_entry(modules: Sequence[str], name: str) -> Callable[..., Any]:
    """The function `name` of the first module that has it.

    Raises:
        AttributeError: none has it.

    """
    for module in modules:
        found = getattr(importlib.import_module(module), name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    raise AttributeError(f"the program defines no function {name}()")


class SourceFinder(MetaPathFinder, InspectLoader):
    """Imports modules from source text by dotted name, without a disk."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002  # the protocol
        """The spec of one of our modules."""
        known = fullname in self.sources or self.is_package(fullname)
        return spec_from_loader(fullname, self, is_package=self.is_package(fullname)) if known else None

    def is_package(self, fullname: str) -> bool:
        """Whether other modules lie under this name."""
        return any(name.startswith(fullname + ".") for name in self.sources)

    def get_source(self, fullname: str) -> str:
        """The source text; empty for a folder without `__init__.py`."""
        return self.sources.get(fullname, "")


def plain(value: Any) -> Any:
    """`value` as something JSON carries: numpy arrays and scalars as lists and numbers, tuples and sets as lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [part if type(part) in _SCALARS else plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def open_scorer(argument: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    """The host factory for the scorer: `argument` holds `folder`, where `evaluate.py` lies."""
    sys.path.insert(0, str(Path(argument["folder"])))
    return Scorer(Path(argument["folder"]))


class Scorer:
    """Answers {op} `cases` or `holdout_cases`, and {op, outputs} `score` or `holdout`; cases are made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cases: dict[str, str] = {}

    def __call__(self, request: Mapping[str, Any]) -> Any:
        """Answer one request; what the evaluator raises is raised.

        Raises:
            ValueError: an unknown `op`.

        """
        match request["op"]:
            case "cases" | "holdout_cases" as op:
                return self.cases(op)
            case "score" | "holdout" as op:
                cases = self.cases("cases" if op == "score" else "holdout_cases")
                return plain(importlib.import_module("evaluate").score(request["outputs"], cases))
            case "has":
                return ["holdout"] if (self.folder / "holdout.py").is_file() else []
            case op:
                raise ValueError(f"unknown request {op!r}")

    def cases(self, name: str) -> list[Any]:
        """A fresh copy of the argument lists of `cases()` in evaluate.py, or of `holdout_cases()` in holdout.py."""
        if name not in self._cases:
            module = importlib.import_module("evaluate" if name == "cases" else "holdout")
            self._cases[name] = json.dumps(plain(getattr(module, name)()))
        return json.loads(self._cases[name])  # type: ignore[no-any-return]  # what was written above
