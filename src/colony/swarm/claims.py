"""Claims become verdicts: the best claim is re-executed by the verifier, in its own sandbox, under its own identity.

At most one verification runs at a time, always of the best claim that stands, so that a quick run does not drown in
verifications and a slow one does not wait for them.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from colony.memory.run_state import Claim
from colony.memory.shared_memory import Emission
from colony.swarm.experiment import Spine
from colony.verification.evaluator import Evaluator
from colony.verification.verifier import Noise, reevaluations_max, verify

FINAL_CLAIMS_MAX = 200


class Claims:
    """Verifies the best standing claim of a run; owns the verifier's thread."""

    def __init__(self, spine: Spine, evaluator: Evaluator, noise: Noise) -> None:
        self._spine = spine
        self._evaluator = evaluator
        self._noise = noise
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="colony-verifier")

    def pending(self) -> Claim | None:
        """The best standing claim, where nobody has given a verdict on it yet."""
        best = self._spine.state.best
        return best if best is not None and best.status == "claimed" else None

    def affordable(self) -> Claim | None:
        """The pending claim, where a verdict now leaves enough for another one at the end."""
        account, cost = self._spine.account, reevaluations_max(self._noise)
        left = account.evaluations_left()
        if left is not None and (left < cost or account.kept_evaluations < 2 * cost):
            return None
        return self.pending()

    async def settle(self, claim: Claim) -> None:
        """Re-execute one claim and record the verdict; once its record is under way, it is not cut short."""
        loop = asyncio.get_running_loop()
        spine = self._spine
        number = 1 + sum(c.status != "claimed" for c in spine.state.claims)
        left = spine.account.evaluations_left() if spine.account.kept_evaluations == 0 else None
        examine = partial(verify, self._evaluator, spine.problem, self._noise, claim.candidate, claim.value)
        verdict = await loop.run_in_executor(self._thread, partial(examine, number=number, evaluations_max=left))
        body = {
            "run": spine.run,
            "experiment": claim.experiment,
            "candidate": claim.candidate.hash,
            "verdict": verdict.verdict,
            "value": verdict.value,
            "values": list(verdict.values),
            "evaluations": verdict.evaluations,
            "exact": dict(verdict.exact),
            "reason": verdict.reason,
            "isolation": self._evaluator.isolation.grade,
            "cpu_seconds": round(verdict.cpu_seconds, 6),
        }
        recording = asyncio.ensure_future(spine.conclude_verdict(Emission("verdict.given/1", body)))
        try:
            await asyncio.shield(recording)
        except asyncio.CancelledError:
            await recording
            raise

    async def settle_all(self) -> None:
        """At the end: until the best claim is verified, or none is left, or the evaluations are used up."""
        account = self._spine.account
        account.kept_evaluations = 0
        for _ in range(FINAL_CLAIMS_MAX):
            claim = self.pending()
            if claim is None or account.evaluations_left() == 0:
                return
            await self.settle(claim)

    async def score_holdout(self) -> None:
        """Score the verified best once on the data that no agent has seen, where the problem has such."""
        best, spine = self._spine.state.verified, self._spine
        if best is None or not spine.problem.evaluator.holdout:
            return
        if spine.state.holdout is not None and spine.state.holdout["experiment"] == best.experiment:
            return
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._thread, self._evaluator.ask, "holdout", best.candidate)
        judged = spine.problem.rules.judge(result.value) if result.status == "ok" else None
        value = judged.value if judged is not None and judged.status == "ok" else None
        reason = result.error[-300:] if judged is None else judged.reason
        body = {"run": spine.run, "experiment": best.experiment, "value": value, "reason": reason}
        spine.state.apply("holdout.scored/1", body)
        await spine.blackboard.commit([Emission("holdout.scored/1", body)])

    def close(self) -> None:
        """End the verifier's sandbox and thread."""
        self._evaluator.close()
        self._thread.shutdown(wait=True, cancel_futures=True)
