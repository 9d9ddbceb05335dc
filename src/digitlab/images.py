"""Any upload to an upright array, or a clear ImageError."""

import io
import struct
import warnings
import zlib
from functools import cache

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from digitlab.errors import ImageError

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
MAX_SIDE = 20_000  # pixels; a picture of 1 x 50 million would pass the count of pixels

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "HEIF", "MPO")
"""What is read. Other formats that Pillow knows are rare, and some of their readers fragile."""

_KINDS = "PNG, JPEG, WebP, BMP, GIF, TIFF or HEIC"

# Third-party decoders raise nearly anything when a file is hostile or cut short.
_DECODER_ERRORS = (
    OSError, ValueError, TypeError, SyntaxError, KeyError, IndexError, AttributeError,
    OverflowError, ZeroDivisionError, AssertionError, EOFError, MemoryError, RuntimeError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)


def decode(data: bytes) -> np.ndarray:
    """Read a picture file.

    Parameters
    ----------
    data : the file's bytes: PNG, JPEG, WebP, BMP, GIF (its first frame), TIFF or HEIC.

    Returns
    -------
    (h, w, 3) uint8 RGB, or (h, w, 4) uint8 RGBA if some of it is transparent; turned upright as
    its EXIF orientation says.

    Raises
    ------
    ImageError if it is no such file, damaged, or over MAX_BYTES, MAX_PIXELS or MAX_SIDE. Sizes
    are checked before any pixel is decoded.
    """
    _check_bytes(data)
    _register_heif()
    # A damaged EXIF block or a large picture warns; what matters of that is checked here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _open(data) as image:
            _check_size(*image.size)
            return _pixels(image)


def _check_bytes(data: bytes) -> None:
    if not data:
        raise ImageError("The file is empty. Choose another picture.")
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"The file has {len(data) / 2**20:.0f} MB, more than the {MAX_BYTES // 2**20} MB that "
            "can be read. Make the picture smaller or save it as JPEG."
        )


@cache
def _register_heif() -> None:
    """Teach Pillow HEIC, once; importing the reader is slow enough not to do it sooner."""
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(f"This is no picture that can be read. Use {_KINDS}.") from error
    except _DECODER_ERRORS as error:
        raise ImageError(
            f"The picture is damaged or not what its name says. Use {_KINDS}."
        ) from error


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels. Choose another one.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageError(
            f"The picture has {width} x {height} pixels, more than can be read "
            f"({MAX_PIXELS // 10**6} million, {MAX_SIDE:,} a side). Make it smaller and try again."
        )


def _pixels(image: Image.Image) -> np.ndarray:
    try:
        image.load()
        # Decoders may change their mind about the size (HEIC grids): look again.
        _check_size(*image.size)
        return np.ascontiguousarray(_to_array(_upright(image)))
    except _DECODER_ERRORS as error:
        raise ImageError(
            "The picture is damaged or incomplete. Save it again, or take another."
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """Turned as EXIF says. Some cameras write an orientation that does not exist: as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except _DECODER_ERRORS:
        return image


def _to_array(image: Image.Image) -> np.ndarray:
    """RGB, or RGBA where some is transparent; uint8."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_8_bits(np.asarray(image))
        return np.repeat(grey[..., None], 3, axis=2)
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        rgba = np.asarray(image.convert("RGBA"))
        return rgba if rgba[..., 3].min() < 255 else rgba[..., :3]
    return np.asarray(image.convert("RGB"))


def _to_8_bits(grey: np.ndarray) -> np.ndarray:
    """Grey of more than 8 bits a pixel, scaled to 0..255 by the range its type suggests."""
    values = np.nan_to_num(grey.astype(np.float64), posinf=0.0, neginf=0.0)
    high = float(values.max(initial=0.0))
    if grey.dtype.kind == "f" and high <= 1.0:
        full = 1.0
    else:
        full = 255.0 if high <= 255 else 65535.0
    if high > full:
        full = high
    return np.rint(values.clip(0, full) * (255.0 / full)).astype(np.uint8)
