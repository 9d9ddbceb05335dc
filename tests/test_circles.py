"""Circles and frames around digits are left out; loops and slashes of digits are not."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.circles import circles
from digitlab.recognizer import champion
from digitlab.segmentation import segment


def circled(text: str, gap: int = 0, side: int = 240, wide: float = 1.0) -> np.ndarray:
    """A number in a circle whose ends are `gap` degrees apart."""
    ink = np.zeros((side, side), np.uint8)
    if text:
        number = written(text, side * 0.4 / max(1, len(text) ** 0.75), side // 24)
        high, broad = number.shape
        ink = placed(number, ink.shape, (side - broad) // 2, (side - high) // 2)
    radii = round(side * 0.42 * wide), round(side * 0.42)
    cv2.ellipse(ink, (side // 2, side // 2), radii, 0, gap - 60, 300, 255, side // 30)
    return ink


def found(ink: np.ndarray) -> list[bool]:
    """Whether each part, the largest first, is a circle."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 127).astype(np.uint8))
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA]) + 1
    boxes = stats[order, :4].copy()
    boxes[:, 2:] += boxes[:, :2]
    return circles(labels, order, boxes).tolist()


def read(picture: np.ndarray) -> str:
    return champion().recognize(picture).text


@pytest.mark.parametrize("gap", [0, 30])
@pytest.mark.parametrize("text", [*"123456789", "18", "307"])
def test_number_in_a_circle_is_read(text, gap):
    ink = circled(text, gap)
    assert read(on_white(ink)) == text
    assert read(photographed(ink)) == text


def test_number_in_a_frame_drawn_by_hand_is_read():
    ink = placed(written("42", 80, 8), (220, 260), 60, 70)
    corners = np.array([[34, 30], [228, 38], [222, 190], [30, 184]], np.int32)
    cv2.polylines(ink, [corners], True, 255, 7)
    assert found(ink) == [True, False, False]
    assert read(on_white(ink)) == "42"


@pytest.mark.parametrize("turn", [0, 25, 90])
@pytest.mark.parametrize("text", ["2", "4", "7", "36"])
def test_number_in_a_circle_of_two_arcs_is_read(text, turn):
    ink = circled(text, 360)
    for start in (turn + 280, turn + 100):
        cv2.ellipse(ink, (120, 120), (101, 101), 0, start, start + 160, 255, 8)
    assert sum(found(ink)) == 2
    assert read(on_white(ink)) == text
    assert read(photographed(ink)) == text


@pytest.mark.parametrize("turn", [0, 90, 200])
@pytest.mark.parametrize("text", ["2", "7", "36"])
def test_number_in_a_circle_of_three_arcs_is_read(text, turn):
    ink = circled(text, 360)
    for start, length in ((turn + 280, 160), (turn + 100, 95), (turn + 205, 55)):
        cv2.ellipse(ink, (120, 120), (101, 101), 0, start, start + length, 255, 8)
    assert sum(found(ink)) == 3
    assert read(on_white(ink)) == text


def test_two_ones_around_a_zero_are_no_circle():
    ink = circled("", 360)
    cv2.ellipse(ink, (120, 120), (30, 55), 0, 0, 360, 255, 8)
    for x in (70, 170):
        cv2.line(ink, (x, 50), (x, 190), 255, 8)
    assert not any(found(ink))
    assert read(on_white(ink)) == "101"


def test_one_circled_digit_of_a_row_is_read_with_the_others():
    left, right = written("5", 80, 8), written("7", 80, 8)
    ink = np.zeros((240, 500), np.uint8)
    ink[:, 130:370] = circled("3")
    ink = np.maximum(ink, placed(left, ink.shape, 30, 80))
    ink = np.maximum(ink, placed(right, ink.shape, 420, 80))
    assert read(on_white(ink)) == "537"


def test_open_loop_around_nothing_and_a_zero_are_no_circles():
    assert found(circled("", 0)) == [False]
    assert read(on_white(placed(written("0", 160, 12), (240, 240), 60, 40))) == "0"


@pytest.mark.parametrize(("end", "wide", "is_circle"), [
    ((90, 180), 0.62, False),  # the slash of a zero
    ((120, 170), 0.62, False),  # one that is upright, in a narrow zero
    ((118, 170), 1.0, True),  # a 1 in a circle
    ((80, 170), 1.0, False),  # a round zero
])  # fmt: skip
def test_straight_stroke_in_a_loop_is_a_slash_unless_it_is_upright_in_a_circle(
    end, wide, is_circle
):
    ink = circled("", 0, wide=wide)
    x, y = end
    cv2.line(ink, (240 - x, 240 - y), (x, y), 255, 9)
    assert found(ink) == [is_circle, False]


def test_dirt_in_a_loop_makes_it_no_circle():
    ink = circled("")
    cv2.circle(ink, (120, 120), 20, 255, -1)
    assert found(ink) == [False, False]


def test_what_a_stroke_only_reaches_under_is_not_circled():
    two = written("2", 160, 12)
    ink = placed(two, (220, 300), 40, 30)
    cv2.line(ink, (100, 182), (280, 182), 255, 12)  # a long foot
    cv2.circle(ink, (225, 110), 40, 255, 9)
    assert found(ink)[0] is False
    assert not any(found(ink))


def test_what_winds_around_a_digit_more_than_once_is_a_scribble():
    ink = circled("3")
    turn = np.linspace(0, 5 * np.pi, 200)
    reach = np.linspace(80, 116, 200)
    path = np.stack([120 + reach * np.cos(turn), 120 + reach * np.sin(turn)], 1)
    cv2.polylines(ink, [np.rint(path).astype(np.int32)], False, 255, 5)
    assert not any(found(ink))


def test_circle_belongs_to_no_piece_and_is_no_mark():
    ink = circled("8", 20)
    segmentation = segment((ink > 127).astype(np.uint8))
    (line,) = segmentation.lines
    assert not segmentation.marks
    assert segmentation.labels[120, :60].max() == 0
    assert line.height < 120  # of the circle: 200


def test_dust_in_a_loop_makes_it_no_circle():
    ink = placed(written("0", 160, 12), (240, 240), 60, 40)
    for x, y in [(100, 90), (125, 80), (105, 150), (120, 160)]:
        ink[y : y + 3, x : x + 3] = 255
    assert found(ink)[0] is False
    assert read(on_white(ink)) == "0"


def test_face_is_no_number_in_a_circle():
    """Its eyes and its mouth stand under each other."""
    ink = np.zeros((240, 240), np.uint8)
    cv2.circle(ink, (120, 120), 100, 255, 8)
    for x in (85, 155):
        cv2.ellipse(ink, (x, 92), (10, 15), 0, 0, 360, 255, 6)
    cv2.ellipse(ink, (120, 130), (50, 40), 0, 15, 165, 255, 8)
    assert not any(found(ink))


@pytest.mark.parametrize("high", [92, 110])  # as eyes are, and as a number in a circle may be
def test_wide_mouth_that_touches_the_face_makes_it_no_circle_around_the_eyes(high):
    ink = np.zeros((240, 240), np.uint8)
    cv2.circle(ink, (120, 120), 100, 255, 14)
    for x in (88, 152):
        cv2.ellipse(ink, (x, high), (14, 20), 0, 0, 360, 255, 10)
    mouth = np.array([[62, 140], [80, 180], [120, 190], [150, 214], [178, 140]], np.int32)
    cv2.polylines(ink, [mouth], False, 255, 14)
    assert not any(found(ink))


def test_eyes_far_apart_are_no_number_in_a_circle():
    ink = circled("")
    for x in (75, 165):
        cv2.ellipse(ink, (x, 110), (8, 14), 0, 0, 360, 255, 6)
    assert not any(found(ink))
    assert any(found(circled("00")))


def ghost(x: int, y: int, tall: int) -> np.ndarray:
    """An outline around two rings, whose middle is at (x, y)."""
    ink = np.zeros((240, 240), np.uint8)
    outline = [[60, 210], [60, 90], [80, 45], [120, 25], [160, 45], [180, 90], [180, 210]]
    hem = [[160, 180], [140, 210], [120, 180], [100, 210], [80, 180]]
    cv2.polylines(ink, [np.array(outline + hem, np.int32)], True, 255, 7)
    for side in (-24, 24):
        cv2.ellipse(ink, (x + side, y), (tall // 5, tall // 2), 0, 0, 360, 255, 6)
    return ink


def test_small_rings_high_in_an_outline_are_eyes():
    assert not any(found(ghost(120, 85, 30)))
    assert sum(found(ghost(120, 117, 30))) == 1  # in the middle they may be a number
    assert sum(found(ghost(120, 99, 90))) == 1  # so may they if they are large
    reading = champion().recognize(on_white(ghost(120, 85, 30)))
    assert not any(digit.accepted for digit in reading.digits)
