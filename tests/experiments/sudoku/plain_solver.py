"""Another way to solve a puzzle, for the tests to compare with: plain backtracking over bit masks, and nothing of ours."""


def solutions(puzzle, most=2):
    """Up to `most` solutions of 81 digits, by trying digits in the cell with the fewest, to the end."""
    used = [[0] * 9 for _ in range(3)]
    grid = [int(digit) for digit in puzzle]
    found = []

    def units(cell):
        row, column = divmod(cell, 9)
        return (used[0], row), (used[1], column), (used[2], row // 3 * 3 + column // 3)

    def flip(cell, bit):
        for kind, number in units(cell):
            kind[number] ^= bit

    def free(cell):
        return 511 & ~sum_of([kind[number] for kind, number in units(cell)])

    def search():
        blanks = [(free(cell).bit_count(), cell) for cell in range(81) if not grid[cell]]
        if not blanks:
            found.append("".join(map(str, grid)))
            return
        cell = min(blanks)[1]
        for digit in range(1, 10):
            if free(cell) >> (digit - 1) & 1 and len(found) < most:
                grid[cell] = digit
                flip(cell, 1 << (digit - 1))
                search()
                flip(cell, 1 << (digit - 1))
                grid[cell] = 0

    for cell, digit in enumerate(grid):
        if digit:
            if not free(cell) >> (digit - 1) & 1:
                return []
            flip(cell, 1 << (digit - 1))
    search()
    return found


def sum_of(sets):
    one, other, third = sets
    return one | other | third
