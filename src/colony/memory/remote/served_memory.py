"""Serves a named memory to other processes of the same user, over a socket in the file system.

Other processes keep copies of the variables they use and run their bodies over those (remote_memory.py). Here each of
their commits becomes a transaction that checks that nothing it has read was written since, so it stands in one order
with all others, is durable before it is acknowledged, and is recorded with its agent. A blocked process is a task that
sleeps in `retry`. A process that was refused too often is given its turn: a hold on what it uses, for a second at most.

One event loop in one thread does it all, so threads of this process use the memory meanwhile as if nobody else did.
What this file does not do: trust what it is sent, or undo a commit because whoever made it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from colony.memory.named_memory import NamedMemory
from colony.memory.remote.local_socket import listening, peer_uid, refuse_stranger
from colony.memory.remote.wire import (
    HEADER_BYTES,
    PROTOCOL,
    Answer,
    Commit,
    Declare,
    Hello,
    Refusal,
    Reply,
    Request,
    Turn,
    Wait,
    frame,
    length_of,
    request_of,
)
from colony.memory.shared_memory import DurableTransaction
from colony.memory.values import frozen
from colony.primitives.errors import ColonyError, EncodingError, LimitError
from colony.primitives.limits import (
    REMOTE_CONNECTIONS_MAX,
    REMOTE_GREETING_SECONDS_MAX,
    REMOTE_MESSAGE_BYTES_MAX,
    REMOTE_REQUESTS_MAX,
    REMOTE_TURN_SECONDS_MAX,
    REMOTE_VARIABLES_MAX,
)
from colony.stm.tvar import TVar
from colony.stm.verbs import check

_APPENDS_AT_ONCE: Final = 64  # commits that wait for the disk together, and share its sync
_PAUSE_SECONDS: Final = 0.05  # before another try to accept a connection, where the machine has refused
_CLOSING_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ServedStatistics:
    """What a server has done since it began, and what it has open."""

    connections: int
    """Open now."""
    requests: int
    """Under way now, those that wait included."""
    answers: int
    refused_commits: int
    """Commits that had read what was written meanwhile."""
    turns: int
    """Times a process was given its turn."""
    faults: int
    """Connections closed because of what came over them."""


@contextlib.contextmanager
def serve(memory: NamedMemory, path: Path) -> Iterator[MemoryServer]:
    """Serve `memory` at the socket `path` while entered; its folder is made, for this user alone.

    At the end all connections are closed; commits under way are finished first.

    Raises:
        UsageError: the path is too long, open to others, or taken.
    """
    with listening(path) as listener:
        server = MemoryServer(memory, listener, path)
        thread = threading.Thread(target=server.run, name="shared-memory", daemon=True)
        thread.start()
        server.started.result()
        try:
            yield server
        finally:
            server.stop()
            thread.join()


class MemoryServer:
    """The server of one memory; made by `serve`."""

    def __init__(self, memory: NamedMemory, listener: socket.socket, path: Path) -> None:
        self.memory = memory
        self.path = path
        self.started: Future[None] = Future()
        self.answers = self.refused_commits = self.turns = self.faults = self.requests = 0
        self._listener = listener
        self._connections = 0
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event

    def run(self) -> None:
        """Serve until `stop`; the thread's target."""
        try:
            asyncio.run(self._main())
        except BaseException as error:
            if self.started.done():
                raise
            self.started.set_exception(error)

    def stop(self) -> None:
        """Have `run` return soon."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._over.set)

    def statistics(self) -> ServedStatistics:
        """Return the counters."""
        return ServedStatistics(
            self._connections, self.requests, self.answers, self.refused_commits, self.turns, self.faults
        )

    def end_request(self, _: asyncio.Task[None]) -> None:
        """Note that a request has come to its end, answered or not."""
        self.requests -= 1

    async def _main(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_default_executor(ThreadPoolExecutor(_APPENDS_AT_ONCE, "shared-memory-append"))
        self._listener.setblocking(False)
        self.started.set_result(None)
        try:
            async with asyncio.TaskGroup() as sessions:
                sessions.create_task(self._accept(sessions))
                sessions.create_task(self._end())
        except* _Ended:
            pass

    async def _end(self) -> None:
        """End all that runs beside this, once it is time."""
        await self._over.wait()
        raise _Ended

    async def _accept(self, sessions: asyncio.TaskGroup) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._listener)
            except OSError:  # too many files are open: whoever is connected goes on, and others wait
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            reader, writer = await asyncio.open_unix_connection(sock=connection)
            sessions.create_task(self._converse(Session(self, writer), reader, writer))

    async def _converse(self, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end; whatever came over it, the server lives on."""
        self._connections += 1
        try:
            self._greet(await _first(reader), writer)
            async with asyncio.TaskGroup() as requests:
                while True:
                    session.take(await _next(reader), requests)
        except* (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        except* Exception as errors:  # noqa: BLE001  no fault of one client, nor of ours in serving it, ends the others
            self.faults += 1
            session.refuse(0, errors.exceptions[0])
        finally:
            self._connections -= 1
            session.close()
            await _close(writer)

    def _greet(self, hello: Hello | Request, writer: asyncio.StreamWriter) -> None:
        refuse_stranger(peer_uid(writer.get_extra_info("socket")), os.geteuid(), self.path)
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL:
            raise EncodingError(f"{self.path}: this server speaks {PROTOCOL}, and the client does not")
        if self._connections > REMOTE_CONNECTIONS_MAX:
            raise LimitError(f"{self.path}: {REMOTE_CONNECTIONS_MAX} connections are open; close some of them first")
        writer.write(frame(Hello(run=self.memory.run)))


class Session:
    """One connection: the variables it has declared, in their order, and the turns it has been given."""

    def __init__(self, server: MemoryServer, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._memory = server.memory
        self._writer = writer
        self._variables: list[TVar[Any]] = []
        self._told = self._clock = 0  # how many variables, and up to which clock, the client knows
        self._turns: dict[int, DurableTransaction] = {}

    def take(self, request: Hello | Request, requests: asyncio.TaskGroup) -> None:
        """Begin what is asked for. Tasks begin in the order of their making, so declarations keep theirs."""
        if isinstance(request, Hello):
            raise EncodingError("one greeting is enough")
        if self._server.requests >= REMOTE_REQUESTS_MAX:
            self.refuse(request.id, LimitError(f"{REMOTE_REQUESTS_MAX} requests are under way; wait for some of them"))
        else:
            self._server.requests += 1
            requests.create_task(self._serve(request)).add_done_callback(self._server.end_request)

    def refuse(self, number: int, error: BaseException) -> None:
        """Say that a request, or with 0 the connection, has failed."""
        name = type(error).__name__ if isinstance(error, ColonyError) else ColonyError.__name__
        self._send(Refusal(number, name, str(error) or repr(error)))

    def close(self) -> None:
        """End the turns; requests under way have ended with their tasks."""
        for number in list(self._turns):
            self._end_turn(number)

    async def _serve(self, request: Request) -> None:
        try:
            self._answer(request.id, is_done=await self._do(request))
        except Exception as error:  # noqa: BLE001  whatever it is, whoever asked must hear of it, and the others go on
            self.refuse(request.id, error)
        finally:
            if isinstance(request, Commit | Wait):
                self._end_turn(request.turn)

    async def _do(self, request: Request) -> bool:
        match request:
            case Declare():
                self._declare(request)
            case Commit():
                return await self._commit(request)
            case Wait():
                self._end_turn(request.turn)
                changed = partial(_changed, self._all(request.reads), request.clock)
                await self._memory.atomically_async(changed, wait_seconds_max=request.seconds_max)
            case Turn():
                self._turns[request.id] = await self._memory.hold_async(self._all(request.variables))
                asyncio.get_running_loop().call_later(REMOTE_TURN_SECONDS_MAX, self._end_turn, request.id)
                self._server.turns += 1
        return True

    def _declare(self, request: Declare) -> None:
        if len(self._variables) + len(request.variables) > REMOTE_VARIABLES_MAX:
            raise LimitError(f"a process uses at most {REMOTE_VARIABLES_MAX} variables of another's memory")
        self._variables += [self._memory.variable(name, default) for name, default in request.variables]

    async def _commit(self, request: Commit) -> bool:
        reads = self._all(request.reads)
        variables = self._all([number for number, _ in request.writes])
        writes = [(v, frozen(value, str(v.name))) for v, (_, value) in zip(variables, request.writes, strict=True)]
        body = partial(_if_unwritten, reads, request.clock, writes, request.emissions)
        held = self._turns.get(request.turn)
        if held is not None and held.reads.keys() >= {*reads, *variables}:
            del self._turns[request.turn]
            is_done = await self._memory.commit_held_async(held, body, agent=request.agent)
        else:
            self._end_turn(request.turn)
            is_done = await self._memory.atomically_async(body, agent=request.agent)
        self._server.refused_commits += not is_done
        return is_done

    def _all(self, numbers: list[int]) -> list[TVar[Any]]:
        if not all(0 <= number < len(self._variables) for number in numbers):
            raise EncodingError("a number stands for no variable that this connection has declared")
        return [self._variables[number] for number in numbers]

    def _end_turn(self, number: int) -> None:
        held = self._turns.pop(number, None)
        if held is not None:
            held.release()

    def _answer(self, number: int, *, is_done: bool) -> None:
        """Answer with all that the client does not know, as it is together at this instant."""
        memory, known, told = self._memory.memory, self._clock, self._told
        with memory.lock:
            clock = memory.clock
            cells = [(i, v.cell) for i, v in enumerate(self._variables) if v.cell[1] > known or i >= told]
        changes = [(i, frozen(value, str(self._variables[i].name))) for i, (value, _) in cells]
        self._send(Answer(number, is_done, clock, changes))
        self._clock, self._told = clock, len(self._variables)
        self._server.answers += 1

    def _send(self, reply: Reply) -> None:
        """Send without waiting; whoever does not read what it has asked for is cut off."""
        if not self._writer.is_closing():
            self._writer.write(frame(reply))
            if self._writer.transport.get_write_buffer_size() > REMOTE_MESSAGE_BYTES_MAX:
                self._writer.transport.abort()


class _Ended(Exception):  # noqa: N818  not an error: the end of serving
    """It is time to go."""


def _if_unwritten(
    reads: list[TVar[Any]],
    clock: int,
    writes: list[tuple[TVar[Any], Any]],
    emissions: list[tuple[str, dict[str, Any]]],
    t: DurableTransaction,
) -> bool:
    """Write and emit, if none of `reads` was written after `clock`; say whether."""
    if any(t.cell(variable)[1] > clock for variable in reads):
        return False
    for variable, value in writes:
        t.write(variable, value)
    for kind, body in emissions:
        t.emit(kind, body)
    return True


def _changed(variables: list[TVar[Any]], clock: int, t: DurableTransaction) -> None:
    """Wait until one of `variables` is written after `clock`."""
    check(any(t.cell(variable)[1] > clock for variable in variables))


async def _next(reader: asyncio.StreamReader) -> Hello | Request:
    return request_of(await reader.readexactly(length_of(await reader.readexactly(HEADER_BYTES))))


async def _first(reader: asyncio.StreamReader) -> Hello | Request:
    async with asyncio.timeout(REMOTE_GREETING_SECONDS_MAX):
        return await _next(reader)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Send what is left and close; whoever does not read it in time is cut off."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSING_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
