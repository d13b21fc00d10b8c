"""Makes the rows of the projection from a ranking; apart from projection.py, which is read without any graph."""

from __future__ import annotations

from colony.node.matrix.projection import FAR_MILLISECONDS, Row
from colony.tasks.order.graph import CLAIMED
from colony.tasks.order.scoring import Ranking
from colony.tasks.task import Task


def rows_of(ranking: Ranking) -> list[Row]:
    """The rows of a ranking, in its order."""
    return [_row(found.task, found.score) for found in ranking.ready(FAR_MILLISECONDS)]


def _row(task: Task, score: float) -> Row:
    return Row(
        id=task.id,
        title=task.title,
        state=task.state.value,
        priority=task.priority,
        stars=task.stars,
        base=score,
        lease_expires=task.lease_expires,
        is_claimed=task.state in CLAIMED,
        agent=task.agent,
    )
