"""Synthetic pages with the truth of every pixel."""

import cv2
import numpy as np
import pytest

from digitlab import pages_corpus
from digitlab.datasets import rehearsal
from digitlab.hands import Drawing
from digitlab.synthesis import Scene, render, write_row

SEVEN = np.array([[0, 0], [10, 0], [3, 20]], np.float32)


def made(seed: int = 3):
    drawings = [Drawing("7", "site", "page", (SEVEN,))]
    letters = [Drawing("V", "site", "page", (SEVEN * [1, -1],))]
    digits = rehearsal()
    return pages_corpus.make(15, seed, drawings, letters, digits.ink[:200], digits.labels[:200], 1)


def test_windows_are_the_same_for_the_same_seed():
    for first, second in zip(made(), made(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_truth_lies_where_the_page_is_dark():
    pages, truth = made()
    assert pages.shape == truth.shape
    assert pages.shape[1:] == (pages_corpus.SIDE, pages_corpus.SIDE)
    written = cv2.erode(np.vstack(truth), np.ones((3, 3), np.uint8)) > 200
    page = np.vstack(pages).astype(float)
    assert page[written].mean() > page[np.vstack(truth) == 0].mean() + 50


@pytest.mark.parametrize("seed", range(8))
def test_page_that_is_askew_has_its_ink_and_its_boxes_where_they_are_seen(seed):
    rng = np.random.default_rng(seed)
    sevens = [("7", render(Drawing("7", "site", "page", (SEVEN,)), rng, 60, 6)) for _ in range(4)]
    level = write_row(sevens, rng, (0.3, 0.5))
    picture, askew = pages_corpus._askew(level, rng, Scene(shadow=0, faint=0, dark_ground=0))
    assert picture.shape[:2] == askew.ink.shape == level.ink.shape
    assert (askew.ink != level.ink).any()
    sure, bare = cv2.erode(askew.ink, np.ones((3, 3), np.uint8)) > 200, askew.ink == 0
    assert picture[sure].mean() < picture[bare].mean() - 8
    for x, y, w, h in askew.boxes:
        part = askew.ink[max(0, y) : y + h, max(0, x) : x + w] > 100
        whole = level.ink[level.boxes[0, 1] :, level.boxes[0, 0] :][:h, :w] > 100
        assert part.sum() > 0.6 * whole.sum()


@pytest.mark.parametrize("seed", range(8))
def test_windows_of_stripes_and_things_have_no_ink(seed):
    windows = pages_corpus._bare(np.random.default_rng(seed))
    for page, truth in windows:
        assert page.shape == truth.shape == (pages_corpus.SIDE, pages_corpus.SIDE)
        assert not truth.any()


def test_column_is_one_digit_a_row_close_together(rng, monkeypatch):
    monkeypatch.setattr(pages_corpus, "COLUMNS", 1.0)
    sevens = [Drawing("7", "site", "page", (SEVEN,))]
    mnist = rehearsal()
    for _ in range(8):
        column, tall = pages_corpus._page(rng, sevens, sevens, mnist.ink[:9], mnist.labels[:9])
        rows = np.flatnonzero((column.ink > 100).any(1))
        assert 2 * tall < rows.size < 12 * tall
        assert np.diff(rows).max() < 0.7 * tall
        assert column.ink.shape[1] < 3.5 * tall
