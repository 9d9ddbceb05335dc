"""Circles and frames that a hand draws around digits to mark them: no part of what is read."""

import numpy as np

from digitlab.strokes import fit

RAYS = 32  # from the middle of what is marked
OPEN = 0.35  # of the rays, at most, that miss the circle: its ends may not meet, an edge may cut it
FILLED = 0.33  # of the longer side of a circle: what is in it is no smaller, or it is in a loop
SLASH = 0.25  # times as wide as long: a straight stroke in a loop is rather the slash of a zero
ROUND = 0.85  # times as wide as high: a narrower loop around a stroke is a zero
UPRIGHT = 25.0  # degrees: a slash leans more than a 1 does


def circles(labels: np.ndarray, numbers: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which of some connected parts of the ink go round others, that are large enough to be read.

    Parameters
    ----------
    labels : (h, w) int32, to which part each pixel belongs.
    numbers : (n,) int, those parts.
    boxes : (n, 4) int, left, top, right and bottom (exclusive) of each.

    Returns
    -------
    (n,) bool.
    """
    found = np.zeros(len(numbers), bool)
    for i, (box, number) in enumerate(zip(boxes, numbers, strict=True)):
        inside = (boxes[:, :2] > box[:2]).all(1) & (boxes[:, 2:] < box[2:]).all(1)
        if not inside.any():
            continue
        low, high = boxes[inside, :2].min(0), boxes[inside, 2:].max(0)
        if (high - low).max() < FILLED * (box[2:] - box[:2]).max():
            continue
        if _goes_round(labels, number, (low + high - 1) / 2):
            found[i] = not _is_slashed(labels, box, numbers[inside], boxes[inside])
    return found


def _goes_round(labels: np.ndarray, number: int, middle: np.ndarray) -> bool:
    """Whether nearly every ray from `middle` (x, y) crosses a part, and crosses it once."""
    turn = np.linspace(0, 2 * np.pi, RAYS, endpoint=False)[:, None]
    steps = np.arange(max(labels.shape))
    x = np.rint(middle[0] + np.cos(turn) * steps).astype(int)
    y = np.rint(middle[1] + np.sin(turn) * steps).astype(int)
    there = (x >= 0) & (x < labels.shape[1]) & (y >= 0) & (y < labels.shape[0])
    hit = np.zeros(x.shape, bool)
    hit[there] = labels[y[there], x[there]] == number
    crossings = (hit[:, 1:] & ~hit[:, :-1]).sum(1) + hit[:, 0]
    return bool((crossings == 1).mean() >= 1 - OPEN)


def _is_slashed(labels: np.ndarray, box, numbers: np.ndarray, boxes: np.ndarray) -> bool:
    """Whether what is in a loop is the slash of a zero: one straight stroke, but no upright one
    in a circle, which is a 1."""
    if len(numbers) != 1:
        return False
    (left, top, right, bottom), (number,) = boxes[0], numbers
    stroke = fit(labels[top:bottom, left:right] == number)
    if not stroke.is_slim(SLASH):
        return False
    is_round = box[2] - box[0] >= ROUND * (box[3] - box[1])
    return not (is_round and abs(stroke.lean) <= UPRIGHT)
