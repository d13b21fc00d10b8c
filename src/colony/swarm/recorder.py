"""From emissions to signed records: who signs what, and one append for each commit of shared memory.

Agents sign what they propose, the evaluator what it measured, the verifier its verdicts, the node everything else. It
keeps the order in which commits arrive, so that every author's chain has no gap. It decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from colony.journal.log import Head, Log
from colony.journal.record import Author, SignedRecord
from colony.memory.shared_memory import Emission

NODE, EVALUATOR, VERIFIER = "node", "evaluator", "verifier"

_SIGNERS = {
    "experiment.evaluated/1": EVALUATOR,
    "verdict.given/1": VERIFIER,
    "holdout.scored/1": VERIFIER,
}


class Recorder:
    """Signs emissions as the right author and hands them to the journal, in order.

    `submit` takes signed records and returns a future of the journal's head (a group committer's).
    """

    def __init__(
        self, authors: Mapping[str, Author], submit: Callable[[Sequence[SignedRecord]], Future[Head]], log: Log
    ) -> None:
        self._authors = authors
        self._submit = submit
        self._lock = threading.Lock()
        self.log = log

    def append(self, emissions: Sequence[Emission]) -> Future[Head]:
        """Sign and append; the future is done when the records are durable."""
        with self._lock:
            return self._submit([self._author(e).write(e.kind, dict(e.body)) for e in emissions])

    def _author(self, emission: Emission) -> Author:
        if emission.kind in ("experiment.proposed/1", "candidate.claimed/1"):
            return self._authors[emission.body["agent"]]
        return self._authors[_SIGNERS.get(emission.kind, NODE)]

    def dids(self) -> dict[str, str]:
        """The did:key of each author, by name."""
        return {name: author.did for name, author in self._authors.items()}
