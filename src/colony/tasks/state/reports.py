"""What a fold has to say about records that it did not take at their word: a closed list of sentences.

A note is a conflict that was settled; a fault is something that nobody sane wrote, or that blocks work. What this file
does not do: know in which file and on which line a record stands; whoever read it adds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Severity = Literal["note", "fault"]

WHATS: Final[Mapping[str, tuple[Severity, str]]] = MappingProxyType(
    {
        "ahead": ("fault", "the record's clock is too far ahead; it waits until that time comes"),
        "equivocation": ("fault", "its author signed two records with one number; both are kept"),
        "unknown-kind": ("fault", "no kind of record that this version knows; kept, without effect"),
        "unreadable": ("fault", "an item of the record makes no sense here; kept, without effect"),
        "unknown-field": ("fault", "a field that this version does not know, or a value out of range; left out"),
        "forbidden": ("fault", "its author's role does not allow it; kept, without effect"),
        "duplicate": ("fault", "another task has this id already; this one is set aside"),
        "unadded": ("fault", "nobody has added this task; the record waits until somebody does"),
        "unseen": ("fault", "it builds on a claim or a reopening that is not here; it waits until that arrives"),
        "cycle": ("fault", "this dependency would close a circle; it is set aside"),
        "missing": ("fault", "the task that must come first does not exist; the other is blocked"),
        "dangling": ("note", "one of the two tasks was deleted or never added; the dependency does nothing"),
        "not-held": ("note", "its author does not hold the task under that fence; without effect"),
        "double-claim": ("note", "somebody else had claimed the task already; this claim is lost"),
        "double-done": ("note", "the task was finished twice; this other completion is kept as a candidate"),
    }
)


class Report(msgspec.Struct, frozen=True, order=True, gc=False):
    """One thing that a fold says: `what` is a key of `WHATS`, `task` and `detail` may be empty."""

    what: str
    task: str
    author: str
    record: str
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it is a settled conflict or a fault."""
        return WHATS[self.what][0]

    def __str__(self) -> str:
        about = f"task {self.task}: " if self.task else ""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{about}{self.what}: {WHATS[self.what][1]}{detail} [record {self.record[:12]} by {self.author[-8:]}]"
