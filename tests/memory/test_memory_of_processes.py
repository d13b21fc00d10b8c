"""Agents in real processes share one memory through the node: nothing lost, nothing seen apart, nobody left asleep."""

import signal
from functools import partial

import pytest
from remote_agents import ACCOUNTS, START
from serving import agent, ended, until

from colony.memory.named_memory import NamedMemory, commits
from colony.memory.remote.served_memory import serve
from colony.primitives.limits import REMOTE_LOSSES_MAX
from colony.stm import check


@pytest.fixture
def records():
    return []


@pytest.fixture
def memory(records):
    return NamedMemory(records.extend)


@pytest.fixture
def server(memory, tmp_path):
    with serve(memory, tmp_path / "s") as served:
        yield served


def put(variable, value, t):
    t.write(variable, value)


def add(variable, t):
    t.write(variable, t.read(variable) + 1)


def test_no_update_is_lost(memory, server, records):
    """Four processes and the node increment one variable, and each increment is recorded with its agent."""
    processes = [agent(server.path, "count", 60) for _ in range(4)]
    count = memory.variable("count", 0)
    for _ in range(60):
        memory.atomically(partial(add, count), agent="node")
    ended(*processes)
    assert count.value == 300
    assert [commit.changes["count"] for commit in commits(records)] == list(range(1, 301))
    assert {commit.agent for commit in commits(records)} == {"node", *(f"process {each.pid}" for each in processes)}


def test_auditors_never_see_money_under_way(memory, server):
    """Two processes move money and two add it up, one account after the other: every sum is the same."""
    tellers = [agent(server.path, "transfer", 80, seed) for seed in (1, 2)]
    auditors = [agent(server.path, "audit", 60) for _ in range(2)]
    ended(*tellers)
    total = START * len(ACCOUNTS)
    assert ended(*auditors) == [[str(total)], [str(total)]]
    assert sum(memory.state()[name] for name in ACCOUNTS) == total


def test_write_skew_is_refused_across_processes(memory, server):
    """Each of two doctors goes off call if the other one is on; in no round are both off."""
    rounds = 30
    doctors = [agent(server.path, "doctor", *names, rounds) for names in (("a", "b"), ("b", "a"))]
    variables = memory.variables({"a": True, "b": True, "done a": 0, "done b": 0, "round": 0})
    a, b, done_a, done_b, now = variables.values()
    for number in range(1, rounds + 1):
        memory.atomically(lambda t, number=number: [put(a, True, t), put(b, True, t), put(now, number, t)])
        memory.atomically(lambda t, number=number: check(t.read(done_a) == t.read(done_b) == number))
        assert a.value != b.value
    ended(*doctors)


def test_a_process_that_sleeps_is_woken_by_another_process_and_by_the_node(memory, server):
    """What wakes a blocked `retry` is a commit to what it has read, wherever that is made."""
    door = memory.variable("door", 0)
    sleeper = agent(server.path, "follow", "door", 3)
    for number in (1, 2, 3):
        until(lambda: door.waiters)
        if number == 2:
            ended(agent(server.path, "write", "door", number))
        else:
            memory.atomically(partial(put, door, number))
        assert sleeper.stdout.readline() == f"{number}\n"
    ended(sleeper)


def test_a_process_killed_in_its_turn_leaves_nothing_behind(memory, server):
    """The memory is whole, the turn has ended, and the others go on at once."""
    hot = memory.variable("hot", 0)
    process = agent(server.path, "stall", "hot")
    assert process.stdout.readline() == "turn\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    memory.atomically(partial(add, hot))
    until(lambda: not server.statistics().connections)
    assert hot.value == REMOTE_LOSSES_MAX + 1
    assert memory.memory.holds == []


def test_a_process_killed_at_any_moment_leaves_whole_commits_only(memory, server, records):
    """Money is conserved, and what was acknowledged is there, and at most one commit more."""
    processes = {seed: agent(server.path, "transfer", 100_000, seed) for seed in range(3)}
    acknowledged = {}
    for seed, process in processes.items():
        for _ in range(20 + 7 * seed):
            process.stdout.readline()
        process.kill()
        lines = process.communicate()[0].splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        acknowledged[seed] = int(whole[-1]) if whole else 20 + 7 * seed
    until(lambda: not server.statistics().connections)
    state = memory.state()
    assert sum(state[name] for name in ACCOUNTS) == START * len(ACCOUNTS)
    for seed, count in acknowledged.items():
        assert count <= state[f"transfers {seed}"] <= count + 1
    assert all(len(commit.changes) == 3 for commit in commits(records))
