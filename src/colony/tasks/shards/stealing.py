"""What an agent with little to do may take over from others: ended leases, and what a longer queue leaves lying.

Pure: it looks at claims and says in which order to try. That nothing finished is taken, and that one thief wins, is the
business of the claim itself (claims.py). What this file does not do: claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from colony.tasks.shards.claims import Claim, Standing, Terms


def takeable(
    standing: Standing, *, did: str, agent: str, terms: Terms, now_milliseconds: int, score: Callable[[str], float]
) -> list[str]:
    """Return the tasks that `agent` of the replica `did` may take over, in the order to try them.

    A task whose lease has ended is anybody's. One that was assigned and left idle may go from a queue to a shorter one:
    its holder must have at least two more than the thief, so that no task goes back and forth. The longest queue is
    relieved first, and of one queue what `score` values most.
    """
    queues = Counter(_holder(held.claim) for held in standing.claims.values())
    own = queues[did, agent]

    def is_takeable(claim: Claim) -> bool:
        if _holder(claim) == (did, agent):
            return False
        is_relief = queues[_holder(claim)] >= own + 2
        return terms.has_ended(claim, now_milliseconds) or (is_relief and terms.is_idle(claim, now_milliseconds))

    found = [held.claim for held in standing.claims.values() if is_takeable(held.claim)]
    return [claim.task for claim in sorted(found, key=lambda c: (-queues[_holder(c)], -score(c.task), c.task))]


def _holder(claim: Claim) -> tuple[str, str]:
    return claim.did, claim.agent
