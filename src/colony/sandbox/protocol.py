"""The seam of isolation: what may be used, where code runs, what came of it, and how well it was shut in.

A `Sandbox` opens an `Executor` for a `Host`: code that is loaded once inside and then answers many requests. Two
modes: "warm" (one process answers many requests: the user's own evaluator on data) and "fork" (each request gets a
fresh process in namespaces of its own: programs that somebody, or some model, has written).
What this file does not do: run anything; `bubblewrap` and `local` do, and containers may.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from colony.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Status = Literal["ok", "raised", "timeout", "cpu", "memory", "crashed", "output", "protocol"]
Mode = Literal["warm", "fork"]
Hold = Literal["enforced", "partial", "none"]

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may use. All bind; the kernel counts CPU in whole seconds, rounded up.

    `memory_bytes` counts above what the host itself has loaded; `output_bytes` is the size of a result in JSON;
    `processes` counts threads too; `file_bytes` is the size of one file, and of all that is printed.
    """

    wall_seconds: float = 30.0
    cpu_seconds: float = 30.0
    memory_bytes: int = 1024 * _MIB
    output_bytes: int = _MIB
    processes: int = 64
    file_bytes: int = 16 * _MIB

    def __post_init__(self) -> None:
        """Raises: UsageError for a limit that is not above zero."""
        for name, value in asdict(self).items():
            if not value > 0:
                raise UsageError(f"the limit {name} is {value}: it must be above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How well something was shut in, property by property, as the canary saw it.

    "enforced": the attack was stopped; "partial": stopped in its plain form only (`saw` says what is open); "none":
    it went through.
    """

    tier: str
    engine: str
    filesystem: Hold = "none"
    network: Hold = "none"
    sockets: Hold = "none"
    memory: Hold = "none"
    processes: Hold = "none"
    cpu: Hold = "none"
    deadline: Hold = "none"
    daemons: Hold = "none"
    saw: tuple[str, ...] = ()

    PROPERTIES = ("filesystem", "network", "sockets", "memory", "processes", "cpu", "deadline", "daemons")

    @property
    def grade(self) -> str:
        """One line: the tier, and what it does not enforce."""
        open_ = [f"{name} {hold}" for name in self.PROPERTIES if (hold := getattr(self, name)) != "enforced"]
        return f"{self.tier} (not enforced: {', '.join(open_)})" if open_ else f"{self.tier} (all enforced)"

    def as_record(self) -> dict[str, Any]:
        """Return the same as JSON."""
        return {**asdict(self), "saw": list(self.saw)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is loaded once inside: `factory(argument)` (with `pickled`: `factory(argument, given)`) returns the handle.

    `factory` is "module:function", looked up on `path` (searched before the packages of the engine's own interpreter,
    which are always there) after `preload` was imported. `pickled` is a cloudpickle of whatever the handle needs.
    `read_only` folders and files are shown inside under their own names; `environment` is all there is beside a dozen
    harmless variables. A handle takes and returns JSON values (NumPy's scalars and arrays become numbers and lists).
    """

    factory: str
    argument: Any = None
    path: tuple[str, ...] = ()
    pickled: bytes | None = None
    preload: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one request: `value` if the status is "ok", else `error` says why.

    An error has at most 2,000 characters. `printed` is the tail of standard output and error together (at most 4,096
    bytes). `peak_bytes` is known of forked requests only. CPU seconds include processes the request started and
    waited for, where it was forked.
    """

    status: Status
    value: Any = None
    error: str = ""
    printed: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What an executor has done: requests by status, how often the host was loaded, how many processes were forked."""

    requests: int
    statuses: Mapping[str, int]
    loads: int
    forks: int


class Executor(Protocol):
    """Runs requests against one loaded host. For one thread at a time, not necessarily always the same."""

    @property
    def isolation(self) -> Isolation:
        """What the canary found for this sandbox and mode."""
        ...

    def run(
        self, requests: Sequence[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> list[Result]:
        """One result per request, in order; a request's misbehaviour is its own result and touches no other.

        `parallel` is how many forked requests run side by side (a warm worker is one process: open several
        executors). `seed` makes the global random streams of `random` and NumPy the same for the same request
        wherever and whenever it runs; without it a forked request starts with fresh ones, and a warm worker goes on
        with what it has.

        Raises: IsolationError if the sandbox can no longer be set up (it never steps down); ProblemError if the host
        does not load; LimitError if the requests together exceed a frame.
        """
        ...

    def stream(
        self, requests: Iterable[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> Iterator[tuple[int, Result]]:
        """Yield each result with the number of its request, as they end; a request is taken when there is room for it.

        Where requests are forked, an endless iterable keeps all lanes busy however some hang. Closing the iterator
        ends what is under way. Raises: as `run`.
        """
        ...

    def statistics(self) -> Statistics:
        """Return the counts so far."""
        ...

    def close(self) -> None:
        """End every process; nothing is left. A closed executor raises IsolationError when used."""
        ...


class Sandbox(Protocol):
    """One way to shut code in on this machine."""

    def probe(self, mode: Mode = "fork") -> Isolation:
        """Return what it really stops; asked once per process. Raises: IsolationError if it does not work here."""
        ...

    def open(self, host: Host, *, mode: Mode) -> Executor:
        """Load a host. Raises: IsolationError if the sandbox cannot be set up, ProblemError if it does not load."""
        ...
