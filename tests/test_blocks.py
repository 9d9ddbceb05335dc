"""Pictures enlarged in blocks are read as what they were."""

import cv2
import numpy as np
import pytest

from digitlab.blocks import without_blocks
from digitlab.datasets import mnist_test
from digitlab.recognizer import champion

IMAGES, LABELS = (part[:40] for part in mnist_test())


def read(image: np.ndarray) -> str:
    return champion().recognize(image).text


def enlarged(image: np.ndarray, width: int) -> np.ndarray:
    size = width, round(width * image.shape[0] / image.shape[1])
    return cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [1, quality])[1], cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("width", [112, 201, 280, 370, 1400])
def test_what_was_enlarged_in_blocks_is_found_again(width):
    for image in IMAGES[:20]:
        found = without_blocks(enlarged(image, width))
        assert found is not None
        assert np.array_equal(found, image)


def test_colours_and_pictures_wider_than_high_are_found_again():
    row = np.hstack([np.dstack([image, 255 - image, image // 2]) for image in IMAGES[:2]])
    assert np.array_equal(without_blocks(enlarged(row, 560)), row)


@pytest.mark.parametrize("quality", [95, 75, 50])
def test_jpeg_hides_no_blocks(quality):
    for image in IMAGES[:20]:
        found = without_blocks(as_jpeg(enlarged(image, 300), quality))
        assert found is not None
        assert found.shape[:2] == (28, 28)
        assert np.abs(found.astype(int) - image).mean() < 10


@pytest.mark.parametrize("method", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
def test_a_picture_enlarged_softly_is_not_in_blocks(method):
    for image in IMAGES[:20]:
        assert without_blocks(cv2.resize(image, (280, 280), interpolation=method)) is None


def test_plain_bars_blank_paper_and_noise_are_not_in_blocks():
    bar = np.zeros((280, 280), np.uint8)
    bar[40:240, 120:160] = 255
    noise = np.random.default_rng(3).integers(0, 256, (280, 280, 3), dtype=np.uint8)
    boxes = np.full((120, 600), 255, np.uint8)
    boxes[20:100:78, 30:572] = boxes[20:100, 30:572:60] = 0
    for image in (bar, np.zeros_like(bar), noise, boxes, bar[:20, :20], bar[:1], bar[:, :1]):
        assert without_blocks(image) is None


def test_a_digit_of_8x8_in_blocks_is_read_as_before_it_was_enlarged():
    small = [
        cv2.resize(image[4:24, 4:24], (8, 8), interpolation=cv2.INTER_AREA) for image in IMAGES
    ]
    before = [read(image) for image in small]
    assert [read(enlarged(image, 400)) for image in small] == before
    assert np.mean([text == str(label) for text, label in zip(before, LABELS, strict=True)]) > 0.8
