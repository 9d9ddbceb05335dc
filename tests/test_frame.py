"""The 28x28 frame: size, shape, middle and stroke width."""

import cv2
import numpy as np
import pytest
from handwriting import centred, written

from digitlab.datasets import mnist_test
from digitlab.frame import SIDE, centre, stroke_width, to_frame, to_strip
from digitlab.recognizer import champion


def framed(label: str, tall: int, pen: int) -> np.ndarray:
    ink = written(label, tall, pen)
    return to_frame(ink.astype(np.float32) / 255, ink > 127)


def extent(frame: np.ndarray) -> tuple[int, int]:
    """Height and width of what is clearly ink."""
    rows, columns = np.flatnonzero((frame > 60).any(1)), np.flatnonzero((frame > 60).any(0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def middle_of_mass(frame: np.ndarray) -> tuple[float, float]:
    places, total = np.arange(SIDE), frame.sum(dtype=float)
    return float(frame.sum(1) @ places / total), float(frame.sum(0) @ places / total)


@pytest.mark.parametrize("tall", [18, 30, 77, 260, 900])
@pytest.mark.parametrize("label", "0147")
def test_longer_side_is_twenty_pixels_at_any_size(label, tall):
    frame = framed(label, tall, max(2, tall // 10))
    assert frame.shape == (28, 28)
    assert frame.dtype == np.uint8
    assert max(extent(frame)) == pytest.approx(20, abs=1)


def test_wide_ink_keeps_its_shape():
    ink = np.zeros((40, 160), np.uint8)
    cv2.rectangle(ink, (3, 3), (156, 36), 255, 5)
    height, width = extent(to_frame(ink / np.float32(255), ink > 0))
    assert width == pytest.approx(20, abs=1)
    assert height == pytest.approx(5, abs=1)


@pytest.mark.parametrize("label", "0123456789")
def test_mass_lies_in_the_middle(label):
    row, column = middle_of_mass(framed(label, 120, 12))
    assert abs(row - SIDE / 2) <= 0.5
    assert abs(column - SIDE / 2) <= 0.5


def test_centre_places_an_uneven_digit_by_its_mass_not_by_its_box():
    digit = np.zeros((20, 10), np.uint8)
    digit[:4] = 255  # heavy top
    digit[:, 0] = 255
    frame = centre(digit)
    top = int(np.flatnonzero(frame.any(1))[0])
    assert top == 8  # its box is 20 high, so the middle of the box would start at 4
    assert (frame[8:28] > 0).sum() == (digit > 0).sum()


def test_centre_keeps_a_digit_whose_mass_is_at_one_end_inside_the_frame():
    digit = np.zeros((20, 20), np.uint8)
    digit[0] = 255
    digit[19, 19] = 1
    assert centre(digit).sum(dtype=int) == digit.sum(dtype=int)


@pytest.mark.parametrize("pen", [2, 4, 8, 16, 30, 70])
def test_stroke_width_comes_close_to_that_of_mnist_with_every_pen(pen):
    width = stroke_width(framed("7", 200, pen) > 100)
    assert 1.3 <= width <= 4.2


def test_pens_of_all_widths_give_nearly_the_same_frame():
    thin, thick = framed("4", 200, 6), framed("4", 200, 30)
    both = ((thin > 100) & (thick > 100)).sum()
    assert both / (thin > 100).sum() > 0.75


def test_stroke_width_of_a_straight_bar():
    bar = np.zeros((40, 140), np.uint8)
    bar[15:25, 20:120] = 1
    # area 1000, outline 2 x (99 + 9) through the outermost pixels' middles
    assert stroke_width(bar) == pytest.approx(2 * 1000 / (2 * (99 + 9) + 2))
    assert stroke_width(bar) == pytest.approx(10, abs=1)


def test_stroke_width_of_nothing_is_zero():
    assert stroke_width(np.zeros((5, 5))) == 0


def test_darkest_ink_is_full_ink_even_when_the_pen_was_faint():
    ink = written("3", 150, 14)
    faint = to_frame(ink / np.float32(255) * 0.4, ink > 127)
    assert faint.max() == 255


def test_ink_of_twenty_pixels_is_not_resampled():
    for picture in mnist_test().ink[:50]:
        rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
        cut = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if max(cut.shape) == 20:
            frame = to_frame(cut / np.float32(255), cut > 0)
            assert sorted(frame[frame > 0]) == sorted(cut[cut > 0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 400)])
def test_odd_shapes_give_a_frame(shape):
    frame = to_frame(np.ones(shape, np.float32), np.ones(shape, bool))
    assert frame.shape == (28, 28)
    assert frame.max() > 0


@pytest.mark.parametrize("pitch", [20, 40, 72])
def test_long_fine_lines_give_a_frame(pitch):
    rows, columns = np.mgrid[:600, :670]
    mask = (columns * 0.866 + rows * 0.5) % pitch < 4
    assert to_frame(mask.astype(np.float32), mask).max() == 255


def test_only_the_pixels_of_the_mask_are_seen():
    ink = centred(written("1", 100, 10), 200)
    neighbour = ink.copy()
    neighbour[:, :40] = 255  # ink of something else
    mask = ink > 127
    alone = to_frame(ink / np.float32(255), mask)
    beside = to_frame(neighbour / np.float32(255), mask)
    assert np.array_equal(alone, beside)


@pytest.mark.parametrize("label", "0123456789")
@pytest.mark.parametrize(("tall", "pen"), [(900, 1), (1100, 1), (1400, 2)])
def test_hairline_of_a_large_digit_stays_whole(label, tall, pen):
    """A line that gets narrower than a pixel on the way is no row of dots."""
    ink = written(label, tall, pen)
    frame = to_frame(ink.astype(np.float32) / 255, ink > 40)
    assert 1.5 < stroke_width(frame > 127) < 3
    assert int(champion().classify(frame[None]).probabilities.argmax()) == int(label)


@pytest.mark.parametrize("pen", [3, 9])
@pytest.mark.parametrize("tall", [30, 240])
def test_strip_is_twenty_four_pixels_high_with_a_usual_stroke(tall, pen):
    ink = written("308", tall, max(1, pen * tall // 120), gap=0.05)
    strip = to_strip(ink.astype(np.float32) / 255, ink > 100)
    assert strip.shape == (32, 112)
    assert strip.max() == 255
    rows, columns = np.flatnonzero(strip.any(1)), np.flatnonzero(strip.any(0))
    assert len(np.arange(rows[0], rows[-1] + 1)) == pytest.approx(24, abs=1)
    assert columns[0] == 4
    assert 1.2 < stroke_width(strip > 100) < 4.2


def test_strip_of_a_long_number_is_lower_and_ends_inside():
    ink = written("30856" * 2, 100, 8, gap=0.05)
    strip = to_strip(ink.astype(np.float32) / 255, ink > 100)
    rows, columns = np.flatnonzero(strip.any(1)), np.flatnonzero(strip.any(0))
    assert rows[-1] - rows[0] < 20
    assert columns[-1] == pytest.approx(107, abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 5000)])
def test_odd_shapes_give_a_strip(shape):
    assert to_strip(np.ones(shape, np.float32), np.ones(shape, bool)).any()
