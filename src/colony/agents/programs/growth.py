"""Small random expressions as source text: from the names in scope, the numbers of the field, and the usual operations.

Grammatical evolution in miniature: whatever comes out is a valid expression that cannot raise a name error. It may
divide by zero; that costs one evaluation. It knows nothing of trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from colony.agents.programs.parents import pick

NUMBERS = ("0", "1", "2", "3", "5", "10", "0.1", "0.5", "1.5")
ARITHMETIC = ("+", "-", "*", "/", "+", "-", "*")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
ONE_ARGUMENT = ("abs({})", "-({})", "({}) ** 2", "1 / (1 + abs({}))")
TWO_ARGUMENTS = ("max({}, {})", "min({}, {})")
MATH = ("math.sqrt(abs({}))", "math.exp(-abs({}))", "math.log(1 + abs({}))", "math.floor({})", "math.tanh({})")


@dataclass(frozen=True, slots=True)
class Grower:
    """Grows expressions over `names`; `numbers` are literals that the program already uses, `math` whether it may."""

    rng: np.random.Generator
    names: Sequence[str]
    numbers: Sequence[str] = ()
    math: bool = False

    def leaf(self) -> str:
        """A name or a number."""
        if self.names and self.rng.random() < 0.65:
            return pick(self.rng, self.names)
        return pick(self.rng, (*NUMBERS, *self.numbers))

    def expression(self, depth: int = 2) -> str:
        """An expression of at most `depth` nested operations."""
        if depth == 0 or self.rng.random() < 0.3:
            return self.leaf()
        if self.rng.random() < 0.7:
            return f"{self._part(depth)} {pick(self.rng, ARITHMETIC)} {self._part(depth)}"
        return self.around(self.expression(depth - 1))

    def _part(self, depth: int) -> str:
        text = self.expression(depth - 1)
        return text if text.isidentifier() or text.replace(".", "").isdigit() else f"({text})"

    def around(self, inner: str) -> str:
        """A function of `inner`, perhaps with a leaf beside it."""
        shapes = (*ONE_ARGUMENT, *TWO_ARGUMENTS, *(MATH if self.math else ()))
        shape: str = pick(self.rng, shapes)
        return shape.format(inner, self.leaf()) if shape in TWO_ARGUMENTS else shape.format(inner)

    def condition(self) -> str:
        """A comparison of two small expressions."""
        return f"{self.expression(1)} {pick(self.rng, COMPARISONS)} {self.expression(1)}"
