"""Writes the generated pages of `docs/reference` from the code: commands, exit codes, kinds of records, limits.

    python tools/write_reference.py          writes them
    python tools/write_reference.py --check  says which are out of date, and fails

What stands between the markers of a page is generated; prose around them is kept. It generates no prose of its own.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import typer.main

from colony.cli.main import app
from colony.journal.events import KINDS
from colony.primitives import errors, limits

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


# -- commands -------------------------------------------------------------------------------------------------------


def commands() -> list[tuple[str, Any]]:
    """Every command with its full name, groups opened."""
    return list(_leaves("colony", typer.main.get_command(app)))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for part, inner in command.commands.items():
            yield from _leaves(f"{name} {part}", inner)
    else:
        yield name, command


def cli_page() -> str:
    """One section for each command."""
    return "\n\n".join(_command_section(name, command) for name, command in commands())


def _command_section(name: str, command: Any) -> str:
    parameters = [p for p in command.params if p.name != "help"]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    usage = " ".join([name, *(a.name.upper() if a.required else f"[{a.name.upper()}]" for a in arguments), "[OPTIONS]"])
    words, _, examples = command.help.partition("\b")
    rows = [[_names(p), " ".join((getattr(p, "help", None) or "").split()), _default(p)] for p in parameters]
    shown = "\n".join(line.strip() for line in examples.strip().splitlines()[1:])
    return "\n\n".join(
        [
            f"## `{name}`",
            " ".join(words.split()),
            f"```\n{usage}\n```",
            table(["argument or option", "what", "default"], rows),
            f"```\n{shown}\n```",
        ]
    )


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    return ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", None)
    default = shown if isinstance(shown, str) else parameter.default
    text = "" if default is None or callable(default) else str(default)
    text = {"True": "yes", "False": "no"}.get(text, text)
    variable = getattr(parameter, "envvar", None)
    return f"`{variable}`, else {text}" if variable else ("required" if parameter.required else text)


# -- the other pages --------------------------------------------------------------------------------------------------


def exit_codes_page() -> str:
    """One row for each class of the error tree that a command can end with."""
    rows = [["0", "", "All went well; `solve` and `resume` have a verified best."]]
    seen = sorted(_classes(errors.ColonyError), key=lambda each: each.exit_code)
    rows += [[str(each.exit_code), f"`{each.__name__}`", _sentence(each.__doc__)] for each in seen]
    return table(["exit code", "error", "meaning"], rows)


def _classes(root: type[errors.ColonyError]) -> Iterator[type[errors.ColonyError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("colony."):
            yield from _classes(child)


def events_page() -> str:
    """One row for each kind of record."""
    rows = [[f"`{n}`", k.about, ", ".join(f"`{f}`" for f in k.fields)] for n, k in KINDS.items()]
    return table(["kind", "what such a record states", "always there"], rows)


def limits_page() -> str:
    """One row for each limit, with the comment beside it."""
    source = Path(limits.__file__).read_text("utf-8")
    lines = source.splitlines()
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.AnnAssign)]
    found = [(ast.unparse(node.target), lines[node.lineno - 1]) for node in assigned]
    rows = [[f"`{name}`", f"{getattr(limits, name):,}", line.partition("#")[2].strip()] for name, line in found]
    return table(["limit", "value", "what it bounds, where its name does not say"], rows)


def _sentence(docstring: str | None) -> str:
    return " ".join((docstring or "").split())


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "exit-codes.md": exit_codes_page,
    "events.md": events_page,
    "limits.md": limits_page,
}


def renewed(text: str, content: str) -> str:
    """The page with what stands between its markers replaced."""
    pattern = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{content}\n\n{END}", text)


def outdated() -> dict[Path, str]:
    """The pages that are not what the code says, with what they should be."""
    wanted = {REFERENCE / name: make() for name, make in PAGES.items()}
    new = {file: renewed(file.read_text("utf-8"), content) for file, content in wanted.items()}
    return {file: text for file, text in new.items() if file.read_text("utf-8") != text}


def main() -> int:
    """Write, or check; returns the exit code."""
    found = outdated()
    for file, text in found.items():
        if "--check" not in sys.argv:
            file.write_text(text, "utf-8")
        print(f"{'out of date' if '--check' in sys.argv else 'written'}: {file.name}")
    return 1 if found and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
