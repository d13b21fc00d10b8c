"""Solve one puzzle with a swarm of agents, as a library call.

The answer is a proof: candidates are struck only by sound deductions and refuted guesses, so a full grid is the only
solution; a second one that a guess has found, or a contradiction, is the other answer. What this file does not do:
compare teams (contest.py), or print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from colony.experiments.sudoku.grid import parse_puzzle
from colony.experiments.sudoku.team import Arrangement, team_of
from colony.experiments.trial import Measurement, Memory, Setting, groups_for, run_trial
from colony.memory.named_memory import NamedMemory


@dataclass(frozen=True, slots=True)
class Solution:
    """What became of a puzzle.

    `solution` is 81 digits if there is exactly one, else None, and `reason` says why: "none", "several", or
    "unfinished" if the budget ended first. `found` are the solutions known: two where there are several, and
    `differs_at` names the first cell in which they differ. `strikes` counts what each strategy has found out;
    `rollbacks` counts assumptions that were taken back; `measurement` has evaluations, seconds, and the counters of
    the memory.
    """

    puzzle: str
    solution: str | None
    reason: str | None
    found: tuple[str, ...]
    differs_at: str | None
    solved_cells: int
    strikes: Mapping[str, int]
    guesses: int
    refuted: int
    rollbacks: int
    measurement: Measurement


def solve(
    puzzle: str,
    *,
    agents: int = 4,
    seed: int = 0,
    evaluations_max: int | None = None,
    wall_seconds_max: float | None = None,
    memories: Callable[[], Memory] = NamedMemory,
) -> Solution:
    """Solve `puzzle` with so many agents, each a thread of its own, on one shared grid in a new memory.

    `puzzle` has 81 digits with 0 or . for a blank, in one line or in nine.

    Raises:
        UsageError: the puzzle has another shape, a strange character, or two givens that contradict each other.

    """
    givens = parse_puzzle(puzzle)
    setting = Setting(agents=agents, seed=seed, evaluations_max=evaluations_max, wall_seconds_max=wall_seconds_max)
    groups = groups_for(setting, memories, shared=True)
    team = team_of(givens, groups, Arrangement(group=True, dealt=True), prove=True)
    measurement = run_trial(team, setting)
    return Solution(puzzle=givens, measurement=measurement, **measurement.outcome)
