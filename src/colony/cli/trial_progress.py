"""Live progress of an experiment and of a comparison, on standard error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from colony.cli.panel import Panel
from colony.experiments.comparison import Progress as Report
from colony.experiments.plan import Trial
from colony.memory.named_memory import NamedMemory

VALUE_CHARACTERS_MAX: Final = 90
VARIABLES_SHOWN_MAX: Final = 6


class TrialProgress(Panel):
    """Shows the shared memory of a running experiment."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._memory: NamedMemory | None = None
        super().__init__(console, self)  # a panel may be drawn as soon as it is made

    def watch(self, memory: NamedMemory) -> None:
        """Look at this memory from now on."""
        self._memory = memory

    def _counters(self) -> str:
        if self._memory is None:
            return "opening the journal ..."
        s = self._memory.statistics()
        return f"{s.commits} commits, {s.conflicts} conflicts, {s.retries} retries, {s.waits} waits"

    def line(self) -> str:
        """The counters of the memory."""
        return f"{self._title}: {self._counters()}"

    def render(self) -> Table:
        """The counters of the memory, and its first variables."""
        grid = Table.grid(padding=(0, 2))
        grid.add_row(Text(self._title, style="bold"), self._counters())
        if self._memory is not None:
            for name, shown in list(shown_of(self._memory.state()).items())[:VARIABLES_SHOWN_MAX]:
                grid.add_row(Text(name, style="dim"), Text(shown))
        return grid


def shown_of(state: Mapping[str, Any]) -> dict[str, str]:
    """What a panel shows of a memory: each value, cut short; of names with a slash how many there are of a sort."""
    shown, counts = {}, Counter(name.partition("/")[0] for name in state if "/" in name)
    for name, value in state.items():
        if "/" not in name:
            text = repr(value)
            shown[name] = text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[: VALUE_CHARACTERS_MAX - 3]}..."
    return shown | {f"{sort}/": f"{count} variables" for sort, count in counts.items()}


@contextmanager
def comparison_progress(console: Console) -> Iterator[Report]:
    """A bar with the time that is left, or, away from a terminal, a line at every tenth of the trials."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        job = bar.add_task("comparing", total=None)

        def report(done: int, total: int, trial: Trial) -> None:
            what = f"{trial.task}, {trial.setting.configuration} of {trial.setting.agents}"
            bar.update(job, completed=done, total=total, description=what)
            if not console.is_terminal and (done * 10) // total > ((done - 1) * 10) // total:
                console.print(f"{done} of {total} trials")

        yield report
