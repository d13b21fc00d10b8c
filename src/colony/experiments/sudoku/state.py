"""The shared state of a Sudoku: the grid, the candidates, the number of solved cells, and the state of the search.

Every cell has a variable of its own for its digit and one for its candidates, so that agents meet only where they look
at the same cells. All values are integers, texts and tuples of them. Candidates only ever go, and digits only ever
come: so the number of candidates in some cells says which state of them somebody has seen, and a deduction once made
stays true. A view says which of the variables an agent has in common with others: an agent with a private part has
variables of its own for it, in the same memory or in another.

What this file does not do: deduce (strategies.py), or wait (agents.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from colony.experiments.sudoku.grid import CELLS, EVERY, Contradiction, bit, is_single, name, text
from colony.experiments.trial import Memory
from colony.stm import Transaction, TVar

EVERYTHING: Final = frozenset({"grid", "candidates", "guesses"})
"""What can be shared: solved cells, struck candidates, and who tries what when nothing can be deduced."""
EFFORT_FIRST: Final = 64
"""How many assumptions a guess may make at first."""
EFFORT_FACTOR: Final = 4
"""By how much that grows once every guess has been taken, and the grid is as it was."""


Round: TypeAlias = tuple[int, int, tuple[tuple[int, int], ...]]
"""The candidates left in a grid that somebody guesses at, the effort of each guess, and the guesses taken."""


class SudokuState:
    """One agent's view of the grid; views with the same variables are one grid."""

    def __init__(self, memory: Memory, *, private: str = "", shared: frozenset[str] = EVERYTHING) -> None:
        def prefix(part: str) -> str:
            return "" if part in shared else f"{private}/"

        grid, candidates = prefix("grid"), prefix("candidates")
        self._solved_by_others = grid != candidates
        self.grid = [memory.variable(f"{grid}grid/{name(cell)}", 0) for cell in CELLS]
        self.candidates = [memory.variable(f"{candidates}candidates/{name(cell)}", EVERY) for cell in CELLS]
        self.solved_count = memory.variable(f"{grid}solved count", 0)
        self.solutions: TVar[tuple[str, ...]] = memory.variable(f"{grid}solutions", ())
        self.verdict = memory.variable(f"{grid}verdict", "")
        self.round: TVar[Round] = memory.variable(f"{prefix('guesses')}round", (-1, EFFORT_FIRST, ()))

    def set_givens(self, t: Transaction, puzzle: str) -> None:
        """Put a puzzle of 81 digits into an empty grid, unless somebody has."""
        if t.read(self.solved_count):
            return
        for cell in CELLS:
            if puzzle[cell] != "0":
                self.strike(t, cell, EVERY & ~bit(int(puzzle[cell])))

    def mask(self, t: Transaction, cell: int) -> int:
        """The candidates of a cell; a solved one has its digit, whoever solved it."""
        if self._solved_by_others and (digit := t.read(self.grid[cell])):
            return bit(digit)
        return t.read(self.candidates[cell])

    def masks(self, t: Transaction, cells: Iterable[int] = CELLS) -> list[int]:
        """The candidates of these cells, in their order."""
        return [self.mask(t, cell) for cell in cells]

    def strike(self, t: Transaction, cell: int, gone: int) -> bool:
        """Take candidates away; a cell with one left is solved. Returns whether any of them was still there.

        Raises:
            Contradiction: no candidate is left.

        """
        before = self.mask(t, cell)
        after = before & ~gone
        if not after:
            raise Contradiction
        if after == before:
            return False
        t.write(self.candidates[cell], after)
        if is_single(after):
            t.write(self.grid[cell], after.bit_length())
            t.write(self.solved_count, t.read(self.solved_count) + 1)
        return True

    def fill(self, t: Transaction, solution: Sequence[int]) -> None:
        """Solve the whole grid at once, as a guess has found it."""
        for cell in CELLS:
            self.strike(t, cell, EVERY & ~solution[cell])

    def add_solution(self, t: Transaction, solution: Sequence[int]) -> None:
        """Remember a solution that a guess has found; two that differ are the verdict."""
        found = tuple(dict.fromkeys((*t.read(self.solutions), text(solution))))
        t.write(self.solutions, found)
        if len(found) > 1:
            t.write(self.verdict, "several")

    def show(self, t: Transaction) -> str:
        """The grid as 81 digits, 0 where a cell is not solved."""
        return "".join(str(t.read(variable)) for variable in self.grid)


def count(masks: Iterable[int]) -> int:
    """The number of candidates left, which names a state of the cells: it only ever falls."""
    return sum([mask.bit_count() for mask in masks])
