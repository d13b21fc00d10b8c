"""Folders that user 65534 may not read are copied for it, and only those."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack

import pytest

from colony.primitives.errors import IsolationError
from colony.sandbox import Host, Limits, staging
from colony.sandbox.loaded import Loaded

from .conftest import HERE, adapter


def test_a_closed_folder_is_copied_and_its_copy_is_open(tmp_path):
    """Folders and files of the copy can be read by others; the original is left as it was."""
    closed = tmp_path / "problem"
    (closed / "below").mkdir(parents=True)
    (closed / "below" / "file").write_text("content")
    (closed / "below" / "file").chmod(0o600)
    closed.chmod(0o700)
    with ExitStack() as staged:
        copy = staging.readable([closed], [], staged)[closed]
        assert (copy / "below" / "file").read_text() == "content"
        assert (copy / "below" / "file").stat().st_mode & 0o777 == 0o644
        assert copy.stat().st_mode & 0o777 == 0o755
    assert not copy.exists()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_an_open_folder_is_shown_as_it_is(tmp_path):
    """Nothing is copied without need."""
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    with ExitStack() as staged:
        assert staging.readable([folder], [folder], staged) == {}


def test_a_closed_interpreter_is_refused_with_the_command(tmp_path):
    """It is too large to copy."""
    tmp_path.chmod(0o700)
    with ExitStack() as staged, pytest.raises(IsolationError, match=r"chmod -R o\+rX"):
        staging.readable([], [tmp_path], staged)


def test_too_large_a_folder_is_refused(tmp_path, monkeypatch):
    """Copies have a limit."""
    monkeypatch.setattr(staging, "COPIED_BYTES_MAX", 10)
    (tmp_path / "large").write_text("x" * 11)
    tmp_path.chmod(0o700)
    with ExitStack() as staged, pytest.raises(IsolationError, match="too large"):
        staging.readable([tmp_path], [], staged)


def test_a_refused_launch_leaves_no_copies(tmp_path, monkeypatch):
    """What was copied before something else failed is removed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def launch(host, staged):
        staged.enter_context(tempfile.TemporaryDirectory())
        raise IsolationError("not here")

    with pytest.raises(IsolationError):
        Loaded(launch, Host(factory="a:b"), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["fork", "warm"])
def test_a_closed_folder_below_tmp_can_be_read_inside(tmp_path, mode):
    """A folder below /tmp that only its owner may enter is there inside, under its own name, in the private /tmp."""
    secret, shown = tmp_path / "secret", tmp_path / "shown"
    for folder in (secret, shown):
        folder.mkdir(mode=0o700)
        (folder / "file").write_text("content")
        (folder / "file").chmod(0o600)
    host = Host(factory="hostile:build", path=(HERE,), read_only=(str(shown),))
    executor = adapter("bubblewrap").open(host, mode=mode)
    try:
        seen, hidden, changed = executor.run(
            [
                {"do": "read", "with": [str(shown / "file")]},
                {"do": "exists", "with": [str(secret / "file")]},
                {"do": "write", "with": [str(shown / "file")]},
            ],
            Limits(),
        )
    finally:
        executor.close()
    assert seen.value == "content", seen
    assert hidden.value is False
    assert changed.status == "raised"
    assert (shown / "file").read_text() == "content"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files to give up")
def test_nobody_inside_is_root_outside():
    """What runs for root runs as user 65534, as the system outside sees it."""
    executor = adapter("bubblewrap").open(Host(factory="hostile:build", path=(HERE,)), mode="fork")
    try:
        (result,) = executor.run([{"do": "read", "with": ["/root/.profile"]}], Limits())
        assert executor.run([{"do": "who"}], Limits())[0].value[0] == 65534
    finally:
        executor.close()
    assert result.status == "raised"
