"""Circles and frames that a hand draws around digits to mark them: no part of what is read."""

from itertools import combinations

import numpy as np

from digitlab.strokes import fit, runs

RAYS = 32  # from the middle of what is marked
OPEN = 0.35  # of the rays, at most, that miss the circle: its ends may not meet, an edge may cut it
OPEN_ARCS = 0.15  # likewise, of a circle in several arcs: two 1s around a 0 leave more
DOUBLE = 0.22  # of the rays, at most, that cross it twice, since its ends overlap; a mouth is wider
ARCS = 12  # of the largest parts, any two may be a circle
BROKEN = 6  # likewise, any three: two arcs of which one fell apart
FILLED = 0.33  # of the longer side of a circle: what is in it is no smaller, or it is in a loop
DUST = 0.06  # of the longer side of a circle: what is no larger was not written in it
LARGE = 0.45  # of a circle's height: what is higher in it may be a broken digit, no eye or mouth
EYES = 0.42  # of a circle's height, from its top: small signs whose middle is higher are eyes
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
    for group in _groups(boxes):
        if not found[group].any() and _goes_around(labels, numbers, boxes, group):
            found[group] = True
    return found


def _groups(boxes: np.ndarray) -> list[list[int]]:
    """What may be a circle: every part, any two of the largest, and any three of fewer."""
    long = (boxes[:, 2:] - boxes[:, :2]).max(1)
    order = np.argsort(-long).tolist()
    large = [i for i in order[:ARCS] if long[i] >= 0.5 * long.max()]
    broken = [i for i in order[:BROKEN] if long[i] >= 0.2 * long.max()]
    arcs = [*combinations(large, 2), *combinations(broken, 3)]
    return [[i] for i in range(len(boxes))] + [list(group) for group in arcs]


def _goes_around(
    labels: np.ndarray, numbers: np.ndarray, boxes: np.ndarray, group: list[int]
) -> bool:
    """Whether some parts together go round others that are large enough to be read."""
    box = np.concatenate([boxes[group, :2].min(0), boxes[group, 2:].max(0)])
    inside = (boxes[:, :2] > box[:2]).all(1) & (boxes[:, 2:] < box[2:]).all(1)
    inside &= (boxes[:, 2:] - boxes[:, :2]).max(1) > DUST * (box[2:] - box[:2]).max()
    if not inside.any() or inside[group].any():
        return False
    low, high = boxes[inside, :2].min(0), boxes[inside, 2:].max(0)
    if (high - low).max() < FILLED * (box[2:] - box[:2]).max():
        return False
    large = LARGE * float(box[3] - box[1])
    if not _is_row(boxes[inside], large) or _are_eyes(boxes[inside], box, large):
        return False
    least = 1 - (OPEN if len(group) == 1 else OPEN_ARCS)
    once, more = _crossed(labels, numbers[group], (low + high - 1) / 2)
    if once < least or more > DOUBLE:
        return False
    return not _is_slashed(labels, box, numbers[inside], boxes[inside])


def _is_row(boxes: np.ndarray, large: float) -> bool:
    """Whether some parts stand beside each other as a number's do, not as eyes and a mouth.

    Parameters
    ----------
    boxes : (n, 4) int, left, top, right and bottom (exclusive) of each.
    large : pixels; over and under a part that is as high there may be pieces of it.
    """
    left, top, right, bottom = boxes[np.argsort(boxes[:, 0])].T
    highest = int((bottom - top).argmax())
    tall = bottom[highest] - top[highest]
    beside = (top < bottom[highest]) & (bottom > top[highest])
    gaps = left[1:] - np.maximum.accumulate(right)[:-1]
    return bool((tall >= large or beside.all()) and gaps.max(initial=0) <= tall)


def _are_eyes(boxes: np.ndarray, box: np.ndarray, large: float) -> bool:
    """Whether some parts (n, 4) in a circle are too small and too high up in it for a number.

    The mouth of such a face touches its edge, or it has none, as a ghost.
    """
    middle = (boxes[:, 1].min() + boxes[:, 3].max()) / 2
    return bool(
        (boxes[:, 3] - boxes[:, 1]).max() < large and middle - box[1] < EYES * (box[3] - box[1])
    )


def _crossed(labels: np.ndarray, numbers: np.ndarray, middle: np.ndarray) -> tuple[float, float]:
    """Shares of the rays from `middle` (x, y) that cross some parts once, and more often."""
    turn = np.linspace(0, 2 * np.pi, RAYS, endpoint=False)[:, None]
    steps = np.arange(max(labels.shape))
    x = np.rint(middle[0] + np.cos(turn) * steps).astype(int)
    y = np.rint(middle[1] + np.sin(turn) * steps).astype(int)
    there = (x >= 0) & (x < labels.shape[1]) & (y >= 0) & (y < labels.shape[0])
    hit = np.zeros(x.shape, bool)
    hit[there] = np.isin(labels[y[there], x[there]], numbers)
    times = runs(hit)
    return float((times == 1).mean()), float((times > 1).mean())


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
