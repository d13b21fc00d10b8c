"""The engine's hold on one sandbox: it starts the root process, speaks to the zygote, and ends everything, always.

The root process watches a lifeline: when the engine is gone, killed -9 or not, the kernel closes it and the sandbox
ends. Nothing here is tied to the thread that started it.
What this file does not do: know bubblewrap; a `Launch` is a command and how it is shut in.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError, LimitError, ProblemError
from colony.sandbox.inside import wire
from colony.sandbox.interpreter import package_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony.sandbox.protocol import Host

LOAD_SECONDS_MAX: Final = 120.0
ANSWER_SECONDS_MAX: Final = 20.0
END_SECONDS_MAX: Final = 3.0
FRAME_BYTES_MAX: Final = 512 * 1024 * 1024
STDERR_CHARACTERS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a sandbox starts: the command up to the plan, its environment, what is to be shown again below /tmp."""

    command: Sequence[str]
    environment: Mapping[str, str]
    confined: bool
    keep: Sequence[str] = ()
    remedy: str = "colony doctor"  # the command that may mend it where it does not start
    info: bool = False  # the command takes `--info-fd` as its first option and tells the process it started


class Reader:
    """Frames from a socket, each within a limit and a deadline, however they trickle in."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._buffer = bytearray()

    def frame(self, deadline: float, limit_bytes: int) -> bytes:
        """Return the next frame. Raises: TimeoutError, EOFError at the end, ValueError above the limit."""
        while True:
            if len(self._buffer) >= wire.LENGTH.size:
                size = wire.LENGTH.unpack_from(self._buffer)[0]
                if size > limit_bytes:
                    raise ValueError(f"a frame of {size} bytes, the limit is {limit_bytes}")
                end = wire.LENGTH.size + size
                if len(self._buffer) >= end:
                    payload = bytes(memoryview(self._buffer)[wire.LENGTH.size : end])
                    del self._buffer[:end]
                    return payload
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.channel.settimeout(left)
            part = self.channel.recv(wire.READ_BYTES)
            if not part:
                raise EOFError
            self._buffer += part


@dataclass(slots=True)
class SandboxProcess:
    """A running root process and its zygote with the host loaded. Raises on start: IsolationError, ProblemError."""

    launch: Launch
    host: Host
    _popen: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _control: socket.socket = field(init=False)
    _lifeline: socket.socket = field(init=False)
    _reader: Reader = field(init=False)
    _process_fd: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._lifeline, their_lifeline = socket.socketpair()
        self._reader = Reader(self._control)
        with theirs, their_lifeline, tempfile.TemporaryFile() as printed:
            try:
                self._spawn(theirs.fileno(), their_lifeline.fileno(), printed.fileno())
                theirs.close()
                their_lifeline.close()
                self._load(printed.fileno())
            except BaseException:
                self.end()
                raise

    def _spawn(self, control: int, lifeline: int, printed: int) -> None:
        plan = json.dumps({"control": control, "lifeline": lifeline, "confined": self.launch.confined})
        command, told, tell = list(self.launch.command), *os.pipe()
        if self.launch.info:
            command[1:1] = ["--info-fd", str(tell)]
        try:
            self._popen = subprocess.Popen(
                [*command, plan],
                env=dict(self.launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=(control, lifeline, tell),
                start_new_session=True,
                cwd="/",
            )
        except OSError as error:
            os.close(told)
            raise IsolationError(f"{command[0]} cannot be started: {error}; run `colony doctor`") from error
        finally:
            os.close(tell)
        if self.launch.info:
            self._hold(told)
        os.close(told)

    def _hold(self, told: int) -> None:
        """Get a handle on the first process inside, which no reuse of its number can confuse."""
        text = b""
        while (
            b"}" not in text and select.select([told], [], [], ANSWER_SECONDS_MAX)[0] and (part := os.read(told, 256))
        ):
            text += part
        with contextlib.suppress(ValueError, KeyError, OSError):
            self._process_fd = os.pidfd_open(json.loads(text)["child-pid"])

    def _load(self, printed: int) -> None:
        host = self.host
        order = {
            "path": [*host.path, *package_path()],
            "preload": list(host.preload),
            "factory": host.factory,
            "argument": host.argument,
            "pickled": None if host.pickled is None else b64encode(host.pickled).decode(),
            "keep": list(self.launch.keep),
        }
        try:
            self.send(order)
            head, _ = self.receive(LOAD_SECONDS_MAX)
        except TimeoutError as error:
            raise ProblemError(f"{host.factory} did not load within {LOAD_SECONDS_MAX:.0f} s") from error
        except (EOFError, OSError) as error:
            self.end()
            said = os.pread(printed, 1 << 16, 0).decode(errors="replace")[-STDERR_CHARACTERS:].strip()
            raise IsolationError(
                f"the sandbox did not start: {said or 'no word from it'}; run `{self.launch.remedy}`"
            ) from error
        if "failed" in head:
            raise ProblemError(f"{host.factory} did not load: {_sentence(head['failed'])}")

    def send(self, order: dict[str, Any], descriptors: Sequence[int] | None = None) -> None:
        """Give an order, and descriptors after it. Raises: OSError if nobody listens, LimitError."""
        payload = wire.frame(wire.encode(order))
        if len(payload) > FRAME_BYTES_MAX:
            raise LimitError(
                f"an order of {len(payload)} bytes, the limit is {FRAME_BYTES_MAX}: send fewer requests at once"
            )
        self._control.settimeout(ANSWER_SECONDS_MAX)
        self._control.sendall(payload)
        if descriptors is not None:
            socket.send_fds(self._control, [b"+"], list(descriptors))

    def receive(self, patience_seconds: float, limit_bytes: int = FRAME_BYTES_MAX) -> tuple[dict[str, Any], bytes]:
        """Return the zygote's next word. Raises: TimeoutError, EOFError, OSError."""
        head, body = wire.split(self._reader.frame(time.monotonic() + patience_seconds, limit_bytes))
        return head, body

    def receive_worker(self) -> socket.socket:
        """Return the channel of an ordered worker; to read one byte too far would lose the descriptor."""
        self._control.settimeout(ANSWER_SECONDS_MAX)
        if wire.receive(self._control) is None:
            raise EOFError
        _, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        return socket.socket(fileno=descriptors[0])

    def end(self) -> None:
        """Kill everything inside and wait until it is gone."""
        if self._process_fd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._process_fd, signal.SIGKILL)
            os.close(self._process_fd)
            self._process_fd = None
        self._lifeline.close()
        self._control.close()
        if self._popen is None:
            return
        try:
            self._popen.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()


def _sentence(trace: str) -> str:
    """What a traceback comes to, on one line: what was raised, and where."""
    lines = [line.strip() for line in trace.strip().splitlines()]
    places = [line for line in lines if line.startswith("File ")]
    return f"{lines[-1]} ({places[-1]})" if places else " ".join(lines)
