"""Pictures enlarged in blocks: a digit of few pixels, each shown as a square of one colour.

Programs show small images so, and a stair of such squares is no stroke. What the picture was
before it was enlarged is read instead.
"""

from functools import lru_cache

import cv2
import numpy as np

FEWEST, MOST = 6, 64  # blocks along the picture's width
SMALLEST = 4  # pixels of a block: a stair of smaller steps is an even stroke to the reader
BESIDE = 0.125  # of a block, and at most a pixel: how far from its place a side is looked for
ALONG = 0.6  # of all change from pixel to pixel that lies between blocks; JPEG puts some within
NEARLY = 0.93  # of the most that any number of blocks has between them
NOTABLE = 0.05  # of the largest: less change between two columns of blocks is noise
BETWEEN = 3  # places between blocks, at least, where the picture changes; a plain bar has two
SAMPLED = 100  # rows or columns that are looked at


def without_blocks(image: np.ndarray) -> np.ndarray | None:
    """The picture before it was enlarged, a pixel for a block; None if it is not in blocks.

    Parameters
    ----------
    image : (h, w) or (h, w, 3) uint8, not (h, w, 4).
    """
    height, width = image.shape[:2]
    if min(height, width) < FEWEST * SMALLEST:
        return None
    across = _changes(image)
    there = _sides(width) @ across
    # Twice as many blocks lie on the same places; what JPEG left within hardly adds to them.
    columns = FEWEST + int(np.argmax(there >= NEARLY * there.max()))
    rows = round(columns * height / width)
    if not _is_between(across, columns) or not _is_between(_changes(image.swapaxes(0, 1)), rows):
        return None
    return np.ascontiguousarray(image[_middles(rows, height)][:, _middles(columns, width)])


def _changes(image: np.ndarray) -> np.ndarray:
    """How much changes from each column of `image` (h, w, …) to the next; (w - 1,) float32."""
    sample = np.ascontiguousarray(image[:: max(1, len(image) // SAMPLED)])
    flat = sample.reshape(len(sample), -1)
    colours = flat.shape[1] // image.shape[1]
    change = cv2.absdiff(flat[:, colours:], flat[:, :-colours])
    return cv2.reduce(change, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F).reshape(-1, colours).sum(1)


@lru_cache(maxsize=16)
def _sides(length: int) -> np.ndarray:
    """1 for changes between blocks, for each number from FEWEST; (n, length - 1) float32."""
    most = min(MOST, length // SMALLEST)
    sides = np.stack([_side(length, blocks) > 0 for blocks in range(FEWEST, most + 1)])
    return sides.astype(np.float32)


def _side(length: int, blocks: int) -> np.ndarray:
    """Between how many blocks and the rest each change lies, 0 within one; (length - 1,) int."""
    place = np.arange(1, length) * blocks / length
    nearest = np.rint(place)
    return np.where(np.abs(place - nearest) <= min(BESIDE, blocks / length), nearest, 0).astype(int)


def _is_between(changes: np.ndarray, blocks: int) -> bool:
    """Whether nearly all changes lie between blocks of one width, and in several such places."""
    there = np.bincount(_side(len(changes) + 1, blocks), weights=changes)[1:]
    several = (there > NOTABLE * there.max(initial=0)).sum() >= BETWEEN
    return bool(several and there.sum() >= ALONG * changes.sum() > 0)


def _middles(blocks: int, length: int) -> np.ndarray:
    """The pixel in the middle of each block, (blocks,) int."""
    return ((np.arange(blocks) + 0.5) * length / blocks).astype(int)
