# ruff: noqa: T201, PTH123, PTH110, PTH202, PTH208  (attacks speak to the system in its plainest words)
"""The host under attack: loaded inside a sandbox, its handle does to it whatever a request says."""

import ctypes
import os
import random
import signal
import socket
import sys
import threading
import time


def build(argument):
    random.seed(7)
    return lambda request: globals()[request["do"]](*request.get("with", ()))


def given(argument, function):
    return function


def broken(argument):
    print("about to fail")
    raise RuntimeError("no evaluator here")


def sleeper(argument):
    time.sleep(60)


def echo(value):
    return value


def add(*values):
    return sum(values)


def say(text):
    print(text)
    return "said"


def hang():
    time.sleep(60)


def spin():
    while True:
        pass


def spin_below_python():
    sum(iter(lambda: 0, 1))


def eat_memory(size_bytes):
    block = bytearray(b"1") * size_bytes
    return len(block)


def eat_memory_in_pieces():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def eat_memory_together(size_bytes, processes):
    for _ in range(processes):
        if os.fork() == 0:
            block = bytearray(b"1") * size_bytes
            time.sleep(60)
            os._exit(len(block) % 2)
    time.sleep(60)


def bomb():
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def flood_prints():
    while True:
        os.write(1, b"x" * 65536)


def flood_result(size):
    return "x" * size


def not_json():
    return {1, 2}


def odd_numbers():
    return [float("nan"), float("inf"), -float("inf"), 0.1 + 0.2, 5e-324, -0.0]


def numpy_values():
    import numpy as np

    return [np.float64(0.1), np.float32(0.5), np.int64(3), np.bool_(True), np.arange(3)]


def daemonise(name):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
            time.sleep(60)
        os._exit(0)
    os.wait()
    return "left"


def leave_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    return "left"


def segfault():
    ctypes.string_at(0)


def kill_own_process():
    os.kill(os.getpid(), signal.SIGKILL)
    return "still here"


def leave(code):
    os._exit(code)


def exit_politely():
    sys.exit(3)


def interrupt():
    raise KeyboardInterrupt


def close_everything():
    os.closerange(0, 65536)
    return 1


def spoil_channel(data):
    for descriptor in range(3, 1024):
        try:
            os.write(descriptor, data.encode("latin-1"))
        except OSError:
            continue
    time.sleep(60)


def trickle_channel():
    while True:
        for descriptor in range(3, 256):
            try:
                os.write(descriptor, b"\0")
            except OSError:
                continue
        time.sleep(0.01)


def read(path):
    with open(path) as file:
        return file.read()


def write(path):
    with open(path, "w") as file:
        file.write("changed")
    return "changed"


def write_much(path, size):
    with open(path, "wb") as file:
        file.write(b"x" * size)
    return "written"


def exists(path):
    return os.path.exists(path)


def environment():
    return dict(os.environ)


def connect(port):
    with socket.create_connection(("127.0.0.1", port), 1):
        return "connected"


def connect_unix(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        return "connected"


def who():
    with open("/tmp/mine", "a") as file:
        file.write("x")
    return [os.getuid(), os.getpid(), os.path.getsize("/tmp/mine"), sorted(os.listdir("/proc"))[:3]]


def mount():
    libc = ctypes.CDLL(None, use_errno=True)
    return [libc.umount2(b"/proc", 2), libc.mount(b"t", b"/usr", b"tmpfs", 0, None)]


def dice():
    value = [random.random()]
    if "numpy" in sys.modules:
        value.append(sys.modules["numpy"].random.random())
    return value


def processes():
    return os.getpid()


def open_descriptors():
    found = []
    for descriptor in range(1024):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError:
            continue
    return found
