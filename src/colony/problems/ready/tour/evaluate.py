"""A round trip through the 52 places of berlin52 (TSPLIB): its length, each leg rounded to a whole unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PLACES = np.asarray(
    """
    565 575  25 185  345 750  945 685  845 655  880 660  25 230  525 1000  580 1175  650 1130  1605 620  1220 580
    1465 200  1530 5  845 680  725 370  145 665  415 635  510 875  560 365  300 465  520 585  480 415  835 625  975 580
    1215 245  1320 315  1250 400  660 180  410 250  420 555  575 665  1150 1160  700 580  685 595  685 610  770 610
    795 645  720 635  760 650  475 960  95 260  875 920  700 500  555 815  830 485  1170 65  830 610  605 625  595 360
    1340 725  1740 245
    """.split(),
    dtype=np.float64,
).reshape(52, 2)
LEGS = np.floor(np.hypot(*(PLACES[:, None] - PLACES).transpose(2, 0, 1)) + 0.5)


def evaluate(order: NDArray[np.int64]) -> float:
    """The length of the round trip in `order`."""
    return float(LEGS[order, np.roll(order, -1)].sum())


def picture(order: NDArray[np.int64]) -> dict[str, Any]:
    """The places and the trip."""
    trip = PLACES[np.append(order, order[0])].tolist()
    points = [{"point": place} for place in PLACES.tolist()]
    return {"box": [0.0, 0.0, 1800.0, 1200.0], "shapes": [{"polyline": trip}, *points]}
