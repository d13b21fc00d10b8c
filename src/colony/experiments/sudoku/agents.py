"""The agents: each waits in `retry` until a pattern of its strategies has changed, and guesses when all are at a loss.

An agent's life is one transaction after another that asks for its next task. If a pattern on its agenda shows something
new, that is the task. If none does, it looks at all its cells: those that have changed put their patterns on the
agenda. If none has changed, it marks that it is idle at this state, and says `retry`: it sleeps until one of those very
cells changes, or a guess is taken. The mark is the number of candidates left in its cells, which names the state, so a
mark is out of date by itself as soon as one of them changes. Whoever marks itself and finds all colleagues idle at the
present state was the last: nothing can be deduced. It takes a guess, which wakes the others, and each takes another. So
somebody always has something to do until the puzzle is decided, and nobody ever polls.

The work itself is done between two transactions, as one evaluation: the first reads, the second strikes whatever is
still there. Nothing has to be checked again, since what followed from more candidates follows from fewer.

What this file does not do: say who shares what with whom (contest.py, solving.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final, TypeAlias

from colony.experiments.sudoku.grid import Contradiction, bit, is_single, is_solution
from colony.experiments.sudoku.guessing import Checked, Guess, check_guess, possible_guesses
from colony.experiments.sudoku.state import EFFORT_FACTOR, Round, SudokuState, count
from colony.experiments.sudoku.strategies import SETTLING, STRATEGIES, Pattern, Seen, Strike
from colony.experiments.trial import Memory, Place
from colony.stm import Transaction, TVar, check, retry

PAID_BETWEEN_NOTES: Final = 16
"""After how many paid examinations of a guess the measurement hears of them."""


@dataclass(frozen=True, slots=True)
class Look:
    """The task to examine a pattern, which now shows this; and what is on the agenda after it."""

    pattern: Pattern
    seen: Seen
    agenda: Sequence[Pattern] = ()


@dataclass(frozen=True, slots=True)
class News:
    """The task to make a new agenda: these are the candidates of the agent's cells."""

    masks: Sequence[int]


@dataclass(frozen=True, slots=True)
class Try:
    """The task to check a guess at a grid, with so much effort."""

    masks: Sequence[int]
    guess: Guess
    effort: int


@dataclass(frozen=True, slots=True)
class Rest:
    """No task, until the cells change or this is no longer the round of guesses."""

    round: Round


Task: TypeAlias = Look | News | Try | Rest


class Solver:
    """One agent. `colleagues` are those it waits for before it guesses: all who work at the same grid, itself too.

    With `prove`, a solution that a guess finds is remembered and all else refuted, so that a solved grid is the only
    one; without it, the first solution fills the grid.
    """

    def __init__(
        self, agent: str, state: SudokuState, patterns: Sequence[Pattern], *, memory: Memory, prove: bool
    ) -> None:
        self.agent = agent
        self.state = state
        self.colleagues: Sequence[Solver] = (self,)
        self.tally: TVar[tuple[tuple[str, int], ...]] = memory.variable(f"tally/{agent}", ())
        self._patterns = list(patterns)
        self._cells = sorted({cell for pattern in patterns for cell in pattern.cells})
        self._masks: Sequence[int] = [0] * len(self._cells)
        self._agenda: Sequence[Pattern] = ()
        self._mark = memory.variable(f"idle/{agent}", -1)
        self._prove = prove
        self._examined: dict[Pattern, Seen] = {}
        self._rested: Round | None = None
        self._solved = 0

    def work(self, place: Place, puzzle: str) -> None:
        """Solve until the trial is over; the work of a `Member`."""
        place.random.shuffle(self._patterns)
        self._patterns.sort(key=lambda pattern: pattern not in SETTLING)  # eliminate and place first
        self._attempt(place, partial(self.state.set_givens, puzzle=puzzle))
        while True:
            match place.atomically(partial(self._next_task, chance=place.random.random())):
                case Look() as look:
                    self._agenda = look.agenda
                    self._examine(place, look)
                case News(masks):
                    self._renew(masks)
                case Try() as guess:
                    self._rested = None
                    self._check(place, guess)
                case Rest(now):
                    self._rested = now
            place.note(self._solved)

    # What to do next.

    def _next_task(self, t: Transaction, chance: float) -> Task:
        """Something to examine or to put on the agenda; else a guess, if all are idle; else one rest; else wait."""
        check(not t.read(self.state.verdict))
        for number, pattern in enumerate(self._agenda, 1):
            seen = pattern.see(self.state.masks(t, pattern.cells))
            if self._examined.get(pattern) != seen:
                return Look(pattern, seen, self._agenda[number:])
        masks = self.state.masks(t, self._cells)
        if masks != self._masks:
            return News(masks)
        idle, now = count(masks), t.read(self.state.round)
        if t.read(self._mark) != idle:
            t.write(self._mark, idle)
        elif now == self._rested:
            retry()
        return self._next_guess(t, chance) or Rest(now)

    def is_idle(self, t: Transaction) -> bool:
        """Whether this agent has found nothing to examine at the present state of its cells."""
        return count(self.state.masks(t, self._cells)) == t.read(self._mark)

    def _next_guess(self, t: Transaction, chance: float) -> Try | None:
        """Take a guess that nobody has taken, if nothing can be deduced; more effort once all have been in vain."""
        if not all(colleague.is_idle(t) for colleague in self.colleagues):
            return None
        masks = self.state.masks(t)
        known = t.read(self.state.solutions)
        solution = [bit(int(digit)) for digit in known[0]] if known else None
        guesses = possible_guesses(masks, len(self.colleagues), solution)
        if not guesses:
            return None
        left, effort, taken = t.read(self.state.round)
        if left != count(masks):
            taken = ()
        free = [guess for guess in guesses if guess not in taken]
        if not free:
            effort, taken, free = effort * EFFORT_FACTOR, (), guesses
        guess = free[int(chance * len(free))]
        t.write(self.state.round, (count(masks), effort, (*taken, guess)))
        return Try(masks, guess, effort)

    # Doing it.

    def _renew(self, masks: Sequence[int]) -> None:
        """Put on the agenda whatever looks at a cell that has changed."""
        changed = {cell for cell, old, new in zip(self._cells, self._masks, masks, strict=True) if old != new}
        self._agenda = [pattern for pattern in self._patterns if not changed.isdisjoint(pattern.cells)]
        self._masks = masks

    def _examine(self, place: Place, look: Look) -> None:
        pattern, seen = look.pattern, look.seen
        self._examined[pattern] = seen
        try:
            strikes = place.evaluate(partial(pattern.deduce, seen), (pattern.strategy, pattern.number, seen))
        except Contradiction:
            return self._give_up(place)
        if strikes:
            self._attempt(place, partial(self._strike, strategy=pattern.strategy, strikes=strikes))
        return None

    def _strike(self, t: Transaction, strategy: str, strikes: Sequence[Strike]) -> None:
        news = sum([self.state.strike(t, cell, gone) for cell, gone in strikes])
        if news:
            self._count(t, {strategy: news})

    def _check(self, place: Place, task: Try) -> None:
        random = Random(place.random.getrandbits(64))  # noqa: S311  # searches want a seed, not secrecy
        checked = check_guess(task.masks, task.guess, effort=task.effort, random=random)
        for number, subject in enumerate(checked.examined):  # paid for before anybody hears of it
            place.evaluate(_nothing, subject)
            if number % PAID_BETWEEN_NOTES == 0:
                place.note(self._solved)
                if place.atomically(partial(self._is_decided, guess=task.guess)):
                    return  # others know by now; what was spent on it stays spent
        self._attempt(place, partial(self._conclude, task=task, checked=checked))

    def _is_decided(self, t: Transaction, guess: Guess) -> bool:
        """Whether the cell is solved, or the digit is struck."""
        cell, digit = guess
        mask = self.state.mask(t, cell)
        return is_single(mask) or not mask & digit

    def _conclude(self, t: Transaction, task: Try, checked: Checked) -> None:
        """Strike what is refuted, remember or fill in what is solved."""
        self._count(t, {"guesses": 1, "refuted": int(checked.refuted), "rollbacks": checked.rollbacks})
        if checked.refuted:
            self.state.strike(t, *task.guess)
        elif checked.solution and self._prove:
            self.state.add_solution(t, checked.solution)
        elif checked.solution:
            self.state.fill(t, checked.solution)

    def _count(self, t: Transaction, news: Mapping[str, int]) -> None:
        """Add to what this agent has done: strikes by strategy, guesses, and assumptions taken back."""
        before = t.read(self.tally)
        total = Counter(dict(before))
        total.update(news)
        t.write(self.tally, tuple(sorted(total.items())))

    def _attempt(self, place: Place, body: Callable[[Transaction], None]) -> None:
        """Run what may contradict; remember how far the grid is, if this took it there."""

        def counted(t: Transaction) -> int:
            body(t)
            return t.read(self.state.solved_count) if self.state.solved_count in t.writes else 0

        try:
            self._solved = max(self._solved, place.atomically(counted))
        except Contradiction:
            self._give_up(place)

    def _give_up(self, place: Place) -> None:
        place.atomically(lambda t: t.write(self.state.verdict, "none"))


def referee(place: Place, state: SudokuState, puzzle: str) -> None:
    """Wait until the grid is full or the puzzle is decided otherwise, and end the group; the work of a `Member`."""

    def decided(t: Transaction) -> None:
        check(t.read(state.solved_count) == len(state.grid) or t.read(state.verdict))
        if not t.read(state.verdict):
            t.write(state.verdict, "solved" if is_solution(state.show(t), puzzle) else "none")

    place.atomically(decided)
    place.finish()


def deal(agents: int) -> list[tuple[Pattern, ...]]:
    """The patterns of each of so many agents: whole strategies for few, parts of one (rows 1 to 3, ...) for many."""
    strategies = list(STRATEGIES.values())
    if agents <= len(strategies):
        return [sum(strategies[i::agents], ()) for i in range(agents)]
    hands = []
    for i, patterns in enumerate(strategies):
        share = len(range(i, agents, len(strategies)))
        hands += [patterns[k * len(patterns) // share : (k + 1) * len(patterns) // share] for k in range(share)]
    return hands


def _nothing() -> None:
    """The work of an examination that was done inside a guess."""
