"""How much a row of writing climbs or falls across a picture that was not held straight."""

from itertools import combinations, pairwise

import numpy as np

from digitlab.strokes import Part

FEWEST = 2  # pieces of writing
TALL = 0.45  # of the height that nine of ten pieces have: what is lower is a part, or no digit
LEAST = 8.0  # degrees: digits that are tilted less are read as well as level ones
MOST = 45.0  # degrees: what climbs more steeply is a column
OFF = 0.35  # of a digit's height: no piece's middle is farther from the row's


def tilt_of(pieces: list[Part]) -> float:
    """Degrees by which a single row of pieces falls to the right; 0 if it is level or no row.

    The median over all pairs of pieces, as in Theil and Sen's estimator.
    """
    if not pieces:
        return 0.0
    tall = TALL * float(np.percentile([piece.height for piece in pieces], 90))
    row = sorted((p for p in pieces if p.height >= tall), key=lambda p: p.left + p.right)
    x, y = (np.array([[p.left + p.right, p.top + p.bottom] for p in row]).reshape(-1, 2) / 2).T
    if len(row) < FEWEST or not all(b - a > 0.25 * tall for a, b in pairwise(x)):
        return 0.0
    slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i, j in combinations(range(len(row)), 2)]
    slope = float(np.median(slopes))
    off = np.abs(y - slope * x - np.median(y - slope * x))
    degrees = float(np.degrees(np.arctan(slope)))
    straight = off.max() <= OFF * float(np.median([piece.height for piece in row]))
    return degrees if straight and LEAST <= abs(degrees) <= MOST else 0.0
