"""Whether what looks like a stroke in a photograph is on paper, or between things that lie there.

Ink has the same paper on both sides. The edge of a book, a gap between two bricks or the rim of a
cup may be as dark and as narrow, but often is darker than one side alone, is wider than a pen's
stroke, or does not look like handwriting to the network that saw all of the page.
"""

from typing import NamedTuple

import cv2
import numpy as np

from digitlab.preprocess import Box, Preparation
from digitlab.reading import Digit

STANDS_OUT = 0.4  # of the usual contrast: a stroke that is so much darker than both sides is ink
SAMPLED = 150  # places along the strokes of a digit
FEWEST = 4  # of them with paper on both sides in sight: less says nothing
EVEN, ALONG = 0.12, 0.97  # `Traces.uneven` and `Traces.between` of what is certainly on paper
CLEAR = 0.35  # of a stroke's width: so far from it the picture is its ground
WIDEST = 0.22  # of a digit's height: a wider stroke says no more, since markers are as wide
WEIGHTS = {"belief": -10.1, "doubt": 0.615, "one": 1.15, "width": 17.6, "between": -5.26}
"""Of a logistic regression that tells digits on paper, about 3,500 in synthetic and 1,500 in real
photographs, from 463 things that were taken for digits in sample pictures of scikit-image and
OpenCV and in desktop backgrounds."""
OFFSET = -11.5  # 2 of 1,185 real digits are over it, both on even paper; of synthetic ones 1 %


class Traces(NamedTuple):
    """What the strokes of a digit in a photograph leave around them.

    Attributes
    ----------
    belief : how likely the binarization network finds most of their pixels handwriting, 0 to 1.
    width : of the widest of them, as a share of the digit's height.
    between : share of the places along them that are darker than both sides.
    uneven : how far the two sides usually differ, as a share of the ink's contrast.
    """

    belief: float
    width: float
    between: float
    uneven: float

    @property
    def on_paper(self) -> bool:
        """Whether the ground is the same on both sides, all along; then it is paper."""
        return self.uneven < EVEN and self.between > ALONG


def traces(preparation: Preparation, box: Box) -> Traces | None:
    """What is around the strokes in a box of the picture; None if there is nothing to see.

    That is so in a drawing, and where the strokes fill a crop.
    """
    paper = preparation.paper
    own = preparation.ink_in(box)
    if paper.belief is None or not own.any():
        return None
    left, top = preparation.corner(box)
    high, wide = own.shape
    room = max(3, round(0.35 * max(own.shape)))
    place = (
        slice(max(0, top - room), top + high + room),
        slice(max(0, left - room), left + wide + room),
    )
    light = paper.grey[place].astype(np.float32)
    light = 255 - light if paper.light_on_dark else light
    ink = ((paper.mask[place] > 0) | (preparation.segmentation.labels[place] > 0)).astype(np.uint8)
    mine = np.zeros(ink.shape, np.uint8)
    corner = top - place[0].start, left - place[1].start
    mine[corner[0] : corner[0] + high, corner[1] : corner[1] + wide] = own
    depth = cv2.distanceTransform(mine, cv2.DIST_L2, 5)
    width = 2 * float(np.percentile(depth[mine > 0], 90))
    sides, middle = _sections(light, ink, depth, width)
    if len(middle) < FEWEST:
        return None
    contrast = max(1.0, float(np.median(sides) - np.median(middle)))
    return Traces(
        belief=float(np.median(paper.belief[place][mine > 0])),
        width=width / high,
        between=float((sides.min(0) - middle > STANDS_OUT * contrast).mean()),
        uneven=float(np.median(np.abs(sides[0] - sides[1]))) / contrast,
    )


def _sections(light: np.ndarray, ink: np.ndarray, depth: np.ndarray, width: float):
    """How light it is across the strokes: on both sides (2, n), and on them (n,), float32.

    Parameters
    ----------
    light : (h, w) float32, the ground light and the strokes dark.
    ink : (h, w) uint8, not 0 where there is any.
    depth : (h, w) float32, how far inside a stroke each pixel is.
    width : of a stroke in pixels.
    """
    smooth = cv2.GaussianBlur(light, (0, 0), max(0.6, 0.15 * width))
    gap = max(1.5, CLEAR * width)
    ground = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 5) > 0.8 * gap
    ridge = (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - 0.3) & (depth > 0.15 * width)
    places = np.argwhere(ridge)
    places = places[:: max(1, len(places) // SAMPLED)]
    reach = depth[tuple(places.T)] + gap + 0.25 * width
    sides, middle = [], []
    for angle in np.arange(4) * np.pi / 4:
        step = reach[:, None] * np.array([np.sin(angle), np.cos(angle)])
        ends = np.rint(np.stack([places + step, places - step])).astype(int)
        seen = ((ends >= 0) & (ends < light.shape)).all((0, 2))
        rows, columns = ends[:, seen, 0], ends[:, seen, 1]
        both = ground[rows, columns].all(0)
        sides.append(smooth[rows, columns][:, both])
        middle.append(smooth[tuple(places[seen][both].T)])
    return np.concatenate(sides, 1), np.concatenate(middle)


def strangeness(digit: Digit, seen: Traces) -> float:
    """Log odds that a digit is none but something in a photograph of things, over OFFSET.

    A 1, and what the network is less sure of, needs less to be taken for something else.
    """
    values = {
        "belief": seen.belief,
        "doubt": float(np.log(1.0005 - digit.confidence)),
        "one": float(digit.label == 1),
        "width": min(seen.width, WIDEST),
        "between": seen.between,
    }
    return sum(WEIGHTS[name] * value for name, value in values.items()) - OFFSET
