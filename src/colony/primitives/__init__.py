"""Floor 0: errors, limits, encoding, clock, keys; imports nothing of ours."""
