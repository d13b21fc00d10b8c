"""Agents for problems of order: the chains of `hop`, whose jobs are local searches over one permutation.

What a chain does within a job stands in `searches.tour`; it works where the whole space is one permutation.
"""

from __future__ import annotations

from colony.agents.hop import Hop


class Tour(Hop):
    """Proposes pieces of chains of local optima of an order."""

    kind = "tour"
    method = "colony.agents.searches.tour:search"
    evaluations_per_job = 10_000
