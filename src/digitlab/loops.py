"""Where digits with loops join: the stroke that two zeros share, and where a loop's own ends.

Touching strokes are thin and low where they are cut otherwise; where loops touch they are neither.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

BRIDGE = 0.09  # of the line's height: a loop that is open by less is one all the same
ROOM = 0.2  # likewise: lower is no loop
WALL = 0.35  # likewise: what parts two loops that join is no thicker
DOUBLE = 2.6  # strokes: likewise
BOTH = 1.3  # strokes: what is no farther from either of two loops is a stroke of both
WAIST = 0.04  # of the line's height: how far the outline dips where two loops join, at least
OWN = 1.15  # strokes: how far a loop's own stroke reaches
REST = 0.8  # strokes: less beside a loop is no part of another digit


@dataclass(frozen=True)
class Wall:
    """What parts two loops beside each other.

    Attributes
    ----------
    middle : its column.
    side : (n,) int of each of n pixels: 0 if it is nearer to the left loop, 2 to the right one, 1
        if it is a stroke of both.
    """

    middle: int
    side: np.ndarray


@dataclass(frozen=True)
class Joints:
    """Where some ink may be parted beside its loops, from left to right.

    Attributes
    ----------
    walls : what parts neighbouring loops.
    ends : the columns where a loop's stroke ends and other ink goes on.
    """

    walls: tuple[Wall, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Loop:
    """The paper that a stroke shuts in: where `labels` (h, w) int is `number`, and its box."""

    labels: np.ndarray
    number: int
    left: int
    top: int
    right: int
    bottom: int

    def distance(self) -> np.ndarray:
        """(h, w) float32, how far each pixel is from it."""
        return _distance(self.labels != self.number)


def find_joints(along: np.ndarray, rows: np.ndarray, height: float) -> Joints:
    """Where ink may be parted beside its loops.

    Parameters
    ----------
    along, rows : (n,) int, column and row of each of the ink's n pixels.
    height : of a usual digit, in pixels.
    """
    rows, along = rows - rows.min(), along - along.min()
    ink = np.zeros((int(rows.max()) + 1, int(along.max()) + 1), np.uint8)
    ink[rows, along] = 1
    loops = _loops(ink, height)
    if not loops:
        return Joints()
    stroke = _stroke(ink)
    walls = []
    for left, right in pairwise(loops):
        if not _are_level(left, right):
            continue
        away = left.distance(), right.distance()
        between = away[0] + away[1]
        if between.min() > min(DOUBLE * stroke, WALL * height):
            continue
        middle = int(np.median(np.nonzero(between < between.min() + 1)[1]))
        if _waist(ink, left, right, middle) > WAIST * height:
            walls.append(Wall(middle, _side(*(a[rows, along] for a in away), 1 + BOTH * stroke)))
    walls.sort(key=lambda wall: wall.middle)
    return Joints(tuple(walls), _ends(loops, ink.shape[1], stroke))


def _loops(ink: np.ndarray, height: float) -> list[_Loop]:
    """The loops of some ink (h, w) uint8 0 or 1, from left to right."""
    reach = max(1, round(BRIDGE * height))
    margin = 2 * reach
    paper = 1 - _closed(np.pad(ink, margin), reach)
    _, labels, stats, middles = cv2.connectedComponentsWithStats(paper, connectivity=4)
    around, inside = labels[0, 0], labels[margin:-margin, margin:-margin]
    loops = []
    for number in np.argsort(middles[:, 0]).tolist():
        x, y, w, h, _ = stats[number].tolist()
        if h > ROOM * height and number not in (0, around):  # 0 is the ink
            x, y = x - margin, y - margin
            loops.append(_Loop(inside, number, x, y, x + w, y + h))
    return loops


def _closed(ink: np.ndarray, reach: int) -> np.ndarray:
    """The closing of `ink` (h, w) uint8 0 or 1 by a disc of a radius in pixels.

    By distances, which take the same time for any radius.
    """
    grown = _distance(1 - ink) <= reach
    return (_distance(grown) > reach).astype(np.uint8)


def _distance(mask: np.ndarray) -> np.ndarray:
    """(h, w) float32, how far each pixel of `mask` is from the nearest that is 0."""
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def _stroke(ink: np.ndarray) -> float:
    """About how thick the strokes of `ink` (h, w) uint8 are: a band's pixels are on average a
    quarter of its width away from its edges.

    Ragged ink has a long outline, by which `frame.stroke_width` would find it too thin.
    """
    depth = _distance(np.pad(ink, 1))[1:-1, 1:-1]
    return 4 * float(depth[ink > 0].mean())


def _are_level(left: _Loop, right: _Loop) -> bool:
    """Whether two loops share half the rows of the lower one, unlike those of an 8."""
    common = max(0, min(left.bottom, right.bottom) - max(left.top, right.top))
    return common >= 0.5 * min(left.bottom - left.top, right.bottom - right.top)


def _waist(ink: np.ndarray, left: _Loop, right: _Loop, middle: int) -> int:
    """Pixels by which the outline of two loops dips in a column between them, above or below.

    It does not where a stroke runs through one loop, as through a slashed zero.
    """
    spans = (left.left, left.right), (right.left, right.right), (middle, middle + 1)
    rows = [np.flatnonzero(ink[:, first:last].any(1)) for first, last in spans]
    above, below = [int(r[0]) for r in rows], [int(r[-1]) for r in rows]
    return max(above[2] - max(above[:2]), min(below[:2]) - below[2])


def _side(left: np.ndarray, right: np.ndarray, reach: float) -> np.ndarray:
    """`Wall.side` of pixels from their distances to the loops."""
    nearer = np.where(left < right, 0, 2)
    return np.where(np.maximum(left, right) <= reach, 1, nearer)


def _ends(loops: list[_Loop], width: int, stroke: float) -> tuple[int, ...]:
    """`Joints.ends`, but for the ends of the ink itself, which is `width` pixels wide."""
    ends: list[int] = []
    for loop in loops:
        ends += [int(loop.left - OWN * stroke), int(loop.right - 1 + OWN * stroke)]
    return tuple(end for end in ends if REST * stroke < end < width - REST * stroke)
