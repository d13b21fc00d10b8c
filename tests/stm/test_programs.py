"""Any program of verbs and containers means what it means alone, also where transactions interleave.

Programs are random nestings. One interpreter runs them on a dictionary, alone; another in a transaction. Both note what
they see, and have to see the same.
"""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from colony.stm import Memory, TBoundedQueue, TMVar, TQueue, TSemaphore, TVar, catch, check, or_else
from colony.stm.transaction import LostSignal, RetrySignal, Transaction

NAMES = "xyz"
CAPACITY = 2
PERMITS = 1
START = {"x": 0, "y": 0, "z": 0, "place": (), "queue": (), "bounded": (), "permits": PERMITS}

names, small = st.sampled_from(NAMES), st.integers(0, 3)
queues = st.sampled_from(["queue", "bounded"])
programs = st.recursive(
    st.tuples(st.just("write"), names, small)
    | st.tuples(st.sampled_from(["add", "swap"]), names, names)
    | st.tuples(st.sampled_from(["read", "check"]), names)
    | st.tuples(st.just("fail"))
    | st.tuples(st.sampled_from(["fill", "exchange"]), small)
    | st.tuples(st.sampled_from(["empty", "look", "acquire", "release"]))
    | st.tuples(st.just("put"), queues, small)
    | st.tuples(st.sampled_from(["take", "peek", "flush", "size"]), queues),
    lambda inner: (
        st.tuples(st.sampled_from(["both", "or_else"]), inner, inner)
        | st.tuples(st.sampled_from(["handle", "nested", "catch"]), inner)
    ),
    max_leaves=12,
)


class Waits(Exception):  # noqa: N818 - as `retry` is no error
    """What `retry` is to the interpreter that runs alone."""


class Interpreter:
    """What both have in common: a program is the name of a method and its arguments."""

    def __init__(self):
        self.seen = []

    def run(self, program):
        self.seen.append(getattr(self, program[0])(*program[1:]))

    def both(self, first, second):
        self.run(first)
        self.run(second)

    def fail(self):
        raise ArithmeticError

    def handle(self, inner):
        try:
            self.run(inner)
        except ArithmeticError:
            self.write("x", 9)


class Alone(Interpreter):
    """Runs programs on a dictionary: the meaning that a transaction must have."""

    def __init__(self, state):
        super().__init__()
        self.state = dict(state)

    def check_that(self, condition):
        if not condition:
            raise Waits

    def read(self, name):
        return self.state[name]

    def write(self, name, value):
        self.state[name] = value

    def add(self, name, other):
        self.state[name] += self.state[other]

    def swap(self, name, other):
        self.state[name], self.state[other] = self.state[other], self.state[name]

    def check(self, name):
        self.check_that(self.state[name] != 0)

    def nested(self, inner):
        before = dict(self.state)
        try:
            self.run(inner)
        except BaseException:
            self.state = before
            raise

    def catch(self, inner):
        try:
            self.nested(inner)
        except ArithmeticError:
            self.write("x", 9)

    def or_else(self, first, second):
        try:
            self.nested(first)
        except Waits:
            self.nested(second)

    def fill(self, value):
        self.check_that(not self.state["place"])
        self.state["place"] = (value,)

    def look(self):
        self.check_that(self.state["place"])
        return self.state["place"][0]

    def empty(self):
        value = self.look()
        self.state["place"] = ()
        return value

    def exchange(self, value):
        had = self.look()
        self.state["place"] = (value,)
        return had

    def put(self, queue, item):
        self.check_that(queue != "bounded" or len(self.state[queue]) < CAPACITY)
        self.state[queue] += (item,)

    def peek(self, queue):
        self.check_that(self.state[queue])
        return self.state[queue][0]

    def take(self, queue):
        item = self.peek(queue)
        self.state[queue] = self.state[queue][1:]
        return item

    def flush(self, queue):
        items, self.state[queue] = list(self.state[queue]), ()
        return items

    def size(self, queue):
        return not self.state[queue], queue == "bounded" and len(self.state[queue])

    def acquire(self):
        self.check_that(self.state["permits"])
        self.state["permits"] -= 1

    def release(self):
        self.state["permits"] += 1


class Shared:
    """One memory, with a variable or a container for each name of a state."""

    def __init__(self):
        self.memory = Memory()
        self.variables = {name: TVar(0, name, memory=self.memory) for name in NAMES}
        self.place = TMVar(memory=self.memory)
        self.queues = {
            "queue": TQueue(memory=self.memory),
            "bounded": TBoundedQueue(CAPACITY, memory=self.memory),
        }
        self.permits = TSemaphore(PERMITS, memory=self.memory)

    def state(self):
        """Return the state, read in a transaction that is then forgotten."""
        t = Transaction(self.memory)
        place = self.place.try_take(t)
        return {
            **{name: variable.value for name, variable in self.variables.items()},
            "place": () if place is None else (place,),
            **{name: tuple(queue.flush(t)) for name, queue in self.queues.items()},
            "permits": self.permits.value(t),
        }


class Together(Interpreter):
    """Runs the same programs in a transaction, by the verbs."""

    def __init__(self, shared, t):
        super().__init__()
        self.shared = shared
        self.t = t

    def body(self, program):
        return lambda _: self.run(program)

    def read(self, name):
        return self.t.read(self.shared.variables[name])

    def write(self, name, value):
        self.t.write(self.shared.variables[name], value)

    def add(self, name, other):
        self.t.modify(self.shared.variables[name], lambda value: value + self.read(other))

    def swap(self, name, other):
        self.write(name, self.t.swap(self.shared.variables[other], self.read(name)))

    def check(self, name):
        check(self.read(name))

    def nested(self, inner):
        self.t.nested(self.body(inner))

    def catch(self, inner):
        catch(self.body(inner), lambda _, error: self.write("x", 9), ArithmeticError)(self.t)

    def or_else(self, first, second):
        or_else(self.body(first), self.body(second))(self.t)

    def fill(self, value):
        self.shared.place.put(self.t, value)

    def look(self):
        return self.shared.place.read(self.t)

    def empty(self):
        return self.shared.place.take(self.t)

    def exchange(self, value):
        return self.shared.place.swap(self.t, value)

    def put(self, queue, item):
        self.shared.queues[queue].put(self.t, item)

    def peek(self, queue):
        return self.shared.queues[queue].peek(self.t)

    def take(self, queue):
        return self.shared.queues[queue].take(self.t)

    def flush(self, queue):
        return self.shared.queues[queue].flush(self.t)

    def size(self, queue):
        place = self.shared.queues[queue]
        return place.is_empty(self.t), queue == "bounded" and place.length(self.t)

    def acquire(self):
        self.shared.permits.acquire(self.t)

    def release(self):
        self.shared.permits.release(self.t)


def alone(programs, state):
    """Run `programs` one after the other from `state`; return what was seen, how it ended, and the state after it."""
    interpreter = Alone(state)
    try:
        for program in programs:
            interpreter.run(program)
    except (Waits, ArithmeticError) as error:
        return interpreter.seen, type(error), dict(state)
    return interpreter.seen, None, interpreter.state


@settings(deadline=None)
@given(st.lists(programs, max_size=6))
def test_any_program_means_what_it_means_alone(sequence):
    """Any nesting of the verbs, containers, errors and handlers sees, ends and leaves what it does alone."""
    shared, state = Shared(), START
    for program in sequence:
        seen, expected, state = alone([program], state)
        t, ending = Transaction(shared.memory), None
        together = Together(shared, t)
        try:
            if not t.attempt(together.body(program)):
                ending = Waits
        except ArithmeticError:
            ending = ArithmeticError
        assert (together.seen, ending) == (seen, expected)
        assert shared.state() == state


class Run:
    """An open transaction, and what it has done so far."""

    def __init__(self, shared, began):
        self.t = Transaction(shared.memory)
        self.together = Together(shared, self.t)
        self.began = began
        self.programs = []
        self.alive = True

    def fits(self, state, ending=None):
        """Whether all that this run has done and seen would be so if it had run alone from `state`."""
        seen, ended, _ = alone(self.programs, state)
        return (seen, ended) == (self.together.seen, ending)


class Interleavings(RuleBasedStateMachine):
    """Transactions whose programs interleave in any order, against the list of all states that were ever committed."""

    runs = Bundle("runs")

    def __init__(self):
        super().__init__()
        self.shared = Shared()
        self.states = [START]

    @rule(target=runs)
    def begin(self):
        return Run(self.shared, len(self.states) - 1)

    @rule(run=runs, program=programs)
    def step(self, run, program):
        """Whatever a run sees and runs into, also one that is doomed, could be in one state since it began."""
        if not run.alive:
            return
        ending = None
        run.programs.append(program)
        try:
            run.together.run(program)
        except LostSignal:
            run.alive = False
            assert len(self.states) > run.began + 1
            return
        except RetrySignal:
            ending = Waits
        except ArithmeticError:
            ending = ArithmeticError
        run.alive = ending is None
        assert any(run.fits(state, ending) for state in self.states[run.began :])

    @rule(run=runs)
    def commit(self, run):
        """A commit with writes is what the run would have done alone, from the last state to the next."""
        if not run.alive:
            return
        run.alive = False
        try:
            assert run.t._commit()
        except LostSignal:
            assert len(self.states) > run.began + 1
            return
        if run.t.writes:
            assert run.fits(self.states[-1])
            self.states.append(alone(run.programs, self.states[-1])[2])

    @invariant()
    def published(self):
        assert self.shared.state() == self.states[-1]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
