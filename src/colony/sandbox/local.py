"""A plain process group with limits: what every machine has, and what its grade says openly is no sandbox.

The same root, zygote and workers as under bubblewrap, without namespaces: the file system and the network stay open.
What this file does not do: pretend; `choose` gives it to the user's own evaluator, and to programs only when told to.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from colony.sandbox import interpreter
from colony.sandbox.adapter import Adapter
from colony.sandbox.process import Launch

if TYPE_CHECKING:
    from contextlib import ExitStack

    from colony.sandbox.protocol import Host


def engine() -> str:
    """Name of the engine."""
    return f"process group on {os.uname().sysname}"


def sandbox() -> Adapter:
    """Return a plain process group as a sandbox."""
    return Adapter("process", engine, launch)


def launch(host: Host, staged: ExitStack) -> Launch:
    """Return the command for a host, with a folder of its own that lives as long as `staged`."""
    folder = staged.enter_context(tempfile.TemporaryDirectory(prefix="colony-"))
    own = {**interpreter.ENVIRONMENT, "HOME": folder, "TMPDIR": folder}
    return Launch(command=interpreter.command(), environment={**own, **host.environment}, confined=False)
