"""From a mask of ink to pieces in reading order, and the ways they may join into digits.

A piece is a connected part of the ink, or what a cut leaves of one. A digit is one piece or a few
next to each other; which, only the recogniser can say, so every plausible span is a candidate.
After the segmentation lattice of Matan, Burges, LeCun and Denker (1991), "Multi-digit recognition
using a space displacement neural network", and Casey and Lecolinet (1996).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import cv2
import numpy as np

from digitlab.brackets import brackets
from digitlab.circles import circles
from digitlab.loops import Joints, Wall, find_joints
from digitlab.percent import percent_signs
from digitlab.tilt import least_height, skew, tilt_of

MOST_PIECES = 400  # more is texture, not writing
MOST_JOINED = 5  # pieces in one digit
WIDEST = 1.45  # heights that a digit put together from pieces is wide, at most
WIDEST_WHOLE = 2.2  # likewise, if they are all that one connected part was cut into
SPECK = 0.13  # of the tallest piece: smaller in both directions is no part of a digit
DIRT = 0.08  # likewise: smaller is not even a dot
GAP = 0.08  # of a digit's height: two parts of a broken one are no farther apart
TILTS = (0.1, -0.1, 0.2, -0.2, 0.3, -0.3)  # of a row: pixels down a pixel to the right
LEVEL = 0.04  # pixels down a pixel to the right: a page tilted less is level
APART = 0.2  # of the line's height: two cuts at thin places are no nearer to each other
BESIDE = 0.1  # likewise, two cuts beside loops
LOOP = 0.3  # of the line's height: narrower or lower is no zero, however small it is written
SMALL = 0.42  # of the line's height: lower is a dot, a comma, a dash or part of a digit


@dataclass
class Piece:
    """Part of the ink. Boxes are in working pixels: left, top, right, bottom (exclusive)."""

    labels: list[int]
    left: int
    top: int
    right: int
    bottom: int
    area: int
    near: float = 0.0  # left edge on the line, slant taken out
    far: float = 0.0  # right edge, likewise
    cut: frozenset[int] = frozenset()  # the connected parts that it is only a part of
    shared: bool = False  # a stroke that the digits on both sides of it have in common

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def joined(self, other: "Piece") -> "Piece":
        """Both as one piece."""
        return Piece(
            self.labels + other.labels,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            self.area + other.area,
            min(self.near, other.near),
            max(self.far, other.far),
            self.cut | other.cut,
        )


@dataclass
class TextLine:
    """One line of writing: its pieces from left to right, and its digits' usual height."""

    pieces: list[Piece]
    height: float
    spans: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Segmentation:
    """Which pixel belongs to which piece ((h, w) int32, 0 is none), and the lines, top down.

    `whole` is all of the writing as one piece, where the lines may be what is left of one digit.
    `marks` are the dots, dashes and other parts of the ink, dirt excepted, that no line holds,
    `cut` the parts that the picture's left or right side cut off.
    `tilt` is by how many degrees its lines fall to the right, 0 if they hardly do.
    """

    labels: np.ndarray
    lines: list[TextLine]
    whole: "Segmentation | None" = None
    marks: list[Piece] = field(default_factory=list)
    cut: list[Piece] = field(default_factory=list)
    tilt: float = 0.0

    def mask(self, line: TextLine, span: tuple[int, int]) -> tuple[Piece, np.ndarray]:
        """The joined piece of `span` and its mask (h, w) bool within the piece's box."""
        piece = line.pieces[span[0]]
        for other in line.pieces[span[0] + 1 : span[1]]:
            piece = piece.joined(other)
        view = self.labels[piece.top : piece.bottom, piece.left : piece.right]
        if len(piece.labels) == 1:
            return piece, view == piece.labels[0]
        return piece, np.isin(view, piece.labels)


def segment(mask: np.ndarray, whole: bool = False) -> Segmentation:
    """Find the pieces of writing in `mask` (h, w) uint8 0 or 1.

    `whole` says that the picture is one digit, so that everything in it is one piece.
    """
    if whole:
        return _as_one(mask)
    labels, pieces, specks, cut = _connected(mask)
    pieces, specks = _without_signs(labels, pieces, specks)
    lines = [_order(group) for group in _group_lines(pieces)]
    segmentation = Segmentation(labels, [line for line in lines if line.pieces])
    segmentation.cut, segmentation.whole = cut, _whole(segmentation)
    segmentation.tilt = tilt_of(pieces)
    for line in segmentation.lines:
        _arrange(segmentation, line)
    segmentation.lines = [line for line in segmentation.lines if line.pieces]
    kept = {
        label for line in segmentation.lines for p in line.pieces for label in (*p.labels, *p.cut)
    }
    segmentation.marks = [p for p in (*pieces, *specks) if kept.isdisjoint(p.labels)]
    return segmentation


def _whole(segmentation: Segmentation) -> Segmentation | None:
    """What looks like several lines as one digit, if it has one's shape and hardly a gap.

    Nothing breaks into more than three; a column of digits does not lie as close.
    """
    pieces = [piece for line in segmentation.lines for piece in line.pieces]
    if not 2 <= len(segmentation.lines) <= 3:
        return None
    first, *others = sorted(pieces, key=lambda piece: piece.top)
    joined, gap = first, 0
    for piece in others:
        gap = max(gap, piece.top - joined.bottom)
        joined = joined.joined(piece)
    most = 2 * GAP * joined.height / len(segmentation.lines)
    if gap > most or joined.width > 1.1 * joined.height:
        return None
    return _as_one(np.isin(segmentation.labels, joined.labels).astype(np.uint8))


def segment_boxes(mask: np.ndarray, boxes: Sequence[tuple[int, int, int, int]]) -> Segmentation:
    """The ink in each of some boxes as one piece, in reading order; empty boxes are left out.

    Parameters
    ----------
    mask : (h, w) uint8 0 or 1, all ink.
    boxes : left, top, right, bottom (exclusive) of each, in pixels of `mask`. Where two overlap,
        the later has the ink.
    """
    labels = np.zeros(mask.shape, np.int32)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        inside = slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))
        labels[inside][mask[inside] > 0] = number
    pieces = []
    for number in np.unique(labels[labels > 0]).tolist():
        ink = (labels == number).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(ink)
        pieces.append(Piece([number], x, y, x + w, y + h, int(ink.sum())))
    lines = [_order(group) for group in _group_lines(pieces)]
    for line in lines:
        line.spans = [(i, i + 1) for i in range(len(line.pieces))]
    return Segmentation(labels, lines, tilt=tilt_of(pieces))


def _as_one(mask: np.ndarray) -> Segmentation:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return Segmentation(mask.astype(np.int32), [])
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    piece = Piece([1], *box, int(mask.sum()))
    line = TextLine([piece], piece.height, [(0, 1)])
    return Segmentation((mask > 0).astype(np.int32), [line])


def _connected(mask: np.ndarray) -> tuple[np.ndarray, list[Piece], list[Piece], list[Piece]]:
    """Which pixel belongs to which part; the parts of writing; dots; what a side cut off."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count == 1:
        return labels, [], [], []
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST_PIECES] + 1
    order = _without_circles(labels, order, stats)
    tallest = int(stats[order, cv2.CC_STAT_HEIGHT].max())
    pieces, specks = [], []
    for label in order:
        x, y, w, h, area = (int(value) for value in stats[label])
        piece = Piece([int(label)], x, y, x + w, y + h, area)
        if area < 5 or max(w, h) < max(3, DIRT * tallest) or _cut_off(piece, mask.shape, tallest):
            continue
        (specks if max(w, h) < SPECK * tallest else pieces).append(piece)
    cut = [piece for piece in pieces if _cut_through(piece, labels, tallest)]
    if len(cut) == len(pieces):
        return labels, pieces, specks, []
    return labels, [piece for piece in pieces if piece not in cut], specks, cut


def _without_circles(labels: np.ndarray, order: np.ndarray, stats: np.ndarray) -> np.ndarray:
    """The parts in `order` but for circles around others, which are taken out of `labels`."""
    boxes = stats[order, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    found = circles(labels, order, boxes)
    for number, (left, top, right, bottom) in zip(order[found], boxes[found], strict=True):
        view = labels[top:bottom, left:right]
        view[view == number] = 0
    return order[~found]


def _without_signs(
    labels: np.ndarray, pieces: list[Piece], specks: list[Piece]
) -> tuple[list[Piece], list[Piece]]:
    """Pieces and specks but for those of per cent signs and brackets."""
    parts = [*pieces, *specks]  # brackets, which hold no specks, are numbered alike
    found = {id(parts[i]) for i in (*percent_signs(labels, parts), *brackets(labels, pieces))}
    return [p for p in pieces if id(p) not in found], [p for p in specks if id(p) not in found]


def _cut_off(piece: Piece, shape: tuple[int, int], tallest: int) -> bool:
    """Whether a piece is what the picture's edge left of something else."""
    if piece.height >= 0.5 * tallest:
        return False
    above_or_below = piece.top <= 1 or piece.bottom >= shape[0] - 1
    beside = piece.left <= 1 or piece.right >= shape[1] - 1
    return above_or_below or (beside and piece.width < 0.3 * tallest)


def _cut_through(piece: Piece, labels: np.ndarray, tallest: int) -> bool:
    """Whether a piece is the side of a digit whose rest lies beyond the picture.

    A whole digit touches the picture's edge in a point or two, a cut one all along.
    """
    if piece.width >= 0.35 * tallest:
        return False
    contact = np.isin(labels[:, [0, -1]], piece.labels).sum(0).max()
    return contact > 0.25 * piece.height


def _group_lines(pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces of one line of writing together; lines from top to bottom.

    What are several lines on a level page may be one on a tilted one: a row that climbs or falls.
    """
    if not pieces:
        return []
    tall = least_height(pieces)
    level = _grouped(pieces, tall, 0.0)
    if len(level) > 1 and _side_by_side([p for p in pieces if p.height >= tall]):
        for slope in TILTS:
            tilted = _grouped(pieces, tall, slope)
            if len(tilted) == 1:
                return tilted
    slope = skew([p for p in pieces if p.height >= tall])
    tilted = level if abs(slope) < LEVEL else _grouped(pieces, tall, slope)
    return tilted if len(tilted) <= len(level) else level


def _side_by_side(pieces: list[Piece]) -> bool:
    """Whether three pieces or more stand next to each other, none above another."""
    ordered = sorted(pieces, key=lambda p: p.left)
    return len(pieces) > 2 and all(b.left >= (a.left + a.right) / 2 for a, b in pairwise(ordered))


def _grouped(pieces: list[Piece], tall: float, slope: float) -> list[list[Piece]]:
    """The lines of a page on which writing falls by `slope` pixels a pixel to the right.

    Tall pieces found lines; small ones (dots, bars) join the line that they overlap or are near.
    """
    founders = sorted(
        (p for p in pieces if p.height >= tall),
        key=lambda p: p.top + p.bottom - slope * (p.left + p.right),
    )
    groups: list[list[Piece]] = []
    for piece in founders:
        best = max(groups, key=lambda g: _overlap(g, piece, slope), default=None)
        if best is not None and _overlap(best, piece, slope) > 0.45:
            best.append(piece)
        else:
            groups.append([piece])
    for piece in pieces:
        if piece.height < tall:
            nearest = min(groups, key=lambda g: _vertical_gap(g, piece))
            reach = 0.35 * float(np.median([p.height for p in nearest]))
            if _vertical_gap(nearest, piece) <= reach:
                nearest.append(piece)
    return sorted(
        groups, key=lambda g: np.median([p.top + p.bottom - slope * (p.left + p.right) for p in g])
    )


def _nearby(group: list[Piece], piece: Piece) -> list[Piece]:
    """Up to three members of a line that are closest in x, since lines of writing slope."""
    return sorted(group, key=lambda p: abs(p.left + p.right - piece.left - piece.right))[:3]


def _overlap(group: list[Piece], piece: Piece, slope: float) -> float:
    """Share of the lower of the two heights that a piece shares with its line."""
    near = _nearby(group, piece)
    middle = (piece.left + piece.right) / 2
    falls = [slope * (middle - (p.left + p.right) / 2) for p in near]
    # Of three numbers NumPy takes a hundred times as long, and a full page asks for thousands.
    top = median(p.top + fall for p, fall in zip(near, falls, strict=True))
    bottom = median(p.bottom + fall for p, fall in zip(near, falls, strict=True))
    shared = min(bottom, piece.bottom) - max(top, piece.top)
    return shared / max(1.0, min(bottom - top, piece.height))


def _vertical_gap(group: list[Piece], piece: Piece) -> float:
    near = _nearby(group, piece)
    top, bottom = min(p.top for p in near), max(p.bottom for p in near)
    return max(0.0, top - piece.bottom, piece.top - bottom)


def _order(group: list[Piece]) -> TextLine:
    """A line without what is small and stands alone (dots, commas, dashes, underlines)."""
    heights = np.array([p.height for p in group], float)
    height = float(np.percentile(heights[heights >= 0.5 * heights.max()], 60))
    return TextLine(sorted(group, key=lambda p: p.left + p.right), height)


def _arrange(segmentation: Segmentation, line: TextLine) -> None:
    """Take the slant out, join what lies above each other, drop marks, cut what is too wide."""
    slant = _slant(segmentation, line)
    for piece in line.pieces:
        _measure(segmentation, piece, slant)
    line.pieces = [piece for piece in line.pieces if not _is_stripe(piece, line)]
    line.pieces = _join_overlapping(line)
    line.pieces = _drop_marks(line)
    if not line.pieces:
        return
    line.pieces = [
        part for piece in line.pieces for part in _cut(segmentation, piece, line.height, slant)
    ]
    line.pieces.sort(key=lambda p: p.near + p.far)
    line.spans = _spans(line)


def _slant(segmentation: Segmentation, line: TextLine) -> float:
    """Horizontal pixels that strokes lean to the right for each pixel upwards, 0 if unclear.

    The shear under which the columns' sums vary most, as in Vinciarelli and Luettin (2001).
    """
    tall = [p for p in line.pieces if p.height > 0.5 * line.height]
    if sum(p.width for p in tall) < 1.4 * line.height:
        return 0.0  # one digit: its slant is its own affair, and no cut is wanted
    best, slant = -1.0, 0.0
    points = [_points(segmentation, piece) for piece in tall]
    rows = np.concatenate([p[0] for p in points])
    columns = np.concatenate([p[1] for p in points])
    step = max(1, len(rows) // 6000)
    rows, columns = rows[::step], columns[::step]
    middle = rows.mean()
    for candidate in np.arange(-0.3, 0.81, 0.1):
        moved = np.rint(columns + candidate * (rows - middle)).astype(int)
        counts = np.bincount(moved - moved.min()).astype(float)
        score = float((counts**2).sum()) * (1 - 0.1 * abs(candidate))
        if score > best:
            best, slant = score, float(candidate)
    return slant


def _points(segmentation: Segmentation, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a piece's pixels, in working pixels."""
    view = segmentation.labels[piece.top : piece.bottom, piece.left : piece.right]
    rows, columns = np.nonzero(np.isin(view, piece.labels))
    return rows + piece.top, columns + piece.left


def _measure(segmentation: Segmentation, piece: Piece, slant: float) -> None:
    """Set the piece's extent along the line with the slant taken out."""
    if slant == 0.0:
        piece.near, piece.far = float(piece.left), float(piece.right)
        return
    rows, columns = _points(segmentation, piece)
    moved = columns + slant * rows
    piece.near, piece.far = float(moved.min()), float(moved.max() + 1)


def _join_overlapping(line: TextLine) -> list[Piece]:
    """Pieces above each other (a 5's bar, a broken stroke) become one."""
    pieces = sorted(line.pieces, key=lambda p: p.near)
    joined: list[Piece] = []
    for piece in pieces:
        if joined and _belong_together(joined[-1], piece, line.height):
            joined[-1] = joined[-1].joined(piece)
        else:
            joined.append(piece)
    return joined


def _belong_together(a: Piece, b: Piece, height: float) -> bool:
    shared = min(a.far, b.far) - max(a.near, b.near)
    narrow = min(a.far - a.near, b.far - b.near)
    both_tall = min(a.height, b.height) > 0.6 * height
    if max(a.far, b.far) - min(a.near, b.near) > 1.3 * height and not both_tall:
        return shared > 0.9 * narrow and narrow > 0.3 * height
    return shared > (0.75 if both_tall else 0.5) * narrow


def _is_stripe(piece: Piece, line: TextLine) -> bool:
    """Whether a piece is a bar that runs on past its digit: an underline, a long dash."""
    thickness = piece.area / max(1, piece.width)
    return (
        piece.width > 1.0 * line.height
        and thickness < 0.2 * piece.width
        and (piece.height < 0.3 * line.height)
    )


def _drop_marks(line: TextLine) -> list[Piece]:
    """Without dots, commas, dashes and underlines: low, and no neighbour to be a part of."""
    return [
        piece
        for piece in line.pieces
        if piece.height >= SMALL * line.height
        or _is_small_zero(piece, line.height)
        or (piece.width <= 3.0 * piece.height and _could_be_part(piece, line))
    ]


def _is_small_zero(piece: Piece, height: float) -> bool:
    """Whether a low piece may be one of the zeros that end an amount, which often get smaller.

    It is wider and higher than a dot or a dash, and there is paper in it.
    """
    wide = min(piece.width, piece.height) > LOOP * height
    return wide and piece.area < 0.65 * piece.width * piece.height


def _could_be_part(piece: Piece, line: TextLine) -> bool:
    """Whether a low piece may belong to a digit next to it: close, and not at the foot."""
    foot = max(p.bottom for p in line.pieces if p.height >= SMALL * line.height)
    at_foot = piece.bottom > foot - 0.3 * line.height and piece.width < 0.4 * line.height
    gaps = [max(piece.near - p.far, p.near - piece.far) for p in line.pieces if p is not piece]
    return not at_foot and bool(gaps) and min(gaps) < 0.15 * line.height


def _cut(segmentation: Segmentation, piece: Piece, height: float, slant: float) -> list[Piece]:
    """A piece that may be several touching digits, cut where its strokes are thin or loops join."""
    extent = piece.far - piece.near
    if extent < 0.62 * height or piece.height < 0.5 * height or extent > 40 * height:
        return [piece]
    rows, columns = _points(segmentation, piece)
    along = np.rint(columns + slant * rows - piece.near).astype(int)
    joints = find_joints(along, rows, height)
    places = _cut_places(along, rows, height, joints)
    if not places and not joints.walls:
        return [piece]
    part, shared = _parts(along, places, joints.walls)
    return _apply_cuts(segmentation, piece, rows, columns, along, part, shared)


def _cut_places(along: np.ndarray, rows: np.ndarray, height: float, joints: Joints) -> list[int]:
    """Columns, walls apart, where a loop ends, little ink is crossed or the outline dips."""
    extent = int(along.max()) + 1
    crossed = np.bincount(along, minlength=extent).astype(np.float32)
    top = np.full(extent, rows.max() + 1)
    np.minimum.at(top, along, rows)
    bottom = np.full(extent, rows.min())
    np.maximum.at(bottom, along, rows)
    tall = (bottom - top + 1).clip(0).astype(np.float32)
    # Joins are low and thin; the belly of a 0 is crossed twice, its side is tall.
    cost = crossed + 0.35 * tall
    sigma = max(0.6, height / 40)
    cost = cv2.GaussianBlur(cost.reshape(1, -1), (0, 0), sigma).ravel()
    margin = max(2, int(0.16 * height))
    inner = np.arange(margin, extent - margin)
    minima = [i for i in inner if cost[i] <= cost[i - 1] and cost[i] < cost[i + 1]]
    minima = [i for i in minima if crossed[i] < 0.55 * height]
    walls = [wall.middle for wall in joints.walls]
    places = list(walls)
    for end in joints.ends:
        if _is_clear(end, places, BESIDE * height):
            places.append(end)
    most = len(places) + max(1, round(extent / height / 0.28) - 1)
    for i in sorted(minima, key=lambda i: cost[i]):
        if _is_clear(i, places, APART * height) and len(places) < most:
            places.append(int(i))
    return [i for i in _fill(sorted(places), cost, height) if i not in walls]


def _is_clear(place: int, others: list[int], least: float) -> bool:
    """Whether all others are at least so far away."""
    return all(abs(place - other) >= least for other in others)


def _parts(along: np.ndarray, places: list[int], walls: tuple[Wall, ...]) -> tuple:
    """Of each pixel, behind how many cuts it lies, (n,) int; and which of the parts are shared.

    A wall counts for two cuts, with a shared part between them. It parts what is near it, up to
    the next cut, by the loop that a pixel belongs to.
    """
    part = np.searchsorted(places, along, side="right")
    cuts = sorted([*places, *(wall.middle for wall in walls)])
    shared = []
    for number, wall in enumerate(walls):
        index = cuts.index(wall.middle)
        low, high = [-1, *cuts][index], [*cuts, int(along.max()) + 1][index + 1]
        near = (along > low) & (along < high)
        part += np.where(near, wall.side, np.where(along < wall.middle, 0, 2))
        shared.append(index + number + 1)
    return part, shared


def _fill(places: list[int], cost: np.ndarray, height: float) -> list[int]:
    """One more cut in every stretch that is wider than a digit: loops that touch show no dip."""
    filled = list(places)
    edges = [0, *places, len(cost)]
    for left, right in pairwise(edges):
        stretch = right - left
        if stretch > 0.75 * height:
            inner = slice(left + stretch // 4, right - stretch // 4)
            filled.append(inner.start + int(cost[inner].argmin()))
    return sorted(filled)


def _apply_cuts(segmentation, piece, rows, columns, along, part, shared) -> list[Piece]:
    """Relabel the piece's pixels by the part, (n,) int, that they belong to."""
    first = int(segmentation.labels.max()) + 1
    segmentation.labels[rows, columns] = first + part
    cut = frozenset(piece.labels)
    pieces = []
    for i in range(int(part.max()) + 1):
        inside = part == i
        if not inside.any():
            continue
        r, c, a = rows[inside], columns[inside], along[inside]
        box = (int(c.min()), int(r.min()), int(c.max()) + 1, int(r.max()) + 1)
        extent = (float(a.min() + piece.near), float(a.max() + 1 + piece.near))
        area = int(inside.sum())
        pieces.append(Piece([first + i], *box, area, *extent, cut, i in shared))
    return pieces


def _spans(line: TextLine) -> list[tuple[int, int]]:
    """Which runs of pieces may be one digit: not too wide, no wide gap inside."""
    spans = []
    for first, piece in enumerate(line.pieces):
        far, joined = piece.far, 0
        for last in range(first + 1, len(line.pieces) + 1):
            other = line.pieces[last - 1]
            joined += not other.shared
            if other.near - far > 0.22 * line.height or joined > MOST_JOINED:
                break
            far = max(far, other.far)
            most = WIDEST_WHOLE if _is_whole(line.pieces, first, last) else WIDEST
            if joined and (last == first + 1 or far - piece.near <= most * line.height):
                spans.append((first, last))
    return spans


def clumps_of(line: TextLine) -> list[tuple[int, int]]:
    """The runs of several pieces that one connected part was cut into, first to last."""
    starts = [
        i
        for i, piece in enumerate(line.pieces)
        if i == 0 or not piece.cut or piece.cut != line.pieces[i - 1].cut
    ]
    spans = zip(starts, [*starts[1:], len(line.pieces)], strict=True)
    return [(first, last) for first, last in spans if last > first + 1]


def _is_whole(pieces: list[Piece], first: int, last: int) -> bool:
    """Whether a run of pieces is all that one connected part was cut into."""
    (cut, *others) = {piece.cut for piece in pieces[first:last]}
    around = pieces[max(0, first - 1) : first] + pieces[last : last + 1]
    return bool(cut) and not others and all(piece.cut != cut for piece in around)
