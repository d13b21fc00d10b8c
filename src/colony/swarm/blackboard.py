"""What the agents of a run share: best so far, explored regions, allocation and totals, as transactional variables.

Every commit emits the records that caused it, so the board is durable and a replay rebuilds it. It holds small frozen
values; the large indices (archive, known candidates) are the run's state, folded from the same records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from colony.memory.elite import Elite
from colony.memory.run_state import RunState
from colony.memory.shared_memory import DurableTransaction, Emission, SharedMemory
from colony.stm.tvar import Statistics


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters of the run that everybody may read."""

    experiments: int = 0
    evaluations: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """One consistent picture of the shared variables."""

    elites: tuple[Elite, ...] = ()
    regions: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    shares: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    totals: Totals = field(default_factory=Totals)


class Blackboard:
    """The shared variables of one run; `commit` is one append and one publication."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        start = Board()
        self._elites = memory.variable(start.elites, "elites")
        self._regions = memory.variable(start.regions, "explored regions")
        self._shares = memory.variable(start.shares, "allocation")
        self._totals = memory.variable(start.totals, "totals")

    async def commit(self, emissions: Sequence[Emission], board: Board | None = None) -> None:
        """Append the emissions, then publish the board that they lead to; both or neither."""

        def body(transaction: DurableTransaction) -> None:
            for each in emissions:
                transaction.emit(each.kind, each.body)
            if board is not None:
                transaction.write(self._elites, board.elites)
                transaction.write(self._regions, board.regions)
                transaction.write(self._shares, board.shares)
                transaction.write(self._totals, board.totals)

        await self._memory.atomically_async(body)

    def read(self) -> Board:
        """The board at one instant; safe from any thread."""

        def body(transaction: DurableTransaction) -> Board:
            return Board(
                transaction.read(self._elites),
                transaction.read(self._regions),
                transaction.read(self._shares),
                transaction.read(self._totals),
            )

        return self._memory.atomically(body)

    def statistics(self) -> Statistics:
        """Commits, conflicts, retries and waits of the shared memory."""
        return self._memory.statistics()


def board_of(state: RunState, shares: Mapping[str, float], elites_max: int) -> Board:
    """The board that a state amounts to."""
    totals = Totals(state.counts["experiments"], state.evaluations, state.batches)
    regions = MappingProxyType(state.archive.regions())
    return Board(state.archive.elites(elites_max), regions, MappingProxyType(dict(shares)), totals)
