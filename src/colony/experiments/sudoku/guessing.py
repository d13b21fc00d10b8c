"""Guess and check: assume a candidate, follow it in nested transactions, and take it back where it contradicts.

A guess is thought through on a private copy of the grid, in a memory of its own, as one transaction. Each assumption
is a nested part of it: what follows from the assumption is written inside that part, and a contradiction undoes
exactly that, strikes the candidate in the part around it, and goes on there, to any depth. So nothing shared is held
while the guess is under way, and nobody ever sees a grid that was only assumed.

Inside a guess the units are examined by the same function as outside (`settle`), and each examination is listed, so
that the guesser can pay for each of them before anybody hears of the result. What this file does not do: choose what
to guess, pay, or tell anybody (agents.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TypeAlias

from colony.experiments.sudoku.grid import CELLS, UNITS_OF, Contradiction
from colony.experiments.sudoku.strategies import SETTLING, Seen, Strike
from colony.stm import Memory, Transaction, TVar, atomically

Guess: TypeAlias = tuple[int, int]
"""A cell, and the set of the one digit that is assumed there."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a guess.

    `refuted`: it contradicts the grid. `solution`: 81 candidate sets of one digit each that agree with it. Neither: the
    effort did not suffice. `examined` lists the examinations it took, as (strategy, number, what was seen).
    """

    refuted: bool
    solution: tuple[int, ...] | None
    examined: tuple[tuple[str, int, Seen], ...]
    rollbacks: int


class _Spent(Exception):  # noqa: N818  # no error: the effort is used up
    """More assumptions than the guess was given."""


def check_guess(masks: Sequence[int], guess: Guess, *, effort: int, random: Random) -> Checked:
    """Think one guess through, with at most `effort` assumptions, itself the first of them.

    `masks` are the 81 candidate sets to start from, closed under elimination. The outcome is exhaustive: a refuted
    guess has no solution at all.
    """
    return _Thought(masks, effort, random).check(guess)


class _Thought:
    """One guess under way."""

    def __init__(self, masks: Sequence[int], effort: int, random: Random) -> None:
        self._memory = Memory()
        self._cells = [TVar(mask, memory=self._memory) for mask in masks]
        self._effort = effort
        self._random = random
        self._examined: list[tuple[str, int, Seen]] = []
        self._rollbacks = 0

    def check(self, guess: Guess) -> Checked:
        """Run the whole guess as one transaction; nobody else knows its memory, so it runs once, and may count."""
        refuted, solution = False, None
        try:
            solution = atomically(partial(self._assume, guess=guess), memory=self._memory)
        except Contradiction:
            refuted = True
        except _Spent:
            pass
        return Checked(refuted, solution, tuple(self._examined), self._rollbacks + refuted)

    def _assume(self, t: Transaction, guess: Guess) -> tuple[int, ...]:
        """Give a cell one digit, follow what that means, and search on for a solution.

        Raises:
            Contradiction: there is none.

        """
        if not self._effort:
            raise _Spent
        self._effort -= 1
        cell, digit = guess
        self._propagate(t, [(cell, t.read(self._cells[cell]) & ~digit)])
        return self._search(t)

    def _search(self, t: Transaction) -> tuple[int, ...]:
        while guess := self._next(t):
            try:
                return t.nested(partial(self._assume, guess=guess))
            except Contradiction:  # all that followed from the guess is undone
                self._rollbacks += 1
                self._propagate(t, [guess])
        return tuple(t.read(cell) for cell in self._cells)

    def _next(self, t: Transaction) -> Guess | None:
        """A digit of a cell with the fewest candidates; None if every cell is solved."""
        fewest, best = 10, (0, 0)
        for cell in CELLS:
            mask = t.read(self._cells[cell])
            if 1 < (count := mask.bit_count()) < fewest:
                fewest, best = count, (cell, mask)
                if count == 2:
                    break
        cell, mask = best
        return (cell, self._random.choice([1 << d for d in range(9) if mask >> d & 1])) if mask else None

    def _propagate(self, t: Transaction, strikes: list[Strike]) -> None:
        """Carry out the strikes and all that follows from them by elimination and last places."""
        stale: dict[int, None] = {}  # units to examine, in order; a set would not keep one
        while True:
            for cell, gone in strikes:
                variable = self._cells[cell]
                mask = t.read(variable)
                if mask & gone:
                    t.write(variable, mask & ~gone)
                    stale.update(dict.fromkeys(UNITS_OF[cell]))
            if not stale:
                return
            pattern = SETTLING[unit := next(iter(stale))]
            del stale[unit]
            seen = tuple([t.read(self._cells[cell]) for cell in pattern.cells])
            self._examined.append((pattern.strategy, pattern.number, seen))
            strikes = pattern.deduce(seen)


def possible_guesses(masks: Sequence[int], least: int, known: Sequence[int] | None = None) -> list[Guess]:
    """Digits of the cells with the fewest candidates, of as many cells as it takes for at least so many guesses.

    Digits of the solution that is `known` are left out: what is left to learn is whether there is another.
    """
    guesses: list[Guess] = []
    for candidates in range(2, 10):
        for cell in CELLS:
            if masks[cell].bit_count() == candidates:
                free = masks[cell] & ~known[cell] if known else masks[cell]
                guesses += [(cell, 1 << d) for d in range(9) if free >> d & 1]
        if len(guesses) >= least:
            break
    return guesses
