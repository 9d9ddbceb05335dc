"""Where the paper is in a photograph that shows what it lies on."""

import cv2
import numpy as np
import pytest
from handwriting import photographed, placed, written

from digitlab.recognizer import champion
from digitlab.sheet import find_sheet

SHAPE = (420, 560)
CORNERS = np.array([[150, 60], [440, 80], [420, 370], [130, 340]])
WOOD, YELLOW = (110, 80, 50), (235, 220, 110)


def on_desk(page: np.ndarray, corners: np.ndarray = CORNERS, desk=WOOD) -> np.ndarray:
    """`page` (h, w, 3) uint8 within `corners`, a desk with a grain around it."""
    inside = cv2.fillConvexPoly(np.zeros(page.shape[:2], np.uint8), corners, 1)[..., None]
    grain = 1 + 0.1 * np.sin(np.arange(len(page)) / 4)[:, None, None]
    picture = np.where(inside, page, (np.array(desk) * grain).clip(0, 255).astype(np.uint8))
    return cv2.GaussianBlur(picture, (0, 0), 1)


def bare(colour=(225, 225, 220)) -> np.ndarray:
    return np.full((*SHAPE, 3), colour, np.uint8)


def test_sheet_is_found_but_for_its_edge():
    sheet = find_sheet(on_desk(bare()))
    truth = cv2.fillConvexPoly(np.zeros(SHAPE, np.uint8), CORNERS, 1) > 0
    assert not (sheet & ~truth).any()
    assert sheet.sum() > 0.9 * truth.sum()


@pytest.mark.parametrize("desk", [WOOD, (20, 20, 25), (40, 90, 60)])
@pytest.mark.parametrize("paper", [(225, 225, 220), YELLOW])
def test_sheet_of_any_colour_is_found_on_any_desk(paper, desk):
    assert find_sheet(on_desk(bare(paper), desk=desk)) is not None


PINE = (180, 150, 110)


@pytest.mark.parametrize("text", ["70", "59590"])
@pytest.mark.parametrize("paper", [(250, 232, 115), (165, 228, 150)])
def test_number_on_a_coloured_note_on_light_wood_is_read(paper, text):
    ink = written(text, 70, 7)
    left, top = (SHAPE[1] - ink.shape[1]) // 2, (SHAPE[0] - ink.shape[0]) // 2
    cover = placed(ink, SHAPE, left, top)[..., None] / 255
    right, bottom = left + ink.shape[1], top + ink.shape[0]
    corners = [[left - 25, top - 30], [right + 30, top - 20], [right + 25, bottom + 30]]
    page = np.rint(bare(paper) * (1 - 0.7 * cover)).astype(np.uint8)
    picture = on_desk(page, np.array([*corners, [left - 30, bottom + 22]]), PINE)
    assert find_sheet(picture) is not None
    assert champion().recognize(picture).text == text


def test_corner_of_a_sheet_is_found():
    corners = np.array([[200, -5], [570, -5], [570, 425], [200, 300]])
    assert find_sheet(on_desk(bare(), corners)) is not None


@pytest.mark.parametrize("left", [0.5, 0.75])
def test_shadow_with_a_straight_edge_leaves_the_sheet_whole(left):
    """`left` is the share of light that is left in the shadow."""
    columns = np.arange(SHAPE[1]) + 0.4 * np.arange(SHAPE[0])[:, None]
    light = np.where(columns > 350, 1.0, left)[..., None]
    assert find_sheet((bare() * light).astype(np.uint8)) is None


def lit(picture: np.ndarray, edge: float, turned: int, left: float = 0.28) -> np.ndarray:
    """The picture with a deep shadow over half of it; the shadow's edge is `edge` pixels wide."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    middle = np.array(picture.shape[:2]) / 2
    angle = np.deg2rad(20 + 90 * turned)
    along = (columns - middle[1]) * np.cos(angle) + (rows - middle[0]) * np.sin(angle)
    light = left + (1 - left) / (1 + np.exp(-along / edge))
    return (picture * light[..., None]).astype(np.uint8)


@pytest.mark.parametrize("turned", range(4))
@pytest.mark.parametrize("edge", [2, 12, 40])
@pytest.mark.parametrize("pen", [(50, 50, 55), (50, 70, 160), (170, 50, 55)])
def test_lit_part_of_a_sheet_that_is_written_all_over_is_no_sheet(pen, edge, turned):
    ink = placed(written("4736", 110, 8), SHAPE, 70, 150).astype(np.float32)[..., None] / 255
    page = (
        bare() * (1 - ink)
        + np.array(pen) * ink
        + np.random.default_rng(0).normal(0, 3, (*SHAPE, 3))
    )
    picture = lit(cv2.GaussianBlur(page, (0, 0), 1), edge, turned)
    assert find_sheet(picture) is None
    assert champion().recognize(picture).text == "4736"


@pytest.mark.parametrize("label", ["0", "1", "8"])
def test_thick_chalk_on_a_dark_ground_is_no_sheet(label):
    ink = cv2.GaussianBlur(placed(written(label, 260, 50), SHAPE, 150, 60), (0, 0), 1)
    grain = np.random.default_rng(0).normal(30, 2, SHAPE)
    assert champion().recognize((grain + ink * 0.8).astype(np.uint8)).text == label


def test_one_of_several_boxes_on_a_dark_form_is_no_sheet():
    form = np.full((*SHAPE, 3), (60, 70, 110), np.uint8)
    for left in (60, 220, 380):
        form[140:280, left : left + 120] = 225
    assert find_sheet(form[:, :200]) is not None
    assert find_sheet(form) is None


def test_paper_that_fills_the_picture_is_no_sheet_in_it():
    assert find_sheet(photographed(placed(written("4", 200, 14), SHAPE, 150, 100))) is None


@pytest.mark.parametrize("label", "0123456789")
def test_digit_on_a_sheet_on_a_dark_desk_is_read(label):
    ink = placed(written(label, 90, 8), SHAPE, 240, 150)
    reading = champion().recognize(on_desk(photographed(ink)))
    assert reading.text == label
    assert "around the sheet" in reading.steps[1].note
