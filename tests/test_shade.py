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
@pytest.mark.parametrize("text", ["38", "276"])
def test_shadows_of_fingers_beside_digits_are_no_ones(text, dark):
    reading = champion().recognize(beside_fingers(text, dark))
    assert reading.text == text
    assert all(digit.accepted for digit in reading.digits)


@pytest.mark.parametrize("text", ["508", "946"])
def test_digits_in_the_shadows_of_fingers_are_read(text):
    assert champion().recognize(beside_fingers(text, 0.4, under=True)).text == text


def test_bold_digit_with_soft_edges_is_no_shade():
    """Most strokes are slender here, and a broad one in chalk may be as soft as a shadow."""
    ink = cv2.GaussianBlur(np.pad(written("5", 150, 30), ((40, 40), (40, 190))), (0, 0), 3)
    for row in range(60, 190, 30):
        ink[row : row + 4, 220:360] = 255
    mask = read_paper(photographed(ink, paper=215, pen=45)).mask
    assert mask[40:-40, 40:150].mean() > 0.8 * (ink[40:-40, 40:150] > 127).mean()


def test_pale_strokes_with_sharp_edges_stay():
    """Beside a dark pen: what is pale and broad is shade only where it is soft, too."""
    sharp, soft = (
        read_paper(beside_fingers("38", 0.45, soft=soft)).mask[:, -140:].mean() for soft in (0.7, 5)
    )
    assert sharp > 0.1
    assert soft < 0.02
