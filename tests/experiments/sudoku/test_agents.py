"""The agents: who waits for what, who wakes for what, and that nobody guesses while anything can be deduced."""

from functools import partial

import pytest

from colony.experiments.sudoku.agents import Look, News, Rest, Solver, Try, deal
from colony.experiments.sudoku.grid import CELLS, bit, is_solution
from colony.experiments.sudoku.puzzles import published_puzzles
from colony.experiments.sudoku.solving import solve
from colony.experiments.sudoku.state import EFFORT_FACTOR, EFFORT_FIRST, SudokuState, count
from colony.experiments.sudoku.strategies import STRATEGIES
from colony.experiments.trial import Group, Member, Place, Purse, Setting, Team, run_trial
from colony.memory.named_memory import NamedMemory
from colony.primitives.clock import SystemClock
from colony.stm import Transaction

ALL = deal(1)[0]


@pytest.fixture
def memory():
    return NamedMemory()


@pytest.fixture
def state(memory):
    return SudokuState(memory)


@pytest.fixture
def place(memory):
    return Place("tester", Group(memory, Purse(None)), Setting(), SystemClock(), None)


def solver(state, memory, patterns, agent="one"):
    return Solver(agent, state, patterns, memory=memory, prove=True)


def ask(agent, memory):
    """The agent's next task, once it knows of all changes; carried out as far as only the agent itself is concerned."""
    while isinstance(task := memory.atomically(partial(agent._next_task, chance=0.5)), News):
        agent._renew(task.masks)
    if isinstance(task, Look):
        agent._agenda = task.agenda
    elif isinstance(task, Rest):
        agent._rested = task.round
    return task


def work_off(agent, memory, place):
    """Let an agent examine whatever it has; its first other task."""
    while isinstance(task := ask(agent, memory), Look):
        agent._examine(place, task)
    return task


def woken_by(agent, memory):
    """The variables that a blocked agent waits for; fails if it has something to do."""
    transaction = Transaction(memory.memory)
    assert not transaction.attempt(partial(agent._next_task, chance=0.5))
    return set(transaction.reads)


def test_a_blocked_agent_waits_for_its_own_cells_alone(memory, state, place):
    """An agent of rows 1 to 3 is woken by their cells and by the round of guesses, and by no other cell."""
    one = solver(state, memory, STRATEGIES["rows"][:3])
    two = solver(state, memory, STRATEGIES["rows"][3:], "two")
    one.colleagues = two.colleagues = (one, two)
    assert isinstance(work_off(one, memory, place), Rest)
    waits_for = woken_by(one, memory)
    assert waits_for == {*state.candidates[:27], state.round, state.verdict, one._mark}


def test_a_mark_is_out_of_date_by_itself(memory, state, place):
    """Idle means idle at this state: a change of its cells alone makes an agent busy for others to see."""
    one = solver(state, memory, STRATEGIES["rows"][:3])
    two = solver(state, memory, STRATEGIES["rows"][3:], "two")
    one.colleagues = two.colleagues = (one, two)
    work_off(one, memory, place)
    assert memory.atomically(one.is_idle)
    memory.atomically(lambda t: state.strike(t, 80, bit(1)))
    assert memory.atomically(one.is_idle)
    memory.atomically(lambda t: state.strike(t, 0, bit(1)))
    assert not memory.atomically(one.is_idle)


def stuck(memory, state, place, hands):
    """Agents at the hardest puzzle, when nothing can be deduced any more; the last of them has just taken a guess."""
    agents = [solver(state, memory, hand, f"agent {i}") for i, hand in enumerate(hands)]
    for agent in agents:
        agent.colleagues = agents
    memory.atomically(lambda t: state.set_givens(t, published_puzzles()["fata-morgana"].puzzle))
    for agent in agents * 100:
        if isinstance(task := work_off(agent, memory, place), Try):
            return agents, agent, task
    raise AssertionError("nobody guessed")


def test_the_last_to_be_idle_guesses_and_wakes_the_others(memory, state, place):
    """A guess is taken when all are idle, never before; then every other agent takes a different one."""
    agents, guesser, first = stuck(memory, state, place, deal(4))
    assert all(memory.atomically(agent.is_idle) for agent in agents)
    for agent in agents:
        for pattern in agent._patterns:
            assert agent._examined[pattern] == pattern.see([first.masks[cell] for cell in pattern.cells])
    others = [ask(agent, memory) for agent in agents if agent is not guesser]
    assert all(isinstance(task, Try) for task in others)
    assert len({task.guess for task in (first, *others)}) == len(agents)


def test_nobody_guesses_while_one_is_busy(memory, state, place):
    """One agent with something to examine keeps all others from guessing."""
    agents, _, _ = stuck(memory, state, place, deal(4))
    for agent in agents:
        agent._rested = None
    cell = next(c for c in CELLS if count([memory.atomically(partial(state.mask, cell=c))]) > 2)
    memory.atomically(lambda t: state.strike(t, cell, 1 << (state.mask(t, cell).bit_length() - 1)))
    tasks = [ask(agent, memory) for agent in agents]
    assert any(isinstance(task, Look) for task in tasks)
    assert not any(isinstance(task, Try) for task in tasks)


def test_more_effort_once_every_guess_was_taken(memory, state, place):
    """A round of guesses that all stay undecided is followed by one with more effort."""
    _, agent, task = stuck(memory, state, place, deal(1))
    efforts = [task.effort]
    while efforts[-1] == EFFORT_FIRST:
        agent._rested = None
        efforts.append(memory.atomically(partial(agent._next_task, chance=0.0)).effort)
    assert efforts[-1] == EFFORT_FIRST * EFFORT_FACTOR


def test_a_refuted_guess_is_struck(memory, state, place):
    """A guess that contradicts costs its cell that candidate, and no other cell anything."""
    _, agent, task = stuck(memory, state, place, deal(1))
    before = memory.atomically(state.masks)
    while not dict(agent.tally.value).get("refuted"):
        agent._check(place, task)
        agent._rested = None
        refuted, task = task.guess, memory.atomically(partial(agent._next_task, chance=0.0))
    after = memory.atomically(state.masks)
    assert [(cell, old ^ new) for cell, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [
        refuted
    ]


def test_a_guess_is_dropped_once_others_have_decided_it(memory, state, place):
    """What is known by the time it is thought through is not told again, and is not paid to the end."""
    _, agent, task = stuck(memory, state, place, deal(1))
    memory.atomically(lambda t: state.strike(t, *task.guess))
    before = place.evaluations
    agent._check(place, task)
    assert place.evaluations == before + 1
    assert "guesses" not in dict(agent.tally.value)


@pytest.mark.parametrize("agents", [1, 2, 3, 4, 8, 9, 16, 40])
def test_dealing(agents):
    """Every pattern is in exactly one hand, no hand is empty, and few agents have whole strategies."""
    hands = deal(agents)
    assert len(hands) == agents
    assert all(hands)
    dealt = [pattern for hand in hands for pattern in hand]
    assert len(dealt) == len(set(dealt)) == sum(map(len, STRATEGIES.values()))
    if agents <= len(STRATEGIES):
        assert all(set(STRATEGIES[pattern.strategy]) <= set(hand) for hand in hands for pattern in hand)


def test_sixteen_share_strategies_by_units():
    """With more agents than strategies each has a part: so many rows, and nothing else."""
    assert {pattern.strategy for pattern in deal(16)[0]} == {"rows"}
    assert [pattern.number for pattern in deal(16)[0]] == [0, 1, 2, 3]


def test_evaluations_are_counted_inside_guesses_too():
    """Each examination of a guess is one evaluation, paid before its result is known to anybody."""
    easy, hard = (solve(published_puzzles()[name].puzzle, agents=1) for name in ("example", "fata-morgana"))
    assert easy.measurement.evaluations < 1000 < hard.measurement.evaluations


def test_an_unpaid_guess_changes_nothing():
    """A budget that ends during a guess ends it without a result."""
    found = solve(published_puzzles()["fata-morgana"].puzzle, agents=1, evaluations_max=250)
    assert found.reason == "unfinished"
    assert (found.guesses, found.refuted) == (0, 0)


def test_without_guesses_the_swarm_would_wait_for_ever(monkeypatch):
    """It is the guess that keeps a stuck grid going: without it only the end of the time ends the trial."""
    monkeypatch.setattr(Solver, "_next_guess", lambda *_args: None)
    found = solve(published_puzzles()["fata-morgana"].puzzle, agents=4, wall_seconds_max=0.3)
    assert found.reason == "unfinished"
    assert found.solved_cells < 81


def test_a_crowded_grid_is_still_right():
    """Forty agents on one grid, with conflicts or without, come to the same end."""
    puzzle = published_puzzles()["ai-escargot"].puzzle
    assert is_solution(solve(puzzle, agents=40).solution, puzzle)


def test_an_agent_that_fails_ends_the_trial(memory, state):
    """An error in one agent reaches the caller, and no other agent stays blocked."""

    def fail(_place):
        raise ZeroDivisionError

    group = Group(memory, Purse(None))
    waiting = solver(state, memory, ALL)
    members = [Member("one", group, partial(waiting.work, puzzle="0" * 81)), Member("two", group, fail)]
    with pytest.raises(ZeroDivisionError):
        run_trial(Team(members, gauge=None), Setting(agents=2, wall_seconds_max=10))
