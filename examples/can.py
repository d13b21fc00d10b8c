"""A function in Python with a constraint: the tin can that holds 330 cm³ with the least sheet metal.

    python examples/can.py [BUDGET]

The answer is known: the height is twice the radius, and the sheet 264.36 cm².
"""

import math
import sys

import colony


def sheet(radius, height):
    """The area of bottom, top and wall, in cm²."""
    return 2 * math.pi * radius * (radius + height)


def missing(radius, height):
    """How much is missing of 330 cm³; at most zero is right."""
    return 330.0 - math.pi * radius**2 * height


problem = colony.Problem(
    name="can",
    space={"radius": (1.0, 10.0), "height": (1.0, 20.0)},
    evaluate=sheet,
    minimise="sheet metal",
    unit="cm²",
    constraints={"missing volume": missing},
)

if __name__ == "__main__":
    result = colony.solve(problem, budget=sys.argv[1] if len(sys.argv) > 1 else "1000e", seed=1)
    assert result.best is not None, "a thousand evaluations are plenty"
    print(f"{result.best.value:.4f} cm² {result.best.status}, by {result.best.found_by}")
    print(dict(result.best.candidate))
