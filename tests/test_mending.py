"""What the binarization network took wrongly, put right."""

import cv2
import numpy as np
import pytest
from handwriting import placed, written

from digitlab.mending import left_over, parts_of, put_back


@pytest.mark.parametrize(("bars", "kept"), [(1, True), (2, False)])
def test_bar_that_is_all_there_is_is_writing_whatever_the_network_says(bars, kept):
    """A bold 1 looks like a pen to it; of two such bars, either may be one."""
    mask = np.zeros((200, 200), np.uint8)
    for number in range(bars):
        mask[20:180, 60 + 60 * number : 75 + 60 * number] = 1
    nothing = np.zeros(mask.shape, np.float32)
    assert (put_back(parts_of(mask), nothing, None) == (mask > 0 if kept else nothing > 0)).all()


def seven_with_its_bar_believed(share: float) -> tuple[np.ndarray, np.ndarray]:
    """A 7 (h, w) uint8 0 or 1, and the network's belief in it, which takes its bar for a line."""
    mask = (placed(written("7", 120, 12), (200, 200), 60, 30) > 100).astype(np.uint8)
    belief = mask.astype(np.float32)
    x, y, w, _ = cv2.boundingRect(mask)
    belief[y : y + 16, x : x + w - 24] *= share
    return mask, belief


@pytest.mark.parametrize(("share", "kept"), [(0.36, True), (0.1, False), (0.0, False)])
def test_stroke_is_put_back_where_the_network_is_not_sure_that_it_is_a_line(share, kept):
    mask, belief = seven_with_its_bar_believed(share)
    assert ((belief > 0.4) != (mask > 0)).any()
    assert (put_back(parts_of(mask), belief, None) == (mask > 0 if kept else mask > 1)).all()


@pytest.mark.parametrize(("off", "kept"), [(0.3, True), (0.12, False)])
def test_of_several_parts_one_is_put_back_that_a_stroke_was_torn_off(off, kept):
    """The edges of strokes, and what lies beside them, are not."""
    mask = np.zeros((200, 400), np.uint8)
    for left in (40, 140, 240):
        mask[40:160, left : left + 60] = written("0", 118, 10)[:120, :60] > 100
    belief = mask.astype(np.float32)
    rows, _ = np.nonzero(mask[:, 140:200])
    belief[: int(np.quantile(rows, off)), 140:200] *= 0.36
    parts = put_back(parts_of(mask), belief, None)
    assert parts[:, 140:200].any() == kept
    assert not (parts & (mask == 0)).any()


def boxed(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """A 5 and the box around it, which it does not touch, (h, w) uint8 0 or 1 each."""
    digit = (placed(written("5", 80, 8), (200, 200), 70, 55) > 100).astype(np.uint8)
    frame = np.zeros_like(digit)
    corners = cv2.boxPoints(((100, 100), (110.0, 140.0), degrees))
    cv2.polylines(frame, [np.rint(corners).astype(int)], True, 1, 5)
    assert not (digit & cv2.dilate(frame, np.ones((3, 3), np.uint8))).any()
    return digit, frame


@pytest.mark.parametrize("degrees", [0, 8, 14])
def test_what_is_left_of_a_frame_around_a_digit_is_found(degrees):
    digit, frame = boxed(degrees)
    side = frame.copy()
    side[:, 80:] = 0  # the network takes all of it but a side for a line
    assert (left_over(parts_of(digit | frame), (digit | side) > 0) == (side > 0)).all()


def test_what_a_frame_goes_around_no_digit_of_is_no_left_over():
    digit, frame = boxed(8)
    side = frame.copy()
    side[:, 80:] = 0
    assert not left_over(parts_of(frame), side > 0).any()
    beside = np.hstack([frame, digit])
    assert not left_over(parts_of(beside), np.hstack([side, digit]) > 0).any()


def test_digit_on_a_line_is_no_left_over_of_a_frame():
    """The hull of a 1 and the ruled line that it stands on has another digit in it."""
    mask = placed(written("5", 50, 6), (160, 400), 220, 45) > 100
    mask[20:120, 180:190] = True
    found = mask.copy()
    mask[114:120] = True
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 3
    assert not left_over(parts_of(mask.astype(np.uint8)), found).any()
