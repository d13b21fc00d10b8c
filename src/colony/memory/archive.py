"""The archive: niches of good candidates, not only the best (interface fixed by the lead; the body is being written).

Used by memory/run_state.py exactly so:
    Archive.from_record(settings, sign)   settings: JSON-able, from `archive_settings(problem)` and stored in run.started
    archive.add(elite) -> bool            descriptor computed inside from elite.candidate (space encode / program shape)
    archive.remove(experiment)            a refuted candidate leaves its niche
    archive.elites(k) -> tuple[Elite, ...]   diverse, best first
    archive.state() -> JSON-able          for the state hash
`sign` is metric.sign (cost = sign * value, smaller is better). Elite: memory/elite.py.
"""
