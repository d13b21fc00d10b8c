"""Floor 11: what ships for testing with Colony and adapters of it: contract tests, simulator, faults, fakes."""
