"""Synthetic pages with the truth of every pixel."""

import cv2
import numpy as np

from digitlab import pages_corpus
from digitlab.datasets import rehearsal
from digitlab.hands import Drawing


def made(seed: int = 3):
    path = np.array([[0, 0], [10, 0], [3, 20]], np.float32)
    drawings = [Drawing("7", "site", "page", (path,))]
    letters = [Drawing("V", "site", "page", (path * [1, -1],))]
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
