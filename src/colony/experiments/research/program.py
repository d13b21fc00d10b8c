"""The docstrings of a Python program into passages, each under the name of what it documents; nothing is imported.

What this file does not do: comments, or docstrings that are made while the program runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from colony.experiments.research.documents import Passage
from colony.experiments.research.prose import Content, passages_of

_Documented: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def read_program(text: str) -> Content:
    """The docstrings of a program; its links are the modules it imports.

    Raises:
        SyntaxError: it is no Python program.

    """
    tree = ast.parse(text)
    passages = tuple(p for node, name in _documented(tree, "") for p in _docstring(node, name))
    return Content(passages, links=tuple((name, name) for name in dict.fromkeys(_imported(tree))))


def _documented(node: _Documented, name: str) -> Iterator[tuple[_Documented, str]]:
    yield node, name
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _documented(child, f"{name}.{child.name}".lstrip("."))


def _docstring(node: _Documented, name: str) -> Iterator[Passage]:
    """The passages of a docstring; all have its first line where escapes hide how its lines lie."""
    text = ast.get_docstring(node, clean=False)
    if text is None or not isinstance(expression := node.body[0], ast.Expr):
        return
    literal = expression.value
    is_plain = (literal.end_lineno or literal.lineno) - literal.lineno == text.count("\n")
    for passage in passages_of(text, line=literal.lineno, heading=name):
        yield passage if is_plain else Passage(" ".join(passage.text.split()), literal.lineno, name)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = "." * node.level + (node.module or "")
            yield stem
            yield from (f"{stem}.{alias.name}" if node.module else stem + alias.name for alias in node.names)
