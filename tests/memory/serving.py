"""What tests of shared memory between processes share by import: patience with a bound, threads, raw connections."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from colony.memory.remote.wire import HEADER_BYTES, Hello, frame, length_of, reply_of

AGENTS = Path(__file__).with_name("remote_agents.py")
SECONDS_MAX = 60


class Task(threading.Thread):
    """A thread whose result, or error, is asked for."""

    def __init__(self, target, *arguments):
        super().__init__(daemon=True)
        self.call = lambda: target(*arguments)
        self.start()

    def run(self):
        self.value = self.error = None
        try:
            self.value = self.call()
        except BaseException as error:  # noqa: BLE001  raised again where the result is asked for
            self.error = error

    def result(self):
        self.join(SECONDS_MAX)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.value


def parking(memory):
    """Return a semaphore that is released each time a transaction on `memory` is put to sleep, or has slept."""
    parked = threading.Semaphore(0)

    def clock():
        parked.release()
        return 0.0

    memory.memory.monotonic = clock
    return parked


def acquire(semaphore):
    assert semaphore.acquire(timeout=SECONDS_MAX)


def until(condition):
    """Wait for what another thread or process is about to bring about, and that nobody rings for."""
    pause, end = threading.Event(), time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < end
        pause.wait(0.001)


class Raw:
    """A connection that says whatever it likes."""

    def __init__(self, path, *, greets=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS_MAX)
        self.socket.connect(str(path))
        if greets:
            self.say(frame(Hello()))
            assert isinstance(self.hear(), Hello)

    def say(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def hear(self):
        """The next reply; None where the server has closed."""
        header = self._take(HEADER_BYTES)
        return reply_of(self._take(length_of(header))) if header else None

    def rest(self):
        """How many bytes come until the server hangs up."""
        count = 0
        with contextlib.suppress(ConnectionResetError):
            while part := self.socket.recv(1 << 20):
                count += len(part)
        return count

    def _take(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                return b""
            data += part
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def agent(path, *arguments, **options):
    """Start a process of remote_agents.py."""
    command = [sys.executable, str(AGENTS), str(path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


def ended(*processes):
    """Wait for processes that end well; return the lines of each."""
    lines = []
    for process in processes:
        out, _ = process.communicate(timeout=SECONDS_MAX)
        assert process.returncode == 0
        lines.append(out.split())
    return lines
