"""What runs inside a sandbox for folders of OpenEvolve and ShinkaEvolve: their evaluator, which runs the candidate.

Evaluator and candidate share a process there (or a parent and its child), so a candidate could reach into its own
score; each request must therefore be a fork of its own, and the problem's record says `shared_process`. The folder is
read-only; the working directory is a fresh one under the temporary folder, in which the folder's entries can be read
by their relative names. Nothing here judges: the engine does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from colony.primitives.limits import ARTIFACT_CHARACTERS_MAX
from colony.problems.program_hosting import plain

SHIMS = Path(__file__).parent / "shims"
CASCADE = "cascade stages not reached"
Handle = Callable[[Mapping[str, Any]], dict[str, Any]]


def open_openevolve(argument: Mapping[str, Any]) -> Handle:
    """The host factory for an OpenEvolve folder; see `OpenEvolveHost` for what `argument` holds."""
    provide_names(Path(argument["folder"]))
    path = Path(argument["folder"]) / argument["evaluator"]
    spec = spec_from_file_location("evaluation_module", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules["evaluation_module"] = module
    spec.loader.exec_module(module)
    return OpenEvolveHost(argument, module)


def provide_names(folder: Path) -> None:
    """Make the folder and the names that evaluators import reachable, for this process and for its children."""
    paths = [str(SHIMS), str(folder)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A fresh working directory, with links to what the problem's folder holds."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="candidate-") as name:
        place = Path(name)
        for entry in folder.iterdir():
            (place / entry.name).symlink_to(entry)
        os.chdir(place)
        try:
            yield place
        finally:
            os.chdir(before)


def write_program(files: Mapping[str, str], unmarked: bool, place: Path) -> Path:
    """Write the candidate where the seed lies in the folder, and return the path of its first file.

    `unmarked` says that the first and last line are markers which the loader put round a seed that has none.
    """
    for name, text in files.items():
        (place / name).unlink(missing_ok=True)
        kept = "".join(text.splitlines(keepends=True)[1:-1]) if unmarked else text
        (place / name).write_text(kept, "utf-8")
    return place / next(iter(files))


class OpenEvolveHost:
    """Answers {files} by `evaluate(path)` or the stages of the cascade.

    `argument`: folder, evaluator (file), arguments (for `evaluate`), cascade (bool), thresholds (list),
    feature_dimensions (metrics that are no score), unmarked (bool). The functions are taken from the module once,
    before any candidate runs, so that one which replaces them there changes nothing.

    Raises:
        AttributeError: the evaluator defines no `evaluate`.

    """

    def __init__(self, argument: Mapping[str, Any], module: Any) -> None:
        self.argument = argument
        stages = [getattr(module, f"evaluate_stage{number}", None) for number in (1, 2, 3)]
        is_cascade = argument.get("cascade") and stages[0] is not None
        self._stages = [stage for stage in stages if stage is not None] if is_cascade else []
        self._evaluate = module.evaluate

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of the evaluator; what it or the candidate raises is raised."""
        with workplace(Path(self.argument["folder"])) as place:
            path = str(write_program(request["files"], self.argument.get("unmarked", False), place))
            if self._stages:
                return self._cascade(path)
            return self._answer(self._evaluate(path, **self.argument.get("arguments", {})))

    def _cascade(self, path: str) -> dict[str, Any]:
        """Run the stages in turn; one below its threshold ends them, and what was not reached is a violation.

        OpenEvolve compares the score of an early stage with that of a late one; here it is infeasible instead.
        """
        thresholds = self.argument.get("thresholds", ())[: len(self._stages) - 1]
        metrics: dict[str, Any] = {}
        artifacts: dict[str, Any] = {}
        for done, stage in enumerate(self._stages[: len(thresholds) + 1], start=1):
            found, notes = parts(stage(path))
            metrics |= found
            artifacts |= notes
            if done <= len(thresholds) and not fitness(metrics, ("error",)) >= thresholds[done - 1]:
                break
        return {**self._answer(metrics, artifacts), "constraints": {CASCADE: len(thresholds) + 1 - done}}

    def _answer(self, result: Any, notes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        metrics, artifacts = parts(result)
        return {
            "value": fitness(metrics, self.argument.get("feature_dimensions", ())),
            "metrics": numbers(metrics),
            "artifacts": clipped({**texts(metrics), **artifacts, **(notes or {})}),
        }


def parts(result: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The metrics and artifacts of a dict or of anything with `metrics` and `artifacts`.

    Raises:
        TypeError: it is neither.

    """
    if isinstance(result, Mapping):
        return plain(result), {}
    if not isinstance(getattr(result, "metrics", None), Mapping):
        raise TypeError(f"the evaluator returned {type(result).__name__}, not a dict or an EvaluationResult")
    return plain(result.metrics), dict(getattr(result, "artifacts", None) or {})


def fitness(metrics: Mapping[str, Any], no_score: Sequence[str]) -> float | None:
    """OpenEvolve's rule: `combined_score`, else the mean of the numeric metrics that are not named in `no_score`."""
    found = numbers(metrics)
    if "combined_score" in metrics:
        return found.get("combined_score")
    scores = [value for name, value in found.items() if name not in no_score] or list(found.values())
    return sum(scores) / len(scores) if scores else None


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The entries that are numbers; a flag is none."""
    return {n: float(v) for n, v in metrics.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def texts(metrics: Mapping[str, Any]) -> dict[str, str]:
    """The entries that are texts."""
    return {name: value for name, value in metrics.items() if isinstance(value, str)}


def clipped(artifacts: Mapping[str, Any]) -> dict[str, str]:
    """Artifacts as texts, together at most `ARTIFACT_CHARACTERS_MAX` long."""
    left = ARTIFACT_CHARACTERS_MAX
    kept: dict[str, str] = {}
    for name, value in artifacts.items():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        kept[str(name)[:100]] = text[:left]
        left -= len(kept[str(name)[:100]])
    return kept


def open_shinka(argument: Mapping[str, Any]) -> Handle:
    """The host factory for a ShinkaEvolve folder; `argument`: folder, evaluator (file)."""
    provide_names(Path(argument["folder"]))
    return lambda request: run_shinka(argument, request["files"])


def run_shinka(argument: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """Run `evaluate.py --program_path P --results_dir D` as a child and read what it wrote.

    Raises:
        RuntimeError: it wrote no metrics, or calls the program incorrect.

    """
    folder = Path(argument["folder"])
    with workplace(folder) as place:
        program = write_program(files, unmarked=False, place=place)
        results = place / "colony-results"
        command = [sys.executable, str(folder / argument["evaluator"])]
        command += ["--program_path", str(program), "--results_dir", str(results)]
        with (place / "colony-stderr").open("w+b") as errors:
            code = subprocess.run(command, stderr=errors, check=False).returncode
            said = tail(errors)
        correct = read_json(results / "correct.json")
        metrics = read_json(results / "metrics.json")
    if not isinstance(metrics, dict):
        raise RuntimeError(  # noqa: TRY004  # a missing file, not a wrong type
            f"the evaluator ended with code {code} and wrote no metrics.json: {said}"
        )
    if not (isinstance(correct, dict) and correct.get("correct") is True):
        raise RuntimeError(f"the evaluator calls it incorrect: {(correct or {}).get('error') or said}")
    return shinka_answer(metrics)


def shinka_answer(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The raw answer of a metrics.json; `private` metrics are kept apart from what agents may see."""
    public = metrics.get("public") or {}
    notes = {"text_feedback": metrics["text_feedback"]} if metrics.get("text_feedback") else {}
    return {
        "value": metrics.get("combined_score"),
        "metrics": numbers({**metrics, **public}),
        "private": numbers(metrics.get("private") or {}),
        "artifacts": clipped({**texts(public), **notes}),
    }


def read_json(file: Path) -> Any:
    """The content of a file, or None where there is none that can be read."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def tail(stream: Any) -> str:
    """The last words of an open file."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 2000))
    said: str = stream.read().decode("utf-8", "replace")
    return said.strip()
