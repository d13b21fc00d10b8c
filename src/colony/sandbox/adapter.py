"""What adapters share: open a host in either mode, and ask the canary once per process.

What this file does not do: know an engine; an adapter brings its name and its way to launch.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from colony.sandbox import canary
from colony.sandbox.cgroup import Groups, find
from colony.sandbox.loaded import Loaded
from colony.sandbox.protocol import Executor, Host, Isolation, Mode
from colony.sandbox.warm import WarmExecutor
from colony.sandbox.zygote import ForkExecutor

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from colony.sandbox.process import Launch


@dataclass(frozen=True, slots=True)
class Adapter:
    """A `protocol.Sandbox`. `engine` and `launch` raise IsolationError where the engine is missing."""

    tier: str
    engine: Callable[[], str]
    launch: Callable[[Host, ExitStack], Launch]
    use_groups: bool = True

    def probe(self, mode: Mode = "fork") -> Isolation:
        """Return what it really stops; asked once per process. Raises: IsolationError if it does not work here."""
        return _probe(self, mode)

    def open(self, host: Host, *, mode: Mode) -> Executor:
        """Load a host. Raises: IsolationError, ProblemError."""
        return self._open(host, mode, self.probe(mode))

    def groups(self) -> Groups | None:
        """Return the control groups that lanes will use, if this user has any."""
        return _groups() if self.use_groups else None

    def _open(self, host: Host, mode: Mode, isolation: Isolation) -> Executor:
        loaded = Loaded(self.launch, host, self.groups())
        try:
            return WarmExecutor(loaded, isolation) if mode == "warm" else ForkExecutor(loaded, isolation)
        except BaseException:
            loaded.close()
            raise


@functools.cache
def _groups() -> Groups | None:
    return find()


@functools.cache
def _probe(adapter: Adapter, mode: Mode) -> Isolation:
    engine = adapter.engine()
    grouped = f"{adapter.tier}+cgroup" if adapter.groups() is not None else adapter.tier
    executor = adapter._open(canary.HOST, mode, Isolation(tier=grouped, engine=engine))  # noqa: SLF001  (our own class)
    try:
        return canary.probe(executor, tier=grouped, engine=engine)
    finally:
        executor.close()
