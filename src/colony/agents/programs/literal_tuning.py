"""Literal tuning: the numbers in the mutable regions of a program as a small vector that is searched.

Programs that differ only in their numbers share a *skeleton*; for each skeleton the agent remembers the best vectors
and steps by one coordinate, by all of them, or along the spread of the best ones (a sample of their covariance, as in
rank-mu CMA-ES; Hansen 2016). Step sizes follow the size of each number and come from a wide range, because scores of
programs are often staircases. It changes no structure, and leaves the numbers in subscripts and annotations alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst
import numpy as np
from numpy.typing import NDArray

from colony.agents.programs.parents import Parent, cost_of
from colony.agents.programs.pieces import Files, Place, pieces, text_of, tree_of, with_piece
from colony.agents.programs.program_agent import ProgramAgent
from colony.agents.programs.sites import expressions
from colony.agents.proposer import Outcome, View
from colony.primitives.limits import INTEGER_MAX
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

KEPT_MAX = 12
SKELETONS_MAX = 64
ASKED_MAX = 4096
FROM_BEST = 0.8  # how often the start is the best of the skeleton, and not the parent itself
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Literal:
    """One number of a program: the node that says it, whether it is whole, and its value."""

    node: cst.BaseExpression
    whole: bool
    value: float


def literals(text: str) -> list[Literal]:
    """The numbers of a piece in the order of the text, each with the minus sign before it."""
    tree = tree_of(text)
    found: list[Literal] = []
    inside_minus: set[cst.CSTNode] = set()
    for site in expressions(tree) if tree is not None else ():
        node, sign = site.node, 1
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            inside_minus.add(node.expression)
            node, sign = node.expression, -1
        if isinstance(node, cst.Integer | cst.Float) and not (sign == 1 and node in inside_minus):
            value = node.evaluated_value
            if abs(value) <= INTEGER_MAX:
                found.append(Literal(site.node, isinstance(node, cst.Integer), float(sign * value)))
    return found


def with_literals(text: str, found: Sequence[Literal], values: Sequence[float]) -> str:
    """The piece with its numbers replaced; whole numbers stay whole."""
    tree = tree_of(text)
    assert tree is not None, "literals were found in it"
    new = {x.node: cst.parse_expression(spelled(v, whole=x.whole)) for x, v in zip(found, values, strict=True)}
    changed = tree.visit(_Replace(new))
    assert isinstance(changed, cst.Module), "a module stays a module"
    return text_of(changed, text)


class _Replace(cst.CSTTransformer):
    """Puts new expressions in the place of old ones."""

    def __init__(self, new: dict[cst.BaseExpression, cst.BaseExpression]) -> None:
        super().__init__()
        self.new = new

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        """The new node of an old one, else what its parts became."""
        return self.new.get(original_node, updated_node)  # type: ignore[call-overload, no-any-return]


def spelled(value: float, *, whole: bool) -> str:
    """A number as source text: six digits are enough, and a negative one stands in brackets."""
    text = str(round(value)) if whole else repr(float(f"{value:.6g}"))
    return f"({text})" if text.startswith("-") else text


def size_of(values: Vector) -> Vector:
    """The natural step of each number: its own size, and 1 for zero."""
    return np.where(values == 0.0, 1.0, np.abs(values))


@dataclass(frozen=True, slots=True)
class Tuned:
    """A program that was tried, with its numbers."""

    parent: Parent
    values: Vector


class LiteralTuning(ProgramAgent):
    """Tunes the numbers of good programs: a parent names the skeleton, its best known numbers are the start."""

    kind = "literal-tuning"
    operators = ("coordinate", "all", "spread")

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._best: dict[str, list[Tuned]] = {}
        self._asked: dict[str, tuple[str, Vector]] = {}

    def choose(self, view: View) -> Parent:
        """One of the best of a skeleton, which some good parent named; now and then that parent itself."""
        parent = super().choose(view)
        known = self._best.get(skeleton(parent.candidate.content), [])
        if not known or known[0].parent.cost > parent.cost or self.rng.random() >= FROM_BEST:
            return parent
        return known[min(int(self.rng.geometric(0.5)), len(known)) - 1].parent

    def child(self, operator: str, parent: Parent, view: View) -> tuple[Files, tuple[str, ...]] | None:  # noqa: ARG002  # the seam
        """The parent with other numbers."""
        files = parent.candidate.content
        found = {place: literals(text) for place, text in pieces(files).items()}
        flat = [literal for part in found.values() for literal in part]
        if not flat:
            return None
        values = np.array([literal.value for literal in flat])
        whole = np.array([literal.whole for literal in flat])
        shape = skeleton(files)
        new = self._step(operator, values, whole, [tuned.values for tuned in self._best.get(shape, [])])
        if not np.all(np.isfinite(new)) or np.any(np.abs(new) > INTEGER_MAX):
            return None
        made = _with_values(files, found, new)
        self._note(Candidate.program(made).hash, shape, new)
        return made, ()

    def _note(self, candidate: str, shape: str, values: Vector) -> None:
        """Remember which numbers a candidate has, until its outcome is told or many others were made."""
        self._asked[candidate] = (shape, values)
        if len(self._asked) > ASKED_MAX:
            del self._asked[next(iter(self._asked))]

    def _step(self, operator: str, values: Vector, whole: NDArray[np.bool_], best: Sequence[Vector]) -> Vector:
        rng, count = self.rng, len(values)
        scale = 10.0 ** rng.uniform(-3.0, 0.3)
        if operator == "spread" and len(best) >= 3:
            known = np.stack(best)
            weights = rng.standard_normal(len(known)) / math.sqrt(len(known))
            stretch = 2.0 ** rng.uniform(-1.0, 2.0)  # above 1 the cloud can travel, below it settles
            travel: Vector = stretch * weights @ (known - values)
            return values + travel + 0.01 * size_of(values) * rng.standard_normal(count)
        touched = np.ones(count, dtype=bool)
        if operator != "all":
            touched = rng.permutation(count) < rng.geometric(0.7)
        step = scale * size_of(values) * rng.standard_normal(count)
        step = np.where(whole & (np.abs(step) < 1.0), np.sign(step), step)
        flipped = np.where(rng.random(count) < 0.03, -values, values)
        return np.where(touched, flipped + step, values)

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Remember the best vectors of each skeleton."""
        super().tell(outcomes)
        for outcome in outcomes:
            cost = cost_of(self.problem, outcome)
            candidate = outcome.proposal.candidate
            asked = self._asked.pop(candidate.hash, None) if candidate is not None else None
            if candidate is None or cost is None or asked is None:
                continue
            shape, values = asked
            known = self._best.setdefault(shape, [])
            known.append(Tuned(Parent(candidate, cost, outcome.experiment), values))
            known.sort(key=lambda tuned: tuned.parent.cost)
            del known[KEPT_MAX:]
        while len(self._best) > SKELETONS_MAX:
            del self._best[max(self._best, key=lambda key: self._best[key][0].parent.cost)]


def skeleton(files: Files) -> str:
    """The text of the mutable pieces with every tunable number left out."""
    return "\0".join(map(_bare, pieces(files).values()))


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    found = literals(text)
    return with_literals(text, found, [0.0] * len(found)) if found else text


def _with_values(files: Files, found: dict[Place, list[Literal]], values: Vector) -> Files:
    at = 0
    for place, part in found.items():
        if part:
            files = with_piece(
                files, place, with_literals(pieces(files)[place], part, values[at : at + len(part)].tolist())
            )
            at += len(part)
    return files
