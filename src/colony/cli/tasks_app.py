"""The commands of the task matrix as an application of their own, which is quick to import."""

from __future__ import annotations

import typer

from colony.cli import claiming, matrix, task


def add_task_commands(app: typer.Typer) -> None:
    """Give an application the commands of the task matrix."""
    app.add_typer(task.app, name="task")
    app.add_typer(matrix.app, name="matrix")
    app.command()(matrix.heat)
    app.command()(matrix.path)
    app.add_typer(claiming.hooks, name="hooks")


app = typer.Typer(name="colony", rich_markup_mode="rich", pretty_exceptions_enable=False)
add_task_commands(app)
