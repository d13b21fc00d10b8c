"""The mutable pieces of a program as syntax trees: taking one out, and putting a changed one back.

A piece is the text between two markers. One that stands inside a function is indented, so it is parsed as the body
of one. Pieces that are no complete statements, or not Python, have no tree and are left to other agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from colony.problems.program import join_regions, split_regions

Files = Mapping[str, str]
_SHELL = "def _():\n"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece stands: the file, and its number among the pieces of that file."""

    path: str
    number: int


def pieces(files: Files) -> dict[Place, str]:
    """The text of every mutable piece of a candidate that is Python."""
    return {
        Place(path, number): text
        for path, whole in sorted(files.items())
        if path.endswith(".py")
        for number, text in enumerate(split_regions(whole, path)[1])
    }


def with_piece(files: Files, place: Place, text: str) -> dict[str, str]:
    """The files with one piece replaced."""
    frozen, mutable = split_regions(files[place.path], place.path)
    changed = (*mutable[: place.number], text, *mutable[place.number + 1 :])
    return {**files, place.path: join_regions(frozen, changed)}


@lru_cache(maxsize=4096)
def tree_of(text: str) -> cst.Module | None:
    """The tree of a piece, or None where it has none."""
    try:
        return cst.parse_module(_SHELL + text if is_indented(text) else text)
    except (cst.ParserSyntaxError, RecursionError):
        return None


def text_of(tree: cst.Module, like: str) -> str:
    """The text of a changed tree of the piece `like`, with the line end that the marker below it needs."""
    text = tree.code.removeprefix(_SHELL) if is_indented(like) else tree.code
    return text if text.endswith("\n") else text + "\n"


def tidied(tree: cst.Module) -> cst.Module:
    """The tree without statements that can never run because they follow a `return` in their block."""
    changed = tree.visit(_CutAfterReturn())
    assert isinstance(changed, cst.Module), "a module stays a module"
    return changed


class _CutAfterReturn(cst.CSTTransformer):
    """Ends every block with its first `return`."""

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:  # noqa: ARG002, N802  # libcst's
        """No block is inside a line."""
        return False

    def leave_IndentedBlock(  # noqa: N802  # libcst's
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        """The block up to its first `return`."""
        for index, statement in enumerate(original_node.body[:-1], start=1):
            match statement:
                case cst.SimpleStatementLine(body=[cst.Return()]):
                    return updated_node.with_changes(body=updated_node.body[:index])
        return updated_node


def is_indented(text: str) -> bool:
    """Whether the first line of code stands inside something."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return next(lines, "")[:1] in (" ", "\t")
