"""From any picture to the 28x28 ink of its digits, in steps that a person can look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import cv2
import numpy as np

from digitlab.frame import SIDE, to_frame, to_strip
from digitlab.paper import Paper, read_paper
from digitlab.segmentation import Segmentation, TextLine, clumps_of, segment, segment_boxes

MARGIN = 0.02  # of a picture's height: less paper over or under writing is none
LEAST_SIDE = 0.15  # of a box's longer side: in the turned picture it has no shorter one
ROOM = 1.12  # times as large as the ellipse of ink in it
ONE_DIGIT = 2.0  # heights of a digit: a narrower picture is likely cut out around one

Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the picture that was given."""


@dataclass(frozen=True)
class Step:
    """One step of preprocessing: its name, a picture (uint8, grey or RGB) and a sentence."""

    name: str
    image: np.ndarray
    note: str


@dataclass(frozen=True)
class Glyph:
    """What may be one digit: its box in the picture and its ink (28, 28) uint8."""

    box: Box
    ink: np.ndarray


@dataclass(frozen=True)
class Candidate:
    """A run of pieces, first to last (exclusive), that may be one digit.

    `cut` names the connected parts of the ink that it is only a part of; `at_edge` says that it
    runs out of a picture of about one digit, so that it may be left over from a neighbour.
    """

    first: int
    last: int
    glyph: Glyph
    cut: frozenset[int] = frozenset()
    at_edge: bool = False


@dataclass(frozen=True)
class Row:
    """One line of writing.

    Attributes
    ----------
    pieces : how many there are.
    candidates : every way to join them into digits.
    height : of a usual digit, in pixels of the picture.
    shared : the pieces that may belong to the digits on both sides of them at once.
    tight : whether there is no paper left over and under the writing of the picture.
    clumps : runs of pieces, first to last (exclusive), cut out of one connected part of the ink.
    strip : makes a strip, as `frame.to_strip` does, of such a run.
    """

    pieces: int
    candidates: tuple[Candidate, ...]
    height: float
    shared: frozenset[int] = frozenset()
    tight: bool = False
    clumps: tuple[tuple[int, int], ...] = ()
    strip: Callable[[tuple[int, int]], np.ndarray] | None = None


@dataclass(frozen=True)
class Preparation:
    """One picture seen as ink, and the rows of candidate digits found in it, top down.

    `whole` is all of its writing as one digit, where the rows may be what is left of a broken one.
    `marks` are boxes of dots and dashes, larger than dirt, that belong to no row, `cut` those of
    what the picture's left or right side cut off.
    `size` is the width and height of the picture in pixels, and `turn` the affine map, (2, 3)
    float64, by which it was turned to make its lines of writing level, None where it was not; all
    boxes are in the picture as it was turned.
    """

    paper: Paper
    segmentation: Segmentation
    rows: tuple[Row, ...]
    whole: Candidate | None = None
    marks: tuple[Box, ...] = ()
    cut: tuple[Box, ...] = ()
    size: tuple[int, int] = (0, 0)
    turn: np.ndarray | None = None

    @property
    def tilt(self) -> float:
        """Degrees by which the picture was turned, against the clock."""
        if self.turn is None:
            return 0.0
        return float(np.degrees(np.arctan2(self.turn[0, 1], self.turn[0, 0])))

    def in_picture(self, box: Box) -> Box:
        """The box in the picture as it was given around the ink of a box in it as it was turned."""
        if self.turn is None:
            return box
        left, top = self.corner(box)
        rows, columns = np.nonzero(self.ink_in(box))
        if not rows.size:
            rows, columns = np.array([[0, box[3]], [0, box[2]]]) * self.paper.scale
        points = np.stack([columns + left, rows + top], 1) / self.paper.scale
        back = cv2.transform(points[None], cv2.invertAffineTransform(self.turn))[0]
        low = np.floor(back.min(0)).clip(0, np.array(self.size) - 1).astype(int)
        high = np.ceil(back.max(0)).clip(low + 1, self.size).astype(int)
        return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])

    @property
    def glyphs(self) -> tuple[Glyph, ...]:
        """Every candidate's glyph, in reading order."""
        return tuple(c.glyph for row in self.rows for c in row.candidates)

    def ink_in(self, box: Box) -> np.ndarray:
        """The mask of all ink in a box of the picture, (h, w) uint8 0 or 1, in working pixels.

        Circles around digits are left out.
        """
        left, top, right, bottom = _working_box(box, self.paper.scale)
        return (self.segmentation.labels[top:bottom, left:right] > 0).astype(np.uint8)

    def ink_outside(self, boxes: Sequence[Box]) -> np.ndarray:
        """The mask of all ink that no box of the picture holds, likewise, of the whole picture."""
        mask = (self.segmentation.labels > 0).astype(np.uint8)
        for left, top, right, bottom in (_working_box(box, self.paper.scale) for box in boxes):
            mask[top:bottom, left:right] = 0
        return mask

    def strip_of(self, box: Box) -> np.ndarray | None:
        """The strip of what is in the box of a candidate; None if a row makes none of it."""
        for row in self.rows:
            for candidate in row.candidates if row.strip else ():
                if candidate.glyph.box == box:
                    return row.strip((candidate.first, candidate.last))
        return None

    def corner(self, box: Box) -> tuple[int, int]:
        """Left and top of a box of the picture in working pixels."""
        return _working_box(box, self.paper.scale)[:2]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What was done, to look at; drawn only when somebody looks."""
        return _steps(self.paper, self.segmentation, self.tilt)


def prepare(image: np.ndarray, boxes: Sequence[Box] | None = None) -> Preparation:
    """Find what may be digits in a picture.

    Parameters
    ----------
    image : (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA, uint8, of any size from 1x1.
    boxes : where somebody says that the digits are, one box each; None to find them.

    Returns
    -------
    Preparation; a blank picture has no rows.
    """
    return _prepared(read_paper(image), boxes, (image.shape[1], image.shape[0]))


def levelled(preparation: Preparation, boxes: Sequence[Box] | None = None) -> Preparation | None:
    """The same picture turned so that its lines of writing are level; None if they are.

    Parameters
    ----------
    boxes : as they were given to `prepare`.
    """
    paper, degrees = preparation.paper, preparation.segmentation.tilt
    if not degrees:
        return None
    height, width = paper.mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    size = np.abs(turn[:, :2]) @ [width, height]
    turn[:, 2] += size / 2 - [width / 2, height / 2]
    wide, high = (int(np.ceil(side)) for side in size)
    straight = paper.turned(turn, (wide, high))
    turn[:, 2] /= paper.scale
    turned = None if boxes is None else [_turned(box, turn) for box in boxes]
    limits = int(np.ceil(wide / paper.scale)), int(np.ceil(high / paper.scale))
    return replace(_prepared(straight, turned, limits), turn=turn, size=preparation.size)


def _turned(box: Box, turn: np.ndarray) -> Box:
    """The box in a turned picture around what `box` is around in the picture as it was given.

    The inverse of `Preparation.in_picture` for ink that fills an ellipse, with a little room, and
    turns of less than 45 degrees.
    """
    cosine, sine = turn[0, :2] ** 2 / (turn[0, :2] ** 2).sum()
    left, top, *sides = box
    wide, high = (
        ROOM * np.sqrt(max(0.0, cosine * a**2 - sine * b**2) / (cosine - sine))
        for a, b in (sides, sides[::-1])
    )
    least = LEAST_SIDE * max(sides)
    wide, high = max(wide, least), max(high, least)
    x, y = turn @ [left + sides[0] / 2, top + sides[1] / 2, 1]
    return round(x - wide / 2), round(y - high / 2), round(wide), round(high)


def _prepared(paper: Paper, boxes: Sequence[Box] | None, limits: tuple[int, int]) -> Preparation:
    """What is found, or is in `boxes`, in a picture of `limits` pixels (width, height)."""
    if boxes is None:
        segmentation = segment(paper.mask, paper.tiny)
    else:
        segmentation = segment_boxes(paper.mask, [_working_box(b, paper.scale) for b in boxes])
    rows = tuple(_row(paper, segmentation, line, limits) for line in segmentation.lines)
    whole = None
    if segmentation.whole is not None:
        (line,) = segmentation.whole.lines
        (whole,) = _row(paper, segmentation.whole, line, limits).candidates
    marks, cut = (
        tuple(_box(piece, paper.scale, limits) for piece in pieces)
        for pieces in (segmentation.marks, segmentation.cut)
    )
    return Preparation(paper, segmentation, rows, whole, marks, cut, limits)


def _row(paper: Paper, segmentation: Segmentation, line: TextLine, limits) -> Row:
    candidates = []
    cropped = paper.mask.shape[1] < ONE_DIGIT * line.height
    for span in line.spans:
        piece, ink, mask = _ink_of(paper, segmentation, line, span)
        box = _box(piece, paper.scale, limits)
        at_edge = cropped and (piece.left <= 1 or piece.right >= paper.mask.shape[1] - 1)
        glyph = Glyph(box, to_frame(ink, mask))
        candidates.append(Candidate(*span, glyph, piece.cut, at_edge))
    shared = frozenset(i for i, piece in enumerate(line.pieces) if piece.shared)
    margin = 1 + round(MARGIN * paper.mask.shape[0])
    tight = bool(paper.mask[:margin].any() and paper.mask[-margin:].any())
    height, clumps = line.height / paper.scale, tuple(clumps_of(line))
    strip = partial(_strip, paper, segmentation, line)
    return Row(len(line.pieces), tuple(candidates), height, shared, tight, clumps, strip)


def _strip(paper: Paper, segmentation: Segmentation, line: TextLine, span) -> np.ndarray:
    """The ink of a run of pieces together, (32, 112) uint8."""
    _, ink, mask = _ink_of(paper, segmentation, line, span)
    return to_strip(ink, mask)


def _ink_of(paper: Paper, segmentation: Segmentation, line: TextLine, span) -> tuple:
    """A run of pieces joined; within its box the ink, (h, w) float32, and its mask, (h, w) bool."""
    piece, mask = segmentation.mask(line, span)
    return piece, paper.ink[piece.top : piece.bottom, piece.left : piece.right], mask


def _working_box(box: Box, scale: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in working pixels."""
    left, top, width, height = (side * scale for side in box)
    return round(left), round(top), round(left + width), round(top + height)


def _box(piece, scale: float, limits: tuple[int, int]) -> Box:
    """A piece's box in pixels of the original picture."""
    # Enlarging makes ink bleed into the pixels around it; reducing leaves a part of one out.
    lower, upper = (np.rint, np.rint) if scale > 1 else (np.floor, np.ceil)
    left = min(limits[0] - 1, int(lower(piece.left / scale)))
    top = min(limits[1] - 1, int(lower(piece.top / scale)))
    right = min(limits[0], int(upper(piece.right / scale)))
    bottom = min(limits[1], int(upper(piece.bottom / scale)))
    return left, top, max(1, right - left), max(1, bottom - top)


def _steps(paper: Paper, segmentation: Segmentation, tilt: float) -> tuple[Step, ...]:
    ground = "light ink on a dark ground" if paper.light_on_dark else "dark ink on a light ground"
    around = "What lies around the sheet or panel, shadows" if paper.alone else "Shadows"
    evened = "The ground has one colour" if paper.flat else f"{around} and tinted paper are gone"
    if paper.flat and paper.alone:
        evened += "; what lies around its panel is gone"
    told = "from its ground" if paper.flat else "from lines, boxes, print and paper by a network"
    side = "left" if tilt > 0 else "right"
    level = f" Turned {abs(tilt):.0f}° to the {side}, so that its lines are level." if tilt else ""
    count = sum(len(line.pieces) for line in segmentation.lines)
    found = f"{count} piece{'s' * (count != 1)} of ink" if count else "No ink found"
    coloured = _coloured(segmentation)
    kept = np.where((coloured < 255).any(-1), 0, 255).astype(np.uint8)
    light = 255 - paper.even if paper.light_on_dark else paper.even
    return (
        Step("Grey", paper.grey, f"Colour does not matter for reading, so it is left out.{level}"),
        Step("Even light", light, f"{evened}."),
        Step("Polarity", paper.even, f"This is {ground}; from here on it is dark on white."),
        Step("Ink", 255 * (1 - paper.mask), f"Writing, told {told}."),
        Step("Specks removed", kept, f"Dirt, dots, dashes, {_OTHERS} are left out."),
        Step("Pieces", coloured, f"{found}; each digit is one of them, or several joined."),
    )


_OTHERS = "brackets, circles around digits and what the edge cut off"


def _coloured(segmentation: Segmentation) -> np.ndarray:
    """Each piece in a colour of its own, on white; (h, w, 3) uint8."""
    colours = np.full((int(segmentation.labels.max()) + 1, 3), 255, np.uint8)
    number = 0
    for line in segmentation.lines:
        for piece in line.pieces:
            hue = np.uint8([[[(number * 67) % 180, 200, 170]]])
            colours[piece.labels] = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0]
            number += 1
    return colours[segmentation.labels]


__all__ = ["SIDE", "Box", "Candidate", "Glyph", "Preparation", "Row", "Step", "prepare"]
