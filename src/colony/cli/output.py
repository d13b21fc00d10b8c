"""How commands speak: tables for people, one JSON object for programs, one sentence and an exit code for errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from colony.primitives.errors import ColonyError

P = ParamSpec("P")
T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One object on one line of standard output."""
    sys.stdout.write(json.dumps(value, allow_nan=False, default=str) + "\n")
    sys.stdout.flush()


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people."""
    table = Table(title=escape(title), title_justify="left", header_style="bold", box=box.ROUNDED)
    for index, name in enumerate(head):
        table.add_column(name, overflow="fold", no_wrap=index == 0, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console(highlight=False).print(table)


def fail_with(record: Mapping[str, Any], error: ColonyError, *, as_json: bool) -> None:
    """End a command that has something to show and failed all the same: one object for both, then the exit code.

    Raises:
        typer.Exit: always with `--json`; without, the error itself, for `reports_errors`.

    """
    if not as_json:
        raise error
    named = {"error": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
    print_json({**record, **named})
    err.print(f"[bold red]error:[/] {escape(str(error))}")
    raise typer.Exit(error.exit_code)


def reports_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Turn what Colony raises into one sentence on standard error and the exit code of its class."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except ColonyError as error:
            if kwargs.get("as_json"):
                print_json({"error": type(error).__name__, "message": str(error), "exit_code": error.exit_code})
            err.print(f"[bold red]error:[/] {escape(str(error))}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            err.print("stopped")
            raise typer.Exit(130) from None

    return wrapped
