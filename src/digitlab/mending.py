"""The binarization network's answer put right, where it took a part of something for another thing.

It judges pixels by their surroundings. What is connected belongs together, though: a digit keeps
the stroke that was taken for a line, and a form's box loses what was taken for writing.
"""

from typing import NamedTuple

import cv2
import numpy as np

INK = 0.4  # soft ink from which a pixel is ink
FILLS = 0.75  # of the width and the height: a digit that fills a picture cut out close
TORN_OFF = 0.2  # of a part among others, at least: the network has taken a stroke from a digit
UNSURE = 0.32  # of writing, somewhere: it is not sure that a stroke is a line
FRAME = 0.22  # of a part's longer side: so far from an edge of its box a line lies along it
SIDE = 0.7  # of such an edge that a line covers
DIGIT = 0.35  # of a box's height that its digit has at least
FRAMED = 0.7  # of a part: of a digit the network keeps more
OUTLINE = 0.2  # of a frame's shorter side: so near its outline are its sides, however bold
WITHIN = 0.1  # of what is left of a frame, at least, is the ink of the digit in it
EVEN = 2.2  # times as far from a frame's outline as its usual pixel are nearly all of them


class Parts(NamedTuple):
    """All that is dark on a page, and its connected parts, of which the first is the paper.

    Attributes
    ----------
    mask : (h, w) uint8 0 or 1, all that is dark.
    labels : (h, w) int32, to which part each pixel belongs.
    stats : (n, 5) int32, left, top, width, height and area of each part.
    """

    mask: np.ndarray
    labels: np.ndarray
    stats: np.ndarray

    def shares(self, pixels: np.ndarray) -> np.ndarray:
        """The share of each part that is in `pixels` (h, w) bool; (n,) float64."""
        inside = np.bincount(self.labels[pixels], minlength=len(self.stats))
        return inside / self.stats[:, cv2.CC_STAT_AREA]


def parts_of(mask: np.ndarray) -> Parts:
    """The parts of `mask`, (h, w) uint8 0 or 1."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return Parts(mask, labels, stats)


def left_over(parts: Parts, found: np.ndarray) -> np.ndarray:
    """What the network left of the frames of digits, as of a form's boxes: (h, w) bool.

    It takes most of a frame that is askew or bold for what it is, but not all. All of a frame lies
    along its outline, and digits within.

    Parameters
    ----------
    found : (h, w) bool, what the network takes for writing.
    """
    kept = parts.shares(found)
    over = np.zeros(found.shape, bool)
    for part in 1 + np.flatnonzero((kept[1:] > 0) & (kept[1:] < FRAMED)):
        x, y, w, h, _ = parts.stats[part]
        view = slice(y, y + h), slice(x, x + w)
        digits = found[view] & (kept > FRAMED)[parts.labels[view]]
        if not digits.any():
            continue
        ink = parts.labels[view] == part
        depth, rest = _depth_in_hull(ink), ink & found[view]
        usual, deep = np.percentile(depth[ink], (50, 90))
        outline = deep <= EVEN * usual and depth[rest].max() <= OUTLINE * min(w, h)
        if outline and (digits & (depth > 0)).sum() > WITHIN * rest.sum():
            over[view] |= rest
    return over


def _depth_in_hull(ink: np.ndarray) -> np.ndarray:
    """How deep each pixel lies in the convex hull of ink ((h, w) bool), 0 outside; float32."""
    points = cv2.findNonZero(ink.astype(np.uint8))
    hull = cv2.fillConvexPoly(np.zeros(ink.shape, np.uint8), cv2.convexHull(points), 1)
    return cv2.distanceTransform(np.pad(hull, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]


def put_back(parts: Parts, belief: np.ndarray, lines: np.ndarray | None) -> np.ndarray:
    """Parts that are one digit although the network took some of it for a line, (h, w) bool.

    The foot of a 2 and the bar of a 7 look like ruled lines where nothing but their ends says
    otherwise, and a bold 1 like a pen; a part that stands free, is no wider than a digit and is on
    no line is writing. So is what is all there is but for what runs through the picture from side
    to side, and a thin stroke that is all there is and fills a picture cut out close. Of none of
    them is the network sure that it is a line: where it is, as of a grid or a comb that its digit
    touches, it is right.

    Parameters
    ----------
    belief : (h, w) float32 in 0..1, how likely the network finds a pixel to be writing.
    lines : (h, w) bool, printed lines, or None.
    """
    mask, labels, stats = parts
    found = belief > INK
    x, y, w, h, area = stats.T
    at_side = x <= 1, x + w >= mask.shape[1] - 1, y <= 1, y + h >= mask.shape[0] - 1
    free = ~np.any(at_side, axis=0)
    through = (at_side[0] & at_side[1]) | (at_side[2] & at_side[3])
    fills = (w > FILLS * mask.shape[1]) & (h > FILLS * mask.shape[0]) & (area < 0.2 * w * h)
    fills &= max(mask.mean(0).max(), mask.mean(1).max()) < 0.95  # no line, from side to side
    through &= ~fills
    through[0] = True  # the paper
    alone = ~through & (area > 0.95 * area[~through].sum())
    shaped = (w < 1.25 * h) & (h >= 8)
    kept = parts.shares(found)
    if lines is not None:
        free &= parts.shares(lines) == 0
    mostly = kept > np.where(fills, 0.1, 0.5)
    # A little that is left of one of several is the edge of its strokes, or what lies beside them.
    torn = (kept > 0.25) & (kept < 1 - TORN_OFF)
    whole = shaped & ((free & (alone | torn)) | (alone & mostly))
    whole[0] = False
    nothing = not found.any()
    for part in np.flatnonzero(whole & (kept < 1)):
        view = slice(y[part], y[part] + h[part]), slice(x[part], x[part] + w[part])
        ink = labels[view] == part
        left = ink & ~found[view]
        unsure = nothing or np.percentile(belief[view][left], 90) > UNSURE
        whole[part] = unsure and not _is_framed(ink & found[view], left)
    return whole[labels]


def _is_framed(kept: np.ndarray, left: np.ndarray) -> bool:
    """Whether what the network left of a part is a box, whose digit is what it kept.

    It lies along three of its sides or four then, which no stroke of a digit does. Both (h, w)
    bool.
    """
    deep = [max(2, round(min(FRAME * max(left.shape), side / 3))) for side in left.shape]
    sides = (left[: deep[0]].any(0), left[-deep[0] :].any(0))
    sides += (left[:, : deep[1]].any(1), left[:, -deep[1] :].any(1))
    along = sum(side.mean() > SIDE for side in sides)
    return along >= 3 and kept.any(1).mean() > DIGIT
