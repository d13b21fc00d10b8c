"""The state of one run as a pure fold over its records; the running engine and `replay` use this same fold.

`apply` takes records one by one in journal order. Nothing here reads a clock, a file or a random number, and what
depends on the machine's speed (seconds, identities of workers) stays out of `state_hash`.
It does not judge and does not decide; it remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from colony.memory.archive import Archive
from colony.memory.elite import Elite
from colony.primitives.encoding import canonical
from colony.primitives.errors import JournalCorruptError
from colony.problems.candidate import Candidate
from colony.problems.evaluation import Status
from colony.problems.metric import Metric

CLAIMS_MAX = 4_096
SEED = "seed"
COUNTS = ("experiments", "evaluations", "checks", "ok", "infeasible", "failed", "refused")


@dataclass(frozen=True, slots=True)
class Tally:
    """What one agent has done so far; `gain` counts how often it improved the colony's best."""

    kind: str
    experiments: int = 0
    evaluations: int = 0
    improvements: int = 0
    cpu_seconds: float = 0.0
    best: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The outcome of a candidate that has been evaluated: an experiment's id, status, value and violation."""

    experiment: str
    status: Status
    value: float | None
    violation: float = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A best candidate and how far it is believed: `claimed`, `verified` or `refuted`."""

    experiment: str
    candidate: Candidate
    value: float
    agent: str
    status: str = "claimed"
    verified_value: float | None = None
    reason: str = ""
    evaluations_at: int = 0


@dataclass
class RunState:
    """Everything known of one run. Build it empty and `apply` records."""

    started: Mapping[str, Any] = field(default_factory=dict)
    attack: Mapping[str, Any] = field(default_factory=dict)
    finished: Mapping[str, Any] | None = None
    baseline: Mapping[str, Any] | None = None
    holdout: Mapping[str, Any] | None = None
    agents: dict[str, Tally] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    progress: list[tuple[int, float, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    reasons: dict[str, int] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    batches: int = 0
    open_batches: dict[int, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    archive: Archive = field(default_factory=Archive)
    _numbers: dict[str, int] = field(default_factory=dict)
    _metric: Metric | None = None

    @property
    def metric(self) -> Metric:
        """The metric of the problem; present once the run has started."""
        assert self._metric is not None, "the first record of a run is run.started"
        return self._metric

    @property
    def seed_value(self) -> float | None:
        """The measured value of the seed, or None where it is infeasible or was not measured."""
        value: float | None = self.attack.get("seed", {}).get("value")
        return value

    @property
    def best(self) -> Claim | None:
        """The best claim that is not refuted; verified or still to be verified."""
        standing = [c for c in self.claims if c.status != "refuted"]
        return self._top(standing)

    @property
    def verified(self) -> Claim | None:
        """The best verified claim."""
        return self._top([c for c in self.claims if c.status == "verified"])

    def _top(self, claims: list[Claim]) -> Claim | None:
        sign = self._metric.sign if self._metric else 1.0
        return min(claims, key=lambda c: (sign * _believed(c), c.experiment), default=None)

    def next_number(self, agent: str) -> int:
        """How many experiments this agent has proposed so far: the number of its next one."""
        return self._numbers.get(agent, 0)

    def apply(self, kind: str, body: Mapping[str, Any]) -> None:
        """Fold one record; kinds that say nothing about the state are passed over.

        Raises:
            JournalCorruptError: the body does not say what its kind promises.

        """
        handler = _HANDLERS.get(kind)
        if handler is None:
            return
        try:
            handler(self, body)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise JournalCorruptError(f"a record of kind {kind} makes no sense here: {error!r}") from error

    def state_hash(self) -> str:
        """Hex SHA-256 over the canonical state; equal for equal histories, whatever the machine's speed."""
        return sha256(canonical(self.as_record())).hexdigest()

    def as_record(self) -> dict[str, Any]:
        """The JSON-able state without anything that depends on time."""
        return {
            "problem": self.started.get("problem", {}).get("hash"),
            "seed": self.started.get("seed"),
            "seed_value": self.seed_value,
            "agents": {
                name: [t.kind, t.experiments, t.evaluations, t.improvements, t.best] for name, t in self.agents.items()
            },
            "claims": [
                [c.experiment, c.candidate.hash, c.value, c.agent, c.status, c.verified_value] for c in self.claims
            ],
            "known": sha256(
                canonical({h: [k.experiment, k.status, k.value] for h, k in self.known.items()})
            ).hexdigest(),
            "progress": [list(p) for p in self.progress],
            "counts": dict(self.counts),
            "batches": self.batches,
            "archive": self.archive.state(),
            "baseline": [self.baseline["name"], self.baseline["value"], self.baseline["evaluations"]]
            if self.baseline
            else None,
            "holdout": self.holdout["value"] if self.holdout else None,
        }

    # -- one method for each kind ------------------------------------------------------------------------------

    def _on_started(self, body: Mapping[str, Any]) -> None:
        self.started = body
        self._metric = Metric(**body["problem"]["metric"])
        self.archive = Archive.from_record(body["archive"], self._metric.sign)
        self.agents = {a["name"]: Tally(a["kind"]) for a in body["agents"]}

    def _on_attacked(self, body: Mapping[str, Any]) -> None:
        self.attack = body
        self.counts["checks"] += body["evaluations"]
        self.cpu_seconds += body.get("cpu_seconds", 0.0)
        seed = body["seed"]
        if seed["value"] is not None:
            candidate = Candidate(self.started["problem"]["kind"], seed["content"])
            self.known[candidate.hash] = Known(SEED, "ok", seed["value"])
            self.archive.add(Elite(SEED, candidate, seed["value"], SEED, SEED))

    def _on_proposed(self, body: Mapping[str, Any]) -> None:
        self.batches = max(self.batches, body["batch"] + 1)
        self._numbers[body["agent"]] = self._numbers.get(body["agent"], 0) + len(body["experiments"])
        self.open_batches[body["batch"]] = {e["id"]: e for e in body["experiments"]}

    def _on_evaluated(self, body: Mapping[str, Any]) -> None:
        for part in body["batches"]:
            self.apply_results(part)

    def apply_results(self, body: Mapping[str, Any]) -> None:
        """Fold the results of one batch, a part of an `experiment.evaluated` record."""
        proposed = self.open_batches.pop(body["batch"])
        tally = self.agents[body["agent"]]
        evaluations = 0
        for result in body["results"]:
            evaluations += result.get("evaluations", 1)
            tally = self._fold_result(result, proposed[result["id"]], body["agent"], tally, evaluations)
        self.counts["evaluations"] += evaluations
        self.cpu_seconds += body["cpu_seconds"]
        self.agents[body["agent"]] = replace(
            tally,
            experiments=tally.experiments + len(body["results"]),
            evaluations=tally.evaluations + evaluations,
            cpu_seconds=tally.cpu_seconds + body["cpu_seconds"],
        )

    def _fold_result(
        self, result: Mapping[str, Any], proposed: Mapping[str, Any], agent: str, tally: Tally, evaluations: int
    ) -> Tally:
        status = result["status"]
        self.counts["experiments"] += 1
        self.counts[status] += 1
        if status == "failed":
            reason = result.get("reason", "")[:120]
            if reason in self.reasons or len(self.reasons) < 100:
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
        name = result.get("candidate") or (proposed.get("candidate") if "method" not in proposed else None)
        if name is None or name in self.known:
            return tally
        value = result.get("value")
        self.known[name] = Known(result["id"], status, value, result.get("violation", 0.0))
        if status != "ok" or value is None:
            return tally
        content = result.get("content") or proposed["content"]
        self._admit(result, content, value, agent, proposed)
        return self._note_progress(tally, value, agent, self.counts["evaluations"] + evaluations)

    def _admit(
        self,
        result: Mapping[str, Any],
        content: Mapping[str, Any],
        value: float,
        agent: str,
        proposed: Mapping[str, Any],
    ) -> None:
        candidate = Candidate(self.started["problem"]["kind"], content)
        parents = tuple(proposed.get("parents", ()))
        self.archive.add(Elite(result["id"], candidate, value, agent, proposed["operator"], parents))

    def _note_progress(self, tally: Tally, value: float, agent: str, at: int) -> Tally:
        metric = self.metric
        if not self.progress or metric.better(value, self.progress[-1][1]):
            self.progress.append((at, value, agent))
            tally = replace(tally, improvements=tally.improvements + 1)
        if tally.best is None or metric.better(value, tally.best):
            tally = replace(tally, best=value)
        return tally

    def _on_claimed(self, body: Mapping[str, Any]) -> None:
        candidate = Candidate(self.started["problem"]["kind"], body["content"])
        claim = Claim(
            body["experiment"], candidate, body["value"], body["agent"], evaluations_at=self.counts["evaluations"]
        )
        self.claims.append(claim)
        if len(self.claims) > CLAIMS_MAX:
            keep = self.verified
            del self.claims[: CLAIMS_MAX // 2]
            if keep is not None and keep not in self.claims:
                self.claims.insert(0, keep)

    def _on_verdict(self, body: Mapping[str, Any]) -> None:
        self.counts["checks"] += body["evaluations"]
        self.cpu_seconds += body.get("cpu_seconds", 0.0)
        self.claims = [
            replace(c, status=body["verdict"], verified_value=body["value"], reason=body.get("reason", ""))
            if c.experiment == body["experiment"]
            else c
            for c in self.claims
        ]
        if body["verdict"] == "refuted":
            self.archive.remove(body["experiment"])

    def _on_baseline(self, body: Mapping[str, Any]) -> None:
        self.baseline = body

    def _on_holdout(self, body: Mapping[str, Any]) -> None:
        self.holdout = body

    def _on_finished(self, body: Mapping[str, Any]) -> None:
        self.finished = body

    def _on_resumed(self, _body: Mapping[str, Any]) -> None:
        self.finished = None

    @property
    def evaluations(self) -> int:
        """Every call of the evaluator that the budget pays for: searching, measuring noise, attacking, verifying."""
        return self.counts["evaluations"] + self.counts["checks"]


_HANDLERS: dict[str, Callable[[RunState, Mapping[str, Any]], None]] = {
    "run.started/1": RunState._on_started,  # noqa: SLF001  # the fold's own table
    "run.resumed/1": RunState._on_resumed,  # noqa: SLF001
    "run.finished/1": RunState._on_finished,  # noqa: SLF001
    "evaluator.attacked/1": RunState._on_attacked,  # noqa: SLF001
    "experiment.proposed/1": RunState._on_proposed,  # noqa: SLF001
    "experiment.evaluated/1": RunState._on_evaluated,  # noqa: SLF001
    "candidate.claimed/1": RunState._on_claimed,  # noqa: SLF001
    "verdict.given/1": RunState._on_verdict,  # noqa: SLF001
    "baseline.measured/1": RunState._on_baseline,  # noqa: SLF001
    "holdout.scored/1": RunState._on_holdout,  # noqa: SLF001
}


def _believed(claim: Claim) -> float:
    return claim.value if claim.verified_value is None else claim.verified_value
