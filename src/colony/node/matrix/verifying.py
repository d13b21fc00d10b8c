"""Is everything as it should be: lines, signatures, records without effect, tasks against commits; all of it JSON-able.

What this file does not do: mend anything. What is damaged stays where it is, and what is good works.
"""

from __future__ import annotations

from typing import Any

from colony.node.matrix.workspace import Workspace
from colony.tasks.shards.commits import Commits, Finding
from colony.tasks.state.records import Move


def verified(place: Workspace) -> dict[str, Any]:
    """Every fault of the files, every record that was not taken at its word, every task and commit that disagree."""
    faults = [str(fault) for fault in place.faults]
    reports = [str(report) for report in place.state.reports if report.severity == "fault"]
    notes = [str(report) for report in place.state.reports if report.severity == "note"]
    disagreements = Commits(place.git).verify(place.state.tasks, undone=lambda task: undone(place, task))
    findings = [_said(finding) for finding in disagreements]
    statistics = place.state.statistics()
    return {
        "ok": not (faults or reports or findings),
        "records": statistics.records,
        "authors": statistics.authors,
        "tasks": statistics.tasks,
        "edges": statistics.edges,
        "root": place.state.root,
        "faults": faults,
        "reports": reports,
        "commits": findings,
        "notes": notes,
    }


def undone(place: Workspace, task: str) -> frozenset[str]:
    """The commits of a task that a reopening has named: they did it once, and count no more."""
    moves = (item for _, item in place.state.history(task) if isinstance(item, Move) and item.move == "reopen")
    return frozenset(cite for move in moves for cite in move.cites)


def _said(finding: Finding) -> str:
    about = ", ".join(part for part in (finding.task and f"task {finding.task}", finding.commit) if part)
    return f"{finding.what}: {about}: {finding.message}"
