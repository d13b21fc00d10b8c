"""Which Python runs inside, and which folders it needs to see: worked out from the one that runs the engine.

The interpreter is the one behind the virtual environment; it is started without `site`, so its `sys.path` is what we
say: the folders that hold packages here. Unwanted guests of `sys.path`, such as the folder a script was started from,
stay out.
What this file does not do: mount anything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import colony

INSIDE: Final = Path(__file__).resolve().parent / "inside"
STARTER: Final = """\
import importlib.util, sys
spec = importlib.util.spec_from_file_location("colony_inside", sys.argv[1] + "/__init__.py")
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
from colony_inside.root import main
main()
"""  # under a name of its own, without a folder on `sys.path` in which the host's modules could find ours
QUIET_THREADS: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ENVIRONMENT: Final = {
    **QUIET_THREADS,  # a library that starts threads at import would not survive the fork
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108  (inside, this is a private folder)
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",  # the order of a set must not depend on which worker met it
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "agg",
}


def command() -> list[str]:
    """Return the interpreter and its start, up to the plan that the caller appends."""
    return [str(_executable()), "-S", "-s", "-P", "-c", STARTER, str(INSIDE)]


def _executable() -> Path:
    return Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()


def package_path() -> tuple[str, ...]:
    """Return the entries of `sys.path` that hold packages, and the folder of Colony itself."""
    prefixes = (sys.prefix, sys.base_prefix)
    entries = [
        entry
        for entry in sys.path
        if Path(entry).exists()
        and (entry.startswith(prefixes) or Path(entry).name in {"site-packages", "dist-packages"})
        and not entry.startswith(str(Path(os.__file__).parent / "lib-dynload"))
        and entry != str(Path(os.__file__).parent)
    ]
    return (*entries, str(_colony().parent))


def visible() -> tuple[Path, ...]:
    """Folders the interpreter and its packages live in, beside those of the system."""
    ours = str(_colony().parent)
    return (Path(sys.base_prefix), _executable().parent, *(Path(p) for p in package_path() if p != ours), _colony())


def _colony() -> Path:
    return Path(colony.__file__).resolve().parent
