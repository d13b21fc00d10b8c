"""A panel on standard error while something runs: redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live

LINE_SECONDS: Final = 10.0


class Shown(Protocol):
    """What a panel shows."""

    def render(self) -> RenderableType:
        """The panel as it is now, for a terminal."""

    def line(self) -> str | None:
        """One line for a log; None while there is nothing to say."""


class Panel:
    """Shows something until it is left; a context manager, so that the terminal is always put back."""

    def __init__(self, console: Console, shown: Shown) -> None:
        self._console, self._shown = console, shown
        self._live = Live(console=console, get_renderable=shown.render, refresh_per_second=5, transient=True)
        self._over = threading.Event()
        self._lines = threading.Thread(target=self._print_lines, name="colony-progress", daemon=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        else:
            self._lines.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._console.is_terminal:
            self._live.stop()
        else:
            self._lines.join()

    def _print_lines(self) -> None:
        while not self._over.wait(LINE_SECONDS):
            if (line := self._shown.line()) is not None:
                self._console.print(line)
