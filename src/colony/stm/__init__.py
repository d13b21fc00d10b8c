"""Floor 1: software transactional memory for threads and asyncio; durable only through memory.shared_memory above."""

from colony.stm.containers import TBoundedQueue, TMVar, TQueue, TSemaphore
from colony.stm.transaction import Body, Transaction
from colony.stm.tvar import DEFAULT, Memory, Statistics, TVar
from colony.stm.verbs import (
    Snapshot,
    atomically,
    atomically_async,
    catch,
    check,
    commit_if_unchanged,
    if_unchanged,
    or_else,
    retry,
    snapshot,
)

__all__ = [
    "DEFAULT",
    "Body",
    "Memory",
    "Snapshot",
    "Statistics",
    "TBoundedQueue",
    "TMVar",
    "TQueue",
    "TSemaphore",
    "TVar",
    "Transaction",
    "atomically",
    "atomically_async",
    "catch",
    "check",
    "commit_if_unchanged",
    "if_unchanged",
    "or_else",
    "retry",
    "snapshot",
]
