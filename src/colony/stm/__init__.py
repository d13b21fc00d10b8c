"""Floor 1: software transactional memory for threads and asyncio; durable only through memory.shared_memory above."""

from colony.stm.transaction import (
    Body,
    Snapshot,
    Transaction,
    atomically,
    atomically_async,
    check,
    commit_if_unchanged,
    if_unchanged,
    or_else,
    retry,
    snapshot,
)
from colony.stm.tvar import DEFAULT, Memory, Statistics, TVar

__all__ = [
    "DEFAULT",
    "Body",
    "Memory",
    "Snapshot",
    "Statistics",
    "TVar",
    "Transaction",
    "atomically",
    "atomically_async",
    "check",
    "commit_if_unchanged",
    "if_unchanged",
    "or_else",
    "retry",
    "snapshot",
]
