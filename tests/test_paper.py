"""From a picture to its ink: light, polarity, colour and transparency."""

import tracemalloc

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, placed, written

from digitlab.paper import WORKING_SIDE, _has_exact_ground, read_paper

INK = centred(written("4", 120, 12), 240)


def agreement(mask: np.ndarray, ink: np.ndarray = INK) -> float:
    """Intersection over union of a mask and the ink that was drawn."""
    if mask.shape != ink.shape:
        mask = cv2.resize(mask, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return float(((mask > 0) & (ink > 127)).sum() / ((mask > 0) | (ink > 127)).sum())


def shade(page: np.ndarray, light: np.ndarray) -> np.ndarray:
    return np.rint(page * light[..., None]).clip(0, 255).astype(np.uint8)


def test_drawing_gives_its_ink():
    paper = read_paper(on_white(INK))
    assert paper.flat
    assert not paper.light_on_dark
    assert agreement(paper.mask) > 0.85
    assert paper.ink.max() == pytest.approx(1.0)
    assert paper.ink.min() == pytest.approx(0.0)


def test_photograph_gives_its_ink():
    paper = read_paper(photographed(INK))
    assert not paper.flat
    assert not paper.light_on_dark
    assert agreement(paper.mask) > 0.7


@pytest.mark.parametrize("edge", [0.02, 0.2])
def test_shadow_across_the_paper_is_evened_out(edge):
    x = np.linspace(-1, 1, 240)[None] * np.ones((240, 1))
    light = 1 - 0.5 / (1 + np.exp(-x / edge))  # half the light is gone on the right
    paper = read_paper(shade(photographed(INK), light))
    assert agreement(paper.mask) > 0.65
    ground = paper.even[(INK < 10)[: len(paper.even)]]
    assert np.percentile(ground, 5) > 215


@pytest.mark.parametrize("turned", range(4))
@pytest.mark.parametrize("share", [0.1, 0.16])
def test_light_along_a_side_of_a_shaded_photograph_is_no_chalk(share, turned):
    ink = placed(written("17", 90, 6), (300, 420), 120, 130)
    picture = photographed(ink).astype(np.float32)
    rows, columns = np.mgrid[:300, :420]
    edge = 300 * share + 0.1 * (columns - 210)
    light = 0.42 + 0.58 / (1 + np.exp((rows - edge) / 2))
    lit = np.rot90((picture * light[..., None]).astype(np.uint8), turned)
    paper = read_paper(np.ascontiguousarray(lit))
    assert not paper.light_on_dark
    assert paper.mask.any()


@pytest.mark.parametrize("side", [0, 1])
def test_chalk_that_runs_out_of_a_photograph_is_light_on_dark(side):
    ink = placed(written("71", 120, 9), (240, 300), 60, 60)
    ink[:100, 200 * side : 200 * side + 9] = 255
    assert read_paper(255 - photographed(ink, paper=215, pen=60)).light_on_dark


@pytest.mark.parametrize("turned", range(4))
def test_chalk_over_a_line_along_a_side_is_light_on_dark(turned):
    ink = placed(written("3191", 80, 6), (200, 460), 60, 50) // 6
    cv2.line(ink, (10, 178), (459, 198), 255, 8)
    rows = np.linspace(-1, 1, 200)[:, None] * np.ones((200, 460))
    light = 1 - 0.6 / (1 + np.exp(-rows / 0.1))
    board = shade(255 - photographed(ink, paper=105, pen=0), light)
    assert read_paper(np.ascontiguousarray(np.rot90(board, turned))).light_on_dark


def test_vignette_is_evened_out():
    y, x = np.mgrid[-1:1:240j, -1:1:240j]
    paper = read_paper(shade(photographed(INK), 1 - 0.35 * (x * x + y * y)))
    assert agreement(paper.mask) > 0.65
    assert np.percentile(paper.even[INK < 10], 5) > 215


def test_light_ink_on_a_dark_ground_is_turned_round():
    drawing = read_paper(np.dstack([INK] * 3))
    assert drawing.light_on_dark
    assert agreement(drawing.mask) > 0.85
    board = read_paper(photographed(INK, paper=50, pen=200))
    assert board.light_on_dark
    assert agreement(board.mask) > 0.65


@pytest.mark.parametrize("colour", [0, 255, 90])
def test_ink_that_is_only_in_the_alpha_channel_is_seen(colour):
    image = np.full((*INK.shape, 4), colour, np.uint8)
    image[..., 3] = INK
    assert agreement(read_paper(image).mask) > 0.85


def test_dark_and_light_ink_on_transparency_give_the_same_ink():
    dark, light = (np.full((*INK.shape, 4), colour, np.uint8) for colour in (0, 255))
    dark[..., 3] = light[..., 3] = INK
    assert np.array_equal(read_paper(dark).mask, read_paper(light).mask)


def test_what_a_transparent_pixel_hides_is_not_seen():
    image = np.zeros((*INK.shape, 4), np.uint8)
    image[..., :3] = np.random.default_rng(0).integers(0, 256, (*INK.shape, 3))
    assert not read_paper(image).mask.any()


def test_large_transparent_picture_takes_little_memory_besides():
    image = np.zeros((3000, 4000, 4), np.uint8)
    image[..., 3] = cv2.resize(INK, (4000, 3000))
    tracemalloc.start()
    try:
        assert read_paper(image).mask.any()
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pen", [(40, 60, 170), (190, 40, 40), (30, 110, 50)])
def test_coloured_pens_are_ink(pen):
    share = INK[..., None] / 255
    page = photographed(np.zeros_like(INK)) * (1 - share) + np.array(pen) * share
    assert agreement(read_paper(np.rint(page).astype(np.uint8)).mask) > 0.7


def test_pen_as_light_as_the_paper_is_found_by_its_colour():
    paper, pen = np.array([150, 150, 150]), np.array([225, 124, 90])
    weights = np.array([0.299, 0.587, 0.114])
    assert abs((paper - pen) @ weights) < 2  # nothing to see in grey
    share = INK[..., None] / 255
    page = paper * (1 - share) + pen * share
    page += np.random.default_rng(0).normal(0, 2, page.shape)
    assert agreement(read_paper(np.rint(page).astype(np.uint8)).mask) > 0.6


def test_faint_pencil_is_ink():
    paper = read_paper(photographed(INK, paper=200, pen=165))
    assert agreement(paper.mask) > 0.55


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_picture_of_one_colour_has_no_ink(level):
    assert not read_paper(np.full((100, 140, 3), level, np.uint8)).mask.any()


@pytest.mark.parametrize("strength", [1, 5, 20, 60])
def test_grain_of_the_paper_is_no_ink(strength):
    page = 150 + np.random.default_rng(0).normal(0, strength, (240, 320))
    mask = read_paper(np.rint(page.clip(0, 255)).astype(np.uint8)).mask
    assert mask.mean() < 0.001


@pytest.mark.parametrize("angle", [0, 40, 90, 200])
@pytest.mark.parametrize("darkest", [90, 120])
def test_slope_of_light_is_no_ink(darkest, angle):
    y, x = np.mgrid[-1:1:200j, -1:1:300j]
    along = np.cos(np.deg2rad(angle)) * x + np.sin(np.deg2rad(angle)) * y
    slope = np.interp(along, (along.min(), along.max()), (darkest, 220))
    page = slope + np.random.default_rng(0).normal(0, 2, slope.shape)
    assert read_paper(np.rint(page).astype(np.uint8)).mask.mean() < 0.001


def test_large_picture_is_worked_on_at_a_smaller_size():
    large = cv2.resize(photographed(INK), (3600, 2400))
    paper = read_paper(large)
    assert max(paper.mask.shape) == WORKING_SIDE
    assert paper.scale == pytest.approx(WORKING_SIDE / 3600)
    assert paper.grey.shape == paper.mask.shape == paper.ink.shape == paper.even.shape


def test_small_photograph_is_enlarged():
    small = cv2.resize(photographed(INK), (40, 40), interpolation=cv2.INTER_AREA)
    paper = read_paper(small)
    assert paper.scale > 1
    assert min(paper.mask.shape) >= 120
    assert agreement(paper.mask) > 0.4


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (28, 28), (7, 900)])
@pytest.mark.parametrize("channels", [None, 3, 4])
def test_any_shape_can_be_seen(shape, channels):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, shape if channels is None else (*shape, channels), np.uint8)
    paper = read_paper(image)
    assert paper.mask.shape == paper.ink.shape
    assert paper.ink.min() >= 0
    assert paper.ink.max() <= 1


def test_grey_and_colour_of_the_same_drawing_are_the_same():
    grey, colour = read_paper(255 - INK), read_paper(on_white(INK))
    assert np.array_equal(grey.mask, colour.mask)


def test_ruled_line_is_taken_out_of_a_photograph():
    ink = placed(written("4", 120, 12), (240, 300), 100, 50)
    ruled = ink.copy()
    cv2.line(ruled, (0, 200), (299, 202), 255, 3, cv2.LINE_AA)
    mask = read_paper(photographed(ruled)).mask
    assert agreement(mask, ink) > 0.65
    assert not mask[194:208].any()


@pytest.mark.parametrize("degrees", [5, 6, 7, 8])
@pytest.mark.parametrize("digit", "3458")
def test_box_that_is_askew_and_touched_by_its_digit_is_taken_out(digit, degrees):
    """It is one part with its digit, of which the network leaves nothing but the digit."""
    ink = placed(written(digit, 120, 12), (280, 280), 100, 80)
    boxed = ink.copy()
    x, y, w, h = cv2.boundingRect(ink)
    corners = cv2.boxPoints(((x + w / 2 + 12, y + h / 2 + 2), (w + 16.0, h + 30.0), degrees))
    cv2.polylines(boxed, [np.rint(corners).astype(int)], True, 200, 3, cv2.LINE_AA)
    assert cv2.connectedComponents((boxed > 100).astype(np.uint8))[0] == 2
    assert agreement(read_paper(photographed(boxed)).mask, ink) > 0.65


@pytest.mark.parametrize("side", [200, 230])  # a crop, and a picture that is none
@pytest.mark.parametrize("degrees", [8, 12])
@pytest.mark.parametrize("digit", "056")
def test_bold_digit_keeps_no_line_of_a_tilted_grid_that_it_touches(digit, degrees, side):
    ink = placed(written(digit, 100, 16), (side, side), side // 2 - 40, side // 2 - 50)
    grid = np.zeros_like(ink)
    for place in range(-85, 500, 70):
        cv2.line(grid, (place, -199), (place, 500), 200, 2, cv2.LINE_AA)
        cv2.line(grid, (-199, place), (500, place), 200, 2, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((100, 100), degrees, 1)
    grid = cv2.warpAffine(grid, turn, grid.shape[::-1])
    assert agreement(read_paper(photographed(np.maximum(ink, grid))).mask, ink) > 0.65


@pytest.mark.parametrize("turned", range(4))
def test_shadow_over_a_corner_of_a_small_picture_is_no_ink(turned):
    ink = placed(written("58", 60, 6), (110, 180), 40, 25)
    rows, columns = np.mgrid[:110, :180]
    light = 0.3 + 0.7 / (1 + np.exp((columns / 1.6 - rows - 60) / 8))
    picture = np.rot90(photographed(ink) * light[..., None], turned).astype(np.uint8)
    assert agreement(read_paper(picture).mask, np.rot90(ink, turned)) > 0.5


def test_soft_digit_fills_its_exact_ground_but_no_photograph_has_one():
    eight = written("8", 120, 26)
    tiny = cv2.resize(eight[2:-2, 2:-2], (16, 16), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(tiny, (256, 256), interpolation=cv2.INTER_CUBIC)
    paper = read_paper(soft)
    assert paper.light_on_dark
    assert agreement(paper.mask, soft) > 0.9
    rng = np.random.default_rng(0)
    grain = np.rint(40 + rng.normal(0, 2, soft.shape) + soft * 0.7).clip(0, 255)
    assert not _has_exact_ground(grain.astype(np.uint8))


@pytest.mark.parametrize("light", [90, 150, 200])
def test_comb_of_greys_that_jpeg_leaves_in_smooth_paper_is_no_exact_ground(light):
    slope = np.linspace(light - 12, light + 12, 96)[:, None] + np.linspace(-4, 4, 128)
    ok, data = cv2.imencode(".jpg", np.rint(slope).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])
    assert ok
    assert not _has_exact_ground(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def in_colours(first, second, ground) -> np.ndarray:
    """A 4 and a 7 side by side, each with a pen of its own; (240, 400, 3) float32."""
    page = np.full((240, 400, 3), ground, np.float32)
    for text, left, pen in (("4", 60, first), ("7", 240, second)):
        ink = placed(written(text, 120, 12), page.shape[:2], left, 60)[..., None] / 255
        page = page * (1 - ink) + np.array(pen) * ink
    return page.astype(np.float32)


BOTH = placed(written("4", 120, 12), (240, 400), 60, 60) | placed(
    written("7", 120, 12), (240, 400), 240, 60
)


@pytest.mark.parametrize(
    ("first", "second", "ground"),
    [
        ((255, 235, 0), (0, 0, 0), (255, 255, 255)),
        ((0, 0, 0), (0, 255, 255), (255, 255, 255)),
        ((0, 0, 255), (255, 255, 0), (0, 0, 0)),
        ((230, 40, 40), (230, 40, 40), (60, 135, 60)),
        ((255, 255, 255), (0, 0, 0), (128, 128, 128)),
    ],
)
def test_drawing_in_any_colours_gives_all_its_ink(first, second, ground):
    paper = read_paper(np.rint(in_colours(first, second, ground)).astype(np.uint8))
    assert paper.flat
    assert agreement(paper.mask, BOTH) > 0.85


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((40, 140, 80), (205, 60, 60)),
        ((120, 200, 240), (240, 120, 30)),
        ((60, 170, 70), (240, 190, 30)),
        ((45, 60, 150), (190, 50, 50)),
    ],
)
def test_photograph_of_two_pens_gives_all_its_ink(first, second):
    page = cv2.GaussianBlur(in_colours(first, second, (236, 234, 228)), (0, 0), 0.8)
    page += np.random.default_rng(0).normal(0, 4, page.shape)
    paper = read_paper(page.clip(0, 255).astype(np.uint8))
    assert agreement(paper.mask, BOTH) > 0.7


@pytest.mark.parametrize("height", [24, 34, 44])
def test_a_narrow_crop_of_bold_digits_is_read(height):
    # Turned by a few degrees nothing of it is left between its corners.
    strip = np.full((height, 200), 225, np.uint8)
    for left in range(2, 190, height):
        cv2.putText(strip, "5", (left, height - 2), 0, height / 24, 30, 7, cv2.LINE_AA)
    grain = np.random.default_rng(0).normal(0, 3, strip.shape)
    paper = read_paper((strip + grain).clip(0, 255).astype(np.uint8))
    assert 0.1 < paper.mask.mean() < 0.7
