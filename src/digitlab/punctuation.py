"""What around digits says that they are none: dots, rings and marks, as in ?, !, :, ;, i and %,
or the sides of the picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.paper import CROP
from digitlab.preprocess import Box
from digitlab.strokes import Stroke, fit

CLEAR_ABOVE = 0.2  # of a digit's height: nearer, it is a part of a stroke that came off
CLEAR_BELOW = 0.05  # likewise; at a digit's foot hardly anything comes off
SMALL = 0.6  # of a digit's height: what is wider is no dot
LINE = 2.5  # times as wide as high: likewise
WITHIN = 0.3, 0.6  # of the height and the width of all that is seen as one digit: likewise
SLENDER = 0.25  # of that height: a dot no wider is one under a stem as slim as itself, too
LIKE = 0.25  # of a digit's height: what is higher may be the other half of a colon
APART = 4.0  # heights between the two marks of a colon, at most
COLON = 0.5  # heights between two digits, one over the other, that are a colon's marks rather
UNEVEN = 0.45  # of the other's height: lower is the ring of a % rather than a digit beside it
ROUND = 1.5  # times as wide as high: wider is no dot over a stroke, as over an i, but a bar
OVER = 0.08  # of all that is seen as one digit: how clear of the rest such a dot is
AT_SIDE = 0.005  # of the longer side: what ends no farther from a side runs out of the picture
MOST_OUT = 0.75  # of several strokes: so many run out of the picture if they are stripes
BEYOND = 0.5  # of a stroke's length: so far beyond both ends of it, a longer one goes on
AS_DARK = 0.6  # of the stroke's own darkness: lighter, nothing goes on
ALL_ALONG = 0.8  # of the places beyond an end: so many are as dark where it does
POINT = 0.1, 0.33  # of the height over it: a point of ! or ? is as large, lower and upper limit
FULL = 0.5  # of its box: a point fills as much
GAP = 0.08, 0.5  # of the height over it: how far under that a point is; nearer, a line cut it off
ON_LINE = 0.16  # of that height: a point ends no lower under the line that digits stand on
SLIM = 0.25  # times as wide as long: a wider stroke is no slash
LEAN = 10.0  # degrees to the right of upright: a slash leans more
MORE = 12.0  # degrees more than the digits beside it
OUT = 0.01, 0.04  # of their height: so far it comes out over and under both, leaning more, or not
EVEN = 0.12  # likewise: no farther over than under, or under than over
DIRT = 0.05  # of a digit's height: smaller in both directions is no dot


def around(one: Box, other: Box) -> Box:
    """The smallest box that holds two."""
    left, top = min(one[0], other[0]), min(one[1], other[1])
    right = max(one[0] + one[2], other[0] + other[2])
    bottom = max(one[1] + one[3], other[1] + other[3])
    return left, top, right - left, bottom - top


def is_foot(box: Box, mark: Box) -> bool:
    """Whether a mark is a level line under the lower half of a box, as an underline or a foot."""
    return mark[2] > 3 * mark[3] and mark[1] > box[1] + box[3] / 2


def stand_above_each_other(box: Box, mark: Box) -> bool:
    """Whether a dot, or a mark of its own size, stands over or under a digit, clear of it.

    A dot is at most the digit's height away, a mark of its size APART heights; lines are neither.
    """
    below, above = mark[1] - box[1] - box[3], box[1] - mark[1] - mark[3]
    clear = max(below - CLEAR_BELOW * box[3], above - CLEAR_ABOVE * box[3]) > 0
    like = mark[3] > LIKE * box[3]
    reach = APART if like else 1.0
    compact = mark[2] < LINE * mark[3] and (like or mark[2] < SMALL * box[3])
    return compact and clear and _share_columns(box, mark) and max(below, above) < reach * box[3]


def is_colon(upper: Box, lower: Box) -> bool:
    """Whether two marks, one over the other, are too far apart for digits in a column."""
    between = lower[1] - upper[1] - upper[3]
    return _share_columns(upper, lower) and between > COLON * max(upper[3], lower[3])


def _share_columns(one: Box, other: Box) -> bool:
    """Whether one of two boxes reaches over or under the other."""
    return one[0] < other[0] + other[2] and other[0] < one[0] + one[2]


def are_uneven(one: Box, other: Box) -> bool:
    """Whether one of two neighbours is far lower than the other, as the rings of a %."""
    return min(one[3], other[3]) < UNEVEN * max(one[3], other[3])


def run_out(boxes: list[Box], shape: tuple[int, ...]) -> bool:
    """Whether strokes run out of a picture, as stripes do, and not for being cut out close.

    One or two that are cut out close touch all four sides together, and one alone that touches a
    single side may be a digit that does not quite fit; most of a row touch no side.

    Parameters
    ----------
    shape : (h, w, …) of the picture.
    """
    height, width = shape[:2]
    if not boxes or min(height, width) <= CROP:
        return False
    near = 1 + AT_SIDE * max(height, width)
    touched = np.array(
        [
            (left <= near, top <= near, left + w >= width - near, top + h >= height - near)
            for left, top, w, h in boxes
        ]
    )
    out = touched.any(1)
    if len(boxes) > 2:
        return bool(out.mean() >= MOST_OUT)
    sides = int(touched.any(0).sum())
    return bool(out.all()) and (2 // len(boxes)) <= sides < 4


def goes_on(even: np.ndarray, left: int, top: int, mask: np.ndarray) -> bool:
    """Whether a straight stroke goes on beyond both its ends: it was torn out of a stripe.

    Parameters
    ----------
    even : (h, w) uint8, the picture, dark ink on a white ground.
    left, top : where the stroke's box begins in it.
    mask : (h, w) uint8 0 or 1, the ink in that box, of which the stroke is the largest part.
    """
    if not mask.any():
        return False
    stroke = _stroke(mask, left, top)
    x, y, across, down = stroke.x, stroke.y, stroke.across, stroke.down
    along = (stroke.points - [x, y]) @ [across, down]
    low, high = float(along.min()), float(along.max())
    reach = np.arange(1.0, max(2.0, BEYOND * (high - low)))
    columns, rows = stroke.points.astype(int).T
    dark = max(1, 255 - int(np.median(even[rows, columns])))

    def on(places: np.ndarray) -> bool | None:
        spots = np.rint([y + places * down, x + places * across]).astype(int)
        inside = ((spots >= 0) & (spots < np.array(even.shape)[:, None])).all(0)
        found = 255 - even[tuple(spots[:, inside])].astype(int)
        return bool((found >= AS_DARK * dark).mean() >= ALL_ALONG) if inside.any() else None

    ends = on(low - reach), on(high + reach)
    return False not in ends and True in ends


def _stroke(mask: np.ndarray, left: int = 0, top: int = 0) -> Stroke:
    """The line through the largest part of some ink."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    return fit(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax(), left, top)


def is_slash(
    box: Box, mask: np.ndarray, before: Box, after: Box, others: Sequence[np.ndarray]
) -> bool:
    """Whether a straight stroke is rather a / between two digits than a 1.

    It leans to the right and comes out over and under both; hardly, if it does as much over as
    under them and leans more than the writing.

    Parameters
    ----------
    box : of the stroke.
    mask : (h, w) uint8 0 or 1, the ink in it.
    before, after : boxes of the digits beside it.
    others : the ink of the digits in its line that are no 1, (h, w) uint8 each.
    """
    high = (before[3] + after[3]) / 2
    over = min(before[1], after[1]) - box[1]
    under = box[1] + box[3] - max(before[1] + before[3], after[1] + after[3])
    out = min(over, under, (box[3] - high) / 2) / high
    if out < OUT[0] or not mask.any():
        return False
    stroke = _stroke(mask)
    if not stroke.is_slim(SLIM) or stroke.lean < LEAN:
        return False
    as_far = abs(over - under) <= EVEN * high
    return out >= OUT[1] or (as_far and stroke.lean >= MORE + _lean(others))


def _lean(digits: Sequence[np.ndarray]) -> float:
    """Degrees by which writing leans to the right, the median of its digits; 0 without any.

    By a digit's moments, as in LeCun et al. (1998).
    """
    return float(np.median([_shear(digit) for digit in digits if digit.any()] or [0.0]))


def _shear(digit: np.ndarray) -> float:
    """Degrees by which one digit, (h, w) uint8 0 or 1, leans to the right."""
    moments = cv2.moments(digit, binaryImage=True)
    return float(np.degrees(np.arctan2(-moments["mu11"], max(moments["mu02"], 1e-9))))


def is_ring(mask: np.ndarray) -> bool:
    """Whether ink closes around some paper, as a full stop never does.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1.
    """
    grounds, _ = cv2.connectedComponents(np.pad(1 - mask, 1, constant_values=1), connectivity=4)
    return grounds > 2  # the ink counts as one of them


def ends_over_dot(box: Box, mask: np.ndarray, marks: Sequence[Box], foot: int) -> bool:
    """Whether a digit is rather a ! or a ?: it ends over a point on the line of writing.

    Dirt under a digit lies under that line.

    Parameters
    ----------
    box : of the digit, with or without the point.
    mask : (h, w) uint8 0 or 1, the ink in it.
    marks : boxes of dots elsewhere.
    foot : where the line of writing is, in pixels of the picture from its top.
    """
    low, high = box[1] + box[3], box[3]
    beneath = [(low, mark) for mark in marks if _share_columns(box, mark)]
    beneath += _lowest_part(box, mask)
    return any(
        GAP[0] * high < dot[1] - end <= GAP[1] * high
        and POINT[0] * high <= max(dot[2:]) <= POINT[1] * high
        and max(dot[2:]) < 2 * min(dot[2:])
        and dot[1] + dot[3] - foot <= ON_LINE * high
        for end, dot in beneath
    )


def _lowest_part(box: Box, mask: np.ndarray) -> list[tuple[float, tuple[float, ...]]]:
    """Where all else in a digit's box ends, and the box of its lowest part, if that is full."""
    *rest, lowest = [(0,) * 5, *sorted(_parts(mask), key=lambda part: part[1])]
    left, top, wide, tall, area = lowest
    if len(rest) < 2 or area < FULL * wide * tall:
        return []
    scale = box[3] / mask.shape[0]
    end = max(part[1] + part[3] for part in rest)
    dot = box[0] + left * scale, box[1] + top * scale, wide * scale, tall * scale
    return [(box[1] + end * scale, dot)]


def _parts(mask: np.ndarray) -> list[list[int]]:
    """Left, top, width, height and area of the connected parts of a digit but for dirt."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    return [part for part in stats[1:].tolist() if max(part[2:4]) > DIRT * mask.shape[0]]


def has_dot(mask: np.ndarray) -> bool:
    """Whether the lowest part of a digit, or the highest, is a dot that is clear of the rest.

    Parts of a digit that came off, as a 5's bar, are wide or close to the rest.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1, the ink in the digit's box.
    """
    parts = sorted((part[:4] for part in _parts(mask)), key=lambda part: part[1])
    if len(parts) < 2:
        return False
    height, width = mask.shape
    narrow = max(WITHIN[1] * width, SLENDER * height)
    *rest, (_, top, wide, tall) = parts
    below = top - max(above + high for _, above, _, high in rest)
    small = tall < WITHIN[0] * height and wide < min(LINE * tall, narrow)
    (_, top, broad, high), *rest = parts
    above = min(part[1] for part in rest) - top - high
    little = high < WITHIN[0] * height and broad < min(ROUND * high, narrow)
    return bool((small and below > CLEAR_BELOW * height) or (little and above > OVER * height))
