"""The sheet of paper in a photograph that shows what it lies on, too.

A sheet is a light, convex region with straight sides, much lighter than what is around it.
"""

import cv2
import numpy as np

SEARCHED = 240  # pixels; a sheet is looked for on a copy no larger than this
LEAST, MOST = 0.06, 0.94  # share of the picture that a sheet covers
CONVEX = 0.93  # of its convex hull that a sheet covers
OTHERS = 0.2  # of its area that the next light region may have: not one of a form's boxes
CORNERS = 6  # at most: four, and two more where the picture's edge cuts one off
STRAIGHT = 0.02  # of its outline's length: how far its sides may bend
DARKER = 0.62  # of the sheet's light that its surroundings have at most
SHADED = 0.4  # likewise, where it may as well be the edge of a shadow on a larger sheet
WHOLE = 3  # sides in sight from which it is a sheet, whatever lies around it
WRITTEN = 0.5  # of the sheet's contrast that strokes around it have where it is no sheet
FAINTEST = 0.25  # likewise, in the logarithm of the light: what is fainter is a desk's grain
NARROW = 0.12  # of the shorter side: no stroke is wider
PARTED = 0.8  # of the variance that is between the sheet and its surroundings, not within
NOTE_PARTED, NOTE_DARKER = 0.4, 0.78  # the same of a note whose four sides are in sight


def find_sheet(image: np.ndarray) -> np.ndarray | None:
    """Where the sheet is in a photograph: (h, w) bool, or None if it fills it.

    Its outermost pixels are left out, since they are a mixture.

    Parameters
    ----------
    image : (h, w) or (h, w, 3) uint8. Coloured paper may be light in one colour alone.
    """
    factor = min(1.0, SEARCHED / max(image.shape[:2]))
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grey = [] if image.ndim == 2 else [cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)]
    channels = [*grey, *cv2.split(small)]
    for channel in channels:
        sheet = _sheet_in(channel, channels)
        if sheet is not None:
            return cv2.resize(sheet, image.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    return None


def _sheet_in(channel: np.ndarray, channels: list[np.ndarray]) -> np.ndarray | None:
    """The same for one colour of several, (h, w) uint8 0 or 1."""
    small = cv2.medianBlur(channel, 5)
    hull = _light_hull(small)
    if hull is None:
        return None
    sheet = cv2.fillConvexPoly(np.zeros(small.shape, np.uint8), hull, 1)
    edges = _edges_of_sheet(small, sheet, hull)
    if edges == 0 or (edges < WHOLE and _is_written_around(channels, sheet)):
        return None
    reach = 2 * max(2, round(0.012 * max(small.shape))) + 1
    # The picture's own edge is no edge of the sheet.
    inner = cv2.erode(np.pad(sheet, 1, mode="edge"), np.ones((reach, reach), np.uint8))[1:-1, 1:-1]
    return inner if inner.any() else None


def _light_hull(small: np.ndarray) -> np.ndarray | None:
    """The convex hull, (n, 1, 2) int32, of the only large light region if that nearly fills it."""
    _, light = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline, *others = sorted(outlines, key=cv2.contourArea, reverse=True)
    covered = cv2.contourArea(outline)
    if others and cv2.contourArea(others[0]) > OTHERS * covered:
        return None
    hull = cv2.convexHull(outline)
    return hull if covered > CONVEX * max(1.0, cv2.contourArea(hull)) else None


def _edges_of_sheet(small: np.ndarray, sheet: np.ndarray, hull: np.ndarray) -> int:
    """How many sides of the sheet are in sight, fewer than `WHOLE` if in doubt; 0 if it is none."""
    share = float(sheet.mean())
    if not LEAST < share < MOST:
        return 0
    corners = cv2.approxPolyDP(hull, STRAIGHT * cv2.arcLength(hull, True), True)[:, 0]
    inside, outside = small[sheet > 0].astype(np.float32), small[sheet == 0].astype(np.float32)
    between = share * (1 - share) * (float(inside.mean()) - float(outside.mean())) ** 2
    parted = between / max(1e-6, float(small.var()))
    darker = float(np.median(outside)) / max(1.0, float(np.median(inside)))
    edges = _edges(corners, small.shape)
    if len(corners) <= CORNERS and parted >= PARTED and darker < (DARKER if edges > 1 else SHADED):
        return edges
    # Coloured notes on wood: four sides in sight leave little doubt, if nothing is written around.
    note = len(corners) == edges == 4 and parted >= NOTE_PARTED and darker < NOTE_DARKER
    return WHOLE - 1 if note else 0


def _is_written_around(channels: list[np.ndarray], sheet: np.ndarray) -> bool:
    """Whether strokes around the sheet stand out about as much as on it: it is a lit part then.

    In any colour, and in the logarithm of the light, in which a shadow leaves a stroke's contrast
    as it is.
    """
    width = max(5, round(NARROW * min(sheet.shape))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    # The sheet's edge is no stroke.
    off, on = cv2.erode(1 - sheet, disc) > 0, cv2.erode(sheet, disc) > 0
    if not off.any():
        return False
    for channel in channels:
        light = np.log(cv2.GaussianBlur(channel, (0, 0), 0.8).astype(np.float32) + 5)
        strokes = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, disc)
        contrast = float(np.percentile(strokes[on], 99)) if on.any() else 0.0
        if float(np.percentile(strokes[off], 99)) > max(WRITTEN * contrast, FAINTEST):
            return True
    return False


def _edges(corners: np.ndarray, shape: tuple[int, int]) -> int:
    """How many of a polygon's sides are in sight, not on the picture's edge; a shadow has one.

    `corners` are (n, 2) int, x and y.
    """
    middles = (corners + np.roll(corners, 1, axis=0)) / 2
    room = np.minimum(middles, np.array(shape[::-1]) - 1 - middles).min(1)
    return int((room > 0.02 * max(shape)).sum())
