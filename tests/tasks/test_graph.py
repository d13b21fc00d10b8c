"""The graph: readiness as defined, changes that equal a rebuilt graph, paths, cycles and what is missing."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import HOUR, IDS, NOW, edges, links, task, tasks

from colony.tasks.order.graph import Obstacle, TaskGraph
from colony.tasks.order.scoring import Ranking
from colony.tasks.task import Edge, State

changes = st.lists(
    st.one_of(
        st.tuples(st.just("put"), tasks),
        st.tuples(st.just("remove"), st.sampled_from(IDS)),
        st.tuples(st.just("link"), links),
        st.tuples(st.just("unlink"), links),
    ),
    max_size=25,
)


def standing(graph):
    """All that can be asked of every task."""
    return {
        node.id: (
            node.path_seconds,
            node.waits,
            node.blocks,
            sorted(other.id for other in node.before),
            sorted(other.id for other in node.soft_before),
            graph.path(node.id),
            graph.obstacles(node.id, NOW),
        )
        for node in map(graph.node, ids_of(graph))
    }


def ids_of(graph):
    return [one for one in IDS if one in graph]


def done(graph, task_id):
    return msgspec.structs.replace(graph[task_id], state=State.DONE)


@settings(max_examples=1_000, deadline=None)
@given(st.lists(tasks, max_size=8, unique_by=lambda one: one.id), st.lists(links, max_size=14), changes)
def test_changes_equal_a_rebuilt_graph(first, joined, then):
    """After any sequence of changes, the graph and the order are those that would be built from scratch."""
    known, known_edges = {one.id: one for one in first}, dict.fromkeys(joined)
    ranking = Ranking(TaskGraph(first, joined))
    for verb, what in then:
        if verb == "put":
            known[what.id] = what
        elif verb == "remove":
            if what not in known:
                continue
            del known[what]
        elif verb == "link":
            known_edges.setdefault(what)
        else:
            known_edges.pop(what, None)
        getattr(ranking, verb)(what)
    fresh = Ranking(TaskGraph(known.values(), known_edges))
    assert standing(ranking.graph) == standing(fresh.graph)
    assert ranking.graph.statistics() == fresh.graph.statistics()
    assert ranking.graph.critical_path() == fresh.graph.critical_path()
    assert list(ranking.ready(NOW)) == list(fresh.ready(NOW))
    assert ranking.every(NOW) == fresh.every(NOW)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(tasks, max_size=8, unique_by=lambda one: one.id),
    st.lists(links, max_size=14),
    st.integers(NOW - 2, NOW + 2),
)
def test_readiness_is_what_it_is_defined_to_be(some, joined, now):
    """Runnable: pending or with an ended lease, not held, every hard predecessor there and done."""
    graph = TaskGraph(some, joined)
    known = {one.id: one for one in some}
    counted = [edge for edge in joined if edge.kind == "^" and edge not in graph.statistics().aside]

    def runnable(one):
        ended = one.lease_expires is not None and one.lease_expires <= now
        is_free = one.state is State.PENDING or (one.state in {State.AGENT_ASSIGNED, State.AGENT_EXECUTING} and ended)
        needs = [edge.before for edge in counted if edge.after == one.id]
        return is_free and not one.held and all(n in known and known[n].state is State.DONE for n in needs)

    expected = {one.id for one in some if runnable(one)}
    assert {one for one in known if graph.is_runnable(one, now)} == expected
    assert {scored.task.id for scored in Ranking(graph).ready(now)} == expected


@settings(max_examples=200, deadline=None)
@given(st.lists(tasks, max_size=8, unique_by=lambda one: one.id), st.lists(links, max_size=14))
def test_the_path_is_the_longest_of_all_chains(some, joined):
    """A task's path is as long as the longest of all chains of unfinished tasks that begin with it."""
    graph = TaskGraph(some, joined)

    def longest(node):
        if not node.is_unfinished:
            return 0.0
        return graph.duration_seconds(node.task) + max((longest(other) for other in node.after), default=0.0)

    for one in some:
        node = graph.node(one.id)
        assert node.path_seconds == longest(node)
        chain, seconds = graph.path(one.id)
        assert sum(graph.duration_seconds(graph[other]) for other in chain) == pytest.approx(seconds)


def test_the_reasons_are_named():
    """Whoever asks why a task cannot start is told every reason and every task to blame."""
    graph = TaskGraph([task("a"), task("b", state=State.FAILED), task("c", held=True)], edges("a>c b>c ghost>c c;a"))
    assert graph.obstacles("c", NOW) == (
        Obstacle("a human holds it"),
        Obstacle("it needs what is not done", ("a", "b")),
        Obstacle("it needs what nobody has added", ("ghost",)),
    )
    assert not graph.obstacles("a", NOW)
    assert graph.obstacles("b", NOW) == (Obstacle("it failed, and nobody has reopened it"),)


@pytest.mark.parametrize("state", State)
def test_every_state_is_runnable_or_says_why_not(state):
    """Only a pending task may be claimed by whoever comes; every other state names its reason."""
    graph = TaskGraph([task("a", state=state)])
    assert graph.is_runnable("a", NOW) == (state is State.PENDING)
    assert all(obstacle.reason for obstacle in graph.obstacles("a", NOW))


def test_an_ended_lease_frees_a_task():
    """A claimed task may be claimed again from the moment that its lease ends, and never while it has no end."""
    graph = TaskGraph([task("a", state=State.AGENT_EXECUTING, agent="ada", lease_expires=NOW)])
    assert not graph.is_runnable("a", NOW - 1)
    assert graph.is_runnable("a", NOW)
    graph.put(task("a", state=State.AGENT_EXECUTING, agent="ada"))
    assert graph.obstacles("a", NOW) == (Obstacle("ada has it"),)


def test_a_cycle_blocks_nobody():
    """The edge that closes a cycle is set aside, in the order given, and judged anew when another is removed."""
    graph = TaskGraph([task(one) for one in "abcd"], edges("a>b b>c c>a a>a c>d"))
    assert graph.statistics().aside == (Edge("c", "a"), Edge("a", "a"))
    assert graph.path("a").tasks == ("a", "b", "c", "d")
    graph.unlink(Edge("b", "c"))
    assert graph.statistics().aside == (Edge("a", "a"),)
    assert graph.path("c").tasks == ("c", "a", "b")
    graph.link(Edge("b", "c"))
    assert graph.statistics().aside == (Edge("a", "a"), Edge("b", "c"))


def test_a_missing_task_blocks_until_it_is_added_and_done():
    """What edges name and nobody has added blocks and is listed; a task that is removed blocks again."""
    graph = TaskGraph([task("b")], edges("a>b"))
    assert graph.statistics().missing == ("a",)
    graph.put(task("a"))
    assert graph.obstacles("b", NOW) == (Obstacle("it needs what is not done", ("a",)),)
    graph.put(done(graph, "a"))
    assert graph.is_runnable("b", NOW)
    graph.remove("a")
    assert graph.obstacles("b", NOW) == (Obstacle("it needs what nobody has added", ("a",)),)
    with pytest.raises(KeyError):
        graph.node("a")


def test_completing_a_task_changes_nobody_above_it():
    """Completion touches the task and who needs it; no path is measured anew, since all above it is finished."""
    chain = [task(one, estimate_seconds=HOUR) for one in "abcd"]
    graph = TaskGraph(chain, edges("a>b b>c c>d"))
    graph.put(done(graph, "a"))
    graph.put(done(graph, "b"))
    upheavals = graph.upheavals
    assert graph.put(done(graph, "c")) == {"b", "c", "d"}
    assert graph.upheavals == upheavals
    assert [graph.node(one).path_seconds for one in "abcd"] == [0.0, 0.0, 0.0, HOUR]


def test_a_task_finished_out_of_order_shortens_the_paths_above():
    """Where somebody finishes a task before what it needs, whoever leads to it has less before them."""
    graph = TaskGraph([task(one, estimate_seconds=HOUR) for one in "abc"], edges("a>b b>c"))
    assert graph.path("a") == (("a", "b", "c"), 3 * HOUR)
    graph.put(done(graph, "b"))
    assert graph.path("a") == (("a",), HOUR)


def test_an_estimate_tells_of_others_of_its_kind():
    """A task without an estimate is taken to last as long as the median of its kind, else of all, else an hour."""
    graph = TaskGraph([task("a", kind="run"), task("b", kind="run"), task("c")])
    assert [graph.node(one).path_seconds for one in "abc"] == [HOUR, HOUR, HOUR]
    graph.put(task("b", kind="run", estimate_seconds=60.0))
    assert [graph.node(one).path_seconds for one in "abc"] == [60.0, 60.0, 60.0]
    graph.put(task("c", estimate_seconds=30.0))
    assert [graph.node(one).path_seconds for one in "abc"] == [60.0, 60.0, 30.0]


class Counting(TaskGraph):
    """A graph that counts how often it measures every path."""

    measured = 0

    def _weigh_all(self):
        self.measured += 1
        return super()._weigh_all()


def test_many_new_estimates_are_measured_together():
    """However many estimates move the median, every path is measured once, when somebody next asks."""
    graph = Counting([task(one) for one in "abc"], edges("a>b b>c"))
    for seconds in (60.0, 120.0, 30.0):
        graph.put(task("c", estimate_seconds=seconds))
    assert graph.measured == 1
    assert graph.path("a").seconds == 90.0
    assert graph.measured == 2


def test_the_critical_path_is_by_duration():
    """Two long tasks in a row outweigh four short ones; of equals, the older chain is named."""
    short = [task(one, estimate_seconds=60.0) for one in "abcd"]
    graph = TaskGraph([*short, task("x", estimate_seconds=HOUR), task("y")], edges("a>b b>c c>d x>y"))
    assert graph.critical_path() == (("x", "y"), HOUR + 60.0)
    assert TaskGraph().critical_path() == ((), 0.0)


def test_many_diamonds_are_measured_once_each():
    """A change below sixty diamonds in a row, with 2 to the 60 chains, is done at once."""
    some = [task("start"), *(task(f"{side}{n}") for n in range(60) for side in "lrm")]
    joined, last = [], "start"
    for n in range(60):
        joined += edges(f"{last}>l{n} {last}>r{n} l{n}>m{n} r{n}>m{n}")
        last = f"m{n}"
    graph = TaskGraph(some, joined)
    graph.put(task("end", estimate_seconds=None))
    graph.link(Edge(last, "end"))
    assert graph.node("start").path_seconds == (1 + 120 + 1) * HOUR
    graph.put(task("end", state=State.DONE))
    assert graph.node("start").path_seconds == 121 * HOUR
