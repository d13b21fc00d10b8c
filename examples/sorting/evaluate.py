"""Scores shell sorts. It never runs the program: it sends lists out and judges what comes back.

What it does not do: trust the count. A frozen function counts, and a list that comes back unsorted scores nothing.
"""

import random

LENGTHS = (64, 100, 128, 200, 256)


def lists(seed):
    """One shuffled list for each length."""
    stream = random.Random(seed)
    return [[stream.sample(range(length), length)] for length in LENGTHS for _ in range(4)]


def cases():
    """The arguments of `count`."""
    return lists(1)


def score(outputs, cases):
    """The mean number of comparisons; raises where a list is not sorted."""
    total = 0
    for (items, comparisons), (given,) in zip(outputs, cases, strict=True):
        if items != sorted(given):
            raise ValueError("a list came back unsorted")
        total += comparisons
    return total / len(cases)
