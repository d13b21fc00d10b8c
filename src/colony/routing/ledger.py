"""The decision ledger: a pure fold over outcomes into evidence by kind, tier and model, and what ended which error.

The same outcomes in the same order give the same ledger; the order is that of the records, (at, author, n), which every
replica computes alike. An error is `fixed_by` the first verified success of the same task after it. What this file does
not do: store anything, or decide whose outcomes count; the caller leaves out records whose signer may not report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from colony.routing.evidence import NOTHING, Evidence
from colony.routing.outcomes import Outcome
from colony.routing.tiers import Tier

Key = tuple[str, Tier, str]
"""Kind, tier, model."""


class Fix(NamedTuple):
    """What ended an error: the task, the commit where it is known, and who did it with which model."""

    task: str
    commit: str | None
    agent: str
    model: str | None


class Similar(NamedTuple):
    """A known error like another: how alike (1 is the same text), and what fixed it."""

    fingerprint: str
    likeness: float
    fixes: tuple[Fix, ...]


@dataclass(frozen=True)
class Ledger:
    """What outcomes have taught. `with_outcomes` gives the next ledger, at the cost of a copy of its tables."""

    evidence: Mapping[Key, Evidence] = field(default_factory=lambda: MappingProxyType({}))
    fixes: Mapping[str, tuple[Fix, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By fingerprint; one that nothing has fixed yet has none."""
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Normalised text by fingerprint, where it was kept."""
    unfixed: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """By task: the errors it has met since its last success."""
    outcomes: int = 0
    cost_microdollars: int = 0

    def of(self, kind: str, tier: Tier, model: str) -> Evidence:
        """The evidence on a model at a kind of task of a tier; nothing where it was never tried."""
        return self.evidence.get((kind, tier, model), NOTHING)

    def with_outcomes(self, outcomes: Iterable[Outcome], *, evidence_max: float) -> Ledger:
        """The ledger after some more outcomes, in their order."""
        evidence, fixes, texts = dict(self.evidence), dict(self.fixes), dict(self.texts)
        unfixed, count, cost = dict(self.unfixed), self.outcomes, self.cost_microdollars
        for outcome in outcomes:
            count, cost = count + 1, cost + outcome.cost_microdollars
            if outcome.model is not None:
                key = (outcome.kind, outcome.tier, outcome.model)
                evidence[key] = evidence.get(key, NOTHING).with_outcome(outcome, evidence_max)
            if outcome.fingerprint is not None and not outcome.success:
                fixes.setdefault(outcome.fingerprint, ())
                unfixed[outcome.task] = unfixed.get(outcome.task, frozenset()) | {outcome.fingerprint}
                if outcome.error is not None:
                    texts.setdefault(outcome.fingerprint, outcome.error)
            elif outcome.success:
                fix = Fix(outcome.task, outcome.commit, outcome.agent, outcome.model)
                for fingerprint in sorted(unfixed.pop(outcome.task, ())):
                    fixes[fingerprint] += (fix,)
        return Ledger(
            evidence=MappingProxyType(evidence),
            fixes=MappingProxyType(fixes),
            texts=MappingProxyType(texts),
            unfixed=MappingProxyType(unfixed),
            outcomes=count,
            cost_microdollars=cost,
        )

    def fixed_by(self, fingerprint: str) -> tuple[Fix, ...]:
        """What has ended this very error, oldest first."""
        return self.fixes.get(fingerprint, ())

    def similar(self, fingerprint: str, *, text: str | None = None, least: float = 0.5) -> tuple[Similar, ...]:
        """Known errors like this one, most alike first: the same text under another type, or many words in common.

        Likeness is the Jaccard index of the sets of words; `text` is the normalised text where the ledger has none.
        """
        own = text if text is not None else self.texts.get(fingerprint)
        found = (Similar(other, self._likeness(fingerprint, own, other), fixes) for other, fixes in self.fixes.items())
        alike = [each for each in found if each.likeness >= least and each.fingerprint != fingerprint]
        return tuple(sorted(alike, key=lambda each: (-each.likeness, each.fingerprint)))

    def _likeness(self, fingerprint: str, text: str | None, other: str) -> float:
        if fingerprint.partition(":")[2] == other.partition(":")[2]:
            return 1.0
        words, others = (set((each or "").split()) for each in (text, self.texts.get(other)))
        return len(words & others) / max(len(words | others), 1)

    def rows(self) -> Iterator[tuple[Key, Evidence]]:
        """The evidence by kind, tier and model, sorted."""
        return iter(sorted(self.evidence.items()))


EMPTY = Ledger()


def ledger_of(outcomes: Iterable[Outcome], *, evidence_max: float) -> Ledger:
    """The ledger of outcomes in the order of their records."""
    return EMPTY.with_outcomes(outcomes, evidence_max=evidence_max)
