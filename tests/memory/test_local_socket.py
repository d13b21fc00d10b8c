"""Where the socket of a shared memory lies, and who may use it."""

import contextlib
import os
import socket
import stat

import pytest

from colony.memory.remote.local_socket import dial, listening, peer_uid, refuse_stranger
from colony.primitives.errors import MemoryGoneError, UsageError
from colony.primitives.limits import SOCKET_PATH_BYTES_MAX


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_and_socket_are_for_one_user_and_the_socket_goes_at_the_end(tmp_path):
    """The folder is made 0700, the socket 0600, and nothing is left in the folder afterwards."""
    path = tmp_path / "m" / "s"
    with listening(path):
        assert (mode(path.parent), mode(path)) == (0o700, 0o600)
        with dial(path) as connection:
            assert peer_uid(connection) in (os.geteuid(), None)
    assert list(path.parent.iterdir()) == []


def test_what_a_dead_process_left_is_replaced(tmp_path):
    """A socket that nobody listens at is no obstacle."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(path), dial(path):
        pass
    assert not path.exists()


def test_one_listener_at_a_time(tmp_path):
    """A second one is refused, and the first goes on."""
    path = tmp_path / "s"
    with listening(path):
        with pytest.raises(UsageError, match="another process"), listening(path):
            pass
        with dial(path):
            pass


def test_something_else_at_the_path_is_left_alone(tmp_path):
    """A file that is no socket is neither removed nor replaced."""
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(UsageError, match="something else"), listening(path):
        pass
    assert path.read_text() == "mine"


def test_a_folder_that_others_can_enter_is_refused(tmp_path):
    """The error names the command that would mend it; nothing is made there."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(UsageError, match="chmod 700"), listening(folder / "s"):
        pass
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    """A file in the way of the folder is one clear error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file/s"), listening(tmp_path / "file" / "s"):
        pass


@pytest.mark.parametrize("use", [dial, listening])
def test_a_path_too_long_for_a_socket_is_refused(tmp_path, use):
    """The error says how long it may be."""
    path = tmp_path / ("x" * SOCKET_PATH_BYTES_MAX)
    with pytest.raises(UsageError, match=str(SOCKET_PATH_BYTES_MAX)), contextlib.ExitStack() as stack:
        stack.enter_context(use(path))


@pytest.mark.parametrize("leave", [lambda path: None, lambda path: path.write_text("")])
def test_nobody_listens(tmp_path, leave):
    """The error names the socket."""
    leave(tmp_path / "s")
    with pytest.raises(MemoryGoneError, match="nobody serves"):
        dial(tmp_path / "s")


def test_only_our_own_user_is_let_in(tmp_path):
    """Another user is refused; where the system does not tell, the folder decides."""
    refuse_stranger(1000, 1000, tmp_path)
    refuse_stranger(None, 1000, tmp_path)
    with pytest.raises(UsageError, match="user 0"):
        refuse_stranger(0, 1000, tmp_path)


def test_where_the_system_does_not_tell_who_is_there(tmp_path, monkeypatch):
    """Without the option of Linux the user is unknown."""
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
    with listening(tmp_path / "s"), dial(tmp_path / "s") as connection:
        assert peer_uid(connection) is None
