"""A candidate: something that can be evaluated, with a content hash that names it everywhere.

Two kinds: *parameters* (values of a typed space) and *program* (source files). The hash is over canonical bytes, so
the same candidate has the same name whoever proposes it, whenever. It holds no score: scores belong to evaluations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from colony.primitives.encoding import canonical

Kind = Literal["parameters", "program"]


@dataclass(frozen=True)
class Candidate:
    """`content` is the values of a space, or a mapping from relative path to source text."""

    kind: Kind
    content: Mapping[str, Any]

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of the canonical bytes, made when it is first asked for.

        Raises:
            EncodingError: the content holds what canonical JSON cannot carry (NaN, infinity, a huge integer).

        """
        return sha256(canonical({"kind": self.kind, "content": dict(self.content)})).hexdigest()

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> Candidate:
        """A candidate of a typed space."""
        return cls("parameters", values)

    @classmethod
    def program(cls, files: Mapping[str, str]) -> Candidate:
        """A candidate that is source text."""
        return cls("program", files)

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form; `candidate_from` reads it."""
        return {"kind": self.kind, "content": dict(self.content)}


def candidate_from(record: Mapping[str, Any]) -> Candidate:
    """The candidate of a record's JSON form."""
    return Candidate(record["kind"], record["content"])
