"""Where the command starts: sets what must be set before numpy loads, then hands over to the command line.

What this file does not do: know commands, but for two short cuts. The commands of the task matrix need no numpy, and
`task ready`, which agents call in loops, needs not even the others of its group.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Final

_MATRIX: Final = frozenset({"task", "matrix", "heat", "path", "hooks"})


def main() -> None:
    """Run `colony`, with one thread of linear algebra: more would fight with the workers for the cores."""
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    asked = sys.argv[1:3]
    if asked == ["task", "ready"]:
        _only_ready()
    elif asked and asked[0] in _MATRIX:
        gc.disable()  # one command reads a hundred thousand records, keeps them all, and ends
        from colony.cli.tasks_app import app  # noqa: PLC0415

        app()
    else:
        from colony.cli.main import app  # noqa: PLC0415  # it loads numpy

        app()


def _only_ready() -> None:
    import typer  # noqa: PLC0415

    from colony.cli.ready import ready  # noqa: PLC0415

    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    app.command()(ready)
    app(sys.argv[3:], prog_name="colony task ready")
