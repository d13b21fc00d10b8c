"""The places of a tree where something may be put, each with the names that have a value there.

Conservative: what is assigned inside a block is forgotten after it, and what is not understood (annotations, targets,
attributes, subscripts, decorators, formatted text) is no place at all. So whatever is built from a site's names can be
evaluated there without a name error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import libcst as cst

Names: TypeAlias = tuple[str, ...]
Block: TypeAlias = cst.Module | cst.IndentedBlock
Sort = Literal["value", "condition"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that may be replaced by another; `sort` says whether only its truth counts."""

    node: cst.BaseExpression
    names: Names
    sort: Sort


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement number `index` of `block`, and the names that have a value before it."""

    block: Block
    index: int
    names: Names
    inside_function: bool

    @property
    def node(self) -> cst.BaseStatement:
        """The statement."""
        found: cst.BaseStatement = self.block.body[self.index]
        return found


def expressions(tree: cst.Module) -> list[Expression]:
    """Every place of an expression, in the order of the text."""
    return [site for site in _block(tree, (), inside_function=False) if isinstance(site, Expression)]


def unresolved(tree: cst.Module) -> frozenset[str]:
    """The names that are read where they may have no value yet, as far as places of expressions show it."""
    return frozenset(
        s.node.value for s in expressions(tree) if isinstance(s.node, cst.Name) and s.node.value not in s.names
    )


def open_ended(tree: cst.Module) -> frozenset[str]:
    """The functions whose last statement is no `return`, so that they may end without a value."""
    return frozenset(
        s.node.name.value for s in statements(tree) if isinstance(s.node, cst.FunctionDef) and not _returns(s.node.body)
    )


def _returns(block: cst.BaseSuite) -> bool:
    match block.body[-1]:
        case cst.SimpleStatementLine(body=[*_, cst.Return()]):
            return True
        case cst.If(body=body, orelse=cst.Else(body=other)):
            return _returns(body) and _returns(other)
        case _:
            return False


def statements(tree: cst.Module) -> list[Statement]:
    """Every place of a statement, in the order of the text."""
    return [site for site in _block(tree, (), inside_function=False) if isinstance(site, Statement)]


def _block(block: Block, names: Names, *, inside_function: bool) -> Iterator[Expression | Statement]:
    for index, statement in enumerate(block.body):
        if not (index == 0 and _is_text(statement)):
            yield Statement(block, index, names, inside_function)
            yield from _inside(statement, names, inside_function=inside_function)
        names += _bound(statement)


def _inside(node: cst.CSTNode, names: Names, *, inside_function: bool) -> Iterator[Expression | Statement]:  # noqa: C901  # one case for each sort of statement
    match node:
        case cst.FunctionDef(params=params, body=cst.IndentedBlock() as body):
            yield from _block(body, names + _parameters(params), inside_function=True)
        case cst.For(iter=source, target=target, body=cst.IndentedBlock() as body):
            yield from _value(source, names)
            yield from _block(body, names + _targets(target), inside_function=inside_function)
            if node.orelse:
                yield from _inside(node.orelse, names, inside_function=inside_function)
        case cst.If(test=test) | cst.While(test=test):
            yield from _value(test, names, "condition")
            for part in (node.body, node.orelse):
                if part is not None:
                    yield from _inside(part, names, inside_function=inside_function)
        case cst.IndentedBlock():
            yield from _block(node, names, inside_function=inside_function)
        case cst.Assign(value=value) | cst.AugAssign(value=value) | cst.Return(value=cst.BaseExpression() as value):
            yield from _value(value, names)
        case cst.AnnAssign(value=cst.BaseExpression() as value):
            yield from _value(value, names)
        case cst.Else() | cst.SimpleStatementLine() | cst.Try() | cst.Finally() | cst.ExceptHandler() | cst.With():
            for child in node.children:
                yield from _inside(child, names, inside_function=inside_function)


def _value(node: cst.BaseExpression, names: Names, sort: Sort = "value") -> Iterator[Expression]:  # noqa: C901  # one case for each sort of expression
    yield Expression(node, names, sort)
    match node:
        case cst.BinaryOperation(left=left, right=right):
            parts: list[tuple[cst.BaseExpression, Sort]] = [(left, "value"), (right, "value")]
        case cst.BooleanOperation(left=left, right=right):
            parts = [(left, "condition"), (right, "condition")]
        case cst.UnaryOperation(operator=operator, expression=inner):
            parts = [(inner, "condition" if isinstance(operator, cst.Not) else "value")]
        case cst.Comparison(left=left, comparisons=comparisons):
            parts = [(left, "value"), *((c.comparator, "value") for c in comparisons)]
        case cst.IfExp(test=test, body=body, orelse=orelse):
            parts = [(body, "value"), (test, "condition"), (orelse, "value")]
        case cst.Call(args=args):
            parts = [(a.value, "value") for a in args if not a.star]
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            parts = [(e.value, "value") for e in elements if isinstance(e, cst.Element)]
        case cst.GeneratorExp() | cst.ListComp() | cst.SetComp():
            yield from _comprehension(node.elt, node.for_in, names)
            return
        case cst.Lambda(params=params, body=body):
            names += _parameters(params)
            parts = [(body, "value")]
        case _:
            return
    for part, kind in parts:
        yield from _value(part, names, kind)


def _comprehension(element: cst.BaseExpression, loop: cst.CompFor, names: Names) -> Iterator[Expression]:
    yield from _value(loop.iter, names)
    names += _targets(loop.target)
    for condition in loop.ifs:
        yield from _value(condition.test, names, "condition")
    if loop.inner_for_in is None:
        yield from _value(element, names)
    else:
        yield from _comprehension(element, loop.inner_for_in, names)


def _parameters(params: cst.Parameters) -> Names:
    return tuple(p.name.value for p in (*params.posonly_params, *params.params, *params.kwonly_params))


def _targets(target: cst.CSTNode) -> Names:
    match target:
        case cst.Name(value=name):
            return (name,)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return tuple(name for element in elements for name in _targets(element.value))
        case _:
            return ()


def _bound(statement: cst.CSTNode) -> Names:
    """The names of values that a simple statement binds for what follows in its block."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return ()
    names: Names = ()
    for small in statement.body:
        match small:
            case cst.Assign(targets=targets):
                names += tuple(name for target in targets for name in _targets(target.target))
            case cst.AnnAssign(target=target, value=cst.BaseExpression()):
                names += _targets(target)
    return names


def _is_text(statement: cst.CSTNode) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
        case _:
            return False
