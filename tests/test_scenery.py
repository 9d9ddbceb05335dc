"""Made-up photographs without writing, and what the program makes of them."""

import cv2
import numpy as np

from digitlab.reading import SCENERY
from digitlab.recognizer import champion
from digitlab.scenery import scenery, striped


def pictures(count: int, seed: int = 71) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [scenery(rng) for _ in range(count)]


def test_pictures_are_the_same_for_the_same_seed_and_differ_from_each_other():
    first, second = pictures(4), pictures(4)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.uint8
        assert one.ndim == 3
        assert 120 <= min(one.shape[:2]) <= max(one.shape[:2]) <= 480
    assert len({picture.shape for picture in first}) == 4


def test_no_ground_is_left_that_could_be_paper():
    for picture in pictures(12):
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 2).astype(float)
        rest = grey - cv2.GaussianBlur(grey, (0, 0), 0.1 * min(grey.shape))
        assert np.percentile(np.abs(rest), 75) > 0.04 * np.median(grey)


def test_three_stripes_or_more_are_seen_in_a_picture_of_them():
    for seed in range(12):
        picture, again = (striped(np.random.default_rng(seed), 60) for _ in "ab")
        np.testing.assert_array_equal(picture, again)
        assert picture.dtype == np.uint8
        assert min(picture.shape[:2]) > 119
        height, width = picture.shape[:2]
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
        grey -= cv2.GaussianBlur(grey, (0, 0), 0.1 * min(height, width))
        power = np.abs(np.fft.fft2(grey * np.outer(np.hanning(height), np.hanning(width))))
        row, column = np.unravel_index(power.argmax(), power.shape)
        assert np.hypot(min(row, height - row), min(column, width - column)) > 3


def test_hardly_anything_in_them_is_believed():
    read = [champion().recognize(picture).digits for picture in pictures(60)]
    assert sum(any(digit.accepted for digit in digits) for digits in read) <= 6
    assert sum(any(digit.objection == SCENERY for digit in digits) for digits in read) >= 4
