"""The result type of evaluators written for OpenEvolve: metrics, and artifacts beside them. It judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class EvaluationResult:
    """`metrics` are numbers by name; `artifacts` are texts or bytes that explain them."""

    metrics: dict[str, float]
    artifacts: dict[str, str | bytes] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics: dict[str, float]) -> EvaluationResult:
        """A result without artifacts."""
        return cls(metrics)

    def to_dict(self) -> dict[str, float]:
        """The metrics alone."""
        return self.metrics

    def has_artifacts(self) -> bool:
        """Whether there is any artifact."""
        return bool(self.artifacts)

    def get_artifact_keys(self) -> list[str]:
        """The names of the artifacts."""
        return list(self.artifacts)

    def get_artifact_size(self, key: str) -> int:
        """The bytes of one artifact, 0 where there is none of that name."""
        value = self.artifacts.get(key, b"")
        return len(value if isinstance(value, bytes) else str(value).encode())

    def get_total_artifact_size(self) -> int:
        """The bytes of all artifacts."""
        return sum(map(self.get_artifact_size, self.artifacts))
