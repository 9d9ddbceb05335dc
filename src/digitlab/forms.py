"""What stands around the digits on a form, and what people add to it, for synthetic photographs.

Lines are drawn into a layer, (h, w) uint8 with 255 for print, in place.
"""

from itertools import pairwise

import cv2
import numpy as np

from digitlab.typesetting import typeset

FRACTION = 4  # bits of sub-pixel position in OpenCV's drawing functions
_LETTERS = list("ABCDEFGHKLMNPRSTUVabcdefghiklmnoprstuvyz.:")


def draw_cells(layer: np.ndarray, boxes: np.ndarray, pen: int, rng: np.random.Generator) -> None:
    """A comb, trays or boxes: a cell for each digit, or one for all, most of them open at the top.

    Parameters
    ----------
    boxes : (digits, 4), left, top, width, height of each digit, from left to right.
    pen : thickness of the lines in pixels.
    """
    tall = float(boxes[:, 3].mean())
    room, apart = rng.uniform(0.05, 0.4) * tall, 0.0
    if rng.random() < 0.4:
        apart = rng.uniform(0.02, 0.1) * tall
    lefts, rights = boxes[:, 0], boxes[:, 0] + boxes[:, 2]
    edges = [lefts[0] - room - apart, rights[-1] + room + apart]
    if rng.random() < 0.8:
        edges[1:1] = (rights[:-1] + lefts[1:]) / 2
    top, foot = boxes[:, 1].min() - room, (boxes[:, 1] + boxes[:, 3]).max() + room
    closed = rng.random() < 0.3
    high = foot - top if closed else rng.uniform(0.08, 1.05) * (foot - top)
    for first, last in pairwise(edges):
        left, right = first + apart, last - apart
        corners = [(left, foot - high), (left, foot), (right, foot), (right, foot - high)]
        polyline(layer, np.array(corners), pen, closed)


def underscore(ink: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One line or two by the same pen under what it wrote, not touching it; (h, w) uint8.

    Parameters
    ----------
    ink : (h, w) uint8, 255 for ink.
    boxes : as in `draw_cells`.
    """
    tall = float(boxes[:, 3].mean())
    depth = cv2.distanceTransform((ink > 100).astype(np.uint8), cv2.DIST_L2, 3)
    radius = float(np.percentile(depth[depth > 0], 90)) if depth.any() else 0.5
    pen = max(1, round(2 * radius * rng.uniform(0.6, 1.1)))
    layer = np.zeros_like(ink)
    low = float((boxes[:, 1] + boxes[:, 3]).max()) + pen / 2
    left, right = boxes[0, 0], boxes[-1, 0] + boxes[-1, 2]
    for _ in range(2 if rng.random() < 0.25 else 1):
        first, last = rng.uniform(-0.1, 0.5, 2) * tall
        bend = np.cumsum(rng.normal(0, 0.006, 12)) * tall
        slope = rng.normal(0, 0.04) * (right - left) * np.linspace(-0.5, 0.5, 12)
        rise = slope + bend
        low += rng.uniform(0.05, 0.22) * tall - min(0.0, float(rise.min()))
        path = np.stack([np.linspace(left - first, right + last, 12), low + rise], 1)
        polyline(layer, path, pen)
        low += float(rise.max()) + pen
    return layer


def caption(shape: tuple[int, int], boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Words in print, light to bold, beside, over or under the digits; (h, w) uint8.

    Parameters
    ----------
    shape : of the page, height and width.
    boxes : as in `draw_cells`.
    """
    layer = np.zeros(shape, np.uint8)
    tall = float(boxes[:, 3].mean())
    low, high = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    for _ in range(int(rng.integers(1, 3))):
        text = "".join(rng.choice(_LETTERS, int(rng.integers(1, 8))))
        word = typeset(text, rng, tall * rng.uniform(0.25, 0.8))
        far = rng.uniform(0.15, 0.6) * tall
        level = rng.uniform(low[1], max(low[1] + 1, high[1] - word.shape[0]))
        along = rng.uniform(low[0] - word.shape[1], high[0])
        places = (
            (low[0] - far - word.shape[1], level),
            (high[0] + far, level),
            (along, low[1] - far - word.shape[0]),
            (along, high[1] + far),
        )
        _put(layer, word, places[int(rng.choice(4, p=[0.4, 0.2, 0.2, 0.2]))])
    return layer


def _put(layer: np.ndarray, word: np.ndarray, place: tuple[float, float]) -> None:
    """Print a word; what lies outside of the page is cut off."""
    x, y = (round(float(value)) for value in place)
    word = word[max(0, -y) :, max(0, -x) :]
    view = layer[max(0, y) :, max(0, x) :][: word.shape[0], : word.shape[1]]
    np.maximum(view, word[: view.shape[0], : view.shape[1]], out=view)


def polyline(layer: np.ndarray, path: np.ndarray, pen: int, closed: bool = False) -> None:
    """Draw a path (points, 2) in pixels, `pen` pixels wide, into `layer`."""
    points = np.rint(path * (1 << FRACTION)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(layer, [points], closed, 255, pen, cv2.LINE_AA, FRACTION)
