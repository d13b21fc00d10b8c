"""Where the command starts: sets what must be set before numpy loads, then hands over to the command line."""

from __future__ import annotations

import os


def main() -> None:
    """Run `colony`, with one thread of linear algebra: more would fight with the workers for the cores."""
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    from colony.cli.main import app  # noqa: PLC0415  # it loads numpy

    app()
