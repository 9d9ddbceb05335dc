"""The picture that a sample keeps: cut out, as PNG without anything but pixels, named by them."""

import hashlib
import io
import math

import numpy as np
from PIL import Image

from digitlab.errors import ImageError

SIDE = 512  # pixels; larger crops are made smaller, which 28x28 ink does not feel
MARGIN = 0.15  # of the digit's longer side, for what a better preprocessing may want to see


def crop_around(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The part of a picture around a box (left, top, width, height), with some margin."""
    left, top, width, height = box
    margin = math.ceil(max(width, height) * MARGIN)
    rows = slice(max(0, top - margin), top + height + margin)
    return image[rows, max(0, left - margin) : left + width + margin]


def to_png(pixels: np.ndarray) -> bytes:
    """PNG of (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA uint8; the same pixels, the same bytes.

    No more than SIDE pixels a side, and nothing but pixels: no date, place or device.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 4 and pixels[..., 3].min() == 255:
        pixels = pixels[..., :3]
    if pixels.ndim == 3 and pixels.shape[2] == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=None)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def picture_of(ink: np.ndarray) -> bytes:
    """PNG of ink (28, 28) uint8, dark on white: the crop of what came as ink alone."""
    return to_png(255 - ink)


def digest_of(png: bytes) -> str:
    """Names a crop by its pixels, however they were packed.

    Raises
    ------
    ImageError if the PNG is damaged.
    """
    # Not by `images.decode`, which may get better: the same crop must keep its name for ever.
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            pixels = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise ImageError("The crop is a damaged PNG file.") from error
    return hashlib.sha256(f"{pixels.size}".encode() + pixels.tobytes()).hexdigest()


def is_bare(png: bytes) -> bool:
    """Whether it is a small PNG that holds pixels and nothing else, so that it can be kept."""
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        return False
    if max(int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) > SIDE:
        return False
    place = 8
    while png[place + 4 : place + 8] in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
        place += 12 + int.from_bytes(png[place : place + 4])
    return place == len(png)
