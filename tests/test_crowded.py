"""Bold strokes that fill a picture: no window of it shows mostly paper."""

from itertools import product

import cv2
import numpy as np
import pytest
from handwriting import photographed, written

from digitlab.crowded import bare_paper
from digitlab.paper import read_paper
from digitlab.recognizer import champion

PENS = 150, 30  # pixels: how high a digit is, and how broad its strokes
CLOSE = ["2-0", "4-6", "7-0", "8-6"]  # digits, and pixels around them
CHALK = ["0-0", "4-0", "6-6", "8-6", "9-0", "9-6"]


def cut_close(text: str, margin: int, chalk: bool, slope: float = 0.3) -> np.ndarray:
    """Bold digits that fill a photograph, in light that falls off to the right."""
    ink = np.pad(written(text, *PENS), margin)
    light = 1 - slope * np.linspace(0, 1, ink.shape[1])
    page = photographed(ink, paper=60, pen=210) if chalk else photographed(ink)
    return np.rint(page * light[:, None]).astype(np.uint8)


@pytest.mark.parametrize(("case", "chalk"), [*product(CLOSE, [False]), *product(CHALK, [True])])
def test_bold_digit_cut_out_close_is_read(case, chalk):
    label, margin = case.split("-")
    picture = cut_close(label, int(margin), chalk)
    assert max(picture.shape[:2]) > 150
    reading = champion().recognize(picture)
    assert (reading.text, reading.digits[0].accepted) == (label, True)


@pytest.mark.parametrize("chalk", [False, True])
def test_bold_ink_is_all_there(chalk):
    picture, ink = cut_close("3", 2, chalk), np.pad(written("3", *PENS), 2) > 127
    mask = cv2.resize(read_paper(picture).mask, ink.shape[::-1]) > 0
    assert (mask & ink).sum() > 0.95 * (mask | ink).sum()


@pytest.mark.parametrize("label", "89")
def test_bold_digit_cut_out_close_from_squared_paper_is_read(label):
    ink = np.pad(written(label, *PENS), 3)
    squares = np.zeros(ink.shape, bool)
    for place in range(12, max(ink.shape), 55):
        squares[place : place + 4] = squares[:, place : place + 4] = True
    page = photographed(ink).astype(float)
    page[squares & (ink < 128)] *= 0.6
    assert champion().recognize(cv2.GaussianBlur(page, (0, 0), 1).astype(np.uint8)).text == label


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_shadow_over_a_part_of_a_page_is_no_stroke(share):
    page = photographed(np.pad(written("35", 60, 6), 40), paper=230, pen=60).mean(2)
    for lit in (page, page[:, ::-1], page.T):
        dark = np.array(lit)
        dark[:, : round(share * dark.shape[1])] *= 0.4
        assert bare_paper(np.rint(dark).astype(np.uint8)) is None


def test_paper_within_the_frame_of_a_cell_is_no_chalk():
    page = np.full((130, 120), 70, np.uint8)
    page[9:-9, 9:-9] = 205
    page[35:95, 55:65] = 70
    assert bare_paper(page, chalk=True) is None
    assert bare_paper(page) is None


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("angle", [0.5, 0.7, 1.2])
def test_lit_part_of_a_photograph_is_no_chalk(angle, scale):
    """Beside a desk and a finger that are as dark as what lies in the shadow."""
    ink = np.pad(written("68932", 40 * scale, 5 * scale), 30 * scale)
    ink = cv2.GaussianBlur(ink, (0, 0), 0.8) / 255
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    along = columns - 0.4 * ink.shape[1], rows - 50 * scale
    along = along[0] * np.cos(angle) + along[1] * np.sin(angle)
    page = 170 * (1 - 0.6 / (1 + np.exp(-along / (8 if scale == 1 else 12)))) * (1 - 0.55 * ink)
    page[: 14 * scale] = 25
    cv2.circle(page, (20 * scale, len(page)), 30 * scale, 45, -1)
    picture = np.rint(page + np.random.default_rng(0).normal(0, 2, page.shape)).astype(np.uint8)
    assert champion().recognize(picture).text == "68932"


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 3)])
def test_picture_of_a_pixel_or_a_line_holds_no_strokes(shape):
    assert bare_paper(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)) is None
