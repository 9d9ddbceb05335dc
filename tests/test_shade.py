"""Shadows with soft edges beside writing and under it: no strokes."""

import cv2
import numpy as np
import pytest
from handwriting import photographed, written

from digitlab.paper import read_paper
from digitlab.recognizer import champion


def beside_fingers(text: str, dark: float, under: bool = False, soft: float = 5) -> np.ndarray:
    """A photograph of digits on which the shadows of two fingers lie."""
    ink = np.pad(written(text, 90, 9), ((40, 40), (40, 150)))
    height, width = ink.shape
    cover = np.zeros(ink.shape, np.float32)
    for number in range(2):
        x = (70 if under else width - 110) + 55 * number
        cv2.line(cover, (x, 45 + 20 * number), (x + 8, height), 1.0, 26, cv2.LINE_AA)
    cover = cv2.GaussianBlur(cover, (0, 0), soft)
    page = photographed(ink) * (1 - dark * cover[..., None])
    return np.rint(page).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("dark", [0.3, 0.45, 0.6])
@pytest.mark.parametrize("text", ["5", "38", "276"])
def test_shadows_of_fingers_beside_digits_are_no_ones(text, dark):
    reading = champion().recognize(beside_fingers(text, dark))
    assert reading.text == text
    assert all(digit.accepted for digit in reading.digits)


@pytest.mark.parametrize("text", ["508", "946"])
def test_digits_in_the_shadows_of_fingers_are_read(text):
    assert champion().recognize(beside_fingers(text, 0.4, under=True)).text == text


def test_pale_strokes_with_sharp_edges_stay():
    """Beside a dark pen: what is pale and broad is shade only where it is soft, too."""
    picture = beside_fingers("5", 0.45, soft=0.7)
    height, width = picture.shape[:2]
    assert read_paper(picture).mask[round(0.4 * height) :, width - 140 :].any()
