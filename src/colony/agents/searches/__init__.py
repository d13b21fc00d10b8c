"""Searches that run in a worker beside the evaluator: `search(oracle, values, spec, rng)`; they see the oracle only."""
