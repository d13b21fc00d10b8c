"""Any program of the verbs means what it means alone: random nestings against a serial interpreter."""

from hypothesis import given, settings
from hypothesis import strategies as st

from colony.stm import Memory, TVar, catch, check, or_else
from colony.stm.transaction import Transaction

NAMES = "xyz"
names = st.sampled_from(NAMES)
programs = st.recursive(
    st.tuples(st.just("write"), names, st.integers(0, 3))
    | st.tuples(st.just("add"), names, names)
    | st.tuples(st.just("swap"), names, names)
    | st.tuples(st.just("check"), names)
    | st.tuples(st.just("fail")),
    lambda inner: (
        st.tuples(st.sampled_from(["both", "or_else"]), inner, inner)
        | st.tuples(st.sampled_from(["handle", "nested", "catch"]), inner)
    ),
    max_leaves=12,
)


class Waits(Exception):  # noqa: N818 - as `retry` is no error
    """What `retry` is to the serial interpreter."""


class Alone:
    """Runs a program alone on a dictionary: the meaning that a transaction must have."""

    def __init__(self, state):
        self.state = state

    def run(self, program):
        getattr(self, program[0])(*program[1:])

    def write(self, name, value):
        self.state[name] = value

    def add(self, name, other):
        self.state[name] += self.state[other]

    def swap(self, name, other):
        self.state[name], self.state[other] = self.state[other], self.state[name]

    def check(self, name):
        if self.state[name] == 0:
            raise Waits

    def fail(self):
        raise ArithmeticError

    def both(self, first, second):
        self.run(first)
        self.run(second)

    def handle(self, inner):
        try:
            self.run(inner)
        except ArithmeticError:
            self.state["x"] = 9

    def nested(self, inner):
        before = dict(self.state)
        try:
            self.run(inner)
        except BaseException:
            self.state.update(before)
            raise

    def catch(self, inner):
        self.handle(("nested", inner))

    def or_else(self, first, second):
        try:
            self.nested(first)
        except Waits:
            self.nested(second)


class Together:
    """Runs the same program in a transaction, by the verbs."""

    def __init__(self, variables, t):
        self.variables = variables
        self.t = t

    def run(self, program):
        getattr(self, program[0])(*program[1:])

    def body(self, program):
        return lambda t: Together(self.variables, t).run(program)

    def write(self, name, value):
        self.t.write(self.variables[name], value)

    def add(self, name, other):
        self.t.modify(self.variables[name], lambda value: value + self.t.read(self.variables[other]))

    def swap(self, name, other):
        self.write(name, self.t.swap(self.variables[other], self.t.read(self.variables[name])))

    def check(self, name):
        check(self.t.read(self.variables[name]))

    fail = Alone.fail
    both = Alone.both

    def handle(self, inner):
        try:
            self.run(inner)
        except ArithmeticError:
            self.write("x", 9)

    def nested(self, inner):
        self.t.nested(self.body(inner))

    def catch(self, inner):
        catch(self.body(inner), lambda t, error: Together(self.variables, t).write("x", 9), ArithmeticError)(self.t)

    def or_else(self, first, second):
        or_else(self.body(first), self.body(second))(self.t)


def alone(program, state):
    """Return the state after `program`, and what it ended with; a program that did not return changes nothing."""
    after = dict(state)
    try:
        Alone(after).run(program)
    except (Waits, ArithmeticError) as error:
        return state, type(error)
    return after, None


def together(program, variables, memory):
    """Attempt `program` as a transaction once, and return what it ended with."""
    try:
        done = Transaction(memory).attempt(lambda t: Together(variables, t).run(program))
    except ArithmeticError:
        return ArithmeticError
    return None if done else Waits


@settings(deadline=None)
@given(st.lists(programs, max_size=6))
def test_any_program_of_the_verbs_means_what_it_means_alone(sequence):
    """Any nesting of the verbs, errors and handlers ends and leaves what a serial interpreter does."""
    memory = Memory()
    state, variables = dict.fromkeys(NAMES, 0), {name: TVar(0, name, memory=memory) for name in NAMES}
    for program in sequence:
        state, expected = alone(program, state)
        assert together(program, variables, memory) is expected
        assert {name: variable.value for name, variable in variables.items()} == state
