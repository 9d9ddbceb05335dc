"""What lies on a page in synthetic photographs: there, and never on the writing."""

import cv2
import numpy as np
import pytest
from handwriting import placed, written

from digitlab import clutter

TALL = 70


@pytest.fixture
def ink() -> np.ndarray:
    return placed(written("47", TALL, 7), (260, 320), 100, 90)


def page(ink: np.ndarray) -> np.ndarray:
    return np.full((*ink.shape, 3), 220, np.float32)


@pytest.mark.parametrize("put", [clutter.lay_pen, clutter.lay_finger, clutter.punch_holes])
def test_things_lie_beside_the_writing(put, ink):
    seen = 0
    for seed in range(30):
        after = put(page(ink), ink, TALL, np.random.default_rng(seed))
        changed = np.abs(after - 220).max(2)
        # A soft shadow may fall on it.
        assert after[ink > 40].min() > 0.45 * 220
        seen += (changed > 15).mean() > 0.002
    assert seen > 20


def test_fold_runs_through_the_whole_page(ink):
    for seed in range(20):
        after = clutter.fold(page(ink), TALL, np.random.default_rng(seed))
        assert after.min() < 0.96 * 220
        edge = np.concatenate([after[0], after[-1], after[:, 0], after[:, -1]])
        assert edge.min() < 0.96 * 220


def test_glare_only_adds_light(ink, rng):
    after = clutter.glare(page(ink), TALL, rng)
    assert (after >= 220).all()
    assert after.max() > 225


def test_writing_stays_on_the_sheet_on_a_desk(ink):
    boxes = np.array([cv2.boundingRect((ink > 40).astype(np.uint8))])
    seen = 0
    for seed in range(30):
        after = clutter.lay_on_desk(page(ink), boxes, np.random.default_rng(seed))
        changed = np.abs(after - 220).max(2) > 5
        assert changed[ink > 40].mean() < 0.01
        seen += changed.mean() > 0.01
    assert seen > 20


@pytest.mark.parametrize("put", [clutter.lay_pen, clutter.punch_holes])
def test_same_seed_puts_the_same(put, ink):
    one, same = (put(page(ink), ink, TALL, np.random.default_rng(4)) for _ in "ab")
    assert np.array_equal(one, same)


def test_shadow_takes_light_from_a_part_of_the_page_alone(ink):
    for seed in range(30):
        after = clutter.cast_shadow(page(ink), TALL, np.random.default_rng(seed)) / 220
        assert after.max() <= 1 + 1e-5
        assert after.min() >= 0.29
    lit = [
        (clutter.cast_shadow(page(ink), TALL, np.random.default_rng(seed)) > 210).mean()
        for seed in range(30)
    ]
    assert 0.2 < np.median(lit) < 0.95


@pytest.mark.parametrize("pitch", [6, 20, 70])
def test_stripes_run_through_the_whole_picture(pitch):
    for seed in range(20):
        cover = clutter.stripes(240, 320, pitch, np.random.default_rng(seed))
        assert cover.dtype == np.float32
        assert 0.04 < cover.mean() < 0.75
        parts, _, stats, _ = cv2.connectedComponentsWithStats((cover > 0.5).astype(np.uint8))
        left, top, wide, high = stats[1:, :4].T
        at_edge = (left == 0) | (top == 0) | (left + wide == 320) | (top + high == 240)
        assert at_edge.all() or pitch == 6  # the finest may break where they bend
        assert parts - 1 > 0.4 * 240 / pitch
