"""One transaction: the log of a run of its body, its commit, and what it waits for.

The algorithm is TL2 (Dice, Shalev, Shavit 2006) with the moving snapshots of TinySTM (Felber, Fetzer, Riegel 2008) and
one short lock at commit. A run remembers the clock it began at and the cell of each variable at its first read. A cell
newer than that clock makes it check that all earlier reads still stand and move its clock forward, or start over; so a
body never sees two variables as they never were together (opacity). A commit checks all reads under the lock, thus
refuses write skew, and publishes. `retry` checks its reads under the same lock before it sleeps, thus loses no wake-up.
A transaction that lost too often queues for a hold on everything, thus does not starve. Whatever could go on for ever
(runs, steps of a run, waits, nesting) ends in an error that names the variables it went over.

What this file does not do: undo effects, interrupt a loop that touches no variable, or keep anything on disk. It must
not be entered from a signal handler or a finaliser, which may have interrupted a commit; a handler sets a flag instead.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager, suppress
from time import sleep
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, TypeVar

from colony.primitives.errors import LimitError, TransactionError
from colony.primitives.limits import (
    TRANSACTION_ATTEMPTS_MAX,
    TRANSACTION_DEPTH_MAX,
    TRANSACTION_READS_MAX,
    TRANSACTION_STEPS_MAX,
)
from colony.stm.tvar import TURN_COMMITS
from colony.stm.waiting import Hold, LoopWaiter, ThreadWaiter, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from colony.stm.tvar import Cell, Memory, TVar

T = TypeVar("T")
Body: TypeAlias = "Callable[[Transaction], T]"

_STEPS_TALLIED: Final = 1_000  # the last steps of a run that may take no more: what they touch is what the error names
_NAMED_MAX: Final = 8
_TURN_COMMITS_MAX: Final = 64 * TURN_COMMITS  # of a thread that is alone: it gives way ten times a second


class Transaction:
    """One transaction, over as many runs of its body as it takes; a body uses `read` and `write`, while it runs.

    `reads` holds the cell of each variable at its first read, `writes` the values to be, `emissions` what must be
    durable before they are published; all three belong to the current run.
    """

    __slots__ = (
        "attempts",
        "attempts_max",
        "depth",
        "emissions",
        "hold",
        "losses",
        "lost_on",
        "memory",
        "obstacle",
        "reads",
        "result",
        "steps",
        "tally",
        "version",
        "wait_seconds_left",
        "writes",
    )

    def __init__(
        self,
        memory: Memory,
        attempts_max: int = TRANSACTION_ATTEMPTS_MAX,
        wait_seconds_max: float | None = None,
    ) -> None:
        self.memory = memory
        self.version = memory.clock
        self.reads: dict[TVar[Any], Cell[Any]] = {}
        self.writes: dict[TVar[Any], Any] = {}
        self.emissions: list[Any] = []
        self.attempts = self.losses = self.depth = 0
        self.attempts_max = attempts_max
        self.wait_seconds_left = wait_seconds_max
        self.steps = 0
        self.lost_on: list[TVar[Any]] = []
        self.tally: tuple[TVar[Any], ...] = ()
        self.hold: Hold | None = None
        self.obstacle: Hold | None = None
        self.result: Any = None

    # What a body uses.

    def read(self, variable: TVar[T]) -> T:
        """Return the value of `variable`: what this transaction wrote, else what was committed."""
        value: T
        if variable in self.writes:
            value = self.writes[variable]
        elif variable in self.reads:
            value = self.reads[variable][0]
        else:
            return self.cell(variable)[0]
        self.steps += 1
        if self.steps > TRANSACTION_STEPS_MAX:
            self._tally(variable)
        return value

    def write(self, variable: TVar[T], value: T) -> None:
        """Give `variable` a value, for this transaction now and for everybody at its commit."""
        if variable.memory is not self.memory:
            raise _foreign(variable)
        self.writes[variable] = value
        self.steps += 1
        if self.steps > TRANSACTION_STEPS_MAX:
            self._tally(variable)

    def cell(self, variable: TVar[T]) -> Cell[T]:
        """Return the committed value and version of `variable` as of this transaction's snapshot."""
        cell: Cell[T] | None = self.reads.get(variable)
        if cell is not None:
            return cell
        if variable.memory is not self.memory:
            raise _foreign(variable)
        cell = variable.cell
        if cell[1] > self.version:
            cell = self._extend(variable)
        self.reads[variable] = cell
        if len(self.reads) > TRANSACTION_READS_MAX:
            raise LimitError(
                f"a transaction read more than {TRANSACTION_READS_MAX} variables; split it, or use fewer, larger values"
            )
        return cell

    def modify(self, variable: TVar[T], change: Callable[[T], T]) -> None:
        """Give `variable` the value that `change` makes of its value."""
        self.write(variable, change(self.read(variable)))

    def swap(self, variable: TVar[T], value: T) -> T:
        """Give `variable` a value, and return the one it had."""
        had = self.read(variable)
        self.write(variable, value)
        return had

    def nested(self, body: Callable[[Self], T]) -> T:
        """Run `body` as a part of this transaction that keeps what it wrote and emitted only if it returns.

        If an exception leaves it, its writes and emissions are undone and the exception goes on, to whoever catches it.
        What it read stays part of the whole, since the exception may depend on it; `retry` is about the whole too. The
        writes so far are copied (1 µs for 300 of them), so that no write has to remember what it replaced.

        Raises:
            LimitError: the parts are nested too deep.
        """
        if self.depth >= TRANSACTION_DEPTH_MAX:
            raise LimitError(f"transactions are nested {self.depth} deep; make a loop of the recursion, or split it")
        kept, emitted = self.writes.copy(), len(self.emissions)
        self.depth += 1
        try:
            return body(self)
        except BaseException:
            self.writes = kept
            del self.emissions[emitted:]
            raise
        finally:
            self.depth -= 1

    def either(self, first: Callable[[Self], T], second: Callable[[Self], T]) -> T:
        """Run `first`, or, if it says `retry`, undo what it wrote and run `second`; each is a nested part."""
        with suppress(RetrySignal):
            return self.nested(first)
        return self.nested(second)

    # What drives it.

    def attempt(self, body: Callable[[Self], object]) -> bool:
        """Run `body` until it is committed (True, and `result` is what it returned), or has to wait first (False).

        With emissions, True means that the commit can be made: its footprint is held until `publish` or `release`.
        """
        thread = _threads.here
        while self.attempts == 0 or self._may_run_again():
            self.attempts += 1
            if thread.busy:
                raise TransactionError(
                    "a transaction was started inside the body of another; pass that one's transaction `t` on, "
                    "and call `t.nested(part)` where an exception should undo only a part"
                )
            thread.busy = True
            try:
                self.result = body(self)
                return self._commit()
            except LostSignal:
                continue
            except RetrySignal:
                self._stand_back()
                return False
            except BaseException:
                self.release()
                raise
            finally:
                thread.busy = False
        return False

    def wait(self) -> None:
        """Block this thread until it makes sense to attempt again."""
        waiter = ThreadWaiter()
        with self._parked(waiter):
            if not waiter.wait(self.wait_seconds_left):
                raise self._impatient()

    async def wait_async(self) -> None:
        """Suspend this task until it makes sense to attempt again."""
        waiter = LoopWaiter()
        with self._parked(waiter):
            if not await waiter.wait(self.wait_seconds_left):
                raise self._impatient()

    def publish(self) -> None:
        """Make the writes visible all at once, end the hold, and wake who waited for either."""
        with self.memory.lock:
            woken = self._publish()
        for waiter in woken:
            waiter.ring()

    def release(self) -> None:
        """End the hold, if there is one, with nothing published."""
        with self.memory.lock:
            woken = self._release()
        for waiter in woken:
            waiter.ring()

    # Machinery.

    def _commit(self) -> bool:
        memory = self.memory
        lock = memory.lock
        take(lock)
        try:
            if self.writes or self.emissions:
                for variable, cell in self.reads.items():
                    if variable.cell is not cell:
                        raise self._lost(variable)
                if memory.holds and self._is_barred():
                    return False
            if self.emissions:
                self._hold_footprint()
                return True
            woken = self._publish()
        finally:
            lock.release()
        for waiter in woken:
            waiter.ring()
        if memory.clock >= memory.turn_ends:
            _give_way(memory)
        return True

    def _publish(self) -> list[Waiter]:
        memory, woken = self.memory, self._release()
        version = memory.clock + 1
        for variable, value in self.writes.items():
            variable.cell = (value, version)
            if variable.waiters:
                woken.extend(variable.waiters)
                variable.waiters = None
        memory.clock = version
        memory.commits += 1
        memory.reads += len(self.reads)
        memory.writes += len(self.writes)
        return woken

    def _release(self) -> list[Waiter]:
        if self.hold is None:
            return []
        self.memory.holds.remove(self.hold)
        woken = list(self.hold.waiters)
        self.hold = None
        return woken

    def _hold_footprint(self) -> None:
        if self.hold is None:
            self.hold = Hold(self.reads, self.writes)
            self.memory.holds.append(self.hold)

    def _extend(self, variable: TVar[T]) -> Cell[T]:
        """Move the snapshot to now, if all that was read still stands; return the cell of `variable`."""
        memory = self.memory
        take(memory.lock)
        try:
            for earlier, cell in self.reads.items():
                if earlier.cell is not cell:
                    raise self._lost(earlier)
            self.version = memory.clock
            return variable.cell
        finally:
            memory.lock.release()

    def _lost(self, variable: TVar[Any]) -> LostSignal:
        """Count a run lost to a change of `variable`; the lock is held."""
        self.losses += 1
        self.lost_on.append(variable)
        self.memory.conflicts += 1
        self.memory.most_losses = max(self.memory.most_losses, self.losses)
        return LostSignal()

    def _tally(self, variable: TVar[Any]) -> None:
        """Note what a run past its limit goes over, and end it when that has become clear."""
        self.tally += (variable,)
        if len(self.tally) == _STEPS_TALLIED:
            raise LimitError(
                f"one run of a transaction took more than {TRANSACTION_STEPS_MAX} steps and went on over "
                f"{_names(self.tally)}; end its loop, or split it"
            )

    def _is_barred(self) -> bool:
        """Whether a hold of another stands in the way; it becomes the obstacle to wait for."""
        for hold in self.memory.holds:
            if hold is self.hold:
                return False
            if hold.bars(self.reads if self.emissions else (), self.writes):
                self.obstacle = hold
                self.losses += 1
                return True
        return False

    def _may_run_again(self) -> bool:
        """Prepare another run; one that lost too often first waits to be alone."""
        if self.attempts >= self.attempts_max:
            self.release()
            raise self._endless()
        self.reads.clear()
        self.writes.clear()
        self.emissions.clear()
        self.tally = ()
        self.steps = 0
        self.obstacle = None
        self.version = self.memory.clock
        if self.hold is None and self.losses < self.memory.losses_max:
            return True
        return self._is_alone()

    def _is_alone(self) -> bool:
        """Queue for the memory to itself; whether that has come."""
        memory = self.memory
        with memory.lock:
            if self.hold is None:
                self.hold = Hold(None, None)
                memory.holds.append(self.hold)
                memory.exclusives += 1
            if memory.holds[0] is not self.hold:
                self.obstacle = memory.holds[0]
                return False
        self.version = memory.clock
        return True

    def _stand_back(self) -> None:
        """Let others commit while this one waits for a change."""
        self.losses = 0
        self.release()
        with self.memory.lock:
            self.memory.retries += 1

    @contextmanager
    def _parked(self, waiter: Waiter) -> Iterator[None]:
        """Have `waiter` rung when it makes sense to attempt again: at once, if it does already."""
        memory = self.memory
        with memory.lock:
            places = self._places()
            for place in places:
                place.add(waiter)
            memory.waits += bool(places)
        since = memory.monotonic()
        if not places:
            waiter.ring()
        try:
            yield
        except BaseException:
            self.release()
            raise
        finally:
            seconds = memory.monotonic() - since
            with memory.lock:
                for place in places:
                    place.discard(waiter)
                memory.longest_wait_seconds = max(memory.longest_wait_seconds, seconds)
            if self.wait_seconds_left is not None:
                self.wait_seconds_left = max(0.0, self.wait_seconds_left - seconds)

    def _places(self) -> list[set[Waiter]]:
        """Where a waiter has to be known to hear of the change this transaction needs; none if that has happened."""
        if self.obstacle is not None:
            return [self.obstacle.waiters] if self.obstacle in self.memory.holds else []
        if not self.reads:
            raise TransactionError("a body said `retry` before it read anything, so nothing could ever wake it")
        if any(variable.cell is not cell for variable, cell in self.reads.items()):
            return []
        for variable in self.reads:
            if variable.waiters is None:
                variable.waiters = set()
        return [variable.waiters for variable in self.reads if variable.waiters is not None]

    # What it says when it ends badly.

    def _endless(self) -> TransactionError:
        if self.lost_on:
            reason = f"lost {len(self.lost_on)} of them to changes of {_names(self.lost_on)}"
        else:
            reason = f"said `retry` each time, having read {_names(self.reads)}"
        return TransactionError(f"a transaction ran {self.attempts} times without a commit: it {reason}")

    def _impatient(self) -> TransactionError:
        if self.obstacle is not None:
            return TransactionError(
                "a transaction waited too long for its turn: another that is committing holds it up"
            )
        return TransactionError(f"a transaction waited too long in `retry` for a change of {_names(self.reads)}")


def take(lock: threading.Lock) -> None:
    """Acquire a lock that is held for microseconds, without ever queueing for it.

    A queued thread gets the lock at its release, but then has to wait for the interpreter, and everybody who needs the
    lock meanwhile queues too: one switch of threads for each commit, for ever (13% of the rate of one thread). To ask
    again instead lets whoever has the interpreter go on.
    """
    while not lock.acquire(False):
        sleep(0)


def _give_way(memory: Memory) -> None:
    """Let another thread have the interpreter; if none commits meanwhile, do so half as often as before.

    The interpreter deals out turns of 5 ms with some luck: of sixteen threads the unluckiest may have none in a second.
    Turns of a thousand commits even that out. The figures are hints, so nothing guards them.
    """
    before = memory.clock
    memory.turn_ends = before + TURN_COMMITS  # for whoever goes first
    sleep(1e-6)  # not 0, after which this thread would have the interpreter back before another could wake
    memory.turn_commits = TURN_COMMITS if memory.clock != before else min(2 * memory.turn_commits, _TURN_COMMITS_MAX)
    memory.turn_ends = memory.clock + memory.turn_commits


class LostSignal(BaseException):
    """This run has read what is no longer so. Not an Exception, so that no body catches it by accident."""


class RetrySignal(BaseException):
    """A body said `retry`. Not an Exception, for the same reason."""


class _Thread:
    __slots__ = ("busy",)

    def __init__(self) -> None:
        self.busy = False


class _Threads(threading.local):
    def __init__(self) -> None:
        self.here = _Thread()  # one look-up by thread for each transaction, instead of one for each use


_threads: Final = _Threads()


def _names(variables: Iterable[TVar[Any]]) -> str:
    """Name the variables, those that occur most often first; a few of them, if they are many."""
    counted = Counter(iter(variables))
    more = "" if len(counted) <= _NAMED_MAX else f" and {len(counted) - _NAMED_MAX} more"
    return ", ".join(repr(variable) for variable, _ in counted.most_common(_NAMED_MAX)) + more


def _foreign(variable: TVar[Any]) -> TransactionError:
    return TransactionError(f"{variable!r} belongs to another memory than this transaction; pass that as `memory`")
