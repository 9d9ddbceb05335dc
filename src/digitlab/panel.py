"""The panel of a screenshot or a figure: a rectangle with another ground than the page around it.

A digit that a program shows, a canvas on a page, a photograph between two black bars: what lies
around the rectangle, exactly one grey and perhaps some print, is none of the picture.
"""

from typing import NamedTuple

import cv2
import numpy as np

SEARCHED = 400  # pixels; panels are looked for on a copy no larger than this
SMALLEST = 64  # pixels; a smaller picture shows a digit and no page around it
NEAR = 6  # greys: what JPEG leaves of exactly one
BORDERED = 0.9  # of the picture's edge that the page takes, where it surrounds the panel
NARROW = 0.06  # of the picture's sides: narrower things on the page are print, lines and ticks
FILLED = 0.97  # of its box that a panel covers
LEAST = 0.08  # of the picture that all panels cover at least
PRINT = 0.15  # of the picture's longer side: print on the page is no higher
COMPARABLE = 0.4  # of the largest rectangle's area
SHADOW = 0.08  # of a panel's shorter side: where its shadow ends
LONGEST = 3.0  # times its shorter side
OTHER = 0.6  # of a panel's rim, just within its edge, that is not the page's grey
EXACTLY = 0.9  # of a rim that has one grey, as a shaded cell of a table has
WITHIN, WIDE = 0.15, 0.6  # of a panel, of its own box: a smaller or less filled area is writing
SHADED = 40  # greys: a cell that differs less from the page is a part of it
ALIKE = 25  # greys: how far apart the grounds of several panels may be


class Panels(NamedTuple):
    """Left, top, right, bottom around all panels, and where they are in it, (h, w) bool."""

    box: tuple[int, int, int, int]
    mask: np.ndarray


def rim(area: np.ndarray) -> np.ndarray:
    """The outermost pixels of `area` (h, w); (2 * h + 2 * w,) with each corner twice."""
    return np.concatenate([area[0], area[-1], area[:, 0], area[:, -1]])


def find_panels(grey: np.ndarray) -> Panels | None:
    """The panels of a picture, (h, w) uint8; None if it is no page with panels."""
    height, width = grey.shape
    if min(height, width) < SMALLEST:
        return None
    factor = min(1.0, SEARCHED / max(height, width))
    size = [max(1, round(side * factor)) for side in (width, height)]
    small = cv2.resize(grey, size, interpolation=cv2.INTER_NEAREST)
    page = _page(small)
    if page is None or page.mask.sum() > (1 - LEAST) * page.mask.size:
        return None
    panels = _rectangles(small, page)
    if panels.sum() < LEAST * panels.size or _is_written_beside(panels, page):
        return None
    mask = cv2.resize(panels, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return Panels((int(left), int(top), int(right), int(bottom)), mask[top:bottom, left:right])


class _Page(NamedTuple):
    """The page's grey, and the page from the picture's edge inwards, (h, w) uint8 0 or 1."""

    level: int
    mask: np.ndarray


def _page(small: np.ndarray) -> _Page | None:
    """The one grey that the picture's edge has, as far as it goes without a break."""
    level = int(np.bincount(rim(small), minlength=256).argmax())
    like = (cv2.absdiff(small, np.full_like(small, level)) <= NEAR).astype(np.uint8)
    edges = [float(side.mean()) for side in (like[0], like[-1], like[:, 0], like[:, -1])]
    # A photograph between two bars takes all of the picture's other two sides.
    if max(min(edges[:2]), min(edges[2:])) < BORDERED:
        return None
    padded = np.pad(like, 1, constant_values=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return _Page(level, (padded[1:-1, 1:-1] == 2).astype(np.uint8))


def _rectangles(small: np.ndarray, page: _Page) -> np.ndarray:
    """Where the panels are, (h, w) uint8 0 or 1, without their outermost pixels.

    None is where something as large as they are is no panel, or one with another ground: of
    several pictures side by side all are read.
    """
    kernel = np.ones([max(3, round(NARROW * side)) for side in small.shape], np.uint8)
    wide = cv2.morphologyEx(1 - page.mask, cv2.MORPH_OPEN, kernel)
    count, _, stats, _ = cv2.connectedComponentsWithStats(wide, connectivity=4)
    parts = sorted(stats[1:count], key=lambda part: -part[4])
    found, ground = np.zeros_like(wide), None
    for *box, area in parts:
        filled = area >= FILLED * box[2] * box[3]
        if filled and not _is_panel(box, small.shape):
            continue
        inner, own = _inside(small, box, page.level) if filled else (None, None)
        ground = own if ground is None else ground
        if own is not None and abs(own - ground) <= ALIKE:
            found[inner] = 1
        elif area > COMPARABLE * parts[0][4]:
            return np.zeros_like(wide)
    return found


def _is_written_beside(panels: np.ndarray, page: _Page) -> bool:
    """Whether there are strokes on the page itself that are larger than its print."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - page.mask, connectivity=8)
    beside = np.bincount(labels[panels > 0], minlength=len(stats)) == 0
    beside[0] = False
    _, _, w, h, area = stats[beside].T
    return bool(((h > PRINT * max(panels.shape)) & (area < WIDE * w * h)).any())


def _inside(small: np.ndarray, box: list[int], level: int) -> tuple[tuple, float | None]:
    """A panel without its edge, or without the soft shadow that it casts, and its ground."""
    x, y, w, h = box
    for inset in (2, max(3, round(SHADOW * min(w, h)))):
        inner = slice(y + inset, y + h - inset), slice(x + inset, x + w - inset)
        own = _own_ground(small[inner], level)
        if own is not None:
            break
    return inner, own


def _is_panel(box: list[int], shape: tuple[int, int]) -> bool:
    """Whether a rectangle has a panel's shape and place; bars and buttons of a program have not."""
    x, y, w, h = box
    at_edge = x <= 1, y <= 1, x + w >= shape[1] - 1, y + h >= shape[0] - 1
    return min(w, h) > 8 and max(w, h) <= LONGEST * min(w, h) and sum(at_edge) <= 2


def _own_ground(panel: np.ndarray, level: int) -> float | None:
    """The grey along a panel's rim; None if it is the page's, as in a frame, or a shaded cell's."""
    edge = rim(panel).astype(int)
    own = float(np.median(edge))
    exact = (np.abs(edge - own) <= NEAR).mean() > EXACTLY
    far = (np.abs(edge - level) > (SHADED if exact else NEAR)).mean() > OTHER
    return own if far and not _is_frame(panel.astype(np.float32), own, level) else None


def _is_frame(panel: np.ndarray, own: float, level: int) -> bool:
    """Whether what looks like a panel, (h, w) float32, are the thick sides of a drawn frame.

    Within them is the page again, a wide area of it; a digit of the page's grey is a stroke.
    """
    paper = (np.abs(panel - level) < np.abs(panel - own)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4)
    _, _, w, h, area = stats[1:].T
    return bool(((w * h > WITHIN * panel.size) & (area > WIDE * w * h)).any())
