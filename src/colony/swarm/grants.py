"""How much is offered at once: about half a second of work, or a small part of what is left.

Where the run must not depend on time, the amount is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

UNIT_SECONDS = 0.5
SECONDS_MAX = 2.0
GRANT_MIN, GRANT_MAX = 16, 20_000
DETERMINISTIC_GRANT = 512
UNIT_PARTS, AGENT_PARTS = 64, 4
QUICK_SECONDS = 0.1
PROPOSALS_MAX = 64


@dataclass(frozen=True, slots=True)
class Offer:
    """What one unit of work may hold: evaluations and proposals in all, and evaluations for one agent at most."""

    evaluations: int
    proposals: int
    each: int


class Grants:
    """Offers evaluations; learns how fast they go unless the run is deterministic.

    `first_seconds` is how long one evaluation of the seed took.
    """

    def __init__(self, *, agents: int, deterministic: bool, first_seconds: float | None = None) -> None:
        self._agents = agents
        self._deterministic = deterministic
        self._seconds_each = first_seconds
        self.seconds_max = SECONDS_MAX

    def observe(self, evaluations: int, seconds: float) -> None:
        """Learn from a unit: how long one evaluation takes, as a moving average."""
        if evaluations <= 0 or self._deterministic:
            return
        each = seconds / evaluations
        self._seconds_each = each if self._seconds_each is None else 0.7 * self._seconds_each + 0.3 * each

    def offer(self, evaluations_left: int | None, experiments_left: int | None) -> Offer:
        """The next unit, where this much is left; all its numbers are at least 1."""
        unit = each = DETERMINISTIC_GRANT if self._deterministic else self._by_time()
        if evaluations_left is not None:
            unit = min(unit, max(GRANT_MIN, evaluations_left // UNIT_PARTS), evaluations_left)
            each = min(each, max(GRANT_MIN, evaluations_left // AGENT_PARTS))
        proposals = PROPOSALS_MAX
        if experiments_left is not None:
            proposals = min(proposals, max(16, experiments_left // UNIT_PARTS), experiments_left)
        return Offer(max(1, unit), max(1, proposals), max(1, each))

    def is_quick(self, evaluations_left: int | None) -> bool:
        """Whether a whole unit takes hardly any time."""
        unit = self.offer(evaluations_left, None).evaluations
        return self._seconds_each is not None and unit * self._seconds_each < QUICK_SECONDS

    def share(self, proposals_left: int) -> int:
        """How many of a unit's proposals one agent may make: fewer where many agents wait for their turn."""
        return max(1, min(proposals_left, max(8, 4 * PROPOSALS_MAX // self._agents)))

    def _by_time(self) -> int:
        if self._seconds_each is None or self._seconds_each <= 0:
            return GRANT_MIN
        return int(min(GRANT_MAX, max(1, UNIT_SECONDS / self._seconds_each)))
