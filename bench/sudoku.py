"""How fast a swarm of agents, each a thread, solves Sudoku and proves that there is one solution only.

    python bench/sudoku.py           about half a minute
    python bench/sudoku.py --quick   fewer rounds, noisier

Prints a table, and one JSON line with the figures and the bars. The hardest puzzle is whichever of those that ship is
slowest, by its median over rounds. The peer is a sequential solver with the same propagation and the same choice of
cells, in plain Python over a list, run alternately with the swarm: what it is faster by is the price of agents. What
this file does not do: compare teams (the comparison does).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from statistics import median

from colony.experiments.sudoku import solve
from colony.experiments.sudoku.grid import CELLS, EVERY, UNITS_OF, Contradiction, bit, text
from colony.experiments.sudoku.puzzles import published_puzzles, seventeen_clues
from colony.experiments.sudoku.strategies import SETTLING

HARDEST_SECONDS_MAX = 2.0
FIFTY_SECONDS_MAX = 60.0


def sequential(puzzle: str) -> str:
    """The solutions of `puzzle`, two at most, joined by a blank: depth first, with elimination and last places."""
    found: list[str] = []

    def propagate(masks: list[int], stale: list[int]) -> None:
        while stale:
            pattern = SETTLING[stale.pop()]
            for cell, gone in pattern.deduce(pattern.see([masks[cell] for cell in pattern.cells])):
                if masks[cell] & gone:
                    masks[cell] &= ~gone
                    stale += [unit for unit in UNITS_OF[cell] if unit not in stale]

    def search(masks: list[int]) -> None:
        blanks = [(masks[cell].bit_count(), cell) for cell in CELLS if masks[cell] & (masks[cell] - 1)]
        if not blanks:
            found.append(text(masks))
            return
        cell = min(blanks)[1]
        for digit in range(1, 10):
            if masks[cell] & bit(digit) and len(found) < 2:
                trial = masks.copy()
                trial[cell] = bit(digit)
                try:
                    propagate(trial, list(UNITS_OF[cell]))
                except Contradiction:
                    continue
                search(trial)

    start = [EVERY if given == "0" else bit(int(given)) for given in puzzle]
    propagate(start, list(range(27)))
    search(start)
    return " ".join(found)


def seconds(work, *arguments, **options) -> tuple[float, object]:
    """How long a call takes, and what it returns."""
    start = time.perf_counter()
    result = work(*arguments, **options)
    return time.perf_counter() - start, result


def rounds_of(puzzle: str, rounds: int, agents: int) -> tuple[float, float, object]:
    """Median seconds of the swarm and of the peer, taking turns, and the swarm's last solution."""
    swarm, peer = [], []
    for seed in range(rounds):
        took, solution = seconds(solve, puzzle, agents=agents, seed=seed)
        swarm.append(took)
        took, plain = seconds(sequential, puzzle)
        peer.append(took)
        assert solution.solution == plain, puzzle
    return median(swarm), median(peer), solution


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--agents", type=int, default=4)
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 9
    figures = {}
    print(f"{'puzzle':24}{'swarm s':>9}{'peer s':>9}{'evaluations':>13}{'guesses':>9}{'conflicts':>11}{'waits':>7}")
    for name, entry in published_puzzles().items():
        swarm, peer, found = rounds_of(entry.puzzle, rounds, arguments.agents)
        figures[name] = (swarm, peer)
        m = found.measurement
        print(
            f"{name:24}{swarm:9.3f}{peer:9.3f}{m.evaluations:13}{found.guesses:9}{m.conflicts:11}{m.waits:7}",
            flush=True,
        )
    hardest = max(figures, key=lambda name: figures[name][0])
    fifty = [rounds_of(puzzle, 1, arguments.agents)[:2] for puzzle in seventeen_clues()]
    swarm, peer = (sum(column) for column in zip(*fifty, strict=True))
    figures["50 of 17 clues"] = (swarm, peer)
    print(f"{'50 of 17 clues':24}{swarm:9.3f}{peer:9.3f}")
    holds = figures[hardest][0] < HARDEST_SECONDS_MAX and swarm < FIFTY_SECONDS_MAX
    print(
        json.dumps(
            {
                "agents": arguments.agents,
                "rounds": rounds,
                "hardest": hardest,
                "hardest_seconds": figures[hardest][0],
                "hardest_seconds_max": HARDEST_SECONDS_MAX,
                "fifty_seconds": swarm,
                "fifty_seconds_max": FIFTY_SECONDS_MAX,
                "peer_hardest_seconds": figures[hardest][1],
                "peer_fifty_seconds": peer,
                "seconds": {name: pair[0] for name, pair in figures.items()},
                "peer_seconds": {name: pair[1] for name, pair in figures.items()},
                "holds": holds,
            }
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
