"""Shell sort with gaps that halve, as it was first published; the gaps may be rewritten."""


# EVOLVE-BLOCK-START
def gaps(length):
    found = []
    gap = length // 2
    while gap > 0:
        found.append(gap)
        gap = gap // 2
    return found


# EVOLVE-BLOCK-END


def count(items):
    """The sorted list and the number of comparisons it took."""
    items, comparisons = list(items), 0
    for gap in gaps(len(items)):
        for end in range(gap, len(items)):
            item, at = items[end], end
            while at >= gap:
                comparisons += 1
                if items[at - gap] <= item:
                    break
                items[at] = items[at - gap]
                at -= gap
            items[at] = item
    return [items, comparisons]
