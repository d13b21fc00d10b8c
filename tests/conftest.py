"""What tests of a running colony share: a home with keys of its own, runs without a sandbox, and the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from colony.cli.main import app
from colony.node.home import Home
from colony.node.settings import Settings
from colony.problems.metric import budget_from
from colony.testing.simulate import Course


@pytest.fixture
def home(tmp_path):
    """A home in an empty folder, its keys beside it."""
    return Home(tmp_path / "home", {"COLONY_KEYS": str(tmp_path / "keys")})


@pytest.fixture
def course(home):
    """Make a run of a problem given in Python, without a sandbox: milliseconds instead of seconds."""

    def make(problem, budget="200e", *, deterministic=True, workers=2, **settings):
        options = Settings(budget=budget_from(budget), deterministic=deterministic, workers=workers, **settings)
        return Course(problem, options, home)

    return make


class Command:
    """The installed command in a process of its own, in an empty folder and an environment with nothing in it."""

    def __init__(self, place):
        self.place = place
        self.work = place / "work"
        self.work.mkdir()
        self.environment = {"PATH": os.defpath, "HOME": str(place / "person"), "PYTHONPATH": os.pathsep.join(sys.path)}

    def start(self, *arguments, **options):
        """Start it and return the process."""
        command = [sys.executable, "-m", "colony", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.work, env=self.environment, **pipes, **options)

    def __call__(self, *arguments, **options):
        """Run it to its end; returns the exit code, standard output and standard error."""
        with self.start(*arguments, **options) as process:
            out, err = process.communicate()
        return process.returncode, out, err

    def json(self, *arguments):
        """The object on the last line of standard output."""
        _, out, err = self(*arguments, "--json")
        assert out, err
        return json.loads(out.splitlines()[-1])


@pytest.fixture
def command(tmp_path):
    """The command, with a home and keys of its own."""
    return Command(tmp_path)


@pytest.fixture
def invoke(tmp_path):
    """The command inside this process: quicker, and told apart only by the process; same home as `command`."""
    (tmp_path / "keys").mkdir(mode=0o700, exist_ok=True)
    environment = {"COLONY_HOME": str(tmp_path / "home"), "COLONY_KEYS": str(tmp_path / "keys")}

    def run(*arguments):
        result = CliRunner().invoke(app, [str(a) for a in arguments], env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run
