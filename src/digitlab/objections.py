"""What around a digit says that it is none, whatever the network makes of its shape."""

from dataclasses import replace
from functools import reduce

import cv2
import numpy as np

from digitlab.preprocess import Box, Candidate, Preparation, Row
from digitlab.punctuation import (
    MOST_OUT,
    are_uneven,
    around,
    ends_over_dot,
    goes_on,
    has_dot,
    is_colon,
    is_ring,
    is_slash,
    run_out,
    stand_above_each_other,
)
from digitlab.reading import (
    DETAIL,
    DOTTED,
    REFUSED,
    RINGED,
    RUNNING,
    SCENERY,
    STRIPE,
    TORN,
    Digit,
)
from digitlab.surroundings import strangeness, traces

DETAILS = 4  # digits that may be details of one drawing; more are writing, whatever is beside them
OUTGROWN = 1.5  # of the tallest digit's height: what is no digit and so tall is what is drawn
MOST = 0.5  # of the ink is then no digit
SIGN = 0.1  # likeness to a digit: less, the first of a row is a sign before the number
STRANGE = -0.55  # log odds of no paper: one line of 422 photographs with digits is over it
STRIPES = 0.8  # of what is found: so much looks like a 1 where stripes fall into other digits, too
UNDOTTED = {4, 6, 8}  # no sign with a dot over or under it looks like these


def skipped(row: Row, path: list[int]) -> list[Candidate]:
    """The pieces of a row that no candidate of a path covers; what an edge cut off is none.

    Parameters
    ----------
    path : indices into `row.candidates`.
    """
    chosen = [row.candidates[index] for index in path]
    covered = {piece for c in chosen for piece in range(c.first, c.last)}
    single = [c for c in row.candidates if c.last == c.first + 1 and not c.at_edge]
    return [c for c in single if c.first not in covered]


def signs_ahead(row: Row, path: list[int], digits: list[Digit]) -> int:
    """How many of a row's first digits are rather a sign before the number, as a $ or a #.

    They look like no digit at all, while some digit after them is accepted.

    Parameters
    ----------
    path : indices into `row.candidates`, one for each of `digits`.
    """
    ahead = 0
    while ahead < len(digits) and digits[ahead].label != 1 and digits[ahead].likeness < SIGN:
        ahead += 1
    cut = [row.candidates[index].cut for index in path]
    while ahead and frozenset().union(*cut[:ahead]) & frozenset().union(*cut[ahead:]):
        ahead -= 1
    return ahead if any(digit.accepted for digit in digits[ahead:]) else 0


def take_slashes(lines: list[list[Digit]], preparation: Preparation) -> list[Box]:
    """Take the slashes between digits, as in a date, out of `lines`; their boxes."""
    taken = []
    for line in lines:
        ones = [
            i for i, digit in enumerate(line[1:-1], 1) if digit.label == 1 and line[i - 1].accepted
        ]
        if not ones:
            continue
        others = [preparation.ink_in(digit.box) for digit in line if digit.label != 1]
        boxes = [digit.box for digit in line]
        places = [
            i
            for i in ones
            if is_slash(boxes[i], preparation.ink_in(boxes[i]), boxes[i - 1], boxes[i + 1], others)
        ]
        taken += [line[i].box for i in places]
        line[:] = [digit for i, digit in enumerate(line) if i not in places]
    return taken


def take_final_signs(lines: list[list[Digit]], preparation: Preparation) -> list[Box]:
    """Take every ! and ? after a number out of `lines`; their boxes."""
    taken = []
    for line in lines:
        while any(digit.accepted for digit in line[:-1]):
            foot, box = line[-2].box[1] + line[-2].box[3], line[-1].box
            if not ends_over_dot(box, preparation.ink_in(box), preparation.marks, foot):
                break
            taken.append(line.pop().box)
    return taken


def stand_or_fall(row: Row, path: list[int], digits: list[Digit]) -> list[Digit]:
    """Digits cut out of one connected part are accepted together or not at all.

    Where one of the parts of an M is no digit, or was left out, the others are none either, unless
    it runs out of a crop, as a stroke to the next digit does; and what comes apart into ones only
    is far more often a V, an N or an H than several ones.

    Parameters
    ----------
    path : indices into `row.candidates`, one for each of `digits`.
    """
    chosen = [row.candidates[index] for index in path]
    refused = [c.cut for c, digit in zip(chosen, digits, strict=True) if not digit.accepted]
    left_out = [c.cut for c in skipped(row, path)]
    torn = frozenset().union(*refused, *left_out, _only_stems(chosen, digits))
    return [
        _rejected(digit, TORN) if c.cut & torn and digit.accepted else digit
        for c, digit in zip(chosen, digits, strict=True)
    ]


def unless_sign(digit: Digit, preparation: Preparation, unread: list[Box]) -> Digit:
    """The only digit of a clean drawing is not believed if other marks make it a sign.

    A mark over or under it does, as in ?, !, :, ;, i and j, unless no such sign looks like it, and
    so does a ring beside it that is no taller, as in a %; a full stop beside it, or a sign that was
    not read, does not.
    """
    candidates = [c for row in preparation.rows for c in row.candidates]
    own = frozenset().union(*(c.cut for c in candidates if c.glyph.box == digit.box))
    whole = reduce(around, (c.glyph.box for c in candidates if c.cut & own), digit.box)
    pieces = [c.glyph.box for c in candidates if not c.cut & own]  # what it is cut from is no mark
    marks = [*preparation.marks, *(box for box in pieces if not _overlap(box, digit.box))]
    dotted = has_dot(preparation.ink_in(whole)) or any(
        stand_above_each_other(digit.box, mark) for mark in marks
    )
    if dotted and digit.label not in UNDOTTED:
        return _rejected(digit, DOTTED)
    smaller = (mark for mark in marks if mark not in unread and mark[3] <= digit.box[3])
    ringed = any(is_ring(preparation.ink_in(mark)) for mark in smaller)
    return _rejected(digit, RINGED) if ringed else digit


def unless_pair(lines: list[list[Digit]]) -> list[list[Digit]]:
    """The only two digits of a clean drawing are not believed if they are rather a : or a %."""
    one, other = (digit for line in lines for digit in line)
    if len(lines) == 2:
        objection = DOTTED if is_colon(one.box, other.box) else ""
    else:
        objection = RINGED if are_uneven(one.box, other.box) else ""
    if not objection:
        return lines
    return [[_rejected(digit, objection) for digit in line] for line in lines]


def unless_detail(lines: list[list[Digit]], preparation: Preparation) -> list[list[Digit]]:
    """A few digits of a clean drawing are not believed if they are details of something larger.

    As the eyes in a face or the legs under a body: most of the ink is no digit, and some of that
    is far taller than they are.
    """
    boxes = [digit.box for line in lines for digit in line if digit.accepted]
    if not 0 < len(boxes) <= DETAILS:
        return lines
    heights, ink = _other_parts(preparation, boxes)
    tallest = max(box[3] for box in boxes) * preparation.paper.scale
    if max(heights, default=0) < OUTGROWN * tallest or ink < MOST:
        return lines
    return [_doubted(line, DETAIL) for line in lines]


def _other_parts(preparation: Preparation, boxes: list[Box]) -> tuple[list[int], float]:
    """Heights, in working pixels, of the connected parts outside boxes; their share of the ink."""
    outside = preparation.ink_outside(boxes)
    if not outside.any():  # as in most drawings, and looking for parts takes a millisecond
        return [], 0.0
    mask = preparation.ink_outside([])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    area = stats[1:, cv2.CC_STAT_AREA]
    others = np.bincount(labels[outside > 0], minlength=len(stats))[1:] > 0.5 * area
    return stats[1:, cv2.CC_STAT_HEIGHT][others].tolist(), float(area[others].sum() / area.sum())


def unless_stripes(lines: list[list[Digit]], preparation: Preparation) -> list[list[Digit]]:
    """Hardly anything but ones is not believed if they are stripes of a pattern.

    Most of them run out of a photograph, or go on beyond their ends in any picture.
    """
    boxes = [digit.box for digit in _stems([digit for line in lines for digit in line])]
    if not boxes:
        return lines
    given = [preparation.in_picture(box) for box in boxes]
    if not preparation.paper.flat and run_out(given, preparation.size[::-1]):
        why = RUNNING
    elif _are_torn_from_lines(preparation, boxes):
        why = STRIPE
    else:
        return lines
    return [_doubted(line, why) for line in lines]


def _stems(found: list[Digit]) -> list[Digit]:
    """The ones that may be stripes, if hardly anything else is found.

    Those that are believed, unless another digit is, too: then those that are doubted as well.
    """
    believed = [digit for digit in found if digit.accepted]
    if all(digit.label == 1 for digit in believed):
        return believed
    stems = [digit for digit in found if digit.label == 1]
    return stems if len(stems) >= STRIPES * len(found) else []


def unless_scenery(lines: list[list[Digit]], preparation: Preparation) -> list[list[Digit]]:
    """What is between things in a photograph is not believed; lines of writing stand or fall."""
    return [_on_paper(line, preparation) for line in lines]


def _on_paper(line: list[Digit], preparation: Preparation) -> list[Digit]:
    """A line whose digits are accepted only if they are on paper rather than between things."""
    odds = []
    for digit in line:
        trace = traces(preparation, digit.box) if digit.accepted else None
        if trace is None:
            continue
        if trace.on_paper:  # then so is the rest of its line
            return line
        odds.append(strangeness(digit, trace))
    if not odds or np.mean(odds) < STRANGE:
        return line
    return _doubted(line, SCENERY)


def _are_torn_from_lines(preparation: Preparation, boxes: list[Box]) -> bool:
    """Whether most of some strokes go on beyond their ends."""
    even = preparation.paper.even
    strokes = ((preparation.corner(box), preparation.ink_in(box)) for box in boxes)
    return bool(np.mean([goes_on(even, *corner, ink) for corner, ink in strokes]) >= MOST_OUT)


def _doubted(line: list[Digit], objection: str) -> list[Digit]:
    """A line of which nothing is accepted; what was doubted already keeps its own reason."""
    return [_rejected(digit, objection) if digit.accepted else digit for digit in line]


def _rejected(digit: Digit, objection: str) -> Digit:
    """A digit not accepted for what is around it, whatever the network makes of its shape."""
    return replace(digit, accepted=False, verdict=REFUSED, objection=objection)


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


def _only_stems(chosen: list[Candidate], digits: list[Digit]) -> set[int]:
    """The connected parts that were cut into several digits, all of them ones."""
    labels: dict[int, list[int]] = {}
    for candidate, digit in zip(chosen, digits, strict=True):
        for part in candidate.cut:
            labels.setdefault(part, []).append(digit.label)
    return {part for part, found in labels.items() if len(found) > 1 and set(found) == {1}}
