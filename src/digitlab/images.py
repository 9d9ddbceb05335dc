"""Any upload to an upright array, or a clear ImageError."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base as Tag

from digitlab.errors import ImageError

MAX_BYTES = 20 * 2**20
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384  # pixels; a picture of 1 x 50 million would pass the count of pixels
MAX_MEMORY = 480_000_000  # bytes while decoding; some formats take more of it for each pixel
MAX_TILE = 4096 * 4096  # pixels of a TIFF's tile, decoded whole however little of it is seen
MAX_SCANS = 64  # of a progressive JPEG; cameras and programs write about ten

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "HEIF")
"""What is read. Other formats that Pillow knows are rare, and some of their readers fragile."""

_KINDS = "PNG, JPEG, WebP, BMP, GIF, TIFF or HEIC"
_NO_PICTURE = f"This is no picture that can be read. Use {_KINDS}."
_DAMAGED = "The picture is damaged or incomplete. Save it again, or take another."

_BEGINNINGS = re.compile(
    rb"\x89PNG|\xff\xd8\xff|RIFF.{4}WEBP|GIF8|BM.{4}\0{4}|II[*+]\0|MM\0[*+]|.{4}ftyp(hei|hev|mif1|msf1)",
    re.DOTALL,
)
"""How files of these formats begin: tells a damaged picture from a file that is none."""

_STRIP = 1 << 20  # pixels that are converted at once, so that the whole never lies twice in memory

# A damaged EXIF block makes Pillow warn, and a bomb too; what matters of both is checked here.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def decode(data: bytes) -> np.ndarray:
    """Read a picture file. Several threads may do so at once.

    Parameters
    ----------
    data : the file's bytes: PNG, JPEG, WebP, BMP, GIF (its first frame), TIFF or HEIC.

    Returns
    -------
    (h, w, 3) uint8 RGB, or (h, w, 4) uint8 RGBA if some of it is transparent; turned upright as
    its EXIF orientation says.

    Raises
    ------
    ImageError if it is no such file, damaged, or over MAX_BYTES, MAX_PIXELS or MAX_SIDE, or if
    decoding it would take over MAX_MEMORY. Sizes are checked before any pixel is decoded.
    """
    _check_bytes(data)
    _register_heif()
    with _open(data) as image, _blamed_on_the_file():
        _check_size(image)
        _check_work(image, data)
        image.load()
        # Decoders may change their mind about the size (HEIC grids): look again.
        _check_size(image)
        return _upright_array(image)


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


@contextmanager
def _blamed_on_the_file() -> Iterator[None]:
    """Third-party decoders raise nearly anything when a file is hostile or cut short."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            "There is too little memory for this picture. Make it smaller and try again."
        ) from error
    except Exception as error:
        raise ImageError(_DAMAGED) from error


def _open(data: bytes) -> Image.Image:
    """The file's header, nothing decoded."""
    with _blamed_on_the_file():
        try:
            return Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise ImageError(
                f"The picture has more pixels than can be read ({MAX_PIXELS // 10**6} million). "
                "Make it smaller and try again."
            ) from error
        except UnidentifiedImageError as error:
            known = _BEGINNINGS.match(data)
            raise ImageError(_DAMAGED if known else _NO_PICTURE) from error


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    most = min(MAX_PIXELS, MAX_MEMORY // _bytes_a_pixel(image))
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels. Choose another one.")
    if width * height > most or max(width, height) > MAX_SIDE:
        raise ImageError(
            f"The picture has {width} x {height} pixels, more than can be read of its kind "
            f"({most // 10**6} million, {MAX_SIDE:,} a side). Make it smaller and try again."
        )


def _bytes_a_pixel(image: Image.Image) -> int:
    """How much memory decoding takes for each pixel, at most; measured, and rounded up."""
    if image.format == "WEBP":  # two canvases, a copy and the picture, all of four bytes
        return 17
    if "progressive" in image.info:  # two bytes of coefficients a channel, and the picture
        return 2 * len(image.getbands()) + 4
    if image.format == "TIFF":  # a strip may be the whole
        bits = sum(image.tag_v2.get(Tag.BitsPerSample, (1,)))
        return min(max(9, bits // 8 + 4), 16)  # a damaged file may claim any number of bits
    return 9  # the picture and the array


def _check_work(image: Image.Image, data: bytes) -> None:
    """Refuse what keeps a decoder busy or fills the memory without many pixels to show for it."""
    if image.format == "TIFF":
        tile = [image.tag_v2.get(tag, 0) for tag in (Tag.TileWidth, Tag.TileLength)]
        if tile[0] * tile[1] > MAX_TILE:
            raise ImageError(_DAMAGED)
    if image.format in ("JPEG", "MPO") and _scans(data) > MAX_SCANS:
        raise ImageError(_DAMAGED)


def _scans(data: bytes) -> int:
    """How many passes over its pixels the (first) picture of a JPEG file takes."""
    place, scans = 2, 0
    while segment := _SEGMENT.search(data, place):
        kind = segment[1][0]
        if kind == _END:
            break
        scans += kind == _SCAN
        place = segment.end() + int.from_bytes(data[segment.end() : segment.end() + 2])
    return scans


_SEGMENT = re.compile(rb"\xff([^\x00\xff\xd0-\xd8])", re.DOTALL)
"""A JPEG marker that a length follows, or the end; within a scan's data there is none."""
_SCAN, _END = 0xDA, 0xD9


def _upright_array(image: Image.Image) -> np.ndarray:
    """RGB, or RGBA where some is transparent; (h, w, 3 or 4) uint8, turned as EXIF says."""
    turn, see_through = _orientation(image), _is_see_through(image)
    width, height = image.size if turn < 5 else image.size[::-1]
    upright = np.empty((height, width, 4 if see_through else 3), np.uint8)
    stored = _AS_STORED[turn](upright)
    for rows, pixels in _rows(image, "RGBA" if see_through else "RGB"):
        stored[rows] = pixels
    return upright


_AS_STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright.swapaxes(0, 1)[::-1],
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],
}
"""An upright array seen in the order of the file, by EXIF orientation."""


def _orientation(image: Image.Image) -> int:
    """As EXIF has it, 1 to 8. Some cameras write one that does not exist, or a damaged block."""
    try:
        turn = image.getexif().get(Tag.Orientation, 1)
        return turn if turn in _AS_STORED else 1
    except Exception:  # see _blamed_on_the_file; the picture itself is sound
        return 1


def _is_deep(image: Image.Image) -> bool:
    """Whether it is grey of more than 8 bits a pixel."""
    return image.mode == "F" or image.mode.startswith("I")


def _is_see_through(image: Image.Image) -> bool:
    if _is_deep(image) or not image.has_transparency_data:
        return False
    return any(pixels[..., 3].min() < 255 for _, pixels in _strips(image, "RGBA"))


def _rows(image: Image.Image, mode: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Which rows, and what to put there: (rows, w, 3) or (rows, w, 4) uint8, or grey for all."""
    if _is_deep(image):
        full = _full_scale(image)
        for rows, values in _strips(image, image.mode):
            yield rows, _to_8_bits(values, full)[..., None]
    elif image.mode == "LAB":  # which Pillow can't convert; its lightness is all that counts
        for rows, values in _strips(image, image.mode):
            yield rows, values[..., :1]
    else:
        yield from _strips(image, mode)


def _strips(image: Image.Image, mode: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Strips of the picture from top to bottom: which rows, and their pixels in `mode`."""
    step = max(1, _STRIP // image.width)
    for top in range(0, image.height, step):
        bottom = min(image.height, top + step)
        strip = image.crop((0, top, image.width, bottom))
        yield slice(top, bottom), np.asarray(strip.convert(mode))


def _full_scale(image: Image.Image) -> float:
    """What counts as white in grey of more than 8 bits a pixel.

    The least that a scanner or camera of some 8 to 16 bits would write and nothing exceeds, or
    1.0 for fractions.
    """
    high = max(float(_finite(values).max()) for _, values in _strips(image, image.mode))
    usual = [1.0] if image.mode == "F" else []
    usual += [2.0**bits - 1 for bits in (8, 10, 12, 14, 16)]
    return min((scale for scale in usual if scale >= high), default=high)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _to_8_bits(values: np.ndarray, full: float) -> np.ndarray:
    """Grey scaled from 0..full to 0..255, what lies outside cut off."""
    return np.rint(_finite(values).clip(0, full) * np.float32(255 / full)).astype(np.uint8)
