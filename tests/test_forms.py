"""What stands around digits on synthetic forms."""

import cv2
import numpy as np
import pytest
from handwriting import placed, written

from digitlab import forms

SHAPE = (260, 500)
BOXES = np.array([[100, 80, 50, 90], [200, 84, 60, 88], [310, 78, 48, 92]])
SEEDS = range(20)


def inside(layer: np.ndarray) -> np.ndarray:
    return np.concatenate([layer[y : y + h, x : x + w].ravel() for x, y, w, h in BOXES])


@pytest.mark.parametrize("seed", SEEDS)
def test_cells_lie_under_every_digit_and_cross_none(seed):
    layer = np.zeros(SHAPE, np.uint8)
    forms.draw_cells(layer, BOXES, 2, np.random.default_rng(seed))
    assert not inside(layer).any()
    for x, y, w, h in BOXES:
        assert layer[y + h :, x + w // 2].any()


def test_most_cells_are_open_at_the_top():
    open_ones = 0
    for seed in range(60):
        layer = np.zeros(SHAPE, np.uint8)
        forms.draw_cells(layer, BOXES, 2, np.random.default_rng(seed))
        open_ones += not layer[: BOXES[:, 1].min(), 125].any()
    assert 30 < open_ones < 55


@pytest.mark.parametrize("seed", SEEDS)
def test_underscore_is_as_wide_as_the_pen_and_touches_nothing(seed):
    ink = placed(written("472", 90, 8), SHAPE, 120, 60)
    x, y, w, h = cv2.boundingRect(ink)
    layer = forms.underscore(ink, np.array([[x, y, w, h]]), np.random.default_rng(seed))
    assert not layer[: y + h + 1].any()
    assert layer[:, x + w // 4 : x + 3 * w // 4].any(0).all()
    thick = 2 * cv2.distanceTransform((layer > 100).astype(np.uint8), cv2.DIST_L2, 3).max()
    assert 3 <= thick <= 12


@pytest.mark.parametrize("seed", SEEDS)
def test_caption_stands_beside_the_digits_even_where_the_page_ends(seed):
    assert not inside(forms.caption(SHAPE, BOXES, np.random.default_rng(seed))).any()
    shifted = BOXES - [95, 70, 0, 0]
    assert forms.caption((110, 280), shifted, np.random.default_rng(seed)).shape == (110, 280)


def test_captions_are_printed():
    pages = [forms.caption(SHAPE, BOXES, np.random.default_rng(seed)) for seed in SEEDS]
    assert np.mean([page.any() for page in pages]) > 0.8
