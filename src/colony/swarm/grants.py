"""How much an agent is offered at once: about half a second of work, a small part of what is left, fixed when the run
must not depend on time."""

from __future__ import annotations

BATCH_SECONDS = 0.5
SECONDS_MAX = 2.0
GRANT_MIN, GRANT_MAX = 16, 20_000
DETERMINISTIC_GRANT = 512
PARTS = 16
PROPOSALS_MAX = 64


class Grants:
    """Offers evaluations; learns how fast they go unless the run is deterministic."""

    def __init__(self, *, agents: int, deterministic: bool, first_seconds: float | None = None) -> None:
        self._agents = agents
        self._deterministic = deterministic
        self._seconds_each = first_seconds
        self.seconds_max = SECONDS_MAX

    def observe(self, evaluations: int, seconds: float) -> None:
        """Learn from a batch: how long one evaluation takes, as a moving average."""
        if evaluations <= 0 or self._deterministic:
            return
        each = seconds / evaluations
        self._seconds_each = each if self._seconds_each is None else 0.7 * self._seconds_each + 0.3 * each

    def offer(self, evaluations_left: int | None, experiments_left: int | None) -> tuple[int, int]:
        """How many evaluations and proposals the next unit of work may hold; both at least 1."""
        grant = DETERMINISTIC_GRANT if self._deterministic else self._by_time()
        if evaluations_left is not None:
            grant = min(grant, max(GRANT_MIN, evaluations_left // PARTS), evaluations_left)
        proposals = PROPOSALS_MAX
        if experiments_left is not None:
            proposals = min(proposals, max(4, experiments_left // PARTS), experiments_left)
        return max(1, grant), max(1, min(proposals, grant))

    def share(self, proposals_max: int) -> int:
        """How many of a unit's proposals one agent may make: less where many agents wait for their turn."""
        return max(1, min(proposals_max, max(4, PROPOSALS_MAX * 4 // self._agents)))

    def _by_time(self) -> int:
        if self._seconds_each is None or self._seconds_each <= 0:
            return GRANT_MIN
        return int(min(GRANT_MAX, max(1, BATCH_SECONDS / self._seconds_each)))
