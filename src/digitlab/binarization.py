"""Which pixels of a page are handwriting, decided by a small network through LiteRT.

Lines, boxes, grids, print, patterns and shadows are on the paper, too; a threshold can't tell
them from writing, and taking lines out by rule breaks the strokes that cross them.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from digitlab.litert import Network, read_model

SHIPPED = Path(__file__).resolve().parents[2] / "model" / "ink.tflite"

TALL = 44  # pixels; a page is scaled so that its digits are about this high
LONGEST = 4400  # pixels; no page is made longer than this, however small its writing seems
TILE = 192  # pixels of the square that the network looks at
MARGIN = 24  # pixels at a tile's edge whose answer is not used: too little is seen around them
_EMPTY = 64  # the grey of bare paper in the network's input
_GAIN = 128  # how much lighter ink of the usual darkness is than that
_BATCH = 8
_AT_ONCE = 64  # tiles; more at once only take more memory


def as_input(darkness: np.ndarray, level: float) -> np.ndarray:
    """Darkness (h, w) float32 as the network takes it, (h, w) uint8.

    `level` is how dark ink is on this page.
    """
    return np.rint(_EMPTY + _GAIN * darkness / level).clip(0, 255).astype(np.uint8)


class Binarizer:
    """A binarization network, ready to use; safe to share between threads.

    Parameters
    ----------
    model : the bytes of a .tflite file with signature page -> ink.

    Raises
    ------
    ModelError if the bytes are no such model.
    """

    def __init__(self, model: bytes, threads: int = 2):
        self._network = Network(model, threads)

    def __call__(self, darkness: np.ndarray, level: float, tall: float) -> np.ndarray:
        """How likely each pixel is handwriting, (h, w) float32 in 0..1.

        Parameters
        ----------
        darkness : (h, w) float32, share of the ground's light that is missing.
        level : how dark ink is on this page.
        tall : the usual height of a digit in pixels.
        """
        factor = min(TALL / tall, LONGEST / max(darkness.shape))
        size = [max(8, round(side * factor)) for side in darkness.shape[::-1]]
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        page = as_input(cv2.resize(darkness, size, interpolation=method), level)
        return cv2.resize(self._read(page), darkness.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def _read(self, page: np.ndarray) -> np.ndarray:
        """The same for `page` (h, w) uint8 in the network's own scale; tile by tile."""
        ink = np.zeros(page.shape, np.float32)
        places = [
            (top, left)
            for top in _starts(page.shape[0])
            for left in _starts(page.shape[1])
            if (page[top : top + TILE, left : left + TILE] > _EMPTY + 0.3 * _GAIN).any()
        ]
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            tiles = np.stack([_tile(page, *place) for place in some])
            logits = self._network.run(_BATCH, page=tiles)["ink"][..., 0]
            for place, found in zip(some, 1 / (1 + np.exp(-logits)), strict=True):
                _put(ink, found, *place)
        return ink


def _starts(length: int) -> range:
    """Where tiles begin along a side, so that their inner parts cover it."""
    return range(0, max(1, length - 2 * MARGIN), TILE - 2 * MARGIN)


def _tile(page: np.ndarray, top: int, left: int) -> np.ndarray:
    """(TILE, TILE) uint8; bare paper where the page has ended."""
    tile = np.full((TILE, TILE), _EMPTY, np.uint8)
    part = page[top : top + TILE, left : left + TILE]
    tile[: part.shape[0], : part.shape[1]] = part
    return tile


def _put(ink: np.ndarray, found: np.ndarray, top: int, left: int) -> None:
    """Copy a tile's answer, without the margin that other tiles see better."""
    above, beside = (MARGIN if top else 0), (MARGIN if left else 0)
    view = ink[top + above : top + TILE, left + beside : left + TILE]
    view[:] = found[above : above + view.shape[0], beside : beside + view.shape[1]]


@cache
def shipped() -> Binarizer:
    """The network that comes with the program, loaded once in a process.

    Raises ModelError if its file is missing or damaged.
    """
    return Binarizer(read_model(SHIPPED))
