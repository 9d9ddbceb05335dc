"""What stands before or after a number is left out, and told where it was not read."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.objections import signs_ahead
from digitlab.preprocess import Candidate, Glyph, Row
from digitlab.reading import Digit
from digitlab.recognizer import champion

TOP, FOOT = 60, 160  # of the digits, in pixels


def page(number: str, room: int = 120) -> np.ndarray:
    """A number with room before and after it."""
    ink = written(number, FOOT - TOP, 9)
    return placed(ink, (240, ink.shape[1] + 2 * room), room, TOP)


def curve(ink: np.ndarray, *points: tuple[int, int]):
    cv2.polylines(ink, [np.array(points, np.int32)], False, 255, 8, cv2.LINE_AA)


def exclamation(ink: np.ndarray, point: int = 148, stroke: int = 122):
    """A ! after a number: where the middle of its point is, and where its stroke ends."""
    x = ink.shape[1] - 80
    curve(ink, (x, 55), (x - 4, stroke))
    if point:
        cv2.circle(ink, (x - 5, point), 8, 255, -1)


def question(ink: np.ndarray):
    """A ? after a number."""
    x = ink.shape[1] - 70
    hook = cv2.ellipse2Poly((x, 78), (24, 24), 0, -160, 70, 5).tolist()
    curve(ink, *hook, (x, 108), (x, 122))
    cv2.circle(ink, (x, 148), 8, 255, -1)


def inches(ink: np.ndarray):
    """Two ticks after a number."""
    for x in (ink.shape[1] - 95, ink.shape[1] - 75):
        curve(ink, (x, 50), (x - 3, 82))


def dollar(ink: np.ndarray):
    """A $ before a number."""
    upper = cv2.ellipse2Poly((60, 88), (26, 22), 0, -30, -270, 5).tolist()
    lower = cv2.ellipse2Poly((60, 132), (26, 22), 0, -90, 150, 5).tolist()
    curve(ink, *upper, *lower)
    curve(ink, (60, 45), (60, 176))


def readings(ink: np.ndarray):
    """As a drawing and as a photograph."""
    return [champion().recognize(picture) for picture in (on_white(ink), photographed(ink))]


@pytest.mark.parametrize("number", ["5", "42", "381"])
@pytest.mark.parametrize("sign", [exclamation, question, dollar])
def test_number_is_read_without_the_sign_and_the_sign_is_told(number, sign):
    ink = page(number)
    sign(ink)
    for reading in readings(ink):
        assert reading.text == number
        assert all(digit.accepted for digit in reading.digits)
        ((left, _, width, _),) = reading.unread
        before = left + width < 120
        assert before == (sign is dollar)


@pytest.mark.parametrize("number", ["5", "42", "381"])
def test_ticks_after_a_number_are_no_ones(number):
    ink = page(number)
    inches(ink)
    assert {reading.text for reading in readings(ink)} == {number}


def test_several_signs_after_a_number_are_all_left_out():
    ink = page("42", 160)
    question(ink)
    exclamation(ink[:, :-50])
    for reading in readings(ink):
        assert (reading.text, len(reading.unread)) == ("42", 2)


def dated(*lines: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    """12 and 05 with strokes between them, from and to places beside the middle of the room."""
    ink = np.hstack([page("12", 60), page("05", 60)])
    middle = page("12", 60).shape[1]
    for (x, y), (to, below) in lines:
        curve(ink, (middle + x, y), (middle + to, below))
    return ink


def sheared(ink: np.ndarray, lean: float) -> np.ndarray:
    """`ink` leaning by so many pixels to the right for each upwards."""
    reach = round(lean * len(ink))
    shear = np.float32([[1, -lean, reach], [0, 1, 0]])
    return cv2.warpAffine(ink, shear, (ink.shape[1] + reach, len(ink)))


@pytest.mark.parametrize("half", [14, 35])
def test_slash_between_numbers_is_left_out_and_told(half):
    ink = dated(((half, 48), (-half, 190)))
    for reading in readings(ink):
        assert (reading.text, len(reading.unread)) == ("1205", 1)


@pytest.mark.parametrize("over", [2, 3])
def test_slash_that_hardly_comes_out_leans_more_than_the_digits(over):
    lines = ((25, 65 - over), (-25, 169 + over))
    assert {reading.text for reading in readings(dated(lines))} == {"1205"}
    ink = sheared(dated(((-8, 65 - over), (8, 169 + over))), 0.3)
    assert all(len(reading.text) == 5 for reading in readings(ink))


@pytest.mark.parametrize("stroke", [
    ((5, 48), (-5, 190)),  # upright
    ((-30, 48), (30, 190)),  # leans the other way
    ((25, 62), (-25, 168)),  # as high as the digits
    ((25, 62), (-25, 200)),  # comes out under them only
])  # fmt: skip
def test_other_stroke_between_numbers_is_a_one(stroke):
    assert all(len(reading.text) == 5 for reading in readings(dated(stroke)))


@pytest.mark.parametrize(("point", "stroke"), [
    (0, 160),  # no point
    (190, 158),  # dirt under the line
    (200, 158),
])  # fmt: skip
def test_one_over_dirt_stays_a_one(point, stroke):
    ink = page("42")
    exclamation(ink, point, stroke)
    assert {reading.text for reading in readings(ink)} == {"421"}


def row(*cut: set[int]) -> Row:
    """A row of one piece for each set of parts that it is cut from."""
    glyph = Glyph((0, 0, 40, 100), np.zeros((28, 28), np.uint8))
    candidates = tuple(Candidate(i, i + 1, glyph, frozenset(own)) for i, own in enumerate(cut))
    return Row(len(cut), candidates, 100.0)


def digit(label: int, likeness: float) -> Digit:
    shares = tuple(0.9 if i == label else 0.1 / 9 for i in range(10))
    glyph = row(set()).candidates[0].glyph
    return Digit(label, shares, 0.9 * likeness, glyph.box, likeness > 0.5, "", glyph.ink)


@pytest.mark.parametrize(("cut", "labels", "likeness", "expected"), [
    ([(), ()], (8, 4), (0.05, 1.0), 1),
    ([(), ()], (8, 4), (0.3, 1.0), 0),  # not so unlike one
    ([(), ()], (1, 4), (0.05, 1.0), 0),  # hands write ones in too many ways
    ([(), ()], (8, 4), (0.05, 0.4), 0),  # nothing else is believed
    ([{7}, {7}, ()], (8, 6, 4), (0.05, 0.05, 1.0), 2),  # a wide sign in two
    ([{7}, {7}, ()], (8, 6, 4), (0.05, 0.9, 1.0), 0),  # a part of what is a digit
    ([(), ()], (4, 8), (1.0, 0.05), 0),  # not the first
])  # fmt: skip
def test_sign_ahead_is_unlike_any_digit_and_whole(cut, labels, likeness, expected):
    digits = [digit(*pair) for pair in zip(labels, likeness, strict=True)]
    assert signs_ahead(row(*map(set, cut)), list(range(len(digits))), digits) == expected
