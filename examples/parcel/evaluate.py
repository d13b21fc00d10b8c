"""The volume of a parcel; the rule about its size is checked in floats for the search and exactly at the end.

Called by keyword with the variables of problem.toml.
"""

from fractions import Fraction

INCHES_MAX = 108
HAIR = 1e-9  # the search keeps a hair more than the rule asks for, so that rounding cannot break it


def evaluate(length, width, height):
    """The volume in cubic inches."""
    return length * width * height


def constraints(length, width, height):
    """By how many inches the parcel is too large; at most zero is right."""
    return {"too large": length + 2 * (width + height) - INCHES_MAX + HAIR}


def exact(length, width, height):
    """The same without rounding: a float is a fraction, and fractions do not round."""
    length, width, height = Fraction(length), Fraction(width), Fraction(height)
    return {"too large": length + 2 * (width + height) - INCHES_MAX}
