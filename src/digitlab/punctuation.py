"""Dots and marks over or under the only digit of a drawing: ?, !, :, ; and i are no digits."""

import cv2
import numpy as np

from digitlab.preprocess import Box

CLEAR_ABOVE = 0.2  # of a digit's height: nearer, it is a part of a stroke that came off
CLEAR_BELOW = 0.05  # likewise; at a digit's foot hardly anything comes off
SMALL = 0.6  # of a digit's height: what is wider is no dot
LINE = 2.5  # times as wide as high: likewise
WITHIN = 0.3, 0.6  # of the height and the width of all that is seen as one digit: likewise
LIKE = 0.4  # of a digit's height: what is higher is a mark of about its size, as in a colon
APART = 4.0  # heights between the two marks of a colon, at most
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
    shared = min(box[0] + box[2], mark[0] + mark[2]) - max(box[0], mark[0])
    below, above = mark[1] - box[1] - box[3], box[1] - mark[1] - mark[3]
    clear = max(below - CLEAR_BELOW * box[3], above - CLEAR_ABOVE * box[3]) > 0
    like = mark[3] > LIKE * box[3]
    reach = APART if like else 1.0
    compact = mark[2] < LINE * mark[3] and (like or mark[2] < SMALL * box[3])
    return compact and clear and shared > 0 and max(below, above) < reach * box[3]


def has_dot(mask: np.ndarray) -> bool:
    """Whether the lowest part of a digit is a dot that is clear of the rest.

    Parts of a digit that came off, as a 5's bar, lie at its top or close to the rest.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1, the ink in the digit's box.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    parts = sorted(stats[1:], key=lambda part: part[cv2.CC_STAT_TOP])
    parts = [part for part in parts if max(part[2:4]) > DIRT * mask.shape[0]]
    if len(parts) < 2:
        return False
    *rest, (_, top, wide, tall, _) = parts
    small = tall < WITHIN[0] * mask.shape[0] and wide < min(LINE * tall, WITHIN[1] * mask.shape[1])
    bottom = max(above + height for _, above, _, height, _ in rest)
    return bool(small and top - bottom > CLEAR_BELOW * mask.shape[0])
