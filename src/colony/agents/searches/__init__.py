"""Searches that run in a worker next to the evaluator: `search(oracle, values, spec, rng)`; they see only the oracle."""
