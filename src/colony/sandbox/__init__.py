"""Sandboxes: code runs outside the engine's process, shut in, limited, and really ended at its limits.

`protocol` is the seam; `choose` picks the adapter for a class of work, `bubblewrap` and `local` are the adapters,
`canary` finds out what they really stop, `inside` is what runs inside.
"""

from colony.sandbox.choice import WorkClass, choose
from colony.sandbox.protocol import Executor, Host, Isolation, Limits, Mode, Result, Sandbox, Statistics, Status

__all__ = [
    "Executor",
    "Host",
    "Isolation",
    "Limits",
    "Mode",
    "Result",
    "Sandbox",
    "Statistics",
    "Status",
    "WorkClass",
    "choose",
]
