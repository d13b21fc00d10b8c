"""Executors of every adapter and mode, opened once: an attack must leave them usable, in any order of the tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from colony.sandbox import Host, bubblewrap, local

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]

HERE = str(Path(__file__).parent)
HOST = Host(factory="hostile:build", path=(HERE,), environment={"GIVEN": "yes"})
ADAPTERS = {"bubblewrap": bubblewrap.sandbox(), "process": local.sandbox()}


def adapter(name):
    if name == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return ADAPTERS[name]


@pytest.fixture(scope="session", params=["bubblewrap-fork", "bubblewrap-warm", "process-fork", "process-warm"])
def any_executor(request):
    """An executor of each adapter in each mode."""
    name, mode = request.param.split("-")
    executor = adapter(name).open(HOST, mode=mode)
    yield executor
    executor.close()


@pytest.fixture(scope="session", params=["fork", "warm"])
def confined(request):
    """An executor under bubblewrap in each mode."""
    executor = adapter("bubblewrap").open(HOST, mode=request.param)
    yield executor
    executor.close()


@pytest.fixture(scope="session", params=["bubblewrap", "process"])
def forked(request):
    """An executor that forks for each request, of each adapter."""
    executor = adapter(request.param).open(HOST, mode="fork")
    yield executor
    executor.close()


@pytest.fixture(scope="session", params=["bubblewrap", "process"])
def warm(request):
    """A warm executor of each adapter."""
    executor = adapter(request.param).open(HOST, mode="warm")
    yield executor
    executor.close()
