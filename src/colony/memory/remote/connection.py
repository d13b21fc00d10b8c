"""A client's connection to the server of a shared memory: requests from any thread, answers through one that listens.

What this file does not do: know what a transaction is (remote_memory.py), or connect again; a server that was started
anew has another clock, and whoever goes on with it begins anew too.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from colony.memory.remote.local_socket import dial
from colony.memory.remote.wire import (
    HEADER_BYTES,
    PROTOCOL,
    Answer,
    Commit,
    Hello,
    Refusal,
    Reply,
    Request,
    frame,
    length_of,
    reply_of,
)
from colony.primitives import errors
from colony.primitives.errors import ColonyError, EncodingError, MemoryGoneError

_CHUNK_BYTES: Final = 256 * 1024


class Connection:
    """An open connection. `learn(answer)` is called for each answer, in their order, before its request is done.

    Raises:
        MemoryGoneError: nobody listens at `path`.
        ColonyError: what the server says instead of a greeting.
    """

    def __init__(self, path: Path, learn: Callable[[Answer], None]) -> None:
        self.path = path
        self._learn = learn
        self._process = os.getpid()
        self._socket = dial(path)
        self._unread = b""
        self._pending: dict[int, tuple[Request, Future[Answer]]] = {}
        self._numbers = 0
        self._guard = threading.Lock()
        self._fault: ColonyError | None = None
        try:
            self.run = self._greet().run
        except OSError as error:
            self._socket.close()
            raise self._gone() from error
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._listen, name="shared-memory-answers", daemon=True)
        self._thread.start()

    def request(self, make: Callable[[int], Request]) -> tuple[int, Future[Answer]]:
        """Send what `make` makes of a new number; return the number and the answer to be.

        Raises:
            MemoryGoneError: the connection has ended; nothing was sent.
            EncodingError, LimitError: the request cannot be sent; nothing was.
        """
        if os.getpid() != self._process:
            raise MemoryGoneError(f"{self.path}: a connection does not survive a fork; connect anew in each process")
        future: Future[Answer] = Future()
        future.set_running_or_notify_cancel()  # whoever stops waiting for it does not take the request back
        with self._guard:
            if self._fault is not None:
                raise self._fault
            self._numbers += 1
            number = self._numbers
            request = make(number)
            data = frame(request)
            self._pending[number] = (request, future)
            with contextlib.suppress(OSError):  # whoever listens hears of it too, and ends all requests
                self._socket.sendall(data)
        return number, future

    def close(self) -> None:
        """End the connection; requests that are under way fail."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _greet(self) -> Hello:
        self._socket.sendall(frame(Hello()))
        reply = self._receive()
        if isinstance(reply, Refusal):
            raise error_of(reply)
        if not isinstance(reply, Hello) or reply.protocol != PROTOCOL:
            raise EncodingError(f"{self.path}: this client speaks {PROTOCOL}, and the server does not")
        return reply

    def _listen(self) -> None:
        """Take answers until the end, and then fail what is left."""
        fault: ColonyError = self._gone()
        try:
            while True:
                reply = self._receive()
                if isinstance(reply, Refusal) and reply.id == 0:
                    fault = error_of(reply)
                    return
                self._settle(reply)
        except OSError:
            return
        except ColonyError as error:
            fault = error
        finally:
            self._end(fault)

    def _end(self, fault: ColonyError) -> None:
        """Fail what is under way with `fault`, and all that would come."""
        with self._guard:
            self._fault, pending = fault, list(self._pending.values())
            self._pending.clear()
            self._socket.close()
        for request, future in pending:
            future.set_exception(self._gone(is_outcome_unknown=True) if _may_have_changed(request) else fault)

    def _settle(self, reply: Reply) -> None:
        if isinstance(reply, Hello):
            raise EncodingError(f"{self.path}: the server greets in the middle of a conversation")
        if isinstance(reply, Answer):
            self._learn(reply)
        with self._guard:
            _, future = self._pending.pop(reply.id)
        if isinstance(reply, Refusal):
            future.set_exception(error_of(reply))
        else:
            future.set_result(reply)

    def _receive(self) -> Reply:
        size = length_of(self._take(HEADER_BYTES))
        return reply_of(self._take(size))

    def _take(self, size: int) -> bytes:
        parts, have = [self._unread], len(self._unread)
        while have < size:
            part = self._socket.recv(_CHUNK_BYTES)
            if not part:
                raise ConnectionResetError(f"{self.path}: the other end has closed")
            parts.append(part)
            have += len(part)
        data = b"".join(parts)
        self._unread = data[size:]
        return data[:size]

    def _gone(self, *, is_outcome_unknown: bool = False) -> MemoryGoneError:
        text = f"the shared memory at {self.path} is gone: whoever served it has ended, or the connection was closed"
        if is_outcome_unknown:
            text += "; it is not known whether the commit under way was made, so read before you make it again"
        return MemoryGoneError(text, is_outcome_unknown=is_outcome_unknown)


def error_of(refusal: Refusal) -> ColonyError:
    """Return the error that a server has named; an unknown name becomes a plain `ColonyError`."""
    kind: Any = getattr(errors, refusal.error, None)
    if not (isinstance(kind, type) and issubclass(kind, ColonyError)):
        kind = ColonyError
    error: ColonyError = kind(refusal.message)
    return error


def _may_have_changed(request: Request) -> bool:
    return isinstance(request, Commit) and bool(request.writes or request.emissions)
