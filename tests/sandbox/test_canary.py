"""The canary tells what holds from what does not, also when a mechanism is taken out."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from colony.primitives.errors import IsolationError
from colony.sandbox import Isolation, Result, bubblewrap, canary
from colony.sandbox.loaded import Loaded
from colony.sandbox.zygote import ForkExecutor

from .conftest import ADAPTERS, adapter

SHOWN_ABOVE = ["--perms", "0755", "--dir", "/var", "--perms", "0755", "--dir", "/var/tmp"]
NONE = Isolation(tier="", engine="")


def probed(launch, groups=None):
    """What the canary sees of a sandbox launched in some way."""
    executor = ForkExecutor(Loaded(launch, canary.HOST, groups), NONE)
    try:
        return canary.probe(executor, tier="test", engine="test")
    finally:
        executor.close()


@pytest.mark.parametrize("mode", ["fork", "warm"])
def test_bubblewrap_stops_the_attacks(mode):
    """File system, network, Unix sockets, processes, deadline and daemons: all enforced."""
    seen = adapter("bubblewrap").probe(mode)
    for name in ("filesystem", "network", "sockets", "processes", "deadline", "daemons"):
        assert getattr(seen, name) == "enforced", (name, seen.saw)
    assert seen.memory == ("enforced" if "cgroup" in seen.tier else "partial")


@pytest.mark.parametrize("mode", ["fork", "warm"])
def test_a_plain_process_is_no_sandbox_and_says_so(mode):
    """Files, network and sockets are open, and the grade names them."""
    seen = ADAPTERS["process"].probe(mode)
    assert (seen.filesystem, seen.network, seen.sockets) == ("none", "none", "none")
    assert (seen.deadline, seen.daemons) == ("enforced", "enforced")
    assert "filesystem none" in seen.grade


def altered(change):
    """Bubblewrap with one of its mechanisms taken out."""
    adapter("bubblewrap")

    def launch(host, staged):
        whole = bubblewrap.launch(host, staged)
        return replace(whole, command=change(list(whole.command)))

    return launch


def before_python(command, *options):
    """A command with options added behind the mounts."""
    cut = command.index("--remount-ro")
    return [*command[:cut], *options, *command[cut:]]


def test_without_its_network_namespace_the_network_is_open():
    """The forked child has a namespace of its own: taking out the outer one is not enough to open the network."""
    seen = probed(altered(lambda command: [part for part in command if part != "--unshare-net"]))
    assert seen.network == "enforced"


def test_a_home_folder_that_is_shown_is_found_out(monkeypatch):
    """With the home folder shown, the canary reads its secret: the file system is no longer enforced."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        Path(home).chmod(0o755)
        monkeypatch.setattr(canary.Path, "home", lambda: Path(home))
        shown = [*SHOWN_ABOVE, "--bind", home, home]
        assert probed(altered(lambda command: before_python(command, *shown))).filesystem == "partial"
        assert probed(altered(lambda command: command)).filesystem == "enforced"


def test_without_control_groups_memory_is_partial():
    """A limit per process does not stop several processes together, and the canary says so."""
    assert probed(altered(lambda command: command)).memory == "partial"


class Silent:
    """An executor in which everything fails."""

    def run(self, requests, limits, **_):
        return [Result(status="crashed", error="nothing works")] * len(requests)


def test_a_sandbox_in_which_nothing_runs_is_refused():
    """Attacks that fail because everything fails are no isolation."""
    with pytest.raises(IsolationError, match="nothing runs"):
        canary.probe(Silent(), tier="t", engine="e")


class Deaf:
    """An executor that stops nothing but answers no attack in the expected way."""

    def run(self, requests, limits, **_):
        return [Result(status="ok", value=None)] * len(requests)


def test_what_was_not_seen_to_be_stopped_went_through():
    """An unclear answer counts against the sandbox."""
    seen = canary.probe(Deaf(), tier="t", engine="e")
    kept = {name: getattr(seen, name) for name in Isolation.PROPERTIES if name != "daemons"}
    assert set(kept.values()) <= {"none"}, kept


def test_the_record_of_a_grade_is_json():
    """What goes into records survives JSON."""
    seen = Isolation(tier="process", engine="x", saw=("read: secret",))
    assert json.loads(json.dumps(seen.as_record()))["saw"] == ["read: secret"]
