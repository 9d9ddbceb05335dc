"""How much writing climbs or falls across a picture that was not held straight."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from digitlab.strokes import Part

FEWEST = 2  # pieces of writing in a row
LEAST_PAIRS = 8  # of neighbours that tell how much a page of several lines is tilted
TALL = 0.45  # of the height that nine of ten pieces have: what is lower is a part, or no digit
NEXT = 0.1  # times a piece's height: the middle of the next in its line is no nearer
FAR = 2.2  # likewise: no farther to the right
LEAST = 8.0  # degrees: digits that are tilted less are read as well as level ones
MOST = 40.0  # degrees: what climbs more steeply is a column
OFF = 0.35  # of a digit's height: no piece's middle is farther from the row's


def tilt_of(pieces: Sequence[Part]) -> float:
    """Degrees by which lines of writing fall to the right; 0 if they hardly do or don't agree."""
    if not pieces:
        return 0.0
    tall = least_height(pieces)
    written = [piece for piece in pieces if piece.height >= tall]
    slope = _of_row(written)
    degrees = float(np.degrees(np.arctan(skew(written) if slope is None else slope)))
    return degrees if LEAST <= abs(degrees) <= MOST else 0.0


def least_height(pieces: Sequence[Part]) -> float:
    """Pixels from which one of some pieces is a digit rather than a dot or a part of one."""
    return TALL * float(np.percentile([piece.height for piece in pieces], 90))


def skew(pieces: Sequence[Part]) -> float:
    """Pixels that lines of writing fall by a pixel to the right; 0 where too few say so.

    The median over pairs of neighbours, each piece and the nearest to its right.
    """
    if len(pieces) <= LEAST_PAIRS:  # the last has none to its right
        return 0.0
    x, y = np.array([[p.left + p.right, p.top + p.bottom] for p in pieces]).T / 2
    tall = np.array([piece.height for piece in pieces])
    slopes = []
    for i in range(len(pieces)):
        run, fall = x - x[i], y - y[i]
        beside = np.flatnonzero(
            (run > NEXT * tall[i]) & (np.abs(fall) <= run) & (run < FAR * tall[i])
        )
        if beside.size:
            other = beside[np.argmin(np.hypot(run[beside], fall[beside]))]
            slopes.append(fall[other] / run[other])
    return float(np.median(slopes)) if len(slopes) >= LEAST_PAIRS else 0.0


def _of_row(pieces: Sequence[Part]) -> float | None:
    """Likewise, of pieces in a single row; None if they are not.

    The median over all pairs of pieces, as in Theil and Sen's estimator.
    """
    high = float(np.median([piece.height for piece in pieces]))
    middles = sorted(((p.left + p.right) / 2, (p.top + p.bottom) / 2) for p in pieces)
    if len(middles) < FEWEST or any(b[0] - a[0] < NEXT * high for a, b in pairwise(middles)):
        return None
    slope = float(np.median([(d - b) / (c - a) for (a, b), (c, d) in combinations(middles, 2)]))
    x, y = np.array(middles).T
    off = np.abs(y - slope * x - np.median(y - slope * x))
    return slope if off.max() <= OFF * high else None
