"""Each attack costs its own request and nothing else: the neighbours before and after it answer."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

import pytest

from colony.sandbox import Limits
from colony.sandbox.canary import _alive

LIMITS = Limits(
    wall_seconds=4, cpu_seconds=20, memory_bytes=64 << 20, output_bytes=100_000, processes=12, file_bytes=1 << 20
)
SHORT = Limits(
    wall_seconds=0.4, cpu_seconds=20, memory_bytes=64 << 20, output_bytes=100_000, processes=12, file_bytes=1 << 20
)
BUSY = Limits(wall_seconds=20, cpu_seconds=1, memory_bytes=64 << 20, output_bytes=100_000)


def between_neighbours(executor, attack, limits, **options):
    """The result of an attack, after the requests beside it were seen to be well."""
    before, result, after = executor.run(
        [{"do": "add", "with": [1, 2]}, attack, {"do": "add", "with": [3, 4]}], limits, **options
    )
    assert (before.status, before.value) == ("ok", 3), before
    assert (after.status, after.value) == ("ok", 7), after
    return result


def test_a_hanging_request_ends_at_the_wall_deadline(any_executor):
    """A sleeping request is ended at its deadline, and is called a timeout."""
    result = between_neighbours(any_executor, {"do": "hang"}, SHORT)
    assert result.status == "timeout"
    assert SHORT.wall_seconds <= result.wall_seconds


@pytest.mark.parametrize("attack", ["spin", "spin_below_python"])
def test_a_busy_request_ends_at_the_cpu_limit(any_executor, attack):
    """A loop, in Python or below it, is ended by its CPU limit long before the wall deadline."""
    result = between_neighbours(any_executor, {"do": attack}, BUSY)
    assert result.status == "cpu", result
    assert result.wall_seconds < BUSY.wall_seconds


@pytest.mark.parametrize(
    "attack", [{"do": "eat_memory", "with": [512 << 20]}, {"do": "eat_memory_in_pieces"}], ids=["once", "pieces"]
)
def test_eating_memory_ends_at_the_limit(any_executor, attack):
    """More memory than allowed is refused to the request, which then is said to have failed for memory."""
    assert between_neighbours(any_executor, attack, LIMITS).status == "memory"


def test_eating_memory_in_many_processes_ends_at_the_same_limit(any_executor):
    """Memory of all processes of a request counts together, where there are control groups."""
    if "cgroup" not in any_executor.isolation.tier:
        pytest.skip("needs control groups this user may write")
    attack = {"do": "eat_memory_together", "with": [40 << 20, 8]}
    result = between_neighbours(any_executor, attack, SHORT)
    assert result.status in {"timeout", "memory"}


def test_a_fork_bomb_stays_within_its_own_walls(any_executor):
    """A fork bomb is held to its number of processes and ends with all of them."""
    if any_executor.isolation.processes != "enforced":
        pytest.skip("this sandbox does not limit processes here")
    assert between_neighbours(any_executor, {"do": "bomb"}, SHORT).status == "timeout"


def test_a_flood_of_prints_is_cut_off(any_executor):
    """Endless printing fails like any file that grows too large; it blocks nobody and only a tail is kept."""
    result = between_neighbours(any_executor, {"do": "flood_prints"}, LIMITS)
    assert result.status in {"raised", "crashed"}
    assert 0 < len(result.printed) <= 4096


def test_a_result_that_is_too_large_is_refused(any_executor):
    """A result above its limit is not carried, and says how large it was."""
    result = between_neighbours(any_executor, {"do": "flood_result", "with": [300_000]}, LIMITS)
    assert result.status == "output"
    assert "300002" in result.error


def test_a_daemon_dies_with_its_request(any_executor):
    """A process that left group, session and parent behind does not outlive the request that started it."""
    name = f"dmn-{secrets.token_hex(5)}"
    result = between_neighbours(any_executor, {"do": "daemonise", "with": [name]}, LIMITS)
    assert (result.status, result.value) == ("ok", "left")
    assert _alive(name) == 0


def test_a_thread_left_behind_costs_only_the_worker(any_executor):
    """A request that leaves a thread has its value; the next one runs in a process without it."""
    assert between_neighbours(any_executor, {"do": "leave_thread"}, LIMITS).value == "left"


def test_a_crash_is_named_by_its_signal(any_executor):
    """A segmentation fault is a crash of the request."""
    result = between_neighbours(any_executor, {"do": "segfault"}, LIMITS)
    assert (result.status, result.error) == ("crashed", "ended by SIGSEGV")


def test_killing_oneself_gains_nothing(any_executor):
    """A request that kills its own process either crashes or, as the first process of a namespace, is not obeyed."""
    result = between_neighbours(any_executor, {"do": "kill_own_process"}, LIMITS)
    assert result.status == "crashed" or result.value == "still here"


@pytest.mark.parametrize("code", [0, 1, 71, 72, 200, 255])
def test_leaving_without_a_result_is_a_crash(any_executor, code):
    """No exit code can be taken for a result, nor for a failure of ours."""
    assert between_neighbours(any_executor, {"do": "leave", "with": [code]}, LIMITS).status == "crashed"


@pytest.mark.parametrize("attack", ["exit_politely", "interrupt", "not_json"])
def test_unusual_ends_are_errors_of_the_request(any_executor, attack):
    """SystemExit, KeyboardInterrupt and results that are not JSON are failures of the request."""
    assert between_neighbours(any_executor, {"do": attack}, LIMITS).status == "raised"


def test_closing_all_descriptors_costs_only_the_request(any_executor):
    """A request that closes the channel under us has no result."""
    result = between_neighbours(any_executor, {"do": "close_everything"}, SHORT)
    assert result.status in {"crashed", "protocol"}


@pytest.mark.parametrize("data", ["\0\0\0\5junk!", "\xff\xff\xff\xff", "\0\0\0\7[1,2]\n1", "\0\0\0\2\n1"])
def test_writing_to_the_channel_costs_only_the_request(any_executor, data):
    """Whatever a request writes on every descriptor it can find, it spoils its own answer only."""
    result = between_neighbours(any_executor, {"do": "spoil_channel", "with": [data]}, SHORT)
    assert result.status in {"timeout", "protocol"}


def test_trickling_bytes_does_not_move_the_deadline(any_executor):
    """A request that keeps the channel busy with half a frame is still ended at its deadline."""
    result = between_neighbours(any_executor, {"do": "trickle_channel"}, SHORT)
    assert result.status in {"timeout", "protocol"}
    assert result.wall_seconds < 10 * SHORT.wall_seconds


def test_the_home_folder_is_hidden(confined):
    """A secret in the home folder is not there."""
    secret = Path.home() / f".colony-test-{secrets.token_hex(4)}"
    secret.write_text("secret")
    try:
        result = between_neighbours(confined, {"do": "read", "with": [str(secret)]}, LIMITS)
    finally:
        secret.unlink()
    assert result.status == "raised"
    assert "No such file" in result.error


def test_the_environment_is_cleared(any_executor, monkeypatch):
    """A secret in the engine's environment is not handed on; what the host was given is."""
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    (result,) = any_executor.run([{"do": "environment"}], LIMITS)
    assert "hunter2" not in str(result.value)
    assert result.value["GIVEN"] == "yes"
    assert result.value["OMP_NUM_THREADS"] == "1"


def test_the_network_is_gone(confined):
    """A listener on the loopback address of the host is out of reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = between_neighbours(confined, {"do": "connect", "with": [server.getsockname()[1]]}, LIMITS)
    assert result.status == "raised"


def test_unix_sockets_outside_are_gone(confined, tmp_path):
    """A socket such as a container engine's is out of reach."""
    path = tmp_path / "engine.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        result = between_neighbours(confined, {"do": "connect_unix", "with": [str(path)]}, LIMITS)
    assert result.status == "raised"


def test_the_evaluators_folder_cannot_be_written(confined):
    """The folder of the host is shown, and read-only."""
    target = Path(__file__).parent / "hostile.py"
    before = target.read_bytes()
    assert between_neighbours(confined, {"do": "exists", "with": [str(target)]}, LIMITS).value is True
    assert between_neighbours(confined, {"do": "write", "with": [str(target)]}, LIMITS).status == "raised"
    assert target.read_bytes() == before


@pytest.mark.parametrize("path", ["/new", "/dev/new", "/usr/new", "/etc/new", "/proc/new", "/home/new"])
def test_nothing_outside_the_private_folders_can_be_written(confined, path):
    """The root, devices and system folders refuse new files."""
    (result,) = confined.run([{"do": "write", "with": [path]}], LIMITS)
    assert result.status == "raised"


def test_files_have_a_largest_size(any_executor, tmp_path):
    """A file above its limit cannot be written."""
    attack = {"do": "write_much", "with": ["/tmp/large", 2 << 20]}
    assert between_neighbours(any_executor, attack, LIMITS).status in {"raised", "crashed"}


def test_mounts_cannot_be_undone(confined):
    """What covers /proc cannot be taken away, and nothing can be mounted."""
    (result,) = confined.run([{"do": "mount"}], LIMITS)
    assert result.value == [-1, -1]


def test_only_one_descriptor_beside_the_standard_three(any_executor):
    """The engine's own descriptors, control groups and other requests' files are not within reach."""
    (result,) = any_executor.run([{"do": "open_descriptors"}], LIMITS)
    assert result.value == [0, 1, 2, 200]
