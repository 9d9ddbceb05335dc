"""Pictures made to be looked at: boxes and labels over a photo, thumbnails, visible pixels."""

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.preprocess import Box

MARK = (37, 123, 214)  # what was read
DOUBT = (214, 98, 20)  # what should be looked at again
_WHITE = (255, 255, 255)
_FRAME = 190  # grey that parts white paper from a white page
_FONT = cv2.FONT_HERSHEY_DUPLEX
_SMALLEST, _LARGEST = 320, 900  # pixels of the longer side on the screen


def draw_boxes(
    image: np.ndarray, boxes: Sequence[Box], labels: Sequence[str], doubtful: Sequence[bool]
) -> np.ndarray:
    """A picture with a labelled box around each digit.

    The picture is brought to a size for the screen first, so that lines and labels are as legible
    on a thumbnail as on twelve megapixels.

    Parameters
    ----------
    image : (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA, uint8.
    boxes : left, top, width, height of each digit in pixels of `image`.
    labels : what to write at each box.
    doubtful : which boxes take the colour of doubt.

    Returns
    -------
    (H, W, 3) RGB uint8, the longer side between 320 and 900 pixels.
    """
    canvas, scale = _for_screen(on_white(image))
    frames = [_frame(box, scale, canvas.shape) for box in boxes]
    colours = [DOUBT if doubt else MARK for doubt in doubtful]
    line = max(2, round(max(canvas.shape) / 350))
    for frame, colour in zip(frames, colours, strict=True):
        cv2.rectangle(canvas, frame[:2], frame[2:], _WHITE, line + 2, cv2.LINE_AA)
        cv2.rectangle(canvas, frame[:2], frame[2:], colour, line, cv2.LINE_AA)
    for frame, label, colour in zip(frames, labels, colours, strict=True):
        _tag(canvas, frame, label, colour)
    return canvas


def on_white(image: np.ndarray) -> np.ndarray:
    """`image`, grey, RGB or RGBA, as RGB (h, w, 3) uint8; what is transparent becomes white."""
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.shape[2] == 3:
        return np.ascontiguousarray(image)
    share = image[..., 3:].astype(np.float32) / 255
    return np.rint(image[..., :3] * share + 255 * (1 - share)).astype(np.uint8)


def thumbnail(image: np.ndarray, side: int) -> np.ndarray:
    """`image` (h, w) or (h, w, 3) uint8 with its longer side at `side` pixels, thinly framed."""
    small = _resized(image, side / max(image.shape[:2]))
    grey = (_FRAME,) * 3
    return cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=grey)


def enlarged(ink: np.ndarray, factor: int = 8) -> np.ndarray:
    """Ink (28, 28) uint8 with every pixel a visible square, a fine line between them."""
    large = np.kron(ink, np.ones((factor, factor), np.uint8))
    if factor >= 6:
        # the line takes a little of the pixel's own grey, so that it shows on black and on white
        for lines in (large[::factor], large[:, ::factor]):
            lines[:] = (lines * 0.8 + 25).astype(np.uint8)
    return large


def evidence_picture(
    ink: np.ndarray, evidence: np.ndarray, spot: tuple[int, int], factor: int = 12
) -> np.ndarray:
    """Ink coloured by what it says: for the answer, against it, or neither.

    Parameters
    ----------
    ink : (28, 28) uint8.
    evidence : (28, 28) float, above 0 for the answer, below 0 against it.
    spot : row and column to draw a circle around.

    Returns
    -------
    (28 factor, 28 factor, 3) RGB uint8 on white.
    """
    strength = np.clip(np.abs(evidence) / max(float(np.abs(evidence).max()), 1e-9), 0, 1)
    colour = np.where((evidence > 0)[..., None], MARK, DOUBT)
    tint = strength[..., None] ** 0.6 * colour + (1 - strength[..., None] ** 0.6) * _FRAME
    cover = ink[..., None] / 255
    picture = np.rint(255 * (1 - cover) + tint * cover).astype(np.uint8)
    large = np.kron(picture, np.ones((factor, factor, 1), np.uint8))
    middle = (int((spot[1] + 0.5) * factor), int((spot[0] + 0.5) * factor))
    cv2.circle(large, middle, int(3.2 * factor), (40, 40, 40), 2, cv2.LINE_AA)
    return large


def _resized(image: np.ndarray, factor: float) -> np.ndarray:
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    return cv2.resize(image, size, interpolation=method)


def _for_screen(image: np.ndarray) -> tuple[np.ndarray, float]:
    """A copy of `image` at a size for the screen, and by how much it was enlarged."""
    side = max(image.shape[:2])
    factor = min(max(side, _SMALLEST), _LARGEST) / side
    return (_resized(image, factor), factor) if factor != 1 else (image.copy(), 1.0)


def _frame(box: Box, scale: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box on the screen, a little wider than the ink."""
    left, top, width, height = (scale * side for side in box)
    room = 2 + max(shape) / 300
    right, bottom = left + width + room, top + height + room
    corners = (max(0, left - room), max(0, top - room), right, bottom)
    limits = (shape[1] - 1, shape[0] - 1) * 2
    return tuple(int(min(side, limit)) for side, limit in zip(corners, limits, strict=True))


def _tag(canvas: np.ndarray, frame: tuple[int, int, int, int], label: str, colour) -> None:
    """The label on a plate of its own: above the box, or inside where there is no room."""
    size = max(0.5, min(1.1, max(canvas.shape) / 900, (frame[2] - frame[0]) / 22))
    (width, height), _ = cv2.getTextSize(label, _FONT, size, 1)
    pad = 3
    left = max(0, min(frame[0], canvas.shape[1] - width - 2 * pad))
    bottom = frame[1] if frame[1] >= height + 2 * pad else frame[1] + height + 2 * pad
    corner = (left + width + 2 * pad, bottom - height - 2 * pad)
    cv2.rectangle(canvas, (left, bottom), corner, colour, cv2.FILLED)
    cv2.putText(canvas, label, (left + pad, bottom - pad), _FONT, size, _WHITE, 1, cv2.LINE_AA)
