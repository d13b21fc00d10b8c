"""Claims become verdicts: the best claim is re-executed by the verifier, in its own sandbox, under its own identity.

At most one verification runs at a time, always of the best claim that stands, so that a quick run does not drown in
verifications and a slow one does not wait for them.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from colony.memory.run_state import Claim
from colony.memory.shared_memory import Emission
from colony.swarm.experiment import Spine
from colony.verification.evaluator import Evaluator
from colony.verification.verifier import Noise, verify

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

    async def settle(self, claim: Claim) -> None:
        """Re-execute one claim and record the verdict."""
        loop = asyncio.get_running_loop()
        spine = self._spine
        verdict = await loop.run_in_executor(
            self._thread, verify, self._evaluator, spine.problem, self._noise, claim.candidate, claim.value
        )
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
        await spine.conclude_verdict(Emission("verdict.given/1", body))

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
