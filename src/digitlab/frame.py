"""From the ink of one digit to the 28x28 frame that the network sees; of several, to a strip.

As MNIST was made (LeCun, Cortes, Burges): scaled into 20x20 keeping its shape, then centred by
mass in 28x28; before that, the stroke is brought towards the width that MNIST's strokes have.
"""

from collections.abc import Callable
from math import ceil

import cv2
import numpy as np

SIDE = 28
BODY = 20  # pixels of the longer side within the frame
FINE = 4  # the stroke is widened or thinned at this many times the final resolution
THIN, THICK = 2.0, 3.7  # final pixels; MNIST's 25th and 96th percentile of stroke width
FINEST = 1.5  # pixels at that resolution; half of a narrower line may get lost
STRIP = 32, 112  # pixels of a strip, height and width
STRIP_BODY = 24, 104  # within it, at most
_PAD = 16


def to_frame(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The digit's 28x28 ink.

    Parameters
    ----------
    ink : (h, w) float32 in 0..1, how much ink is where.
    mask : (h, w) uint8 or bool, which pixels are this digit's; at least one is.

    Returns
    -------
    (28, 28) uint8, 0 is paper, 255 is ink, as in MNIST.
    """
    top, left, bottom, right = _bounds(mask)
    ink, mask = ink[top:bottom, left:right], mask[top:bottom, left:right]
    if max(ink.shape) == BODY:  # at its final size already: resampling would only blur it
        return centre(np.rint(ink * (mask > 0) * 255).astype(np.uint8))
    return centre(_fitted(ink, mask, _into_body))


def to_strip(ink: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Digits that touch, as the network sees them that reads them together.

    Parameters
    ----------
    ink, mask : as in `to_frame`, of all of them.

    Returns
    -------
    (32, 112) uint8, 0 is paper, 255 is ink: 24 pixels high if that is not too long, at the left.
    """
    top, left, bottom, right = _bounds(mask)
    small = _fitted(ink[top:bottom, left:right], mask[top:bottom, left:right], _into_strip)
    strip = np.zeros(STRIP, np.uint8)
    top, left = (STRIP[0] - small.shape[0]) // 2, (STRIP[1] - STRIP_BODY[1]) // 2
    strip[top : top + small.shape[0], left : left + small.shape[1]] = small
    return strip


def ends_of(strips: np.ndarray) -> np.ndarray:
    """Pixels from the left up to where the ink of each of (n, h, w) uint8 strips ends, (n,) int."""
    return strips.shape[2] - strips.any(1)[:, ::-1].argmax(1)


def _into_body(shape: tuple[int, ...]) -> float:
    return BODY / max(shape)


def _into_strip(shape: tuple[int, ...]) -> float:
    return min(STRIP_BODY[0] / shape[0], STRIP_BODY[1] / shape[1])


def stroke_width(mask: np.ndarray) -> float:
    """Mean width in pixels of the strokes in `mask` (h, w): a band's area is width x length,
    and its outline is about twice its length. 0.0 if nothing is there."""
    padded = np.pad((np.asarray(mask) > 0).astype(np.uint8), 1)
    outlines, _ = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(outline, True) for outline in outlines)
    area = float(padded.sum())
    # An outline runs through the outermost pixels' centres, half a pixel inside on each side.
    return 2 * area / (length + 2.0) if length else area


def centre(digit: np.ndarray) -> np.ndarray:
    """`digit` (h, w) uint8, at most 28 a side, in a 28x28 frame with its mass in the middle."""
    total = float(digit.sum(dtype=np.int64)) or 1.0
    h, w = digit.shape
    row = float((digit.sum(1, dtype=np.int64) * np.arange(h)).sum() / total)
    column = float((digit.sum(0, dtype=np.int64) * np.arange(w)).sum() / total)
    top = int(np.clip(round(SIDE / 2 - row), 0, SIDE - h))
    left = int(np.clip(round(SIDE / 2 - column), 0, SIDE - w))
    frame = np.zeros((SIDE, SIDE), np.uint8)
    frame[top : top + h, left : left + w] = digit
    return frame


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


def _fitted(ink: np.ndarray, mask: np.ndarray, fit: Callable) -> np.ndarray:
    """Ink of a usual stroke width, (h, w) uint8; `fit` says by what factor a shape fits."""
    soft, hard = _enlarge(ink, mask, FINE * fit(ink.shape))
    return _shrink(_normalise_stroke(soft, hard), fit)


def _enlarge(ink: np.ndarray, mask: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Ink and mask `factor` times as large, and room for a wider stroke."""
    size = [max(1, round(side * factor)) for side in ink.shape[::-1]]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    soft = ink * cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    mask = _without_gaps(mask.astype(np.uint8), factor)
    soft = cv2.resize(np.rint(soft * 255).astype(np.uint8), size, interpolation=method)
    hard = cv2.resize(mask * 255, size, interpolation=method)
    return np.pad(soft, _PAD), np.pad(hard, _PAD)


def _without_gaps(mask: np.ndarray, factor: float) -> np.ndarray:
    """`mask` (h, w) uint8 0 or 1, so wide that `factor` leaves lines of it and no dots."""
    if factor >= 1 or factor * stroke_width(mask) >= FINEST:
        return mask
    side = ceil(2 / factor)  # then one pixel is all ink wherever the line falls
    return cv2.dilate(mask, np.ones((side, side), np.uint8))


def _normalise_stroke(soft: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """`soft` with a stroke width between THIN and THICK final pixels."""
    width = stroke_width(hard > 127) / FINE
    if width < THIN:
        radius = max(1, round((THIN + 0.2 - width) * FINE / 2))
        return cv2.dilate(np.maximum(soft, hard), _disc(radius))
    if width > THICK:
        radius = max(1, round((width - THICK) * FINE / 2))
        thinned = cv2.erode(np.maximum(soft, hard), _disc(radius))
        # Of long fine lines only dots may be left here, whose outlines have no length.
        return thinned if thinned.any() else soft
    return soft


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _shrink(fine: np.ndarray, fit: Callable) -> np.ndarray:
    """The ink cut out and brought to its final size, where it is darkest at 255."""
    seen = fine > 64
    if not seen.any():
        seen = fine > 0
    top, left, bottom, right = _bounds(seen)
    cut = fine[top:bottom, left:right]
    factor = fit(cut.shape)
    size = [max(1, round(side * factor)) for side in cut.shape[::-1]]
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255 / max(1, int(small.max())))
