"""The experiments there are, by name; each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from colony.experiments.trial import Experiment
from colony.primitives.errors import UsageError

NAMES: Final = ("optimisation", "sudoku", "research")


def experiment_named(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UsageError: there is none.

    """
    if name not in NAMES:
        raise UsageError(f"{name!r}: no experiment of that name; choose from {', '.join(NAMES)}")
    experiment: Experiment = getattr(import_module(f"colony.experiments.{name}"), name.upper())
    return experiment
