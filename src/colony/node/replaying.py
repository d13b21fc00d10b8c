"""Rebuild a run from its journal, audit it, and prove single experiments; all read-only.

`replay` folds every record from sequence 0 and compares the state's hash with the one that the run recorded at its
end. `audit` recomputes every hash, signature, chain and head, and says which record broke what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from colony.journal.audit import AuditReport, proof
from colony.journal.events import check, upcast
from colony.journal.log import Entry, Head
from colony.journal.sqlite import SqliteReader, audit_file
from colony.memory.named_memory import hash_of
from colony.memory.run_state import RunState
from colony.node.home import RunFolder
from colony.primitives.clock import parse_timestamp
from colony.primitives.encoding import canonical, sha256
from colony.primitives.errors import JournalCorruptError, UsageError
from colony.primitives.keys import verify


@dataclass(slots=True)
class Trial:
    """The trial of an experiment, folded: what began, the values of the shared memory by name, and what it came to."""

    started: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)
    commits: int = 0
    ended: Mapping[str, Any] | None = None

    def apply(self, kind: str, body: Mapping[str, Any]) -> None:
        """Fold one record."""
        if kind == "memory.committed/1":
            self.values.update(body["changes"])
            self.commits += 1
        elif kind == "trial.ended/1":
            self.ended = body

    def as_record(self, folder: RunFolder) -> dict[str, Any]:
        """What `colony show` says of it."""
        said = {key: value for key, value in {**self.started, **(self.ended or {})}.items() if key != "run"}
        return {
            "run": folder.name,
            **said,
            "ended": self.ended is not None,
            "commits": self.commits,
            "memory": self.values,
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """A state rebuilt from sequence 0. `expected` is what the run recorded at its last end, None if it never ended.

    Of the trial of an experiment, `trial` holds its first and its last record's bodies and the shared memory's values.
    """

    state: RunState
    head: Head
    state_hash: str
    expected: str | None
    wall_seconds: float
    trial: Trial | None = None

    @property
    def matches(self) -> bool:
        """Whether the rebuilt state is the recorded one; True where none was recorded."""
        return self.expected is None or self.expected == self.state_hash


def replay(folder: RunFolder) -> Replay:
    """Fold the journal of a run from its first record.

    Raises:
        JournalError: the journal is corrupt, truncated, tampered with or of a newer version; names the sequence.

    """
    reader = SqliteReader(folder.journal)
    return read_run(reader.read(), reader.head())


def read_run(entries: Iterator[Entry], head: Head) -> Replay:
    """Fold entries in order; see `replay`."""
    state = RunState()
    expected = at_end = None
    first = last = trial = None
    for entry in entries:
        record = entry.record
        kind, body = upcast(record.kind, record.body)
        if kind == "trial.started/1":
            trial = Trial(body)
        elif trial is not None:
            trial.apply(kind, body)
        if kind == "run.finished/1":
            expected, at_end = body["state_hash"], state.state_hash()
        try:
            state.apply(kind, body)
        except JournalCorruptError as error:
            raise JournalCorruptError(f"record {entry.seq}: {error}", entry.seq) from error
        first = first or record.at
        last = record.at
    if trial is not None:
        recorded = trial.ended["state_hash"] if trial.ended is not None else None
        return Replay(state, head, hash_of(trial.values), recorded, _seconds(first, last), trial)
    now = at_end if state.finished is not None and at_end is not None else state.state_hash()
    return Replay(state, head, now, expected if state.finished is not None else None, _seconds(first, last))


def summary(folder: RunFolder) -> dict[str, Any]:
    """What `colony runs` says of a run; folds claims and verdicts only, so that a long list stays quick.

    Raises:
        JournalError: the journal cannot be trusted.

    """
    state = RunState()
    experiments = evaluations = 0
    ended: str | None = None
    best: float | None = None
    for entry in SqliteReader(folder.journal).read():
        kind, body = upcast(entry.record.kind, entry.record.body)
        check(kind, body)
        if kind == "experiment.evaluated/1":
            experiments += sum(len(part["results"]) for part in body["batches"])
            evaluations += sum(part["evaluations"] for part in body["batches"])
        elif kind == "trial.ended/1":
            evaluations, best, ended = (
                body["evaluations"],
                body["quality"],
                "solved" if body["solved"] else "not solved",
            )
        elif kind not in ("experiment.proposed/1", "experiment.decided/1"):
            state.apply(kind, body)
    claim = state.verified or state.best
    return {
        "run": folder.name,
        "best": claim.value if claim is not None else best,
        "status": claim.status if claim is not None else None,
        "experiments": experiments,
        "evaluations": evaluations + state.counts["checks"],
        "ended": state.finished["reason"] if state.finished is not None else ended,
    }


def _seconds(first: str | None, last: str | None) -> float:
    if first is None or last is None:
        return 0.0
    return (parse_timestamp(last)[0] - parse_timestamp(first)[0]) / 1000


def audit_run(folder: RunFolder) -> AuditReport:
    """Recompute everything that the journal's truth rests on, signatures and delegations included.

    Raises:
        JournalError: the file is no journal at all, or of a newer version.

    """
    return audit_file(folder.journal)


def delegation_faults(entries: Iterator[Entry]) -> list[tuple[int, str]]:
    """What is wrong with who acts for whom: an unsigned delegation, or an author whom nobody has delegated."""
    allowed: set[str] = set()
    faults = []
    for entry in entries:
        record = entry.record
        if record.kind == "identity.delegated/1":
            body = record.body
            statement = sha256(canonical({"run": body["run"], "delegates": body["delegates"]}))
            if verify(body["root"], statement, bytes.fromhex(body["signature"])):
                allowed |= set(body["delegates"].values())
            else:
                faults.append((entry.seq, f"the delegation is not signed by {body['root']}"))
        if record.author not in allowed:
            faults.append((entry.seq, f"{record.author} acts for nobody"))
    return faults


def prove(folder: RunFolder, experiment: str) -> dict[str, Any]:
    """A self-contained proof that an experiment's result is in the journal: the record, and its path to the root.

    Raises:
        UsageError: no experiment's id begins like this.

    """
    reader = SqliteReader(folder.journal)
    for entry in reader.read():
        if entry.record.kind != "experiment.evaluated/1":
            continue
        for part in entry.record.body["batches"]:
            for index, result in enumerate(part["results"]):
                if result["id"].startswith(experiment):
                    place = {"batch": part["batch"], "index": index}
                    inclusion = proof(reader, entry.seq, reader.signed_head())
                    return {"experiment": result["id"], **place, "result": result, "inclusion": inclusion}
    raise UsageError(
        f"{experiment!r}: no experiment of {folder.name} begins like this; `colony show {folder.name}` names some"
    )


def audit_record(folder: RunFolder) -> dict[str, Any]:
    """What `colony audit` says, JSON-able: whether everything holds, and every fault with its sequence.

    Raises:
        JournalError: the file is no journal at all, or of a newer version.

    """
    report = audit_run(folder)
    faults = [{"seq": f.seq, "id": f.id, "what": f.what} for f in report.faults]
    if report.ok:
        reader = SqliteReader(folder.journal)
        faults += [{"seq": seq, "id": None, "what": what} for seq, what in delegation_faults(reader.read())]
    return {
        "run": folder.name,
        "ok": not faults,
        "records": report.records,
        "authors": report.authors,
        "root": report.root,
        "faults_total": report.faults_total + len(faults) - len(report.faults),
        "faults": faults,
    }


def describe(folder: RunFolder, state: RunState) -> dict[str, Any]:
    """What `colony show` says of a run, JSON-able."""
    problem = state.started.get("problem", {})
    finished = state.finished or {}
    return {
        "run": folder.name,
        "problem": problem.get("name"),
        "problem_hash": problem.get("hash"),
        "metric": problem.get("metric"),
        "reason": finished.get("reason"),
        "seed_value": state.seed_value,
        "experiments": state.counts["experiments"],
        "evaluations": state.evaluations,
        "counts": dict(state.counts),
        "baseline": state.baseline,
        "holdout": state.holdout,
        "isolation": state.started.get("isolation"),
        "attacks": state.attack.get("attacks", []),
        "claims": [
            {
                "experiment": c.experiment,
                "value": c.value,
                "status": c.status,
                "agent": c.agent,
                "reason": c.reason,
                "candidate": c.candidate.hash,
            }
            for c in state.claims
        ],
        "agents": {
            name: {
                "kind": t.kind,
                "experiments": t.experiments,
                "evaluations": t.evaluations,
                "improvements": t.improvements,
                "best": t.best,
            }
            for name, t in state.agents.items()
        },
        "explored_regions": len(state.archive.regions()),
    }
