"""Soft shade that passes for strokes: the shadows of fingers, the folds of crumpled paper.

Every pen in a picture leaves edges as sharp as the camera makes them; those of a shadow that is
cast from some way off are softer, and the shadow is broader than a stroke and not as dark.
"""

from typing import NamedTuple

import cv2
import numpy as np

from digitlab.light import resize
from digitlab.mending import INK

STROKE = 6.0  # pixels; strokes are at most so wide in the copy that is looked at
WIDER = 1.8  # times the usual stroke: what is as wide stays when strokes are taken out
CLEAR = 0.6  # of the ink's darkness: a stroke without a doubt
FAINT, PALE = 0.12, 0.85  # likewise: shade is darker than the one and lighter than the other
SOFT = 1.5  # times as wide as the edges of strokes: those of shade
ON_TOP = 0.35  # of the ink's darkness, how much darker than the shade a stroke on it is
_FEWEST = 20  # pixels; of less ink nothing is known


class _Copy(NamedTuple):
    """A page on which strokes are `STROKE` pixels wide at most; all (h, w) float32.

    Attributes
    ----------
    darkness : of the ink's, smoothed.
    broad : the darkness of what is wider than strokes.
    belief : how likely each pixel is ink.
    """

    darkness: np.ndarray
    broad: np.ndarray
    belief: np.ndarray


def soft_shade(darkness: np.ndarray, belief: np.ndarray, level: float) -> np.ndarray | None:
    """Where ink is only soft shade, (h, w) bool; None where there is none.

    Parameters
    ----------
    darkness : (h, w) float32, share of the ground's light that is missing.
    belief : (h, w) float32, how likely each pixel is ink.
    level : how dark ink is on this page.
    """
    copy = _copy(darkness, belief, level)
    if copy is None:
        return None
    strokes = (copy.belief > INK) & (copy.darkness - copy.broad > 0.5)
    if not strokes.any():
        return None
    along = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    sharp = 1 / float(np.percentile(_steepness(copy.darkness)[along], 80))
    found = _soft_parts(copy, SOFT * sharp)
    if not found.any():
        return None
    reach = cv2.dilate(found.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    gone = (reach & (copy.darkness - copy.broad < ON_TOP)).astype(np.uint8)
    return cv2.resize(gone, darkness.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0


def _copy(darkness: np.ndarray, belief: np.ndarray, level: float) -> _Copy | None:
    """The page as `soft_shade` looks at it; None if nothing on it is surely a stroke."""
    sure = ((belief > INK) & (darkness > CLEAR * level)).astype(np.uint8)
    depth = cv2.distanceTransform(sure, cv2.DIST_L2, 3)
    ridge = depth[(depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth > 0.9)]
    if sure.sum() < _FEWEST or not ridge.size:
        return None
    usual = 2 * float(np.median(ridge))
    small, factor = resize((darkness / level).clip(0, 1).astype(np.float32), min(1, STROKE / usual))
    small = cv2.GaussianBlur(small, (0, 0), 0.7)
    size = round(WIDER * usual * factor) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    broad = cv2.morphologyEx(small, cv2.MORPH_OPEN, disc)
    return _Copy(small, broad, resize(belief, factor)[0])


def _soft_parts(copy: _Copy, soft: float) -> np.ndarray:
    """The parts of what is broad, (h, w) bool, whose edges are more than `soft` pixels wide.

    Only those that hold something that passes for ink are looked at.
    """
    ink, steep = copy.belief > INK, _steepness(copy.broad)
    _, labels = cv2.connectedComponents((copy.broad > FAINT).astype(np.uint8), connectivity=8)
    found = np.zeros(labels.shape, bool)
    for number in np.unique(labels[ink & (labels > 0)]):
        part = labels == number
        plateau = float(np.percentile(copy.broad[part], 80))
        edge = float(np.percentile(steep[part], 90))
        if plateau < PALE and plateau > soft * edge:
            found |= part
    return found


def _steepness(darkness: np.ndarray) -> np.ndarray:
    """How fast `darkness` (h, w) changes, by the pixel; (h, w) float32."""
    across, down = (cv2.Sobel(darkness, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return np.hypot(across, down)
