"""Printed lines: found, taken out, and told from strokes."""

import cv2
import numpy as np
import pytest
from handwriting import placed, written

from digitlab.ruling import remains, ruling


def masked(ink: np.ndarray) -> np.ndarray:
    return (ink > 127).astype(np.uint8)


def digit(label: str, shape=(200, 300), left=110, top=30, tall=120) -> np.ndarray:
    return masked(placed(written(label, tall, 12), shape, left, top))


def with_line(mask: np.ndarray, start, end, pen: int = 3) -> np.ndarray:
    lined = mask.copy()
    cv2.line(lined, start, end, 1, pen)
    return lined


def parts(mask: np.ndarray, least: int = 20) -> int:
    """Connected parts of at least so many pixels."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int((stats[1:, cv2.CC_STAT_AREA] >= least).sum())


def cleaned(mask: np.ndarray) -> np.ndarray:
    lines = ruling(mask)
    assert lines is not None
    without = mask & ~lines
    without[remains(without, lines)] = 0
    return without


@pytest.mark.parametrize("label", "0123456789")
def test_digit_alone_has_no_lines(label):
    assert ruling(digit(label)) is None


def test_no_ink_has_no_lines():
    assert ruling(np.zeros((100, 100), np.uint8)) is None


@pytest.mark.parametrize("drop", [0, 6, -9])
def test_line_under_a_digit_is_taken_out_straight_or_askew(drop):
    alone = digit("5")
    without = cleaned(with_line(alone, (0, 180), (299, 180 + drop)))
    assert not without[168:].any()
    assert np.array_equal(without[:160], alone[:160])


def test_stroke_that_crosses_a_line_stays_whole():
    bar = np.zeros((200, 300), np.uint8)
    bar[40:170, 140:152] = 1
    without = cleaned(with_line(bar, (0, 105), (299, 105)))
    assert parts(without) == 1
    assert without[40:170, 140:152].all()
    assert not without[:, :130].any()
    assert not without[:, 162:].any()


@pytest.mark.parametrize("label", "0178")
def test_digit_on_a_line_stays_in_one_part(label):
    alone = digit(label)
    before = parts(alone)
    without = cleaned(with_line(alone, (0, 110), (299, 112)))
    assert parts(without) <= before
    kept = (without & alone).sum() / alone.sum()
    assert kept > 0.9
    assert (without & ~alone.astype(bool)).sum() < 0.08 * alone.sum()


def test_lines_in_both_directions_are_taken_out():
    alone = digit("8")
    squared = alone.copy()
    for y in (10, 100, 190):
        squared = with_line(squared, (0, y), (299, y), 2)
    for x in (20, 90, 160, 230):
        squared = with_line(squared, (x, 0), (x, 199), 2)
    without = cleaned(squared)
    assert (without & alone).sum() / alone.sum() > 0.85
    assert (without & ~alone.astype(bool)).sum() < 0.1 * alone.sum()


def test_box_around_a_digit_is_taken_out():
    alone = digit("6")
    boxed = alone.copy()
    cv2.rectangle(boxed, (80, 12), (220, 180), 1, 3)
    without = cleaned(boxed)
    assert np.array_equal(without, alone)


def test_short_bar_beside_a_digit_is_no_line():
    dash = digit("3")
    dash[90:98, 20:80] = 1
    assert ruling(dash) is None


def test_thick_bar_is_no_line():
    bar = np.zeros((200, 300), np.uint8)
    bar[60:110] = 1
    assert ruling(bar) is None


def test_what_a_line_leaves_beside_itself_remains_and_a_digit_does_not():
    lines = np.zeros((200, 300), bool)
    lines[179:182] = True
    mask = digit("2", top=20)
    crumb = mask.copy()
    crumb[183:185, 40:60] = 1
    leftover = remains(crumb, lines)
    assert leftover[183:185, 40:60].all()
    assert not leftover[mask > 0].any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (15, 15)])
def test_strips_too_narrow_for_a_line_have_none(shape):
    assert ruling(np.ones(shape, np.uint8)) is None
