"""Brackets around a number, or one after it, are no ones or zeros: (12) and 5)."""

from collections.abc import Sequence

import numpy as np

from digitlab.strokes import Part, ink_of, runs

BOWED = 0.05  # of its height: so far is the middle of a bracket at least beside its ends
STRONGLY = 0.16  # likewise, if nothing but that tells it from a 1
TOGETHER = 0.2  # likewise, of the two of a pair
SMOOTH = 0.035  # of its height: so near does it follow a parabola
ONCE = 0.9  # of its rows: so many cross it in one place
THIN = 0.45  # of its height: no row crosses more ink than where its ends bend
TALL = 0.9  # of what it holds: a bracket is no lower
TALLER = 1.1  # of the digit before it: likewise, a single one
LOW = 0.4  # of a bracket's height: lower is no digit
LIKE = 0.6  # of the other's height: two that belong together are no more different
LEVEL = 0.5  # of its height: so much of what is lower is beside it
CLEAR = 0.06  # of its height: nearer, a single one is part of a digit that came off
FAR = 1.5  # heights: farther away, a single one is no part of the number


def brackets(labels: np.ndarray, parts: Sequence[Part]) -> list[int]:
    """Which parts are brackets around digits or after one.

    Parameters
    ----------
    labels : (h, w) int32, to which part each pixel belongs.

    Returns
    -------
    Indices into `parts`.
    """
    boxes = np.array([(p.left, p.top, p.right, p.bottom) for p in parts], int).reshape(-1, 4)
    bows = np.array([_bow(labels, part) for part in parts], float)
    found = np.zeros(len(parts), bool)
    for pair in sorted(_pairs(boxes, bows), key=lambda pair: bows[pair[1]] - bows[pair[0]]):
        if not found[_within(boxes, pair)].any():
            found[list(pair)] = True
    alone = np.flatnonzero((bows <= -STRONGLY) & ~found)
    ending = [i for i in alone.tolist() if _ends_number(boxes, bows, i)]
    return [*np.flatnonzero(found).tolist(), *ending]


def _bow(labels: np.ndarray, part: Part) -> float:
    """How far the middle of a smooth stroke is to the left of its ends, in heights.

    Below 0, to the right; 0 if the part is no such stroke. The stroke may lean.
    """
    if part.width > part.height or part.height < 8:
        return 0.0
    view = ink_of(labels, part)
    ink, rows = view.sum(1), np.flatnonzero(runs(view) == 1)
    if len(rows) < ONCE * part.height or ink.max() > THIN * part.height:
        return 0.0
    across = view[rows] @ np.arange(part.width) / ink[rows] / part.height
    down = rows / part.height - 0.5
    curve = np.polynomial.Polynomial.fit(down, across, 2, domain=[-1, 1])
    rough = np.sqrt(np.mean((curve(down) - across) ** 2))
    return float(curve.coef[2] / 4) if rough <= SMOOTH else 0.0


def _heights(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 3] - boxes[:, 1]


def _beside(boxes: np.ndarray, one: int) -> np.ndarray:
    """Which parts stand on one line of writing with one of them, (n,) bool."""
    _, top, _, bottom = boxes[one]
    shared = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    return shared >= LEVEL * np.minimum(_heights(boxes), bottom - top)


def _within(boxes: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Which parts are two brackets or stand between them, (n,) bool."""
    first, last = pair
    after, before = boxes[:, 0] >= boxes[first, 0], boxes[:, 2] <= boxes[last, 2]
    return after & before & _beside(boxes, first)


def _pairs(boxes: np.ndarray, bows: np.ndarray) -> list[tuple[int, int]]:
    """Each stroke that bows to the left with each that bows to the right and closes it."""
    heights, closing = _heights(boxes), bows <= -BOWED
    pairs = []
    for first in np.flatnonzero(bows >= BOWED).tolist():
        low, high = np.minimum(heights, heights[first]), np.maximum(heights, heights[first])
        lasts = closing & (bows[first] - bows >= TOGETHER) & (low >= LIKE * high)
        lasts &= (boxes[:, 0] >= boxes[first, 2]) & _beside(boxes, first)
        pairs += [(first, last) for last in np.flatnonzero(lasts).tolist()]
    return [pair for pair in pairs if _hold_digits(boxes, bows, pair)]


def _hold_digits(boxes: np.ndarray, bows: np.ndarray, pair: tuple[int, int]) -> bool:
    """Whether what is between two brackets is as high as digits, and no bracket itself."""
    inner = _within(boxes, pair)
    inner[list(pair)] = False
    heights = _heights(boxes)
    tallest, high = heights[inner].max(initial=0), heights[pair[0]]
    return bool(LOW * high <= tallest <= high / TALL and (np.abs(bows[inner]) < STRONGLY).all())


def _ends_number(boxes: np.ndarray, bows: np.ndarray, bracket: int) -> bool:
    """Whether a bracket stands clear on the right of digits, the last of its line."""
    heights = _heights(boxes)
    left, _, right, _ = boxes[bracket]
    high = heights[bracket]
    others = _beside(boxes, bracket) & (heights >= LOW * high)
    others[bracket] = False
    crowding = (boxes[:, 2] > left - CLEAR * high) & (boxes[:, 0] < right + FAR * high)
    before = np.flatnonzero(others & (boxes[:, 2] <= left))
    if (others & crowding).any() or not before.size:
        return False
    nearest = before[boxes[before, 2].argmax()]
    near = left - boxes[nearest, 2] <= FAR * high
    return bool(near and bows[nearest] < BOWED and high >= TALLER * heights[nearest])
