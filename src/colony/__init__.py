"""Colony: a governed swarm that improves anything that can be measured."""

__version__ = "0.1.0"
