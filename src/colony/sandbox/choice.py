"""Which sandbox for which class of work, and the refusal where there is none: never a quiet step down.

    data     the user's own evaluator on data: the best there is, down to a plain process group, which its grade says
    program  written by an agent of ours: bubblewrap, or refused unless the user has said so
    foreign  written by somebody else's agent: files, network, memory and deadline enforced, or refused in any case

What this file does not do: install anything; a refusal names the command that would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from colony.primitives.errors import IsolationError
from colony.sandbox import bubblewrap, cgroup, local

if TYPE_CHECKING:
    from colony.sandbox.protocol import Sandbox

WorkClass = Literal["data", "program", "foreign"]

NEEDED: Final = {
    "data": (),
    "program": ("filesystem", "network", "deadline"),
    "foreign": ("filesystem", "network", "memory", "deadline"),
}


def choose(work_class: WorkClass, *, allow_unsandboxed: bool = False) -> Sandbox:
    """Return the sandbox for a class of work, probed.

    Raises: IsolationError naming the one command that would provide it.
    """
    strong = bubblewrap.sandbox()
    try:
        seen = strong.probe("warm" if work_class == "data" else "fork")
    except IsolationError as refusal:
        if work_class == "data" or (work_class == "program" and allow_unsandboxed):
            return local.sandbox()
        raise IsolationError(f"code of class {work_class!r} needs a sandbox, and {refusal}") from refusal
    missing = [name for name in NEEDED[work_class] if getattr(seen, name) != "enforced"]
    if missing and not (work_class == "program" and allow_unsandboxed):
        command = f"{cgroup.PROVIDE} colony ..." if missing == ["memory"] else "colony doctor"
        raise IsolationError(f"{seen.engine} does not enforce {', '.join(missing)} here: run `{command}`")
    return strong
