"""A first fence round the mutable regions of a native program problem: what their source may not say.

It finds the cheap tricks before anything runs: imports that were not allowed, names that reach files, frames or the
interpreter, attributes that climb the object graph, and a region that takes over a name of the frozen text. Whoever
writes Python with care climbs over it; what keeps a score honest is that candidates run in a sandbox without the
evaluator, and that another process scores what they return.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from functools import lru_cache

from colony.problems.program import END, START, Program

FORBIDDEN_NAMES = frozenset(
    {
        "breakpoint",
        "compile",
        "delattr",
        "dir",
        "eval",
        "exec",
        "exit",
        "getattr",
        "globals",
        "help",
        "input",
        "locals",
        "memoryview",
        "open",
        "quit",
        "setattr",
        "vars",
    }
)
FORBIDDEN_ATTRIBUTES = frozenset(
    {
        "_current_frames",
        "_getframe",
        "ag_frame",
        "cr_frame",
        "f_back",
        "f_builtins",
        "f_globals",
        "f_locals",
        "gi_frame",
        "meta_path",
        "modules",
        "mro",
        "tb_frame",
        "tb_next",
    }
)


def fence_faults(program: Program, files: Mapping[str, str]) -> list[str]:
    """Every reason to refuse the mutable regions of `files` unread, a sentence each; Python files only."""
    faults: list[str] = []
    for path, text in files.items():
        if path.endswith(".py") and START in text:
            try:
                faults += [f"{path}: {fault}" for fault in _region_faults(program, path, ast.parse(text), text)]
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                faults.append(f"{path}: is no Python: {error}")
    return faults


def _region_faults(program: Program, path: str, tree: ast.Module, text: str) -> Iterator[str]:
    lines = mutable_lines(text)
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) in lines:
            yield from _node_faults(node, program.imports)
    own, frozen = _seed_names(program.files[path])
    for name in sorted(bound_names(tree, lines) - own):
        if name in frozen or hasattr(builtins, name):
            yield f"a mutable region may not take over the name {name!r}"


@lru_cache(maxsize=64)
def _seed_names(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What the seed's mutable regions bind in the module, and the names that its frozen text reads or binds."""
    tree, lines = ast.parse(text), mutable_lines(text)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n.lineno not in lines}
    everything = frozenset(range(1, text.count("\n") + 2))
    return frozenset(bound_names(tree, lines)), frozenset(used | bound_names(tree, everything - lines))


def _node_faults(node: ast.AST, imports: tuple[str, ...]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (_import_fault(alias.name) for alias in names if not _allowed(alias.name, imports))
        case ast.ImportFrom(module=module, level=level):
            if level or not _allowed(module or "", imports):
                yield _import_fault(module or ".")
            yield from (f"the name {a.name!r} is not allowed" for a in node.names if a.name.startswith("_"))
        case ast.Name(id=name) if name in FORBIDDEN_NAMES or name.startswith("__"):
            yield f"the name {name!r} is not allowed"
        case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES or _is_special(name):
            yield f"the attribute {name!r} is not allowed"


def _is_special(attribute: str) -> bool:
    return attribute.startswith("__") and attribute != "__init__"


def _allowed(module: str, imports: tuple[str, ...]) -> bool:
    return not imports or any(module == name or module.startswith(name + ".") for name in imports)


def _import_fault(module: str) -> str:
    return f"the import of {module!r} is not allowed"


def mutable_lines(text: str) -> frozenset[int]:
    """The numbers (from 1) of the lines between markers."""
    inside = False
    found = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if START in line or END in line:
            inside = START in line
        elif inside:
            found.add(number)
    return frozenset(found)


def bound_names(tree: ast.Module, lines: frozenset[int]) -> set[str]:
    """The names that code on `lines` binds in the module: definitions, assignments, imports and `global`."""
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if getattr(node, "lineno", 0) in lines:
            found |= _binds(node)
        opens_scope = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        pending.extend(_globals_in(node) if opens_scope else ast.iter_child_nodes(node))
    return found


def _globals_in(node: ast.AST) -> Iterator[ast.AST]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Global))


def _binds(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.ExceptHandler(name=str(name)):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.Global(names=names):
            return set(names)
        case _:
            return set()
