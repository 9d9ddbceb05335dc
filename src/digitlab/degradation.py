"""What may happen to a digit on its way to us, one thing at a time and by a known amount.

A digit of 28x28 is put on a page at four times its size, with paper around it, and changed there:
so the same picture can be read with all of our preprocessing, or cut out and shrunk as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

ZOOM = 4  # pixels of the page for one of the 28x28 frame
FRAME = 28 * ZOOM
PAGE = 2 * FRAME
_MARGIN = (PAGE - FRAME) // 2
_MIDDLE = (PAGE - 1) / 2

Apply = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Change:
    """One thing that may happen to a page.

    Attributes
    ----------
    name : in words.
    unit : of its strength.
    neutral : the strength that changes nothing.
    strengths : those to measure at, rising, without the neutral one.
    apply : (page, strength, random numbers) -> page; what is random is a direction or the grain,
        never how much.
    """

    name: str
    unit: str
    neutral: float
    strengths: tuple[float, ...]
    apply: Apply


def as_page(ink: np.ndarray) -> np.ndarray:
    """`ink` (28, 28) uint8, 255 is ink, dark in the middle of a white page (224, 224) uint8."""
    page = np.full((PAGE, PAGE), 255, np.uint8)
    large = cv2.resize(ink, (FRAME, FRAME), interpolation=cv2.INTER_CUBIC)
    page[_MARGIN : _MARGIN + FRAME, _MARGIN : _MARGIN + FRAME] = 255 - large
    return page


def as_ink(page: np.ndarray) -> np.ndarray:
    """The middle of a page, shrunk and inverted and nothing else; (28, 28) uint8."""
    frame = page[_MARGIN : _MARGIN + FRAME, _MARGIN : _MARGIN + FRAME]
    return 255 - cv2.resize(frame, (28, 28), interpolation=cv2.INTER_AREA)


def _warp(page: np.ndarray, angle: float = 0.0, zoom: float = 1.0, dx=0.0, dy=0.0) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((_MIDDLE, _MIDDLE), -angle, zoom)
    matrix[:, 2] += dx, dy
    return cv2.warpAffine(page, matrix, (PAGE, PAGE), flags=cv2.INTER_LINEAR, borderValue=255)


def _rotate(page, degrees, rng):
    return _warp(page, angle=degrees)


def _shift(page, pixels, rng):
    angle = rng.uniform(0, 2 * np.pi)
    return _warp(page, dx=ZOOM * pixels * np.cos(angle), dy=ZOOM * pixels * np.sin(angle))


def _scale(page, percent, rng):
    return _warp(page, zoom=percent / 100)


def _stroke(page, pixels, rng):
    radius = round(abs(pixels) * ZOOM / 2)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # The ink is dark: what is darkest near a pixel makes the stroke wider.
    return cv2.erode(page, pen) if pixels > 0 else cv2.dilate(page, pen)


def _blur(page, pixels, rng):
    if not pixels:
        return page
    return cv2.GaussianBlur(page, (0, 0), ZOOM * pixels, borderType=cv2.BORDER_REPLICATE)


def _noise(page, percent, rng):
    # As coarse as half a pixel of the frame: finer grain would vanish when the page is shrunk.
    grain = rng.normal(0, 2.55 * percent, (PAGE // 2, PAGE // 2)).astype(np.float32)
    grain = cv2.resize(grain, (PAGE, PAGE), interpolation=cv2.INTER_NEAREST)
    return np.clip(page + grain, 0, 255).astype(np.uint8)


def _contrast(page, percent, rng):
    return np.rint(255 - (255 - page.astype(np.float32)) * percent / 100).astype(np.uint8)


def _uneven_light(page, percent, rng):
    angle = rng.uniform(0, 2 * np.pi)
    side = (np.arange(PAGE) - _MIDDLE) / _MIDDLE
    slope = np.cos(angle) * side[None, :] + np.sin(angle) * side[:, None]
    light = 1 - percent / 100 * (np.clip(slope, -1, 1) + 1) / 2
    return np.rint(page * light).astype(np.uint8)


CHANGES = (
    Change("rotation", "degrees", 0, (-60, -45, -30, -15, 15, 30, 45, 60), _rotate),
    Change("shift", "pixels of 28", 0, (1, 2, 3, 4, 6, 8), _shift),
    Change("scale", "% of its size", 100, (40, 60, 80, 120, 140, 160), _scale),
    Change("stroke width", "pixels of 28 more", 0, (-2, -1.5, -1, 1, 2, 3, 4), _stroke),
    Change("blur", "pixels of 28, standard deviation", 0, (0.5, 1, 1.5, 2, 3), _blur),
    Change("noise", "% of black to white, standard deviation", 0, (5, 10, 20, 30, 40), _noise),
    Change("contrast", "% of black to white", 100, (3, 5, 10, 20, 40, 70), _contrast),
    Change("uneven light", "% darker on the far side", 0, (20, 40, 60, 80, 90), _uneven_light),
)
"""What is measured; lengths are in pixels of the 28x28 frame, whose strokes are about 2.5 wide."""
