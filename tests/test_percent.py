"""A per cent sign is left out; ones, zeros and points are not."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.recognizer import champion

SIGN = [((52, 12), (6, 104))], [(14, 22, 12), (50, 92, 12)]  # a slash, and two rings


def percent(slash=SIGN[0], rings=SIGN[1]) -> np.ndarray:
    ink = np.zeros((120, 70), np.uint8)
    for start, end in slash:
        cv2.line(ink, start, end, 255, 8)
    for x, y, radius in rings:
        cv2.circle(ink, (x, y), radius, 255, 6)
    return ink


def beside(number: str, sign: np.ndarray) -> np.ndarray:
    """A number with a sign after it."""
    ink = written(number, 100, 9)
    page = placed(ink, (200, ink.shape[1] + 190), 40, 45)
    page[45 : 45 + sign.shape[0], -120 : -120 + sign.shape[1]] |= sign
    return page


def read(picture: np.ndarray) -> str:
    return champion().recognize(picture).text


@pytest.mark.parametrize("number", ["5", "75", "100"])
def test_number_before_a_percent_sign_is_read_without_it(number):
    page = beside(number, percent())
    assert read(on_white(page)) == number
    assert read(photographed(page)) == number


def test_only_number_before_a_percent_sign_is_believed():
    (digit,) = champion().recognize(on_white(beside("5", percent()))).digits
    assert digit.accepted


def test_percent_sign_alone_is_refused():
    alone = np.pad(percent(), 60)
    for picture in (on_white(alone), photographed(alone)):
        digits = champion().recognize(picture).digits
        assert not any(digit.accepted for digit in digits)


@pytest.mark.parametrize("rings", [[SIGN[1][0]], [SIGN[1][1]]])
def test_stroke_with_one_ring_is_no_percent_sign(rings):
    assert len(read(on_white(beside("75", percent(rings=rings))))) > 2


def test_slash_that_leans_the_other_way_is_none():
    assert len(read(on_white(beside("75", percent(slash=[((12, 12), (58, 104))]))))) > 2


def test_narrow_leaning_zero_with_dirt_beside_it_is_read():
    zero = np.zeros((120, 70), np.uint8)
    cv2.ellipse(zero, (35, 60), (15, 54), 25, 0, 360, 255, 7)
    cv2.circle(zero, (12, 15), 6, 255, -1)
    cv2.circle(zero, (60, 104), 6, 255, -1)
    assert read(on_white(beside("18", zero))) == "180"
