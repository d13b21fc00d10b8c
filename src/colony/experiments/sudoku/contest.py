"""Experiment 2 as a comparison: one agent, independent agents, and a swarm that divides the strategies of one grid.

An evaluation is one examination: a strategy looks at one pattern of cells once, inside a guess or outside. All
configurations use the same agents with the same strategies and the same guesses; what differs is who has which
patterns, and which variables are shared. An independent agent examines in an order of its own and guesses in an order
of its own. The seed chooses the puzzle's equivalent form too, the same for every configuration.

The puzzles are known to have one solution, so the first full grid ends a trial; but in the last task only what has
been proven counts, which takes the refutation of everything else. What this file does not do: know how an agent works
(agents.py), or run a trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from colony.experiments.sudoku.puzzles import equivalent, published_puzzles
from colony.experiments.sudoku.state import EVERYTHING
from colony.experiments.sudoku.team import Arrangement, team_of
from colony.experiments.trial import Memory, Setting, Team, groups_for

TASKS: Final[Mapping[str, tuple[str, bool]]] = MappingProxyType(
    {
        **{name: (name, False) for name, puzzle in published_puzzles().items() if puzzle.task},
        "ai-escargot-proven": ("ai-escargot", True),
    }
)
"""Name of a task -> a published puzzle, and whether it has to be proven that there is no other solution."""

ARRANGEMENTS: Final[Mapping[str, Arrangement]] = MappingProxyType(
    {
        "single": Arrangement(group=True, dealt=False),
        "parallel": Arrangement(group=False, dealt=False),
        "swarm": Arrangement(group=True, dealt=True),
        "undivided": Arrangement(group=True, dealt=False),
        "specialists": Arrangement(group=False, dealt=True),
        "singles-only": Arrangement(group=True, dealt=True, shared=frozenset({"grid"})),
        "unclaimed": Arrangement(group=True, dealt=True, shared=EVERYTHING - {"guesses"}),
    }
)


class Sudoku:
    """The experiment; see `colony.experiments.trial.Experiment`."""

    name = "sudoku"
    tasks = tuple(TASKS)
    quality = "solved cells of 81 in the team's best grid"
    configurations: Mapping[str, str] = MappingProxyType(
        {
            "single": "one agent with every strategy",
            "parallel": "nothing; each agent has every strategy and a grid of its own",
            "swarm": "the grid, the candidates and who guesses what; the strategies are dealt out",
            "undivided": "all that the swarm shares, but each agent has every strategy",
            "specialists": "nothing, although the strategies are dealt out",
            "singles-only": "solved cells; what else a strategy struck stays with its agent",
            "unclaimed": "the grid and the candidates, but not who guesses what",
        }
    )

    def team(self, task: str, setting: Setting, memories: Callable[[], Memory]) -> Team:
        """Solvers of the task's puzzle, in the form that the seed gives it."""
        name, prove = TASKS[task]
        puzzle = equivalent(published_puzzles()[name].puzzle, Random(f"sudoku/{setting.seed}"))  # noqa: S311
        arrangement = ARRANGEMENTS[setting.configuration]
        groups = groups_for(setting, memories, shared=arrangement.group)
        return team_of(puzzle, groups, arrangement, prove=prove)


SUDOKU: Final = Sudoku()
