"""Experiment 1: agents climb a landscape and share the best point and the explored regions."""

from colony.experiments.optimisation.climbing import OPTIMISATION

__all__ = ["OPTIMISATION"]
