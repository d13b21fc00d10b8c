"""Another way to solve a puzzle, for the tests to compare with: exact cover by Knuth's Algorithm X, nothing of ours.

A choice is a digit in a cell, 729 of them; each of the 324 rules (a cell, or a digit of a row, column or box) is the
set of the nine choices that would satisfy it, as one integer.
"""


def rules_of(row, column, digit):
    box = row // 3 * 3 + column // 3
    return 9 * row + column, 81 + 9 * row + digit, 162 + 9 * column + digit, 243 + 9 * box + digit


CHOICES = [(row, column, digit) for row in range(9) for column in range(9) for digit in range(9)]
RULES = [0] * 324
for number, choice in enumerate(CHOICES):
    for rule in rules_of(*choice):
        RULES[rule] |= 1 << number
EXCLUDES = [RULES[a] | RULES[b] | RULES[c] | RULES[d] for a, b, c, d in (rules_of(*choice) for choice in CHOICES)]


def solutions(puzzle, most=2):
    """Up to `most` solutions of 81 digits, by trying every choice of the rule that has the fewest, to the end."""
    found = []
    open_choices, open_rules, made = (1 << 729) - 1, RULES, []
    for cell, given in enumerate(puzzle):
        if given != "0":
            number = 9 * cell + int(given) - 1
            if not open_choices >> number & 1:
                return []
            open_choices, open_rules = choose(number, open_choices, open_rules)
            made.append(number)
    search(open_choices, open_rules, made, found, most)
    return found


def choose(number, open_choices, open_rules):
    return open_choices & ~EXCLUDES[number], [rule for rule in open_rules if not rule >> number & 1]


def search(open_choices, open_rules, made, found, most):
    if not open_rules:
        digits = {number // 9: number % 9 + 1 for number in made}
        found.append("".join(str(digits[cell]) for cell in range(81)))
        return
    options = min((rule & open_choices for rule in open_rules), key=int.bit_count)
    while options and len(found) < most:
        number = options.bit_length() - 1
        options ^= 1 << number
        search(*choose(number, open_choices, open_rules), [*made, number], found, most)
