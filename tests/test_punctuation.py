"""Dots and marks over and under a digit: which of them make it something else."""

import cv2
import numpy as np
import pytest

from digitlab.punctuation import (
    are_uneven,
    around,
    ends_over_dot,
    goes_on,
    has_dot,
    is_colon,
    is_foot,
    is_ring,
    stand_above_each_other,
)

DIGIT = (100, 100, 60, 100)  # left, top, width, height


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ((120, 230, 20, 18), True),  # a question mark's dot
        ((120, 50, 20, 18), True),  # an i's
        ((90, 230, 20, 18), True),  # not in the middle
        ((40, 230, 20, 18), False),  # beside
        ((120, 210, 20, 18), True),
        ((120, 203, 20, 18), False),  # so near that it may be a part of the stroke
        ((120, 70, 20, 18), False),  # likewise at the top
        ((120, 320, 20, 18), False),  # far away
        ((120, 390, 40, 60), True),  # about as large: a colon's other half
        ((120, 690, 40, 60), False),  # too far even for that
        ((90, 230, 90, 18), False),  # an underline
        ((110, 230, 59, 18), False),  # a short one
    ],
)
def test_dot_or_like_mark_clear_of_the_digit_stands_above_it(mark, expected):
    assert stand_above_each_other(DIGIT, mark) == expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [((90, 215, 90, 10), True), ((90, 215, 25, 10), False), ((90, 80, 90, 10), False)],
)
def test_foot_is_a_level_line_below(mark, expected):
    assert is_foot(DIGIT, mark) == expected


def test_box_around_two_holds_both():
    assert around(DIGIT, (90, 210, 20, 15)) == (90, 100, 70, 125)


def hook(dot: tuple[int, int] | None, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """A 7, (120, 60) uint8 0 or 1, 100 high, and perhaps an ellipse of half axes `size`."""
    canvas = np.zeros((140, 60), np.uint8)
    cv2.polylines(canvas, [np.array([(5, 5), (54, 5), (25, 95)])], False, 1, 8)
    if dot is not None:
        cv2.ellipse(canvas, dot, size, 0, 0, 360, 1, -1)
    rows = np.flatnonzero(canvas.any(1))
    return canvas[rows[0] : rows[-1] + 1]


@pytest.mark.parametrize(("mask", "marks", "foot", "expected"), [
    (hook((25, 120)), (), 225, True),
    (hook((25, 120)), (), 195, False),  # under the line of writing
    (hook((25, 102)), (), 225, False),  # the end of the stem, come off
    (hook((30, 120), (28, 5)), (), 225, False),  # a foot
    (hook((25, 121), (3, 3)), (), 225, False),  # dirt
    (hook(None), [(20, 115, 16, 16)], 128, True),  # a point apart from what was read
    (hook(None), [(20, 170, 16, 16)], 183, False),  # too far away
    (hook(None), [(70, 115, 16, 16)], 128, False),  # beside it
    (hook(None), (), 225, False),
    (np.zeros((20, 20), np.uint8), (), 225, False),
])  # fmt: skip
def test_sign_ends_over_a_dot_on_the_line_of_writing(mask, marks, foot, expected):
    box = (0, 0 if marks else 100, mask.shape[1], mask.shape[0])
    assert ends_over_dot(box, mask, marks, foot) == expected


def stem(lowest: int) -> np.ndarray:
    """A straight stroke, (60, 8) uint8 0 or 1, whose `lowest` pixels lie apart from the rest."""
    mask = np.ones((60, 8), np.uint8)
    mask[54 - lowest : 60 - lowest] = 0
    return mask


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (hook(None), False),
        (hook((25, 120)), True),
        (hook((25, 108)), False),  # the end of the stem, come off
        (hook((30, 120), (28, 5)), False),  # a foot
        (hook((25, 121), (1, 1)), False),  # dirt
        (hook((25, 120))[::-1].copy(), True),  # at the top, as in i
        (hook((30, 120), (16, 5))[::-1].copy(), False),  # a bar that came off
        (stem(10), True),  # no narrower than the stem, as in !
        (stem(10)[::-1].copy(), True),  # as in i
        (stem(20), False),  # a stem in two pieces
        (np.zeros((20, 20), np.uint8), False),
    ],
    ids=["whole", "dot", "near", "foot", "dirt", "top", "bar", "!", "i", "broken", "nothing"],
)
def test_dot_is_the_lowest_part_or_the_highest_and_clear_of_the_rest(mask, expected):
    assert has_dot(mask) == expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ((105, 280, 50, 90), True),
        ((105, 230, 50, 90), False),  # a column of digits
        ((200, 280, 50, 90), False),  # beside
    ],
)
def test_colon_has_room_between_its_marks(mark, expected):
    assert is_colon(DIGIT, mark) == expected


@pytest.mark.parametrize(
    ("height", "expected"), [(40, True), (50, False), (210, False), (240, True)]
)
def test_uneven_neighbours_are_less_than_half_as_high(height, expected):
    assert are_uneven(DIGIT, (170, 100, 40, height)) == expected


@pytest.mark.parametrize("filled", [True, False])
def test_ring_closes_around_paper(filled):
    mask = np.zeros((20, 20), np.uint8)
    cv2.circle(mask, (10, 10), 9, 1, -1 if filled else 2)
    assert is_ring(mask) != filled
    assert not is_ring(mask[:10])


def darkness(*lines) -> np.ndarray:
    """Grey lines 9 pixels thick, each from x, y to x, y, on white."""
    page = np.full((200, 200), 255, np.uint8)
    for start, end in lines:
        cv2.line(page, start, end, 60, 9)
    return page


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (((100, 0), (100, 199)), True),
        (((60, 0), (140, 199)), True),  # aslant
        (((100, 70), (100, 130)), False),  # the stroke itself
        (((100, 70), (100, 199)), False),  # beyond one end only
        (((100, 20), (100, 180)), True),
        (((100, 58), (100, 142)), False),  # hardly beyond
        (((0, 100), (199, 100)), False),  # across it
    ],
)
def test_piece_of_a_longer_line_goes_on_beyond_both_its_ends(line, expected):
    page = darkness(line, ((100, 72), (100, 128)) if line[0][0] != 60 else line)
    left, top = 80, 70
    ink = (page[70:131, 80:121] < 128).astype(np.uint8)
    assert goes_on(page, left, top, ink) == expected


def test_piece_at_the_side_of_the_picture_goes_on_if_its_other_end_does():
    page = darkness(((50, 0), (50, 120)), ((150, 0), (150, 60)))
    assert goes_on(page, 40, 0, (page[:60, 40:61] < 128).astype(np.uint8))
    assert not goes_on(page, 140, 0, (page[:66, 140:161] < 128).astype(np.uint8))
    assert not goes_on(page, 0, 0, np.zeros((20, 20), np.uint8))
