"""The command line: `colony COMMAND`. Each command lives in a file of its own sort; this one only gathers them."""

from __future__ import annotations

from typing import Annotated

import typer

import colony
from colony.cli import comparing, doctor, experiments, inspecting, problems, routing, solving
from colony.cli.tasks_app import add_task_commands

EPILOG = "Start here: colony solve circles-26. No key, no server, no configuration."

app = typer.Typer(
    name="colony",
    help="A governed swarm that improves anything that can be measured.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(solving.solve)
app.add_typer(problems.app, name="problems")
app.command()(inspecting.runs)
app.command()(inspecting.show)
app.command()(solving.resume)
app.command()(inspecting.replay)
app.command()(inspecting.audit)
app.command()(inspecting.export)
app.add_typer(experiments.app, name="experiment")
app.command()(comparing.compare)
add_task_commands(app)
app.command()(routing.route)
app.command()(doctor.doctor)


def _version(value: bool) -> None:  # typer calls it
    if value:
        typer.echo(f"colony {colony.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that every command has."""
