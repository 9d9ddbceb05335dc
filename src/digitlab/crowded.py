"""Bold strokes that fill a picture, so that no window of it shows mostly paper.

A digit in a broad pen, cut out close, may cover half of its picture. The ground is then found by
its tone rather than by closing over what is narrow.
"""

import cv2
import numpy as np

from digitlab.panel import rim

SIDE = 160  # pixels; of the small copy on which paper and ink are told apart
ROUNDS = 4  # of finding the paper and the slope of its light in turn
PARTED = 0.88  # of the variance of the light without its slope: between paper and ink
SMALL, BLURRED = 130, 0.83  # pixels of a picture's shorter side; likewise, with soft edges
CONTRAST = 0.4  # natural logarithm of the light of paper to that of ink
COVERED = 0.1, 0.65  # share of the picture that is ink
BROAD = 0.2  # of the shorter side, the broadest stroke: closing over it is not safe
BROADEST = 0.5  # of the longer side: what is broader is no stroke
LIT = 0.5  # of the shorter side: a light part that is broader is paper in the light, no chalk
WHOLE_SIDE = 0.8  # of a side's pixels: more than strokes that run out of the picture there
FILLED, HALF = 0.7, 0.5  # of its box, of the picture: what covers as much is no stroke
_FEW = 30  # pixels; no slope is found on less paper


def bare_paper(grey: np.ndarray, chalk: bool = False) -> np.ndarray | None:
    """Where the paper is in a picture that bold strokes fill; None for other pictures.

    Parameters
    ----------
    grey : (h, w) uint8.
    chalk : whether to look for strokes that are lighter than their ground.

    Returns
    -------
    (h, w) bool of a copy whose longer side has at most `SIDE` pixels.
    """
    small = reduced(255 - grey if chalk else grey)
    light = np.log(np.maximum(cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32), 4))
    even = light
    for _ in range(ROUNDS):
        paper = even > _otsu(even)
        inner = cv2.erode(paper.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
        if inner.sum() < _FEW:
            return None
        even = light - plane(light, inner)
    around = float(rim(paper).mean() + at_corners(paper).mean())
    # What is light may be paper where a lamp or the sun reaches it, with softer edges than strokes.
    parted = BLURRED if min(grey.shape) <= SMALL and not chalk else PARTED
    bold = around > 1 and _is_bold(even, paper, parted)
    return paper if bold and not (chalk and _breadth(~paper) > LIT * min(paper.shape)) else None


def at_corners(mask: np.ndarray) -> np.ndarray:
    """The pixels (n,) of a mask (h, w) that lie at its four corners."""
    reach = max(1, round(0.12 * min(mask.shape)))
    ends = (slice(None, reach), slice(-reach, None))
    return np.concatenate([mask[rows, columns].ravel() for rows in ends for columns in ends])


def reduced(channel: np.ndarray) -> np.ndarray:
    """`channel` (h, w) uint8 with at most `SIDE` pixels along its longer side."""
    factor = min(1.0, SIDE / max(channel.shape))
    size = [max(1, round(side * factor)) for side in channel.shape[::-1]]
    return cv2.resize(channel, size, interpolation=cv2.INTER_AREA)


def plane(light: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """The plane nearest to `light` (h, w); (h, w) float32.

    `where`, (h, w) bool, says at which places it has to be near; None for all.
    """
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in light.shape), indexing="ij")
    terms = np.ones_like(x), x, y
    if where is None:
        # On a whole grid these three are orthogonal, so that each is found by itself.
        slopes = [float((light * term).mean() / (term * term).mean()) for term in terms]
    else:
        near = np.stack([term[where] for term in terms], -1)
        slopes, *_ = np.linalg.lstsq(near, light[where].astype(float), rcond=None)
    return sum(slope * term for slope, term in zip(slopes, terms, strict=True)).astype(np.float32)


def _is_bold(even: np.ndarray, paper: np.ndarray, least: float) -> bool:
    """Whether what is no paper is ink in one clear tone, in strokes broader than usual.

    Parameters
    ----------
    even : (h, w) float32, logarithm of the light without its slope.
    least : share of its variance that is between paper and ink.
    """
    ink = ~paper
    share = float(ink.mean())
    if not COVERED[0] <= share <= COVERED[1]:
        return False
    contrast = float(even[paper].mean() - even[ink].mean())
    parted = share * (1 - share) * contrast**2 / max(1e-9, float(even.var()))
    return parted > least and contrast > CONTRAST and _has_bold_strokes(ink)


def _has_bold_strokes(ink: np.ndarray) -> bool:
    """Whether what passes for ink, (h, w) bool, may be strokes, some of them broad.

    A shadow or a desk beside the paper takes a whole side, or goes on out of the picture; the
    paper within the frame of a puzzle's cell fills its box.
    """
    if max(side.mean() for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1])) > WHOLE_SIDE:
        return False
    broad, most = _breadth(ink), _breadth(np.pad(ink, max(ink.shape) // 4, mode="edge"))
    if not (broad > BROAD * min(ink.shape) and most < BROADEST * max(ink.shape)):
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    _, _, width, height, area = stats[1:].T
    return bool((width * height)[area > FILLED * width * height].sum() <= HALF * ink.size)


def _breadth(ink: np.ndarray) -> float:
    """How broad the broadest stroke of `ink`, (h, w) bool, is in pixels."""
    return 2 * float(cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3).max())


def _otsu(values: np.ndarray) -> float:
    """Otsu's threshold (1979) of any values."""
    low, high = float(values.min()), float(values.max())
    levels = np.rint((values - low) / max(1e-6, high - low) * 255).astype(np.uint8)
    level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return low + level / 255 * (high - low)
