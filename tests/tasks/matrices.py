"""Small matrices for tests: tasks by id, edges by text, and random ones. Holds no tests."""

from hypothesis import strategies as st

from colony.tasks.task import Edge, State, Task

IDS = tuple("abcdefgh")
HOUR = 3_600.0
NOW = 1_700_000_000_000


def task(task_id, **fields):
    """A task of an id; everything else as given, or as it is by default."""
    return Task(id=task_id, title=f"title of {task_id}", **fields)


def edges(text):
    """`a>b a;c` is the hard edge from a to b and the soft one from a to c."""
    found = []
    for word in text.split():
        kind = ">" if ">" in word else ";"
        before, after = word.split(kind)
        found.append(Edge(before, after, "^" if kind == ">" else ";"))
    return found


def made_at(milliseconds):
    """The hybrid timestamp of a moment."""
    return f"{milliseconds:012x}-0000"


tasks = st.builds(
    Task,
    id=st.sampled_from(IDS),
    title=st.just("random"),
    state=st.sampled_from([*State, State.PENDING, State.DONE, State.DONE]),
    priority=st.integers(1, 5),
    stars=st.integers(0, 3),
    heat=st.none() | st.floats(-10, 10),
    kind=st.sampled_from(["work", "run"]),
    estimate_seconds=st.none() | st.sampled_from([1e-6, 60.0, HOUR, 7_200.0, 1e9]),
    created=st.sampled_from(["", made_at(NOW - 10**8), made_at(NOW)]),
    agent=st.sampled_from([None, "ada"]),
    held=st.booleans(),
    lease_expires=st.none() | st.sampled_from([NOW - 1, NOW, NOW + 1]),
)
links = st.builds(Edge, st.sampled_from(IDS), st.sampled_from(IDS), st.sampled_from(["^", "^", "^", ";"]))
