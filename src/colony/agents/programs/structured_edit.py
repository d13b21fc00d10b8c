"""Structured edits: one small change to the syntax tree of a mutable region, always valid source, safe in its names.

Each operator is a function from a `Draft` (a piece, its places and a stream of random numbers) to a changed tree, or
None where the piece offers no place for it. No operator knows what the program is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
import numpy as np

from colony.agents.programs.growth import ARITHMETIC, COMPARISONS, Grower
from colony.agents.programs.parents import Parent, pick
from colony.agents.programs.pieces import Files, pieces, tree_of
from colony.agents.programs.program_agent import ProgramAgent
from colony.agents.programs.sites import Expression, Names, Statement, expressions, statements
from colony.agents.proposer import View

STACKED_EDITS = 0.35  # how often another edit follows at once


@dataclass(frozen=True)
class Draft:
    """One piece that is being edited."""

    tree: cst.Module
    rng: np.random.Generator
    math: bool = False

    @cached_property
    def expressions(self) -> list[Expression]:
        """Its places of expressions."""
        return expressions(self.tree)

    @cached_property
    def statements(self) -> list[Statement]:
        """Its places of statements."""
        return statements(self.tree)

    def grower(self, names: Names) -> Grower:
        """What grows expressions over the names of a place."""
        numbers = [source(e.node) for e in self.expressions if isinstance(e.node, cst.Integer | cst.Float)]
        return Grower(self.rng, names, numbers, self.math)

    def replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> cst.Module:
        """The tree with one node in the place of another."""
        tree = new if old is self.tree else self.tree.deep_replace(old, new)
        assert isinstance(tree, cst.Module), "a module stays a module"
        return tree

    def expressed(self, site: Expression, text: str) -> cst.Module:
        """The tree with an expression given as source in the place of another, in brackets where it needs them."""
        plain = text.replace(".", "").replace("_", "").isalnum() or not _needs_brackets(cst.parse_expression(text))
        return self.replaced(site.node, cst.parse_expression(text if plain else f"({text})"))

    def pick(self, *sorts: type[cst.BaseExpression], sort: str = "") -> Expression | None:
        """A place of an expression of these types and this sort, each as likely."""
        sites = [s for s in self.expressions if (not sorts or isinstance(s.node, sorts)) and sort in ("", s.sort)]
        return pick(self.rng, sites) if sites else None


Edit = Callable[[Draft], "cst.Module | None"]


def source(node: cst.CSTNode) -> str:
    """The source text of a node, without the brackets round it."""
    if isinstance(node, cst.BaseExpression) and node.lpar:
        node = node.with_changes(lpar=[], rpar=[])
    return cst.Module([]).code_for_node(node)


def _needs_brackets(node: cst.BaseExpression) -> bool:
    compound = cst.BinaryOperation | cst.BooleanOperation | cst.UnaryOperation | cst.Comparison | cst.IfExp | cst.Lambda
    return isinstance(node, compound) and not node.lpar


def swap_operator(draft: Draft) -> cst.Module | None:
    """Another arithmetic, comparing or boolean operator in an operation."""
    site = draft.pick(cst.BinaryOperation, cst.Comparison, cst.BooleanOperation)
    match site and site.node:
        case cst.BinaryOperation(left=left, right=right):
            text = f"{bracketed(left)} {pick(draft.rng, ARITHMETIC)} {bracketed(right)}"
        case cst.BooleanOperation(left=left, right=right, operator=operator):
            other = "or" if isinstance(operator, cst.And) else "and"
            text = f"{bracketed(left)} {other} {bracketed(right)}"
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(comparator=right)]):
            text = f"{bracketed(left)} {pick(draft.rng, COMPARISONS)} {bracketed(right)}"
        case _:
            return None
    return draft.expressed(site, text)  # type: ignore[arg-type]  # a node matched, so there is a site


def bracketed(node: cst.BaseExpression) -> str:
    """The source of an operand."""
    return f"({source(node)})" if _needs_brackets(node.with_changes(lpar=[], rpar=[])) else source(node)


def swap_operands(draft: Draft) -> cst.Module | None:
    """The two sides of an operation exchanged."""
    site = draft.pick(cst.BinaryOperation)
    if site is None:
        return None
    node = cst.ensure_type(site.node, cst.BinaryOperation)
    operator = source(node.operator).strip()
    return draft.expressed(site, f"{bracketed(node.right)} {operator} {bracketed(node.left)}")


def regrow(draft: Draft) -> cst.Module | None:
    """An expression replaced by a small new one."""
    site = draft.pick()
    if site is None:
        return None
    grower = draft.grower(site.names)
    return draft.expressed(site, grower.condition() if site.sort == "condition" else grower.expression())


def shrink(draft: Draft) -> cst.Module | None:
    """An expression replaced by a part of itself."""
    site = draft.pick(cst.BinaryOperation, cst.BooleanOperation, cst.UnaryOperation, cst.Call, cst.IfExp)
    if site is None:
        return None
    inside = [e for e in _parts(site) if e.sort == site.sort]
    return draft.expressed(site, source(pick(draft.rng, inside).node)) if inside else None


def _parts(site: Expression) -> list[Expression]:
    """The expressions inside one."""
    tree = cst.Module([cst.SimpleStatementLine([cst.Expr(site.node)])])
    wrapped = cst.parse_module(f"_ = {tree.code}")
    return expressions(wrapped)[1:]


def add_term(draft: Draft) -> cst.Module | None:
    """A value joined with a new one by an operator."""
    site = draft.pick(sort="value")
    if site is None:
        return None
    term = bracketed(cst.parse_expression(draft.grower(site.names).expression(2)))
    return draft.expressed(site, f"{bracketed(site.node)} {pick(draft.rng, ARITHMETIC)} {term}")


def apply_function(draft: Draft) -> cst.Module | None:
    """A value replaced by a function of it."""
    site = draft.pick(sort="value")
    return draft.expressed(site, draft.grower(site.names).around(source(site.node))) if site is not None else None


def make_conditional(draft: Draft) -> cst.Module | None:
    """A value replaced by itself under a condition, and another value otherwise."""
    site = draft.pick(sort="value")
    if site is None:
        return None
    grower = draft.grower(site.names)
    other = grower.expression(1) if draft.rng.random() < 0.5 else grower.around(source(site.node))
    return draft.expressed(site, f"{bracketed(site.node)} if {grower.condition()} else ({other})")


def change_condition(draft: Draft) -> cst.Module | None:
    """A condition negated, or relaxed or narrowed by another one."""
    site = draft.pick(sort="condition")
    if site is None:
        return None
    old = bracketed(site.node)
    if draft.rng.random() < 0.3:
        return draft.expressed(site, f"not {old}")
    return draft.expressed(site, f"{old} {pick(draft.rng, ('and', 'or'))} {draft.grower(site.names).condition()}")


def add_guard(draft: Draft) -> cst.Module | None:
    """A new early return under a condition."""
    sites = [s for s in draft.statements if s.inside_function]
    if not sites:
        return None
    site = pick(draft.rng, sites)
    grower = draft.grower(site.names)
    guard = cst.parse_statement(f"if {grower.condition()}:\n    return {grower.expression()}\n")
    return with_statements(draft, site, [guard, site.node])


def add_variable(draft: Draft) -> cst.Module | None:
    """A new name for a new value, used in the statement after it."""
    sites = [s for s in draft.statements if s.inside_function and isinstance(s.node, cst.SimpleStatementLine)]
    if not sites:
        return None
    site = pick(draft.rng, sites)
    name = f"v{len(draft.statements)}"
    if name in site.names:
        return None
    line = cst.ensure_type(site.node, cst.SimpleStatementLine)
    targets = [e for e in expressions(cst.Module([line])) if e.sort == "value"]
    if not targets:
        return None
    target = pick(draft.rng, targets)
    new = cst.parse_expression(f"({source(target.node)} {pick(draft.rng, ARITHMETIC)} {name})")
    assigned = cst.parse_statement(f"{name} = {draft.grower(site.names).expression()}\n")
    changed = cst.ensure_type(line.deep_replace(target.node, new), cst.SimpleStatementLine)
    return with_statements(draft, site, [assigned, changed])


def delete_statement(draft: Draft) -> cst.Module | None:
    """One statement fewer, where others remain."""
    sites = [s for s in draft.statements if len(s.block.body) > 1 and s.inside_function]
    return with_statements(draft, pick(draft.rng, sites), []) if sites else None


def duplicate_statement(draft: Draft) -> cst.Module | None:
    """One statement twice; worth it before another edit."""
    sites = [s for s in draft.statements if s.inside_function and not isinstance(s.node, cst.FunctionDef)]
    site = pick(draft.rng, sites) if sites else None
    return with_statements(draft, site, [site.node, site.node.deep_clone()]) if site is not None else None


def with_statements(draft: Draft, site: Statement, new: Sequence[cst.BaseStatement]) -> cst.Module:
    """The tree with the statements `new` in the place of one."""
    body = [*site.block.body[: site.index], *new, *site.block.body[site.index + 1 :]]
    return draft.replaced(site.block, site.block.with_changes(body=body))


EDITS: dict[str, Edit] = {
    edit.__name__.replace("_", "-"): edit
    for edit in (
        swap_operator,
        swap_operands,
        regrow,
        shrink,
        add_term,
        apply_function,
        make_conditional,
        change_condition,
        add_guard,
        add_variable,
        delete_statement,
        duplicate_statement,
    )
}


class StructuredEdit(ProgramAgent):
    """Edits the structure of good programs."""

    kind = "structured-edit"
    operators = tuple(EDITS)

    def child(self, operator: str, parent: Parent, view: View) -> tuple[Files, tuple[str, ...]] | None:  # noqa: ARG002  # the seam
        """The parent after one edit, sometimes more, of one of its pieces."""
        files = parent.candidate.content
        offered = [(place, tree) for place, text in pieces(files).items() if (tree := tree_of(text)) is not None]
        if not offered:
            return None
        place, tree = pick(self.rng, offered)
        may_use_math = "import math" in files[place.path]
        changed = EDITS[operator](Draft(tree, self.rng, may_use_math))
        while changed is not None and self.rng.random() < STACKED_EDITS:
            changed = EDITS[pick(self.rng, self.operators)](Draft(changed, self.rng, may_use_math)) or changed
        made = self.finished(files, place, changed) if changed is not None else None
        return (made, ()) if made is not None else None
