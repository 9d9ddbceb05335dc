"""Bent cuts: where they run, and that they part the ink in order."""

import itertools

import numpy as np
import pytest

from digitlab.seams import STEP, _least, behind_seams

TALL = 50  # no taller than what the search works with: a row is a pixel


def pixels(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(mask)
    return columns, rows


def zigzag() -> np.ndarray:
    """Two strokes that no straight cut parts: the left one bulges into the right one's bay."""
    mask = np.zeros((TALL, 60), np.uint8)
    for row in range(TALL):
        bulge = round(8 * np.sin(np.pi * row / (TALL - 1)))
        mask[row, 20 + bulge : 26 + bulge] = 1
        mask[row, 30 + bulge : 36 + bulge] = 1
    mask[24:27, 20:45] = 1  # the place where they touch
    return mask


def test_seam_crosses_only_the_place_where_two_strokes_touch():
    mask = zigzag()
    assert (mask.sum(0)[21:44] > 8).all()
    behind = behind_seams(*pixels(mask), [32], TALL)
    labels = np.full(mask.shape, -1)
    labels[mask > 0] = behind
    for row in [*range(24), *range(27, TALL)]:
        assert labels[row][mask[row] > 0].tolist() == [0] * 6 + [1] * 6


@pytest.mark.parametrize("size", [1, 2, 5])
def test_seams_are_the_same_at_any_size(size):
    mask = np.kron(zigzag(), np.ones((size, size), np.uint8))
    behind = behind_seams(*pixels(mask), [32 * size], TALL * size)
    assert abs(behind.mean() - 0.5) < 0.04


def test_a_straight_cut_that_crosses_no_ink_stays_straight():
    mask = np.zeros((TALL, 40), np.uint8)
    mask[:, 5:10] = mask[:, 25:30] = 1
    assert np.array_equal(behind_seams(*pixels(mask), [17], TALL), np.nonzero(mask)[1] > 17)


def test_parts_are_in_order_however_near_the_cuts_are(rng):
    mask = (rng.random((TALL, 80)) < 0.4).astype(np.uint8)
    places = [10, 14, 40, 44, 79]
    along, rows = pixels(mask)
    behind = behind_seams(along, rows, places, TALL)
    assert behind.min() >= 0
    assert behind.max() <= len(places)
    for row in range(TALL):
        here = rows == row
        assert (np.diff(behind[here][np.argsort(along[here])]) >= 0).all()


def test_the_path_is_the_cheapest_of_all(rng):
    cost = rng.random((5, 3, 4)).round(2)

    def price(window: int, path) -> float:
        return sum(cost[row, window, place] for row, place in enumerate(path)) + STEP * sum(
            a != b for a, b in itertools.pairwise(path)
        )

    paths = [
        path
        for path in itertools.product(range(4), repeat=5)
        if all(abs(a - b) <= 1 for a, b in itertools.pairwise(path))
    ]
    found = _least(cost)
    for window in range(3):
        assert price(window, found[:, window]) == pytest.approx(
            min(price(window, path) for path in paths)
        )
