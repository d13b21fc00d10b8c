"""Agents for program problems that need no language model: number tuning, structured edits, crossover."""

from colony.agents.programs.crossover import Crossover
from colony.agents.programs.literal_tuning import LiteralTuning
from colony.agents.programs.structured_edit import StructuredEdit

__all__ = ["Crossover", "LiteralTuning", "StructuredEdit"]
