"""The engine's hold: what cannot load is said, and nothing outlives the engine, not even one that is killed."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from colony.primitives.errors import IsolationError, ProblemError
from colony.sandbox import Host, Isolation, Limits, process
from colony.sandbox.canary import _alive
from colony.sandbox.loaded import Loaded
from colony.sandbox.zygote import ForkExecutor

from .conftest import ADAPTERS, HERE, adapter

ENGINE = """
import sys
sys.path[:0] = {path!r}
from colony.sandbox import Host, Isolation, Limits, bubblewrap, local
from colony.sandbox.loaded import Loaded
from colony.sandbox.{module} import {executor}
launch = {{"bubblewrap": bubblewrap, "process": local}}[{name!r}].launch
held = {executor}(Loaded(launch, Host(factory="hostile:build", path=({here!r},)), None), Isolation(tier="", engine=""))
print("open", flush=True)
held.run([{{"do": "daemonise", "with": [{mark!r}]}}, {{"do": "hang"}}], Limits(wall_seconds=60), parallel=2)
"""


@pytest.mark.parametrize("name", ["bubblewrap", "process"])
def test_a_host_that_raises_is_the_problems_fault(name):
    """The error names the factory and the exception."""
    with pytest.raises(ProblemError, match=r"hostile:broken did not load: (.|\n)*no evaluator here"):
        adapter(name).open(Host(factory="hostile:broken", path=(HERE,)), mode="fork")


def test_a_host_that_does_not_exist_is_the_problems_fault():
    """A wrong name is an error of the host, not of the machine."""
    with pytest.raises(ProblemError, match="hostile:nothing"):
        adapter("process").open(Host(factory="hostile:nothing", path=(HERE,)), mode="warm")


@pytest.mark.parametrize("name", ["bubblewrap", "process"])
def test_a_host_that_never_loads_is_ended(name, monkeypatch):
    """Loading has a deadline of its own."""
    monkeypatch.setattr(process, "LOAD_SECONDS_MAX", 1.0)
    target = adapter(name)
    target.probe("fork")
    with pytest.raises(ProblemError, match="did not load within 1 s"):
        target.open(Host(factory="hostile:sleeper", path=(HERE,)), mode="fork")


def test_an_engine_that_vanishes_stops_the_executor(monkeypatch):
    """Where the sandbox can no longer be started there is an error, and no step down."""
    executor = adapter("bubblewrap").open(Host(factory="hostile:build", path=(HERE,)), mode="fork")
    executor._loaded.end()
    executor._loaded._launch = process.Launch(command=["/nowhere/bwrap"], environment={}, confined=True, info=True)
    with pytest.raises(IsolationError, match="cannot be started"):
        executor.run([{"do": "echo", "with": [1]}], Limits())
    executor.close()


def test_a_sandbox_that_says_no_is_an_error_with_its_words():
    """What the engine's program printed when it failed is in the error."""

    def launch(host, staged):
        return process.Launch(command=["/bin/sh", "-c", "echo out of luck >&2"], environment={}, confined=False)

    with pytest.raises(IsolationError, match="out of luck"):
        ForkExecutor(Loaded(launch, Host(factory="hostile:build"), None), Isolation(tier="", engine=""))


@pytest.mark.parametrize(("module", "executor"), [("zygote", "ForkExecutor"), ("warm", "WarmExecutor")])
@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_nothing_is_left_when_the_engine_is_killed(name, module, executor, tmp_path):
    """An engine killed in the middle of a hanging request takes its sandbox with it, and that request's daemons."""
    adapter(name)
    mark = f"kil-{secrets.token_hex(5)}"
    program = ENGINE.format(path=sys.path, name=name, module=module, executor=executor, here=HERE, mark=mark)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as engine:
        assert engine.stdout.readline() == b"open\n"
        inside = _wait_for(lambda: _children(engine.pid))
        engine.send_signal(signal.SIGKILL)
    assert _wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in inside))
    assert _alive(mark) == 0


def _children(pid):
    found = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [below for child in found for below in _children(child)] if found else found


def _wait_for(condition):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    return condition()
