"""Online bin packing: the frozen loop that packs, and the heuristic inside the markers that evolution may change.

Bins with the same free room are alike to the heuristic, so it is asked once for each room and not once for each bin.
"""

import math  # noqa: F401  # for heuristics that need it
from bisect import bisect_left, insort

# EVOLVE-BLOCK-START


def priority(item: int, room: int, capacity: int) -> float:  # noqa: ARG001  # evolution may use it
    """How much an item wants a bin with so much free room (at least `item`); the highest wins, ties go to less room."""
    gap = room - item
    return -gap


# EVOLVE-BLOCK-END


def pack(items: list[int], capacity: int) -> list[int]:
    """The bin of each item in order: an index of an open bin, or the next free one; an empty bin is always a choice."""
    bins_with: dict[int, list[int]] = {capacity: []}
    rooms = [capacity]
    chosen = []
    opened = 0
    for item in items:
        fitting = rooms[bisect_left(rooms, item) :]
        wishes = [priority(item, room, capacity) for room in fitting]
        room = fitting[wishes.index(max(wishes))]
        if bins_with[room]:
            index = bins_with[room].pop()
        else:
            index, opened = opened, opened + 1
        if room < capacity and not bins_with[room]:
            del bins_with[room]
            rooms.remove(room)
        if room - item not in bins_with:
            bins_with[room - item] = []
            insort(rooms, room - item)
        bins_with[room - item].append(index)
        chosen.append(index)
    return chosen
