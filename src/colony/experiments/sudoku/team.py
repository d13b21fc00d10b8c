"""A team at one puzzle: its solvers with their hands of patterns, a referee for each grid, and what came of it.

What this file does not do: choose a puzzle or an arrangement (solving.py, contest.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from colony.experiments.sudoku.agents import Solver, deal, referee
from colony.experiments.sudoku.grid import first_difference
from colony.experiments.sudoku.state import EVERYTHING, SudokuState
from colony.experiments.sudoku.strategies import STRATEGIES
from colony.experiments.trial import Group, Member, Team
from colony.stm import Transaction

SOLVED: Final = 81.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a team is set up: whether it is one group, whether the strategies are dealt out, and what is shared."""

    group: bool
    dealt: bool
    shared: frozenset[str] = EVERYTHING


class MostSolved:
    """The gauge of a team: the solved cells of its best grid."""

    def __init__(self) -> None:
        self._best = 0

    def add(self, value: int) -> float:
        """Take the number of solved cells of one grid."""
        self._best = max(self._best, value)
        return float(self._best)


def team_of(puzzle: str, groups: Sequence[Group], arrangement: Arrangement, *, prove: bool) -> Team:
    """One solver for each of `groups`, and a referee for each group among them.

    The outcome holds `solution` (81 digits, or None) and `reason` (None, or "none", "several", "unfinished"), `found`
    (the solutions known: two where there are several) and `differs_at`, `solved_cells`, `strikes` by strategy,
    `guesses`, `refuted` ones, and `rollbacks`: assumptions taken back, at any depth.
    """
    hands = deal(len(groups)) if arrangement.dealt else deal(1) * len(groups)
    solvers: list[Solver] = []
    for number, (group, hand) in enumerate(zip(groups, hands, strict=True), 1):
        agent = f"solver-{number}"
        state = SudokuState(group.memory, private=agent, shared=arrangement.shared)
        solvers.append(Solver(agent, state, hand, memory=group.memory, prove=prove))
    members = [
        Member(solver.agent, group, partial(solver.work, puzzle=puzzle))
        for solver, group in zip(solvers, groups, strict=True)
    ]
    for group in {id(group): group for group in groups}.values():
        together = [solver for solver, mine in zip(solvers, groups, strict=True) if mine is group]
        for solver in together:
            solver.colleagues = together
        name = f"referee-{len(members) - len(solvers) + 1}"
        members.append(Member(name, group, partial(referee, state=together[0].state, puzzle=puzzle)))
    return Team(members, MostSolved(), SOLVED, partial(_outcome, solvers, groups))


def _outcome(solvers: Sequence[Solver], groups: Sequence[Group]) -> Mapping[str, Any]:
    """The best grid, and what all of them have done together."""
    grids, total = [], Counter[str]()
    for solver, group in zip(solvers, groups, strict=True):
        grid, tally = group.memory.atomically(partial(_result, solver), agent="trial")
        grids.append(grid)
        total.update(dict(tally))
    solved_cells, shown, verdict, known = max(grids)
    solution = shown if verdict == "solved" else None
    found = (solution,) if solution else known[:2]
    return {
        "solution": solution,
        "reason": None if solution else verdict or "unfinished",
        "found": found,
        "differs_at": first_difference(*found) if len(found) == 2 else None,
        "solved_cells": solved_cells,
        "strikes": {strategy: total[strategy] for strategy in STRATEGIES if total[strategy]},
        **{name: total[name] for name in ("guesses", "refuted", "rollbacks")},
    }


def _result(
    solver: Solver, t: Transaction
) -> tuple[tuple[int, str, str, tuple[str, ...]], tuple[tuple[str, int], ...]]:
    state = solver.state
    grid = (t.read(state.solved_count), state.show(t), t.read(state.verdict), t.read(state.solutions))
    return grid, t.read(solver.tally)
