"""Pictures made to be looked at."""

import numpy as np
import pytest

from digitlab.overlay import DOUBT, MARK, draw_boxes, enlarged, on_white, thumbnail


def has(picture: np.ndarray, colour) -> bool:
    return bool((picture == colour).all(-1).any())


def test_sure_and_doubtful_boxes_have_their_own_colours():
    paper = np.full((200, 400, 3), 255, np.uint8)
    boxes = [(20, 40, 60, 100), (200, 40, 60, 100)]
    assert has(draw_boxes(paper, boxes, ["1", "7"], [False, False]), MARK)
    assert not has(draw_boxes(paper, boxes, ["1", "7"], [False, False]), DOUBT)
    assert has(draw_boxes(paper, boxes, ["1", "7?"], [False, True]), DOUBT)


@pytest.mark.parametrize("shape", [(28, 28), (60, 900, 3), (3000, 4000, 3), (50, 40, 4)])
def test_picture_with_boxes_fits_the_screen(shape):
    boxed = draw_boxes(np.zeros(shape, np.uint8), [(2, 2, 20, 20)], ["4"], [False])
    assert 320 <= max(boxed.shape[:2]) <= 900
    assert boxed.shape[2] == 3
    ratio = shape[1] / shape[0]
    assert boxed.shape[1] / boxed.shape[0] == pytest.approx(ratio, rel=0.05)


def test_original_is_left_alone():
    paper = np.full((400, 400, 3), 200, np.uint8)
    draw_boxes(paper, [(50, 50, 100, 100)], ["3"], [True])
    assert (paper == 200).all()


def test_transparent_is_white():
    clear = np.zeros((5, 5, 4), np.uint8)
    assert (on_white(clear) == 255).all()


def test_thumbnail_keeps_shape_and_has_a_frame():
    small = thumbnail(np.zeros((1000, 500), np.uint8), 100)
    assert small.shape == (102, 52)
    assert small[0, 0] > 0
    assert small[50, 25] == 0


def test_every_pixel_of_enlarged_ink_is_a_square():
    ink = np.zeros((28, 28), np.uint8)
    ink[3, 4] = 255
    large = enlarged(ink, 8)
    assert large.shape == (224, 224)
    assert (large[25:32, 33:40] == 255).all()
