"""The network that tells handwriting from lines, print and paper."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from handwriting import centred, photographed, placed, written

from digitlab.binarization import TALL, TILE, Binarizer, shipped
from digitlab.errors import ModelError

LEVEL = 0.6


def darkness_of(canvas: np.ndarray) -> np.ndarray:
    """Darkness of a photographed canvas (h, w) uint8 on paper in even light."""
    return 1 - photographed(canvas)[..., 1].astype(np.float32) / 186


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks."""
    found, truth = found > 0.4, truth > 110
    return float((found & truth).sum() / (found | truth).sum())


def test_writing_is_found():
    canvas = placed(written("472", TALL, 4), (120, 240), 60, 40)
    assert overlap(shipped()(darkness_of(canvas), LEVEL, TALL), canvas) > 0.75


def test_squared_paper_is_not_writing_and_does_not_cut_strokes():
    canvas = placed(written("58", 100, 9), (260, 400), 120, 90)
    page = canvas.copy()
    for place in range(11, 400, 52):
        cv2.line(page, (place, 0), (place, 260), 200, 3)
        cv2.line(page, (0, place), (400, place), 200, 3)
    found = shipped()(darkness_of(page), LEVEL, 100)
    assert overlap(found, canvas) > 0.7
    assert found[canvas == 0].mean() < 0.02


def test_bare_paper_holds_no_writing():
    assert shipped()(darkness_of(np.zeros((300, 500), np.uint8)), LEVEL, 80).max() < 0.4


@pytest.mark.parametrize("tall", [25, 60, 250])
def test_answer_hardly_depends_on_resolution(tall):
    canvas = placed(written("39", tall, max(2, tall // 11)), (3 * tall, 5 * tall), tall, tall)
    assert overlap(shipped()(darkness_of(canvas), LEVEL, tall), canvas) > 0.65


def test_page_of_many_tiles_has_no_seams():
    """A digit is found alike wherever the borders of tiles run."""
    ink, found = written("6", TALL, 4), []
    for left in range(20, TILE + 200, 17):
        canvas = placed(ink, (TILE + 300, TILE + 300), left, left)
        page = shipped()(darkness_of(canvas), LEVEL, TALL)
        found.append(overlap(page, canvas))
    assert min(found) > max(found) - 0.15


def test_tiny_picture_is_read():
    assert shipped()(np.zeros((1, 1), np.float32), LEVEL, 10).shape == (1, 1)


def test_page_full_of_specks_takes_no_more_memory_than_one_of_digits():
    """A texture looks like tiny writing, for which a page would be made far larger."""
    specks = np.random.default_rng(0).uniform(0, 0.8, (300, 1000)).astype(np.float32)
    tracemalloc.start()
    found = shipped()(specks, LEVEL, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.shape == specks.shape
    assert peak < 150e6  # bytes; 1,800 million without limits


def test_threads_share_it():
    pages = [darkness_of(centred(written(text, 90, 8))) for text in "0123456789"]
    alone = [shipped()(page, LEVEL, 90) for page in pages]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: shipped()(pages[i % 10], LEVEL, 90), range(80)))
    for i, page in enumerate(together):
        np.testing.assert_allclose(page, alone[i % 10], atol=1e-5)


def test_file_that_is_no_model_is_refused():
    with pytest.raises(ModelError, match="no model"):
        Binarizer(b"not a model")
