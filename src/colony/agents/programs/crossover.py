"""Crossover: parts of one good program put into another: an expression, a statement, or a whole function.

A part fits where every name that it reads has a value, so that the child is valid source without name errors. Parts
come from the colony's elites and the agent's own finds. It makes nothing up: edits do that.
"""

from __future__ import annotations

import ast
import builtins

import libcst as cst

from colony.agents.programs.parents import Parent, pick
from colony.agents.programs.pieces import Files, Place, pieces, tree_of
from colony.agents.programs.program_agent import ProgramAgent
from colony.agents.programs.sites import Names, Statement
from colony.agents.programs.structured_edit import Draft, bracketed, source, with_statements
from colony.agents.proposer import View

TRIES = 8


def free_names(text: str) -> frozenset[str]:
    """The names that a piece of source reads and does not bind itself, but for builtins."""
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return frozenset(n.id for n in names if n.id not in bound and not hasattr(builtins, n.id))


class Crossover(ProgramAgent):
    """Recombines good programs."""

    kind = "crossover"
    operators = ("expression", "blend", "statement", "insertion", "function")

    def child(self, operator: str, parent: Parent, view: View) -> tuple[Files, tuple[str, ...]] | None:
        """The parent with a part of another good program."""
        donor = self.parents.choose(view, self.rng)
        if donor.candidate.hash == parent.candidate.hash:
            return None
        place = self._place(parent.candidate.content, donor.candidate.content)
        if place is None:
            return None
        tree, other_tree = (tree_of(pieces(p.candidate.content)[place]) for p in (parent, donor))
        if tree is None or other_tree is None:
            return None
        joined = self._joined(operator, Draft(tree, self.rng), Draft(other_tree, self.rng))
        made = self.finished(parent.candidate.content, place, joined) if joined is not None else None
        return (made, (donor.experiment,)) if made is not None else None

    def _place(self, files: Files, other: Files) -> Place | None:
        """A piece in which two programs differ."""
        theirs = pieces(other)
        places = [place for place, text in pieces(files).items() if theirs.get(place, text) != text]
        return pick(self.rng, places) if places else None

    def _joined(self, operator: str, mine: Draft, theirs: Draft) -> cst.Module | None:
        outer = frozenset(_functions(mine)) | frozenset(_modules(mine))
        match operator:
            case "expression" | "blend":
                return self._expression(mine, theirs, outer, blend=operator == "blend")
            case "statement" | "insertion":
                return self._statement(mine, theirs, outer, keep=operator == "insertion")
            case _:
                return self._function(mine, theirs)

    def _expression(self, mine: Draft, theirs: Draft, outer: frozenset[str], *, blend: bool) -> cst.Module | None:
        for _ in range(TRIES):
            site, part = mine.pick(), theirs.pick()
            if site is None or part is None or site.sort != part.sort:
                continue
            text = source(part.node)
            if _fits(text, site.names, outer):
                joined = f"{bracketed(site.node)} + {bracketed(part.node)}"
                return mine.expressed(site, joined if blend and site.sort == "value" else text)
        return None

    def _statement(self, mine: Draft, theirs: Draft, outer: frozenset[str], *, keep: bool) -> cst.Module | None:
        sites = [s for s in mine.statements if s.inside_function]
        parts = [s for s in theirs.statements if s.inside_function]
        for _ in range(TRIES if sites and parts else 0):
            site, part = pick(self.rng, sites), pick(self.rng, parts)
            if _fits(cst.Module([part.node]).code, site.names, outer):  # type: ignore[list-item]  # a statement of a body
                return with_statements(mine, site, [part.node, site.node] if keep else [part.node])
        return None

    def _function(self, mine: Draft, theirs: Draft) -> cst.Module | None:
        """A function of the other program, in the place of the one of the same name, or before all others."""
        given = _functions(theirs)
        if not given:
            return None
        name = pick(self.rng, sorted(given))
        function = given[name].node
        if name in (own := _functions(mine)):
            return with_statements(mine, own[name], [function])
        first = min(own.values(), key=lambda s: s.index, default=None)
        return with_statements(mine, first, [function, first.node]) if first is not None else None


def _fits(text: str, names: Names, outer: frozenset[str]) -> bool:
    try:
        return free_names(text) <= outer | set(names)
    except SyntaxError:
        return False


def _functions(draft: Draft) -> dict[str, Statement]:
    """The functions of a piece's outermost level, by name."""
    return {
        s.node.name.value: s
        for s in draft.statements
        if isinstance(s.node, cst.FunctionDef) and s.block is draft.tree and s.node.name.value != "_"
    }


def _modules(draft: Draft) -> set[str]:
    """The modules that a piece imports."""
    names = (n for n in ast.walk(ast.parse(draft.tree.code)) if isinstance(n, ast.Import))
    return {(alias.asname or alias.name).partition(".")[0] for node in names for alias in node.names}
