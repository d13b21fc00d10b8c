"""Reads documents, and tries their commands as a reader would: in an empty folder, with an almost empty environment."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 120


@dataclass(frozen=True)
class Place:
    """A folder with an environment of its own; `colony(...)` runs the command there."""

    folder: Path
    environment: dict[str, str]

    def colony(self, line: str, *, code: int | None = 0, path: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `colony <line>` and check how it ends; None where any end will do."""
        return self.run([sys.executable, "-m", "colony", *shlex.split(line)], code=code, path=path)

    def run(
        self, command: list[str], *, code: int | None = 0, path: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = self.environment if path is None else {**self.environment, "PATH": path}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
        assert code in {None, done.returncode}, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, line: str) -> dict:
        """The object that `colony <line> --json` prints."""
        return json.loads(self.colony(f"{line} --json").stdout.splitlines()[-1])


def place_in(folder: Path) -> Place:
    """A place that knows PATH, a home folder and nothing else; two workers, so that machines look alike."""
    return Place(folder, {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "120"})


FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return [text for name, text in FENCE.findall(page.read_text("utf-8")) if name == language]


BUDGETS = {"circles-26": "900e", "wave-3d": "150e"}  # enough to find and verify something, and quick
BUDGET = re.compile(r"--budget \S+")


def cheap(command: str) -> str:
    """A command of the documents with a budget that suits a test; the target goes, for it may be out of reach."""
    budget = next((budget for name, budget in BUDGETS.items() if name in command), "120e")
    return BUDGET.sub(f"--budget {budget}", command).replace(" --target record", "")


def commands(block: str) -> list[str]:
    """The lines of a console block that a reader types, without the prompt and the program's name."""
    return [line.removeprefix("$ colony ") for line in block.splitlines() if line.startswith("$ colony ")]
