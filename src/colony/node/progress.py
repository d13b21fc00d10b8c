"""A picture of a run in progress, frozen, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from colony.node.solving import Solving


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person wants to know of a running search. `left` names each budget and what is left of it, in words."""

    problem: str
    metric: str
    best: float | None
    status: str
    found_by: str
    record: float | None
    experiments: int
    evaluations: int
    wall_seconds: float
    diversity: float
    regions: int
    left: str
    fraction: float
    busiest: tuple[tuple[str, int, int], ...]

    @property
    def evaluations_per_second(self) -> float:
        """The pace since the search began."""
        return self.evaluations / self.wall_seconds if self.wall_seconds > 0 else 0.0


def progress_of(solving: Solving) -> Progress:
    """The picture now; cheap, and safe to take from another thread than the run's."""
    state, problem = solving.state, solving.problem
    claim = state.best
    left, fraction = _budget_left(solving)
    tallies = sorted(state.agents.items(), key=lambda item: -item[1].evaluations)[:5]
    return Progress(
        problem=problem.name,
        metric=problem.metric.name,
        best=claim.value if claim is not None else state.seed_value,
        status=claim.status if claim is not None else "seed",
        found_by=claim.agent if claim is not None else "the problem",
        record=problem.record.value if problem.record is not None else None,
        experiments=state.counts["experiments"],
        evaluations=state.evaluations,
        wall_seconds=solving.wall_seconds(),
        diversity=solving.spine.diversity.evenness() if solving.spine is not None else 0.0,
        regions=len(solving.spine.blackboard.read().regions) if solving.spine is not None else 0,
        left=left,
        fraction=fraction,
        busiest=tuple((name, t.evaluations, t.improvements) for name, t in tallies),
    )


def _budget_left(solving: Solving) -> tuple[str, float]:
    """What is left in words, and the largest part of any budget that is used up, 0 to 1."""
    if solving.spine is None:
        return "", 0.0
    account = solving.spine.account
    used = {
        "experiments": float(account.spent.experiments),
        "evaluations": float(account.spent.evaluations),
        "wall_seconds": solving.wall_seconds(),
        "cpu_seconds": account.spent.cpu_seconds,
        "money": account.spent.money,
    }
    words, fraction = [], 0.0
    for name, limit in account.budget.as_record().items():
        left = max(0.0, limit - used[name])
        if limit > 0:
            fraction = max(fraction, min(1.0, used[name] / limit))
        words.append(_WORDS[name].format(left))
    return ", ".join(words), fraction


_WORDS = {
    "experiments": "{:.0f} experiments",
    "evaluations": "{:.0f} evaluations",
    "wall_seconds": "{:.0f} s",
    "cpu_seconds": "{:.0f} CPU s",
    "money": "{:.2f} USD",
}
