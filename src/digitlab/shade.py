"""Soft shade that passes for strokes: the shadows of fingers, the folds of crumpled paper.

Every pen in a picture leaves edges as sharp as the camera makes them; those of a shadow that is
cast from some way off are softer, and the shadow is broader than a stroke and not as dark.
"""

from typing import NamedTuple

import cv2
import numpy as np

from digitlab.light import resize
from digitlab.mending import INK

STROKE = 6.0  # pixels; slender strokes are no wider in the copy that is looked at
WIDER = 1.8  # times as wide as a stroke: what stays when strokes are taken out
CLEAR = 0.6  # of the ink's darkness: a stroke without a doubt
FAINT = 0.12  # likewise: no shade is fainter
# Likewise, how dark a shade is, and how many times as wide as those of strokes its edges are: the
# darker, the more like a bold stroke.
SHADES = ((0.2, 0.5, 1.5), (0.5, 0.7, 1.75), (0.7, 0.85, 2.1))
STROKES = 0.5  # of the ink's darkness, that goes where strokes are taken out
ON_TOP = 0.35  # likewise, where a stroke lies on shade
WIDTHS = 25, 50, 75  # percentiles of how wide strokes are: shade passes for some of them
_FEWEST = 20  # pixels; of less ink nothing is known


class _Copy(NamedTuple):
    """A page on which slender strokes are `STROKE` pixels wide at most.

    Attributes
    ----------
    darkness : (h, w) float32, of the ink's, smoothed.
    belief : (h, w) float32, how likely each pixel is ink.
    widths : of strokes in pixels, from slender to bold ones.
    """

    darkness: np.ndarray
    belief: np.ndarray
    widths: np.ndarray


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
    gone = np.any([_shade(copy, width) for width in copy.widths], axis=0).astype(np.uint8)
    if not gone.any():
        return None
    return cv2.resize(gone, darkness.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0


def _copy(darkness: np.ndarray, belief: np.ndarray, level: float) -> _Copy | None:
    """The page as `soft_shade` looks at it; None if nothing on it is surely a stroke."""
    sure = ((belief > INK) & (darkness > CLEAR * level)).astype(np.uint8)
    depth = cv2.distanceTransform(sure, cv2.DIST_L2, 3)
    ridge = depth[(depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8))) & (depth > 0.9)]
    if sure.sum() < _FEWEST or not ridge.size:
        return None
    widths = 2 * np.percentile(ridge, WIDTHS)
    share = (darkness / level).clip(0, 1).astype(np.float32)
    small, factor = resize(share, min(1.0, STROKE / float(widths[0])))
    return _Copy(cv2.GaussianBlur(small, (0, 0), 0.7), resize(belief, factor)[0], widths * factor)


def _shade(copy: _Copy, width: float) -> np.ndarray:
    """What is soft shade where strokes are `width` pixels wide, (h, w) bool."""
    size = round(WIDER * width) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    broad = cv2.morphologyEx(copy.darkness, cv2.MORPH_OPEN, disc)
    strokes = (copy.belief > INK) & (copy.darkness - broad > STROKES)
    if not strokes.any():
        return strokes
    along = cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    sharp = 1 / float(np.percentile(_steepness(copy.darkness)[along], 80))
    found = _soft_parts(broad, copy.belief > INK, sharp)
    reach = cv2.dilate(found.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return reach & (copy.darkness - broad < ON_TOP)


def _soft_parts(broad: np.ndarray, ink: np.ndarray, sharp: float) -> np.ndarray:
    """The parts of what is broad, (h, w) bool, whose edges are softer than those of strokes.

    Parameters
    ----------
    broad : (h, w) float32, darkness of what is wider than strokes.
    ink : (h, w) bool, what passes for ink; only parts that hold some are looked at.
    sharp : how wide the edges of strokes are, in pixels.
    """
    steep = _steepness(broad)
    _, labels = cv2.connectedComponents((broad > FAINT).astype(np.uint8), connectivity=8)
    found = np.zeros(labels.shape, bool)
    for number in np.unique(labels[ink & (labels > 0)]):
        part = labels == number
        plateau = float(np.percentile(broad[part], 80))
        softness = plateau / max(1e-6, float(np.percentile(steep[part], 90))) / sharp
        if any(low < plateau <= high and softness > least for low, high, least in SHADES):
            found |= part
    return found


def _steepness(darkness: np.ndarray) -> np.ndarray:
    """How fast `darkness` (h, w) changes, by the pixel; (h, w) float32."""
    across, down = (cv2.Sobel(darkness, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    return np.hypot(across, down)
