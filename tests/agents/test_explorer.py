"""The explorer goes where the colony has been least."""

from __future__ import annotations

from colony.agents.explorer import Explorer
from colony.agents.proposer import View
from colony.memory.archive import Archive, archive_settings
from colony.memory.elite import Elite
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

PROBLEM = Problem(space={"x": (0.0, 1.0)}, evaluate=lambda x: x, maximise="height")


def shares_on_the_left(visited: bool) -> float:
    """The share of the explorer's points below one half, where the left half has or has not been visited."""
    archive = Archive.from_record(archive_settings(PROBLEM), -1.0)
    for step in range(500 if visited else 0):
        candidate = Candidate.parameters({"x": step / 1000})
        archive.add(Elite(f"e{step}", candidate, step / 1000, "somebody"))
    proposals = Explorer("explorer-1", PROBLEM, 7).ask(View(visits=archive.visits, proposals_max=200), 200)
    return sum(p.candidate.content["x"] < 0.5 for p in proposals) / len(proposals)


def test_points_avoid_regions_that_were_visited():
    """With the left half explored hardly a point falls there; with nothing explored about half do."""
    assert shares_on_the_left(visited=True) < 0.15
    assert 0.35 < shares_on_the_left(visited=False) < 0.65
