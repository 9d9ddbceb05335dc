"""Printed lines found in the ink: ruled and squared paper, tables, the boxes of forms.

A line is known by its length and straightness, and taken out where nothing crosses it, so that
the strokes of a digit stay whole.
"""

from dataclasses import dataclass

import cv2
import numpy as np

SLOPES = np.linspace(-0.09, 0.09, 25)  # a page held by hand is a few degrees askew
SPAN = 0.8  # share of its way that a line must be seen on
THICKEST = 0.09  # of the picture's shorter side; a thicker bar is writing
THICKEST_SIDE = 0.18  # of a box's: four bars around something are its sides
_FINEST = 400  # pixels; lines are searched for on a copy no wider than this
_LEAST = 16  # pixels; nothing is searched for in a strip narrower than this


@dataclass(frozen=True)
class Line:
    """y = slope * x + start, from x = left to x = right, in pixels of the mask."""

    slope: float
    start: float
    left: float
    right: float

    def at(self, x):
        """The line's y at x."""
        return self.slope * x + self.start

    def moved(self, x: int, y: int) -> "Line":
        """The same line in a picture whose origin lies at (x, y) of the new one."""
        return Line(self.slope, self.start + y - self.slope * x, self.left + x, self.right + x)


def ruling(mask: np.ndarray) -> np.ndarray | None:
    """Pixels that belong to printed lines, (h, w) bool, or None when there are no lines.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1, all ink.
    """
    if not mask.size:
        return None  # OpenCV ends the process over the parts of an empty picture
    turned = np.ascontiguousarray(mask.T)
    across, down = _spanning(mask), _spanning(turned)
    if not across and len(down) == 1 and not _near_side(down[0], turned.shape):
        down = []  # one upright line in the middle is a 1
    down += _between(turned, down, across)
    across += _between(mask, across, down)
    framed_across, framed_down = _frames(mask)
    across, down = across + framed_across, down + framed_down
    if not across and not down:
        return None
    across = [_extended(mask, line) for line in across]
    down = [_extended(turned, line) for line in down]
    return _pixels(mask, across, down)


def remains(mask: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Pixels of `mask` that are left-overs of printed lines: parts that lie mostly beside them.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1, ink after `lines` ((h, w) bool) were taken out.

    Returns
    -------
    (h, w) bool.
    """
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    reach = 2 * max(3, round(0.02 * min(mask.shape))) + 1
    near = cv2.dilate(lines.astype(np.uint8), np.ones((reach, reach), np.uint8))
    size = np.bincount(labels.ravel(), minlength=count)
    beside = np.bincount(labels.ravel(), weights=near.ravel(), minlength=count)
    leftover = beside > 0.6 * size
    leftover[0] = False
    return leftover[labels]


def _near_side(line: Line, shape: tuple[int, int]) -> bool:
    middle = line.at(shape[1] / 2)
    return min(middle, shape[0] - middle) < 0.2 * shape[0]


def _straight(mask: np.ndarray, length: int) -> np.ndarray:
    """Only the ink that lies in level runs of at least `length` pixels."""
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))


def _spanning(mask: np.ndarray, edge: float = 0.015, thickest: float = THICKEST) -> list[Line]:
    """Level lines that run through the whole picture, from one side to the other.

    `edge` is how far from either side, as a share of the width, a line may stop, `thickest` how
    thick it may be, as a share of the shorter side.
    """
    height, width = mask.shape
    if width < _LEAST or height < _LEAST:
        return []
    straight = _straight(mask, int(np.clip(0.1 * width, 7, 40)))
    if int(straight.any(0).sum()) < SPAN * width:
        return []
    step = max(1, width // _FINEST)
    rows, columns = np.nonzero(straight[:, ::step])
    return _vote(mask, rows, columns * step, step, edge, thickest)


def _between(mask: np.ndarray, own: list[Line], others: list[Line]) -> list[Line]:
    """Level lines from one upright line to the next: the sides of a table's cells."""
    width = mask.shape[1]
    places = sorted(line.at(mask.shape[0] / 2) for line in others)
    found: list[Line] = []
    for left, right in zip([0.0, *places], [*places, float(width)], strict=True):
        first, last = max(0, int(left) - 1), min(width, int(right) + 2)
        bounded_twice = left > 0 and right < width
        if last - first < max(_LEAST, 0.2 * mask.shape[0]) or not others:
            continue
        lines = [line.moved(first, 0) for line in _spanning(mask[:, first:last], 0.06)]
        lines = [line for line in lines if _is_whole(mask, line)]
        lines = [line for line in lines if not _known(line, own + found)]
        if bounded_twice or len(lines) > 1 or any(_near_side(s, mask.shape) for s in lines):
            found += lines
    return found


def _is_whole(mask: np.ndarray, line: Line) -> bool:
    """Whether ink runs along nearly the whole line without a gap (the stem of a 9 has one)."""
    columns = np.arange(max(0, int(line.left)), min(mask.shape[1], int(line.right) + 1))
    rows = np.rint(line.at(columns)).astype(int)
    near = [mask[(rows + shift).clip(0, mask.shape[0] - 1), columns] for shift in (-1, 0, 1)]
    empty = np.max(near, 0) == 0
    gap = max((len(run) for run in "".join("x" if e else " " for e in empty).split()), default=0)
    return gap <= max(2, 0.04 * columns.size)


def _extended(mask: np.ndarray, line: Line) -> Line:
    """The line as far as ink goes on along it, with gaps of a few pixels."""
    columns = np.arange(mask.shape[1])
    rows = np.rint(line.at(columns)).astype(int)
    near = [mask[(rows + shift).clip(0, mask.shape[0] - 1), columns] for shift in (-1, 0, 1)]
    inked = cv2.dilate(np.max(near, 0).reshape(1, -1), np.ones((1, 7), np.uint8))[0] > 0
    left, right = int(line.left), min(int(line.right), mask.shape[1] - 1)
    while left > 0 and inked[left - 1]:
        left -= 1
    while right < mask.shape[1] - 1 and inked[right + 1]:
        right += 1
    return Line(line.slope, line.start, float(left), float(right))


def _known(line: Line, others: list[Line]) -> bool:
    middle = (line.left + line.right) / 2
    return any(
        abs(other.at(middle) - line.at(middle)) < 3 and other.left <= middle <= other.right
        for other in others
    )


def _vote(mask: np.ndarray, rows, columns, step: int, edge: float, thickest: float) -> list[Line]:
    """Lines that enough columns agree on, the best first, as in a Hough transform."""
    height, width = mask.shape
    needed = SPAN * width / step
    lines: list[Line] = []
    free = np.ones(rows.size, bool)
    while free.any() and len(lines) < 30:
        count, slope, start = _peak(rows[free], columns[free])
        if count < 0.5 * needed:
            break
        distance = np.abs(rows - slope * columns - start)
        near = free & (distance <= max(2.0, 0.012 * height))
        free &= distance > max(3.0, 0.02 * height)
        covered = np.unique(columns[near])
        if covered.size < needed or not _reaches(covered, width, edge):
            continue
        middle = float(np.median((rows - slope * columns)[near]))
        line = Line(slope, middle, float(covered[0]), float(covered[-1]))
        if _is_thin(mask, line, thickest):
            lines.append(line)
    return lines


def _peak(rows: np.ndarray, columns: np.ndarray) -> tuple[int, float, float]:
    """The line with most pixels on it: their count, its slope, its start."""
    places = np.rint(rows - SLOPES[:, None] * columns).astype(np.intp)
    low = int(places.min())
    depth = int(places.max()) - low + 1
    places += np.arange(len(SLOPES))[:, None] * depth - low  # one histogram holds all slopes
    counts = np.bincount(places.ravel(), minlength=depth * len(SLOPES))
    best = int(counts.argmax())
    return int(counts[best]), float(SLOPES[best // depth]), float(best % depth + low)


def _reaches(covered: np.ndarray, width: int, edge: float) -> bool:
    """Whether a line runs from one end to the other: the foot of a 2 seldom does."""
    slack = max(3.0, edge * width)
    return covered[0] <= slack and covered[-1] >= width - 1 - slack


def _is_thin(mask: np.ndarray, line: Line, thickest: float) -> bool:
    above, below, _ = _thickness(mask, line)
    return above + below <= max(4.0, thickest * min(mask.shape))


def _frames(mask: np.ndarray) -> tuple[list[Line], list[Line]]:
    """Sides of boxes within the picture: level lines, and upright ones (x and y exchanged)."""
    across: list[Line] = []
    down: list[Line] = []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for label in range(1, len(stats)):
        x, y, w, h, area = (int(value) for value in stats[label])
        if min(w, h) < 14 or max(w, h) < 0.2 * min(mask.shape) or area > 0.6 * w * h:
            continue
        part = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        turned = np.ascontiguousarray(part.T)
        if not _edged(part) or not _edged(turned):
            continue
        level, upright = (_spanning(side, 0.1, THICKEST_SIDE) for side in (part, turned))
        upright += _between(turned, upright, level)
        if _ends(level, *part.shape) + _ends(upright, *part.shape[::-1]) == 4:
            across += [line.moved(x, y) for line in level]
            down += [line.moved(y, x) for line in upright]
    return across, down


def _edged(part: np.ndarray) -> bool:
    """Whether straight ink runs along the upper and the lower edge: a quick look before voting."""
    height, width = part.shape
    straight = _straight(part, int(np.clip(0.1 * width, 7, 40)))
    band = max(2, round(0.2 * height))
    return all(
        np.count_nonzero(edge.any(0)) >= SPAN * width
        for edge in (straight[:band], straight[-band:])
    )


def _ends(lines: list[Line], depth: int, length: int) -> int:
    """How many of the two outer edges have a line on them."""
    middles = [line.at(length / 2) for line in lines]
    return int(any(m < 0.15 * depth for m in middles)) + int(any(m > 0.85 * depth for m in middles))


def _pixels(mask: np.ndarray, across: list[Line], down: list[Line]) -> np.ndarray:
    """All pixels of the lines, but those of strokes that cross them."""
    turned = np.ascontiguousarray(mask.T)
    level, upright = _bands(mask, across), np.ascontiguousarray(_bands(turned, down).T)
    gone = level & upright  # where two lines cross there is no stroke
    without_upright = mask * ~upright
    without_level = np.ascontiguousarray((mask * ~level).T)
    for line in across:
        _take_out(without_upright, mask, line, gone)
    turned_gone = np.ascontiguousarray(gone.T)
    for line in down:
        _take_out(without_level, turned, line, turned_gone)
    return turned_gone.T


def _thickness(mask: np.ndarray, line: Line) -> tuple[int, int, np.ndarray]:
    """Pixels of a line above and below its middle (which counts below), and its columns."""
    strip, _, columns = _along(mask, line)
    middle = len(strip) // 2
    inked = strip[middle] > 0
    if not inked.any():
        return 1, 1, columns
    up = np.cumprod(strip[:middle][::-1], 0).sum(0)[inked]
    down = np.cumprod(strip[middle:], 0).sum(0)[inked]
    # Strokes that touch the line only make runs longer: the shorter ones are the line's own.
    return int(np.percentile(up, 40)), int(np.percentile(down, 40)), columns


def _along(mask: np.ndarray, line: Line):
    """The ink around a line, straightened: (2 r + 1, columns); its rows; its columns."""
    columns = np.arange(max(0, int(line.left) - 2), min(mask.shape[1], int(line.right) + 3))
    reach = max(6, int(0.06 * min(mask.shape)))
    rows = np.rint(line.at(columns)).astype(int) + np.arange(-reach, reach + 1)[:, None]
    strip = mask[rows.clip(0, mask.shape[0] - 1), columns]
    strip[(rows < 0) | (rows >= mask.shape[0])] = 0
    return strip, rows, columns


def _bands(mask: np.ndarray, lines: list[Line]) -> np.ndarray:
    """(h, w) bool, all pixels within the lines' own thickness, crossed or not."""
    band = np.zeros(mask.shape, bool)
    for line in lines:
        above, below, columns = _thickness(mask, line)
        rows = np.rint(line.at(columns)).astype(int) + np.arange(-above - 1, below + 1)[:, None]
        inside = (rows >= 0) & (rows < mask.shape[0])
        band[rows[inside], np.broadcast_to(columns, rows.shape)[inside]] = True
    return band


def _take_out(strokes: np.ndarray, mask: np.ndarray, line: Line, gone: np.ndarray) -> None:
    """Mark a line's pixels in `gone`; `strokes` is the ink without the lines across it.

    A stroke crosses where there is ink on both sides. Where there is none on a side, the line's
    soft edge there goes too.
    """
    above, below, _ = _thickness(mask, line)
    strip, rows, columns = _along(strokes, line)
    middle = len(strip) // 2
    upper, lower = max(2, middle - above - 1), min(len(strip) - 2, middle + below + 1)
    away = 1 + (above + below) // 4  # a line is not quite straight, nor everywhere as thick
    over = _touched(strip[max(0, upper - away - 2) : max(1, upper - away)], lower - upper)
    under = _touched(strip[lower + away : lower + away + 2], lower - upper)
    soft = 1 + (above + below) // 4
    out = np.zeros(strip.shape, bool)
    out[upper:lower] = ~(over & under)
    out[max(0, upper - soft) : upper] = ~over
    out[lower : lower + soft] = ~under
    inside = (rows >= 0) & (rows < mask.shape[0]) & out
    gone[rows[inside], np.broadcast_to(columns, rows.shape)[inside]] = True


def _touched(side: np.ndarray, thickness: int) -> np.ndarray:
    """Columns with ink next to the line, widened since a slanted stroke enters and leaves apart."""
    if not len(side):
        return np.zeros(side.shape[1], bool)
    touch = side.any(0).astype(np.uint8).reshape(1, -1)
    return cv2.dilate(touch, np.ones((1, 2 * (thickness // 2) + 1), np.uint8))[0] > 0
