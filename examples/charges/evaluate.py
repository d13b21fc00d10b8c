"""Energy of charges on a rod; the rule about their distance is checked in floats for the search and exactly at the end.

Called by keyword with the variables of problem.toml; a shaped variable arrives as a numpy array.
"""

from fractions import Fraction
from itertools import combinations

GAP = Fraction(18, 100)
HAIR = 1e-12  # the search keeps a hair more than the rule asks for, so that rounding cannot break it


def evaluate(places):
    """The sum of 1/distance over all pairs."""
    return sum(1.0 / max(abs(float(a) - float(b)), 1e-9) for a, b in combinations(places, 2))


def constraints(places):
    """By how much the nearest pair is too near, in lengths; at most zero is right."""
    return {"too near": float(GAP) + HAIR - min(abs(float(a) - float(b)) for a, b in combinations(places, 2))}


def exact(places):
    """The same without rounding: a float is a fraction, and fractions do not round."""
    exactly = [Fraction(float(place)) for place in places]
    return {"too near": GAP - min(abs(a - b) for a, b in combinations(exactly, 2))}
