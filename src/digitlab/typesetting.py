"""Printed digits, of which people upload pictures, too."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

_STROKED = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_PLAIN,
)
SLANT, STRETCH = 0.12, 0.18  # standard deviations, the latter of the logarithm


def typeset(text: str, rng: np.random.Generator, height: float) -> np.ndarray:
    """Printed digits, cut to their box, (h, w) uint8 with 255 for ink.

    In Pillow's own face or one of Hershey's, light to bold, slanted, narrow or wide.

    Parameters
    ----------
    height : in pixels; digits are 0.6 to 1.15 times as high, as the face has it.
    """
    page = (_outlined if rng.random() < 0.5 else _stroked)(text, rng, height)
    high, wide = page.shape
    slant, stretch = rng.normal(0, SLANT), float(np.exp(rng.normal(0, STRETCH)))
    room = abs(slant) * high
    change = np.array([[stretch, -slant, room * (slant > 0)], [0, 1, 0]])
    size = int(np.ceil(stretch * wide + room)), high
    page = cv2.warpAffine(page, change, size, flags=cv2.INTER_LINEAR)
    left, top, wide, high = cv2.boundingRect(page)
    return page[top : top + high, left : left + wide]


def _outlined(text: str, rng: np.random.Generator, height: float) -> np.ndarray:
    """In the face that Pillow ships."""
    font = ImageFont.load_default(height * 1.4)
    bold = round(height * rng.uniform(0, 0.05))
    left, top, right, bottom = (round(side) for side in font.getbbox(text, stroke_width=bold))
    sheet = Image.new("L", (right - left + 2, bottom - top + 2))
    draw = ImageDraw.Draw(sheet)
    draw.text((1 - left, 1 - top), text, fill=255, font=font, stroke_width=bold)
    return np.asarray(sheet)


def _stroked(text: str, rng: np.random.Generator, height: float) -> np.ndarray:
    """In one of the faces made of single strokes (Hershey 1967) that OpenCV ships."""
    face = _STROKED[int(rng.integers(len(_STROKED)))]
    face |= cv2.FONT_ITALIC if rng.random() < 0.2 else 0
    pen = max(1, round(height * rng.uniform(0.03, 0.18)))
    scale = cv2.getFontScaleFromHeight(face, max(2, round(height - pen)), pen)
    (wide, high), under = cv2.getTextSize(text, face, scale, pen)
    sheet = np.zeros((high + under + 4 * pen, wide + 4 * pen), np.uint8)
    cv2.putText(sheet, text, (2 * pen, 2 * pen + high), face, scale, 255, pen, cv2.LINE_AA)
    return sheet
