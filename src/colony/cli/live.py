"""Live progress of a run: a small panel that redraws itself on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from rich.console import Console, Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from colony.cli.panel import Panel
from colony.node.progress import Progress, progress_of
from colony.node.solving import Solving

_PHASES = {
    "attack": "attacking the evaluator, measuring noise",
    "search": "searching",
    "baseline": "measuring the plain baseline",
    "report": "writing the report",
}


class LiveProgress(Panel):
    """An observer that shows a run on standard error."""

    def __init__(self, console: Console) -> None:
        self._solving: Solving | None = None
        self._phase = "starting"
        super().__init__(console, self)  # a panel may be drawn as soon as it is made

    def phase(self, name: str, run: Solving) -> None:
        """Note the phase that begins."""
        self._solving, self._phase = run, _PHASES[name]
        if not self._console.is_terminal:
            self._console.print(f"{run.folder.name}: {self._phase}")

    def line(self) -> str | None:
        """How far the run is."""
        return line_of(progress_of(self._solving)) if self._solving is not None else None

    def render(self) -> Group | Text:
        """Best, pace, diversity, what is left, and who is busy."""
        if self._solving is None:
            return Text("opening the sandbox ...")
        progress = progress_of(self._solving)
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text("budget used", style="dim"), ProgressBar(total=1.0, completed=progress.fraction, width=50))
        for label, value in rows_of(progress):
            grid.add_row(Text(label, style="dim"), value)
        title = Text.assemble(
            (progress.problem, "bold"), f"  {self._phase}  ", (f"{progress.wall_seconds:.0f} s", "dim")
        )
        return Group(title, grid)


_STYLES = {"verified": "bold green", "claimed": "yellow", "seed": "dim"}


def rows_of(progress: Progress) -> list[tuple[str, Text]]:
    """The labelled lines of the panel."""
    best = "infeasible" if progress.best is None else f"{progress.best:.12g}"
    record = "none" if progress.record is None else f"{progress.record:.12g}"
    style = _STYLES.get(progress.status, "")
    busiest = "  ".join(f"{name} {evaluations}/{improvements}" for name, evaluations, improvements in progress.busiest)
    pace = f"{progress.experiments} experiments, {progress.evaluations} evaluations, "
    return [
        ("best", Text.assemble((best, style), f"  {progress.status}, by {progress.found_by}")),
        ("known record", Text(record)),
        ("done", Text(f"{pace}{progress.evaluations_per_second:.0f}/s")),
        ("diversity", Text(f"{progress.diversity:.2f} evenness of operators, {progress.regions} regions explored")),
        ("left", Text(progress.left)),
        ("evaluations/improvements", Text(busiest)),
    ]


def line_of(progress: Progress) -> str:
    """One line for a log."""
    best = "none" if progress.best is None else f"{progress.best:.10g}"
    return (
        f"{progress.wall_seconds:6.0f} s  best {best} {progress.status} by {progress.found_by}  "
        f"{progress.experiments} experiments  {progress.evaluations} evaluations  diversity {progress.diversity:.2f}  "
        f"left: {progress.left}"
    )
