"""Floor 11: Sudoku by agents of one strategy each, which meet in a shared grid and wait in `retry` for their work."""

from colony.experiments.sudoku.contest import SUDOKU
from colony.experiments.sudoku.solving import Solution, solve

__all__ = ["SUDOKU", "Solution", "solve"]
