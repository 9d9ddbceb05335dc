"""Bold strokes that fill a picture, so that no window of it shows mostly paper.

A digit in a broad pen, cut out close, may cover half of its picture. The ground is then found by
its tone rather than by closing over what is narrow.
"""

import cv2
import numpy as np

from digitlab.light import LEAST_CONTRAST, Evened, darkness_of, on_sheet, otsu, plane, resize
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


def even_bold(image: np.ndarray, grey: np.ndarray) -> Evened | None:
    """Take the light out of a picture that bold strokes fill; None for other pictures.

    Its darkness is about 1 where there is ink, and 0 where there is none. Parameters as for
    `light.even_light`.
    """
    for chalk in (False, True):
        paper = bare_paper(grey, chalk)
        if paper is None or (chalk and on_sheet(image) is not None):
            continue
        darkness = darkness_of(255 - image if chalk else image, paper)
        ink = cv2.resize(1 - paper.astype(np.uint8), grey.shape[::-1]) > 0
        level = float(np.median(darkness[ink]))
        return Evened(darkness / max(LEAST_CONTRAST, level), chalk, False)
    return None


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
    small, _ = resize(255 - grey if chalk else grey, min(1.0, SIDE / max(grey.shape)))
    light = np.log(np.maximum(cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float32), 4))
    even = light
    for _ in range(ROUNDS):
        paper = even > otsu(even, float(even.min()), float(even.max()))
        inner = cv2.erode(paper.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0
        if inner.sum() < _FEW:
            return None
        even = light - plane(light, inner)
    if not surrounds(paper) or not _has_bold_strokes(~paper, chalk):
        return None
    # What is light may be paper where a lamp or the sun reaches it, with softer edges than strokes.
    least = BLURRED if min(grey.shape) <= SMALL and not chalk else PARTED
    return paper if _is_parted(even, paper, least) else None


def surrounds(area: np.ndarray) -> bool:
    """Whether most of a picture's edge and of its corners lies in `area` (h, w) bool."""
    reach = max(1, round(0.12 * min(area.shape)))
    ends = (slice(None, reach), slice(-reach, None))
    corners = np.mean([area[rows, columns].mean() for rows in ends for columns in ends])
    return float(rim(area).mean()) + float(corners) > 1.0


def _is_parted(even: np.ndarray, paper: np.ndarray, least: float) -> bool:
    """Whether what is no paper is ink in one clear tone.

    Parameters
    ----------
    even : (h, w) float32, logarithm of the light without its slope.
    least : share of its variance that is between paper and ink.
    """
    share = float((~paper).mean())
    if not COVERED[0] <= share <= COVERED[1]:
        return False
    contrast = float(even[paper].mean() - even[~paper].mean())
    parted = share * (1 - share) * contrast**2 / max(1e-9, float(even.var()))
    return parted > least and contrast > CONTRAST


def _has_bold_strokes(ink: np.ndarray, chalk: bool) -> bool:
    """Whether what passes for ink, (h, w) bool, may be strokes, some of them broad.

    A shadow or a desk beside the paper takes a whole side, or goes on out of the picture; the
    paper within the frame of a puzzle's cell fills its box. `chalk` as for `bare_paper`.
    """
    if max(side.mean() for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1])) > WHOLE_SIDE:
        return False
    short, long = sorted(ink.shape)
    broad, beyond = _breadth(ink), _breadth(np.pad(ink, long // 4, mode="edge"))
    if not BROAD * short < broad <= (LIT * short if chalk else np.inf) or beyond >= BROADEST * long:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    _, _, width, height, area = stats[1:].T
    return bool((width * height)[area > FILLED * width * height].sum() <= HALF * ink.size)


def _breadth(ink: np.ndarray) -> float:
    """How broad the broadest stroke of `ink`, (h, w) bool, is in pixels."""
    return 2 * float(cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3).max())
