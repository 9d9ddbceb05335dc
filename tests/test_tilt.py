"""Writing that climbs or falls, in a picture that was not held straight, is levelled and read."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.preprocess import levelled, prepare
from digitlab.recognizer import champion
from digitlab.segmentation import Piece
from digitlab.tilt import tilt_of

ANGLES = [-30, -20, -12, 12, 20, 30]


def tilted(ink: np.ndarray, degrees: float) -> np.ndarray:
    """`ink` falling to the right by some degrees, with room around it."""
    room = round(0.5 * max(ink.shape))
    wide = np.pad(ink, room)
    middle = wide.shape[1] / 2, wide.shape[0] / 2
    turn = cv2.getRotationMatrix2D(middle, -degrees, 1.0)
    return cv2.warpAffine(wide, turn, wide.shape[::-1], flags=cv2.INTER_AREA)


def several(*numbers: str) -> np.ndarray:
    """Numbers under each other, as a page's lines."""
    rows = [written(number, 60, 6) for number in numbers]
    wide = max(row.shape[1] for row in rows)
    return np.vstack([placed(row, (110, wide), 0, 0) for row in rows])


def boxes(*middles: tuple[float, float], wide: int = 20, high: int = 40) -> list[Piece]:
    return [
        Piece(
            [i + 1],
            round(x - wide / 2),
            round(y - high / 2),
            round(x + wide / 2),
            round(y + high / 2),
            300,
        )
        for i, (x, y) in enumerate(middles)
    ]


@pytest.mark.parametrize("degrees", ANGLES)
def test_a_tilted_number_is_read(degrees):
    ink = tilted(written("28453", 60, 6), degrees)
    for picture in (on_white(ink), photographed(ink)):
        assert champion().recognize(picture).text == "28453"


@pytest.mark.parametrize("degrees", ANGLES)
def test_a_tilted_page_is_read_line_by_line(degrees):
    ink = tilted(several("2845", "9063", "7528", "3946"), degrees)
    assert champion().recognize(photographed(ink)).text == "2845\n9063\n7528\n3946"


def test_a_level_number_is_not_turned():
    for ink in (written("28453", 60, 6), tilted(written("28453", 60, 6), 3)):
        assert levelled(prepare(photographed(placed(ink, (700, 900), 40, 60)))) is None


@pytest.mark.parametrize("degrees", [-38, -35, 35, 38])
def test_a_steep_row_is_one_number_and_no_steps(degrees):
    ink = tilted(written("28453", 60, 6), degrees)
    assert champion().recognize(on_white(ink)).text == "28453"


@pytest.mark.parametrize("degrees", [-35, -30, 35])
def test_boxes_are_around_the_digits_of_the_picture_as_it_was_given(degrees):
    ink = tilted(written("28453", 60, 6), degrees)
    reading = champion().recognize(on_white(ink))
    assert reading.preparation.tilt == pytest.approx(degrees, abs=5)
    rows, columns = np.nonzero(ink > 100)
    left, top, width, height = np.array([digit.box for digit in reading.digits]).T
    held = (columns >= left[:, None]) & (columns < (left + width)[:, None])
    held &= (rows >= top[:, None]) & (rows < (top + height)[:, None])
    assert held.any(0).mean() > 0.99
    assert (held.sum(1) > 0.12 * rows.size).all()
    assert (np.diff(left + width / 2) > 0).all()
    assert (width < 2 * 60).all()
    assert (height < 2 * 60).all()


@pytest.mark.parametrize("degrees", [-20, 20])
def test_boxes_given_by_hand_on_a_tilted_number_read_it_the_same(degrees):
    picture = photographed(tilted(written("2845", 60, 6), degrees))
    reading = champion().recognize(picture)
    again = champion().recognize(picture, [digit.box for digit in reading.digits])
    assert again.text == reading.text == "2845"
    off = np.array([d.box for d in reading.digits]) - [d.box for d in again.digits]
    assert np.abs(off).max() < 20


def test_steps_say_how_far_the_picture_was_turned():
    for degrees, side in ((35, "left"), (-30, "right"), (-35, "right")):
        reading = champion().recognize(on_white(tilted(written("28453", 60, 6), degrees)))
        assert f"° to the {side}" in reading.steps[0].note
    level = champion().recognize(on_white(written("28453", 60, 6)))
    assert "°" not in level.steps[0].note


def test_digits_on_steps_or_in_a_column_are_no_tilted_row():
    assert tilt_of([]) == 0.0
    assert tilt_of(boxes((50, 50))) == 0.0
    assert tilt_of(boxes((50, 50), (52, 100), (49, 150))) == 0.0
    assert tilt_of(boxes((50, 50), (80, 80), (110, 50), (140, 80))) == 0.0


@pytest.mark.parametrize("degrees", ANGLES)
def test_what_tilts_a_row_is_measured(degrees):
    along = np.arange(5) * 35.0
    turn = np.deg2rad(degrees)
    middles = [(200 + x * np.cos(turn), 200 + x * np.sin(turn)) for x in along]
    assert tilt_of(boxes(*middles)) == pytest.approx(degrees, abs=1)
    dot = boxes((205, 260), wide=4, high=4)
    assert tilt_of([*boxes(*middles), *dot]) == pytest.approx(degrees, abs=1)
