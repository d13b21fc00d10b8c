"""Every log keeps the shipped contract."""

from __future__ import annotations

import pytest

from colony.journal import MemoryLog
from colony.journal.sqlite import SqliteLog
from colony.primitives.keys import Key
from colony.testing.log_contract import CONTRACT_KINDS, LogContract


class TestMemoryLog(LogContract):
    """The specification."""

    @pytest.fixture
    def log(self):
        return MemoryLog(kinds=CONTRACT_KINDS)


class TestSqliteLog(LogContract):
    """One file, durable."""

    @pytest.fixture
    def log(self, tmp_path):
        with SqliteLog(tmp_path / "journal.db", Key.derive(b"test", "node"), kinds=CONTRACT_KINDS) as log:
            yield log
