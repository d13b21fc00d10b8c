"""Claims and verdicts: what is affordable, who judges, and that a verdict under way reaches the journal."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from colony.governance.budget import BudgetAccount
from colony.memory.run_state import Claim
from colony.problems.candidate import Candidate
from colony.problems.metric import Budget
from colony.problems.problem import Problem
from colony.swarm.claims import Claims
from colony.testing.inline import inline_evaluator
from colony.verification.verifier import REEVALUATIONS_MAX, Noise

PROBLEM = Problem(space={"x": (0.0, 5.0)}, evaluate=lambda x: x, maximise="height")
QUIET, NOISY = Noise((2.5, 2.5, 2.5)), Noise((2.0, 2.5, 3.0))
CLAIM = Claim("e1", Candidate.parameters({"x": 4.0}), 4.0, "a-1")


class Spine(SimpleNamespace):
    """What claims see of a spine: a state with claims, an account, and a place for verdicts."""

    def __init__(self, *claims, account=None):
        state = SimpleNamespace(claims=list(claims), best=claims[0] if claims else None, verified=None, holdout=None)
        super().__init__(run="r", problem=PROBLEM, state=state, account=account or BudgetAccount(Budget()), verdicts=[])

    async def conclude_verdict(self, verdict):
        self.verdicts.append(verdict.body)
        said = verdict.body["verdict"]
        self.state.claims = []
        self.state.best = None if said == "refuted" else SimpleNamespace(status=said)


def claims_of(spine, noise=QUIET):
    return Claims(spine, inline_evaluator(PROBLEM), noise)


def account(evaluations, kept, spent=0):
    made = BudgetAccount(Budget(evaluations=evaluations), kept_evaluations=kept)
    made.spend_check(spent, 0.0)
    return made


@pytest.mark.parametrize(
    ("noise", "given", "affordable"),
    [
        (QUIET, account(None, 0), True),
        (QUIET, account(100, 2), True),
        (QUIET, account(100, 1), False),
        (QUIET, account(100, 2, spent=98), False),
        (NOISY, account(None, 0), True),
        (NOISY, account(200, 2 * REEVALUATIONS_MAX), True),
        (NOISY, account(200, REEVALUATIONS_MAX), False),
        (NOISY, account(200, 2 * REEVALUATIONS_MAX, spent=200 - 3 * REEVALUATIONS_MAX + 1), False),
    ],
)
def test_a_verdict_during_the_search_leaves_enough_for_the_last_one(noise, given, affordable):
    """A claim waits for the end where its verdict could eat what is kept for the final verification."""
    claims = claims_of(Spine(CLAIM, account=given), noise)
    assert claims.affordable() == (CLAIM if affordable else None)
    assert claims.pending() == CLAIM
    claims.close()


def test_only_a_claim_without_a_verdict_is_pending():
    """Nothing is verified twice."""
    claims = claims_of(Spine(Claim("e1", CLAIM.candidate, 4.0, "a-1", status="verified")))
    assert claims.pending() is None
    claims.close()


def test_a_verdict_says_what_it_rests_on():
    """The record of a verdict names the candidate, the fresh values and the isolation they were measured in."""
    spine = Spine(CLAIM)
    claims = claims_of(spine)
    asyncio.run(claims.settle(CLAIM))
    claims.close()
    body = spine.verdicts[0]
    assert (body["verdict"], body["values"], body["evaluations"]) == ("verified", [4.0], 1)
    assert body["candidate"] == CLAIM.candidate.hash
    assert body["isolation"].startswith("inline")


def test_a_verdict_whose_record_is_under_way_is_not_cut_short():
    """Whoever cancels a verification while its record is being written waits until it is written."""
    spine = Spine(CLAIM)
    claims = claims_of(spine)

    async def main():
        begun, go_on = asyncio.Event(), asyncio.Event()
        written = []

        async def slowly(verdict):
            begun.set()
            await go_on.wait()
            written.append(verdict.body["verdict"])

        spine.conclude_verdict = slowly
        task = asyncio.ensure_future(claims.settle(CLAIM))
        await begun.wait()
        task.cancel()
        asyncio.get_running_loop().call_later(0.01, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        return written

    assert asyncio.run(main()) == ["verified"]
    claims.close()


def test_the_end_settles_until_the_budget_is_used_up():
    """At the end claims are judged one after the other, each with what is left, and never with more."""
    given = account(10, 2, spent=8)
    spine = Spine(CLAIM, account=given)
    claims = claims_of(spine, NOISY)
    asyncio.run(claims.settle_all())
    claims.close()
    assert spine.verdicts[0]["evaluations"] == 2


def test_the_verifier_has_a_thread_of_its_own():
    """Verification runs beside the event loop, so that a slow evaluator does not hold up the search."""
    seen = []
    evaluator = inline_evaluator(PROBLEM, before=lambda _: seen.append(threading.current_thread().name))
    claims = Claims(Spine(CLAIM), evaluator, QUIET)
    asyncio.run(claims.settle(CLAIM))
    claims.close()
    assert all(name.startswith("colony-verifier") for name in seen)
    assert seen
