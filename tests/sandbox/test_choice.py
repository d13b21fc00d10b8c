"""The choice never steps down quietly: it gives what was asked for, or refuses with the command that provides it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from colony.primitives.errors import IsolationError
from colony.sandbox import Isolation, bubblewrap, choice, choose

WHOLE = Isolation(
    tier="bubblewrap+cgroup",
    engine="bubblewrap",
    **dict.fromkeys(Isolation.PROPERTIES, "enforced"),
)


class Seen:
    """Bubblewrap as if the canary had seen something."""

    def __init__(self, isolation):
        self.isolation = isolation

    def probe(self, mode="fork"):
        if isinstance(self.isolation, Exception):
            raise self.isolation
        return self.isolation


@pytest.fixture
def machine(monkeypatch):
    """A machine on which bubblewrap has a given grade."""

    def with_grade(isolation):
        monkeypatch.setattr(bubblewrap, "sandbox", lambda: Seen(isolation))

    return with_grade


@pytest.mark.parametrize("work", ["data", "program", "foreign"])
def test_a_whole_sandbox_serves_all_classes(machine, work):
    """Where everything is enforced, everything may run."""
    machine(WHOLE)
    assert choose(work).probe() is WHOLE


def test_foreign_code_is_refused_without_a_memory_limit(machine):
    """The refusal names what is missing and the command that provides it, and no flag changes it."""
    machine(replace(WHOLE, memory="partial"))
    with pytest.raises(IsolationError, match=r"memory.*systemd-run"):
        choose("foreign", allow_unsandboxed=True)
    choose("program")


MISSING = IsolationError("bubblewrap is not installed: run `apt-get install bubblewrap`")


@pytest.mark.parametrize("work", ["program", "foreign"])
def test_programs_are_refused_without_bubblewrap(machine, work):
    """The refusal carries the command to install it."""
    machine(MISSING)
    with pytest.raises(IsolationError, match="apt-get install bubblewrap"):
        choose(work)


def test_programs_run_unsandboxed_only_when_told(machine):
    """The flag gives programs a plain process, and foreign code nothing."""
    machine(MISSING)
    assert choose("program", allow_unsandboxed=True).tier == "process"
    with pytest.raises(IsolationError):
        choose("foreign", allow_unsandboxed=True)


def test_the_users_own_evaluator_runs_anywhere(machine):
    """Data under the user's own evaluator falls back to a plain process, whose grade says what it is."""
    machine(MISSING)
    assert choose("data").tier == "process"


def test_a_program_without_a_network_limit_is_refused(machine):
    """A sandbox that works halfway is no sandbox for programs."""
    machine(replace(WHOLE, network="none"))
    with pytest.raises(IsolationError, match="network"):
        choose("program")


def test_needs_name_properties():
    """Every need is a property the canary judges."""
    assert {name for needs in choice.NEEDED.values() for name in needs} <= set(Isolation.PROPERTIES)
