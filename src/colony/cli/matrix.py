"""The commands on the whole matrix: `matrix`, `matrix init | sync | merge | verify | laws | whoami`, `heat`, `path`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from colony.cli.output import err, fail_with, out, print_json, print_table, reports_errors
from colony.cli.ready import JsonOption, workspace
from colony.cli.task import AgentOption, end
from colony.primitives.errors import MatrixFaultsError, UsageError

app = typer.Typer(help="The task matrix: every task with its score; sync and merge it, verify it.")

LiteralOption = Annotated[bool, typer.Option("--literal", help="The seed's own formula, to the letter.")]
_BANDS = {"high": "bold red", "medium": "yellow", "low": "blue"}
_BAR_CELLS = 24
_LETTERS = {"priority": "P", "stars": "S", "heat": "H", "path": "D", "depth": "D", "advice": "W", "age": "A"}
"""The seed's letters for the terms of a score, and W for what had better be done before, A for age."""


@app.callback(invoke_without_command=True)
@reports_errors
def matrix(
    context: typer.Context,
    literal: LiteralOption = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 40,
    as_json: JsonOption = False,
) -> None:
    """Every unfinished task with its score, the highest first; what may start is marked.

    \b
    Examples:
      colony matrix
      colony matrix --literal --json
    """
    if context.invoked_subcommand is not None:
        return
    from colony.node.matrix.editing import scored  # noqa: PLC0415

    place = workspace()
    rows, total = scored(place, literal=literal, limit=limit)
    if not as_json:
        _print_matrix(rows, f"{total} unfinished tasks{', by the seed to the letter' if literal else ''}")
    record = {"literal": literal, "root": place.state.root if as_json else "", "tasks": rows, "total": total}
    end(place, record, as_json=as_json)


def _print_matrix(rows: list[dict[str, Any]], title: str) -> None:
    """The table, with the seed's letters over the points of each term."""
    terms = list(rows[0]["terms"]) if rows else []
    table = [
        [
            r["symbol"],
            r["id"],
            r["title"],
            f"{r['score']:.1f}",
            *(f"{r['terms'][t]:.0f}" for t in terms),
            r["agent"] or "",
        ]
        for r in rows
    ]
    print_table(title, ["", "id", "title", "score", *(_LETTERS[t] for t in terms), "agent"], table)
    out.print("points of " + ", ".join(f"{_LETTERS[t]} {t}" for t in terms), style="dim")


@app.command()
@reports_errors
def init(
    name: Annotated[str, typer.Option("--name", help="What tables call you.")] = "owner", as_json: JsonOption = False
) -> None:
    """Write `colony.toml`: you own this repository's matrix, and whoever is not named there is an agent.

    \b
    Example:
      colony matrix init --name ada
    """
    from colony.node.matrix.settings import SETTINGS, first_settings  # noqa: PLC0415

    place = workspace()
    if place.root is None:
        raise UsageError("a bare repository has no place for colony.toml; write it in a clone and push it")
    file = place.root / SETTINGS
    try:
        with file.open("x", encoding="utf-8") as settings:
            settings.write(first_settings(place.person.did, name))
    except FileExistsError:
        raise UsageError(f"{file} exists already; edit it, your identity is {place.person.did}") from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    if as_json:
        print_json({"file": str(file), "identity": place.person.did})
        return
    out.print(f"wrote {file}; commit it, so that other clones know who may do what", markup=False)


@app.command()
@reports_errors
def whoami(agent: AgentOption = None, as_json: JsonOption = False) -> None:
    """Who you are here: identity and role.

    \b
    Example:
      colony matrix whoami --as ralph
    """
    place = workspace(agent)
    record = {"identity": place.key.did, "name": place.actor, "role": place.settings.roles.role(place.key.did)}
    if as_json:
        print_json(record)
        return
    out.print(f"{record['name']}, {record['role']}: {record['identity']}", markup=False)


@app.command()
@reports_errors
def sync(
    remote: Annotated[
        str | None, typer.Argument(help="A remote's name, address or path.", show_default="as in colony.toml")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the records of this repository and of a remote together: fetch, verify, unite, push.

    \b
    Example:
      colony matrix sync origin
    """
    from colony.node.matrix.exchanging import sync_with  # noqa: PLC0415

    place = workspace()
    _brought(place, sync_with(place, remote or place.settings.matrix.remote), as_json=as_json)


@app.command()
@reports_errors
def merge(
    source: Annotated[str, typer.Argument(help="Another repository: a folder, a remote or an address.")],
    as_json: JsonOption = False,
) -> None:
    """Take in the records of a fork, verified; the fork stays as it is.

    \b
    Example:
      colony matrix merge ../fork
    """
    from colony.node.matrix.exchanging import merge_from  # noqa: PLC0415

    place = workspace()
    _brought(place, merge_from(place, source), as_json=as_json)


@app.command()
@reports_errors
def verify(as_json: JsonOption = False) -> None:
    """Check everything: lines, signatures, records without effect, tasks against commits. Fails if anything is wrong.

    \b
    Example:
      colony matrix verify --json
    """
    from colony.node.matrix.verifying import verified  # noqa: PLC0415

    record = verified(workspace())
    count = sum(len(record[kind]) for kind in ("faults", "reports", "commits"))
    wrong = MatrixFaultsError(f"{count} things are not as they should be; nothing was overwritten, the rest works")
    _shown(record, None if record["ok"] else wrong, as_json=as_json)


def _shown(record: dict[str, Any], wrong: MatrixFaultsError | None, *, as_json: bool) -> None:
    """A verification, and whether it failed."""
    if as_json and wrong is None:
        print_json(record)
    if not as_json:
        out.print(f"{record['records']} records, {record['tasks']} tasks, root {record['root']}", markup=False)
        for kind in ("faults", "reports", "commits", "notes"):
            for line in record[kind]:
                err.print(f"{kind.removesuffix('s')}: {line}", markup=False)
    if wrong is not None:
        fail_with(record, wrong, as_json=as_json)


@app.command()
@reports_errors
def laws(
    triples: Annotated[int, typer.Option("--triples", help="How many random triples of shards.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", "-s", help="The seed of what is imagined.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Try the merge on imagined shards: every order and grouping must give the same bytes.

    \b
    Example:
      colony matrix laws --triples 20000 --seed 1 --json
    """
    from colony.tasks.state.laws import laws as run  # noqa: PLC0415

    if triples < 1:
        raise UsageError(f"--triples: {triples}; at least one")
    report = run(triples, seed)
    record = {**report._asdict(), "broken": dict(report.broken)}
    if record["violations"]:
        wrong = MatrixFaultsError(f"{record['violations']} violations of the laws of the fold; first, {report.first}")
        fail_with(record, wrong, as_json=as_json)
    if as_json:
        print_json(record)
        return
    out.print(f"{record['triples']} triples, {record['violations']} violations", markup=False)


@reports_errors
def heat(
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many.")] = 40, as_json: JsonOption = False
) -> None:
    """The heat map: where pressure lies, B blocked by it + A agents on it - D it needs.

    \b
    Example:
      colony heat
    """
    from rich.text import Text  # noqa: PLC0415

    from colony.tasks.order.heat import heat_map  # noqa: PLC0415

    place = workspace()
    rows = heat_map(place.ranking.graph)
    if as_json:
        print_json({"heat": [_heat_record(row) for row in rows[:limit]], "total": len(rows)})
        return
    hottest = max((row.value for row in rows), default=1) or 1
    band = None
    for row in rows[:limit]:
        if row.band is not band:
            band = row.band
            out.print(Text.assemble((f"{band.value:7}", _BANDS[band.value]), (f"{band.meaning}; {band.action}", "dim")))
        cells = "█" * max(0, round(_BAR_CELLS * row.value / hottest))
        made_of = f"B {row.blocked} + A {row.agents} - D {row.needed}" + (" (set)" if row.override is not None else "")
        title = place.state.tasks[row.task].title
        out.print(
            Text.assemble(
                f"{row.value:5g} ",
                (f"{cells:{_BAR_CELLS}}", _BANDS[band.value]),
                f" {row.task:12} {title}  ",
                (made_of, "dim"),
            )
        )


@reports_errors
def path(as_json: JsonOption = False) -> None:
    """The critical path: the longest chain of unfinished work; nothing finishes all of it sooner.

    \b
    Example:
      colony path
    """
    place = workspace()
    graph = place.ranking.graph
    found = graph.critical_path()
    steps = [(graph[name], graph.duration_seconds(graph[name])) for name in found.tasks]
    if as_json:
        chain = [{"id": task.id, "title": task.title, "seconds": seconds} for task, seconds in steps]
        print_json({"path": chain, "seconds": found.seconds})
        return
    rows = [[task.id, task.title, _duration(seconds)] for task, seconds in steps]
    print_table(f"critical path: {_duration(found.seconds)}", ["id", "title", "takes"], rows)


def _heat_record(row: Any) -> dict[str, Any]:
    return {
        "task": row.task,
        "heat": row.value,
        "band": row.band.value,
        "blocked": row.blocked,
        "agents": row.agents,
        "needed": row.needed,
        "override": row.override,
        "meaning": row.band.meaning,
        "action": row.band.action,
    }


def _brought(place: Any, record: dict[str, Any], *, as_json: bool) -> None:
    """What came in and went out; lines that were set aside make it a failure with all of them named."""
    if not as_json:
        count = sum(record["received"].values())
        authors = ", ".join(f"{place.settings.name(did)} {n}" for did, n in record["received"].items())
        out.print(
            f"{count} records came in{f' ({authors})' if authors else ''}, {record['sent']} went out", markup=False
        )
        out.print(f"root {record['root']}", markup=False)
        for fault in record["faults"]:
            err.print(f"fault: {fault}", markup=False)
    if record["faults"]:
        aside = f"{len(record['faults'])} lines of {record['source']} were set aside"
        fail_with(record, MatrixFaultsError(f"{aside}; the good part is here"), as_json=as_json)
    if as_json:
        print_json(record)


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
