"""The course of a run, read from its journal for plots and reports: scored experiments in order, and their parents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from colony.journal.log import Entry
from colony.problems.metric import Metric
from colony.swarm.diversity import Diversity

POINTS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Point:
    """One feasible experiment: after how many evaluations of the search, by whom, how good."""

    evaluations: int
    value: float
    agent: str
    experiment: str


@dataclass
class History:
    """What a report needs of a journal; bounded, the rest is counted in `left_out`."""

    points: list[Point] = field(default_factory=list)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    diversity: list[tuple[int, float]] = field(default_factory=list)
    left_out: int = 0

    def improvements(self, metric: Metric, agent: str | None = None) -> list[Point]:
        """The points that improved on everything before them, of one agent or of all."""
        best: list[Point] = []
        for point in self.points:
            if agent is not None and point.agent != agent:
                continue
            if not best or metric.better(point.value, best[-1].value):
                best.append(point)
        return best

    def busiest(self, most: int) -> list[str]:
        """The agents with the most scored experiments."""
        return [agent for agent, _count in Counter(p.agent for p in self.points).most_common(most)]

    def ancestors(self, experiment: str, most: int = 200) -> list[str]:
        """The experiment and everything it builds on, nearest first."""
        found = [experiment]
        for name in found:
            if len(found) >= most:
                break
            found += [p for p in self.parents.get(name, ()) if p not in found]
        return found[:most]


def history_of(entries: Iterable[Entry]) -> History:
    """Read the course of a run from its records."""
    history = History()
    diversity = Diversity()
    evaluations = 0
    for entry in entries:
        kind, body = entry.record.kind, entry.record.body
        if kind == "experiment.proposed/1":
            for experiment in body["experiments"]:
                history.parents[experiment["id"]] = tuple(experiment.get("parents", ()))
                history.operators[experiment["id"]] = experiment["operator"]
        elif kind == "experiment.evaluated/1":
            for part in body["batches"]:
                diversity.observe(part["agent"], [history.operators.get(r["id"], "") for r in part["results"]])
                evaluations = _read_results(history, part, evaluations)
                history.diversity.append((evaluations, diversity.evenness()))
    return history


def _read_results(history: History, body: dict, evaluations: int) -> int:  # type: ignore[type-arg]  # a record's body
    for result in body["results"]:
        evaluations += result.get("evaluations", 1)
        history.agents[result["id"]] = body["agent"]
        if result["status"] != "ok":
            continue
        if len(history.points) >= POINTS_MAX:
            history.left_out += 1
            continue
        history.values[result["id"]] = result["value"]
        history.points.append(Point(evaluations, result["value"], body["agent"], result["id"]))
    return evaluations
