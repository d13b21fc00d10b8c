"""The commands `experiment optimisation | sudoku | research`: agents that share a memory, on one task each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from colony.cli.output import err, out, print_json, print_table, reports_errors
from colony.cli.solving import HomeOption, JsonOption, home_of
from colony.primitives.errors import UsageError

if TYPE_CHECKING:
    from colony.experiments.research import Findings, Source
    from colony.experiments.running import Finished
    from colony.experiments.sudoku import Solution
    from colony.experiments.trial import Measurement, Memory, Setting

PUZZLE_FILE_BYTES_MAX = 4096
WORDS_OF_REASON = {
    "none": "no solution: the givens contradict each other further on",
    "several": "several solutions: the givens do not determine the grid",
    "unfinished": "unfinished: the time was up; give it a larger --wall",
}

app = typer.Typer(no_args_is_help=True, help="Run one of the three experiments with shared memory.")

AgentsOption = Annotated[int, typer.Option("--agents", "-a", help="How many agents share the memory.")]
SeedOption = Annotated[int, typer.Option("--seed", "-s", help="The seed of every random stream.")]
WallOption = Annotated[float, typer.Option("--wall", help="Stop after so many seconds.")]


@app.command()
@reports_errors
def optimisation(  # noqa: PLR0913, PLR0917  # one parameter for each option
    task: Annotated[str, typer.Option("--task", help="wave-3d, rastrigin-10, nk-64 or circles-26.")] = "wave-3d",
    agents: AgentsOption = 4,
    seed: SeedOption = 0,
    evaluations: Annotated[int, typer.Option("--evaluations", help="For the whole team.")] = 2000,
    evaluation_ms: Annotated[float, typer.Option("--evaluation-ms", help="What each waits besides its work.")] = 0.0,
    processes: Annotated[
        int, typer.Option("--processes", "-p", help="Worker processes that share the memory through a socket.")
    ] = 1,
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

    setting = _setting(agents, seed, evaluations_max=evaluations, evaluation_seconds=evaluation_ms / 1000)
    with TrialProgress(err, f"optimisation {task}") as watcher:
        done = run_experiment("optimisation", task, setting, home_of(home), processes=processes, watcher=watcher)
    record = done.as_record()
    if as_json:
        print_json(record)
        return
    rows = [[key, str(record[key])] for key in ("score", "quality", "solved")]
    print_table(f"{task}, {agents} agents", ["", "value"], [*rows, *_counters(record)])
    _point_at(done)


@app.command()
@reports_errors
def sudoku(
    puzzle: Annotated[
        str | None, typer.Option("--puzzle", help="81 characters, 0 or . for a blank.", show_default="AI Escargot")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file with one puzzle; - is standard input.")] = None,
    agents: AgentsOption = 8,
    seed: SeedOption = 0,
    wall: WallOption = 60.0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Solve a Sudoku together: agents of different strategies wait for their patterns in one shared grid.

    \b
    Examples:
      colony experiment sudoku
      colony experiment sudoku --file puzzle.txt --agents 9 --json
    """
    from colony.cli.trial_progress import TrialProgress  # noqa: PLC0415  # slow to import
    from colony.experiments.running import run_experiment  # noqa: PLC0415
    from colony.experiments.sudoku import solve  # noqa: PLC0415
    from colony.experiments.sudoku.grid import parse_puzzle  # noqa: PLC0415

    text = parse_puzzle(_puzzle(puzzle, file))
    found: list[Solution] = []

    def perform(memories: Callable[[], Memory]) -> Measurement:
        found.append(solve(text, agents=agents, seed=seed, wall_seconds_max=wall, memories=memories))
        return found[0].measurement

    with TrialProgress(err, "sudoku") as watcher:
        setting = _setting(agents, seed, wall_seconds_max=wall)
        done = run_experiment("sudoku", "puzzle", setting, home_of(home), perform=perform, watcher=watcher)
    record = {**done.as_record(), "puzzle": text}
    if as_json:
        print_json(record)
        return
    _show_sudoku(found[0], record)
    _point_at(done)


@app.command()
@reports_errors
def research(  # noqa: PLR0913, PLR0917  # one parameter for each option
    topic: Annotated[str, typer.Option("--topic", help="What to find out about.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Documents to read: Markdown, text, HTML, PDF, Python.")
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option("--url", help="Pages to begin at; only what lies beneath them is read.")
    ] = None,
    agents: AgentsOption = 4,
    seed: SeedOption = 0,
    documents: Annotated[int, typer.Option("--documents", help="Read at most so many.")] = 200,
    facts: Annotated[int, typer.Option("--facts", help="Stop when so many are found.")] = 100,
    wall: WallOption = 600.0,
    to: Annotated[Path | None, typer.Option("--to", help="Where the report goes; never overwritten.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Research a topic together: agents share facts, questions and visited sources, and a synthesiser reports.

    \b
    Examples:
      colony experiment research --topic "time zones" --folder docs
      colony experiment research --topic "time zones" --url http://localhost:8000/ --to report.md --json
    """
    from colony.cli.trial_progress import TrialProgress  # noqa: PLC0415  # slow to import
    from colony.experiments.research import Inquiry, conduct  # noqa: PLC0415
    from colony.experiments.running import run_experiment  # noqa: PLC0415

    inquiry = Inquiry(topic=topic, source=_source(folder, url), facts_wanted=facts)
    inquiry.source.entries()  # a folder that cannot be read is said before a run begins
    if to is not None and to.exists():
        raise UsageError(f"{to} exists already; choose another place with --to")
    setting = _setting(agents, seed, evaluations_max=documents, wall_seconds_max=wall)
    found: list[Findings] = []

    def perform(memories: Callable[[], Memory]) -> Measurement:
        found.append(conduct(inquiry, setting, memories))
        return found[0].measurement

    with TrialProgress(err, f"research {topic}") as watcher:
        done = run_experiment("research", "topic", setting, home_of(home), perform=perform, watcher=watcher)
    file = to or done.folder.path / "report.md"
    _write(file, found[0].report)
    _show_research(found[0], done, file, as_json=as_json)


def _setting(agents: int, seed: int, **limits: Any) -> Setting:
    from colony.experiments.trial import Setting  # noqa: PLC0415  # slow to import
    from colony.primitives.limits import TEAM_AGENTS_MAX  # noqa: PLC0415

    if not 1 <= agents <= TEAM_AGENTS_MAX:
        raise UsageError(f"--agents: {agents}; from 1 to {TEAM_AGENTS_MAX}")
    for name, value in limits.items():
        if value < 0:
            raise UsageError(f"{name.replace('_max', '').replace('_', ' ')}: {value} is negative")
    return Setting(agents=agents, seed=seed, **limits)


def _puzzle(puzzle: str | None, file: Path | None) -> str:
    """The text of the puzzle that the options name."""
    if puzzle is not None and file is not None:
        raise UsageError("--puzzle and --file: give one of them")
    if puzzle is not None:
        return puzzle
    if file is None:
        from colony.experiments.sudoku.puzzles import published_puzzles  # noqa: PLC0415  # reads a data file

        return published_puzzles()["ai-escargot"].puzzle
    try:
        with (partial(open, 0, closefd=False) if str(file) == "-" else file.open)(encoding="utf-8") as source:
            return str(source.read(PUZZLE_FILE_BYTES_MAX)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from None


def _source(folder: Path | None, url: list[str] | None) -> Source:
    from colony.experiments.research import FolderSource, WebSource  # noqa: PLC0415  # slow to import

    if (folder is None) == (not url):
        raise UsageError("give either --folder or --url: where to look")
    return FolderSource(folder) if folder is not None else WebSource(url or [])


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as report:
            report.write(text)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; choose another place with --to") from None


def _show_sudoku(solution: Solution, record: Mapping[str, Any]) -> None:
    """The grid, with what was found bold; who found it; and the reason where there is no single solution."""
    shown = solution.solution or (solution.found[0] if solution.found else solution.puzzle)
    for row in range(9):
        if row in (3, 6):
            out.print("------+-------+------", style="dim")
        cells = [_cell(solution.puzzle[i], shown[i]) for i in range(9 * row, 9 * row + 9)]
        out.print(" [dim]|[/] ".join(" ".join(cells[i : i + 3]) for i in (0, 3, 6)))
    if solution.reason is not None:
        out.print(f"[yellow]{WORDS_OF_REASON.get(solution.reason, solution.reason)}[/]")
        if solution.differs_at:
            out.print(f"two that differ first at {solution.differs_at}:\n  " + "\n  ".join(solution.found))
    found = ", ".join(f"{name} {count}" for name, count in solution.strikes.items())
    guesses = f"{solution.guesses}, {solution.refuted} refuted, {solution.rollbacks} parts rolled back"
    print_table("how", ["", "value"], [["found by", found or "nobody"], ["guesses", guesses], *_counters(record)])


def _cell(given: str, found: str) -> str:
    if given != "0":
        return f"[dim]{given}[/]"
    return f"[bold]{found}[/]" if found != "0" else "."


def _show_research(findings: Findings, done: Finished, file: Path, *, as_json: bool) -> None:
    record = {
        **done.as_record(),
        "topic": findings.topic,
        "report": str(file),
        "facts": len(findings.facts),
        "documents": len(findings.read),
        "unreadable": {one.source: one.reason for one in findings.unreadable},
        "questions": list(findings.questions),
    }
    if as_json:
        print_json(record)
        return
    rows = [[name, str(record[name])] for name in ("facts", "documents")]
    rows.append(["open questions", str(len(findings.questions))])
    print_table(findings.topic, ["", "value"], [*rows, *_counters(record)])
    for one in findings.unreadable:
        err.print(f"not read: {one.source}: {one.reason}", markup=False)
    out.print(f"report:    {file}", markup=False)
    _point_at(done)


def _counters(record: Mapping[str, Any]) -> list[list[str]]:
    """What it took, for a table."""
    counted = ", ".join(f"{record['memory'][name]} {name}" for name in ("commits", "conflicts", "retries", "waits"))
    return [
        ["evaluations", f"{record['evaluations']}, {record['duplicates']} of them duplicates"],
        ["seconds", f"{record['wall_seconds']:.3g} wall, {record['cpu_seconds']:.3g} CPU"],
        ["shared memory", counted],
        ["coordination", f"{record['overhead']:.2%} of the agents' time"],
    ]


def _point_at(done: Finished) -> None:
    out.print(f"check it:  colony replay {done.folder.name} && colony audit {done.folder.name}", markup=False)
