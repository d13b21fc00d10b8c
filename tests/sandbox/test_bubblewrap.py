"""Which folders are shown, and what is said where bubblewrap does not work."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from colony.primitives.errors import IsolationError
from colony.sandbox import Host, bubblewrap, interpreter

from .conftest import HERE


def test_a_machine_without_bubblewrap_is_told_the_command(monkeypatch):
    """The error carries the command that installs it."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(IsolationError, match="apt-get install bubblewrap"):
        bubblewrap.engine()
    with pytest.raises(IsolationError, match="apt-get install bubblewrap"), ExitStack() as staged:
        bubblewrap.launch(Host(factory="a:b"), staged)


def test_another_system_is_told_what_it_lacks(monkeypatch):
    """On macOS the error says that Linux is needed."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(IsolationError, match="needs Linux"):
        bubblewrap.engine()


@pytest.mark.parametrize("setting", bubblewrap.CLOSED_BY, ids=lambda setting: setting[0])
def test_a_kernel_that_closes_user_namespaces_is_named(tmp_path, setting):
    """The command that opens them is the one for the setting that closed them."""
    name, closed, command = setting
    file = tmp_path / name.replace(".", "/")
    file.parent.mkdir(parents=True)
    file.write_text(f"{closed}\n")
    assert bubblewrap.remedy(tmp_path) == command


def test_without_a_closed_setting_the_doctor_is_asked(tmp_path):
    """There is always a next command."""
    assert bubblewrap.remedy(tmp_path) == "colony doctor"


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_every_mount_is_read_only_and_none_is_the_home_folder():
    """Nothing is shown writable, and never the whole home folder, the root or /etc."""
    with ExitStack() as staged:
        command = list(bubblewrap.launch(Host(factory="a:b", path=(HERE,)), staged).command)
    shown = [command[place + 2] for place, part in enumerate(command) if part == "--ro-bind"]
    assert HERE in shown
    assert not {"--bind", "--dev-bind"} & set(command)
    assert not {"/", "/etc", "/home", str(Path.home())} & set(shown)


def test_unwanted_guests_of_the_path_stay_out(monkeypatch, tmp_path):
    """The folder a script was started from is on `sys.path`, and is not shown inside."""
    monkeypatch.syspath_prepend(str(tmp_path))
    assert str(tmp_path) not in interpreter.package_path()
    assert any(Path(entry).name in {"site-packages", "dist-packages"} for entry in interpreter.package_path())


def test_paths_below_a_shown_one_are_shown_once(tmp_path):
    """Mounts do not nest: the outermost of the given folders is enough."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert bubblewrap._outermost([below, tmp_path, tmp_path / "a", Path("/usr/lib"), tmp_path / "none"]) == [tmp_path]
