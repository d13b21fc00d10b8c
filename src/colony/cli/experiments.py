"""The commands `experiment optimisation | sudoku | research`: agents that share a memory, on one task each."""

from __future__ import annotations

from typing import Annotated

import typer

from colony.cli.output import err, out, print_json, print_table, reports_errors
from colony.cli.solving import HomeOption, JsonOption, home_of

app = typer.Typer(no_args_is_help=True, help="Run one of the three experiments with shared memory.")

AgentsOption = Annotated[int, typer.Option("--agents", "-a", help="How many agents share the memory.")]
SeedOption = Annotated[int, typer.Option("--seed", "-s", help="The seed of every random stream.")]
ProcessesOption = Annotated[
    int, typer.Option("--processes", "-p", help="Worker processes that share the memory through a socket.")
]


@app.command()
@reports_errors
def optimisation(  # noqa: PLR0913, PLR0917  # one parameter for each option
    task: Annotated[str, typer.Option("--task", help="wave-3d, rastrigin-10, nk-64 or circles-26.")] = "wave-3d",
    agents: AgentsOption = 4,
    seed: SeedOption = 0,
    evaluations: Annotated[int, typer.Option("--evaluations", help="For the whole team.")] = 2000,
    evaluation_ms: Annotated[float, typer.Option("--evaluation-ms", help="What each waits besides its work.")] = 0.0,
    processes: ProcessesOption = 1,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Climb a landscape together: agents share the best point and the explored regions.

    \b
    Examples:
      colony experiment optimisation
      colony experiment optimisation --task circles-26 --agents 8 --processes 2 --json
    """
    from colony.cli.trial_progress import TrialProgress  # noqa: PLC0415  # slow to import
    from colony.experiments.running import run_experiment  # noqa: PLC0415
    from colony.experiments.trial import Setting  # noqa: PLC0415

    setting = Setting(agents=agents, seed=seed, evaluations_max=evaluations, evaluation_seconds=evaluation_ms / 1000)
    with TrialProgress(err, f"optimisation {task}") as watcher:
        done = run_experiment("optimisation", task, setting, home_of(home), processes=processes, watcher=watcher)
    record = done.as_record()
    if as_json:
        print_json(record)
        return
    rows = [[key, str(record[key])] for key in ("score", "quality", "solved", "evaluations", "duplicates")]
    print_table(f"{task}, {agents} agents", ["", "value"], [*rows, *_counters(record)])
    out.print(f"check it:  colony replay {record['run']} && colony audit {record['run']}")


def _counters(record: dict[str, object]) -> list[list[str]]:
    """What the shared memory has done, for a table."""
    memory = record["memory"]
    assert isinstance(memory, dict), "the object of an experiment holds its memory's counters"
    counted = ", ".join(f"{memory[name]} {name}" for name in ("commits", "conflicts", "retries", "waits"))
    return [["shared memory", counted], ["overhead", f"{float(str(record['overhead'])):.2%} of the agents' time"]]
