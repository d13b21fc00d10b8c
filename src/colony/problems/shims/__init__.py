"""Names that evaluators of other systems import, provided inside the sandbox only, by a place on its import path.

Only what evaluators use is here; none of it searches, calls a model or keeps a population.
"""
