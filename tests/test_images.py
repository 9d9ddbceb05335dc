"""Every kind of picture file becomes the same upright pixels, or a clear ImageError."""

import io
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import cv2
import numpy as np
import pillow_heif
import pytest
from handwriting import placed, written
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitlab import images
from digitlab.errors import ImageError
from digitlab.images import decode

pillow_heif.register_heif_opener()

# pytest puts its own filters in the place of those that the program sets when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

HEIGHT, WIDTH = 96, 128
NO_PICTURE, DAMAGED = "no picture that can be read", "damaged or incomplete"


def _picture() -> np.ndarray:
    """A blue 4 off the middle of paper in a slope of light; every orientation looks different."""
    ink = placed(written("4", 50, 7), (HEIGHT, WIDTH), 20, 12)[..., None] / 255
    light = np.linspace(150, 240, WIDTH)[None, :, None] * np.array([1.0, 0.97, 0.9])
    page = light * (1 - ink) + np.array([40, 60, 150]) * ink
    return np.rint(cv2.GaussianBlur(page, (0, 0), 1)).astype(np.uint8)


PICTURE = _picture()
GREY = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
GREY_RGB = np.dstack([GREY] * 3)
COLOUR, LIGHT = Image.fromarray(PICTURE), Image.fromarray(GREY)


def packed(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def far_off(found: np.ndarray, expected: np.ndarray) -> float:
    """Mean difference of two pictures in grey levels."""
    assert found.shape == expected.shape
    assert found.dtype == np.uint8
    return float(np.abs(found.astype(int) - expected).mean())


def deep(dtype: str, full: float) -> Image.Image:
    return Image.fromarray((GREY / 255 * full).astype(dtype))


# The same picture in each format ------------------------------------------------------------------

ANIMATED = {"save_all": True, "append_images": [COLOUR.rotate(180), COLOUR.rotate(90)]}
FILES = {
    "PNG": (COLOUR, "PNG", {}, PICTURE, 0),
    "PNG palette": (COLOUR.quantize(256), "PNG", {}, PICTURE, 6),
    "PNG grey": (LIGHT, "PNG", {}, GREY_RGB, 0),
    "PNG 16-bit grey": (deep("uint16", 65535), "PNG", {}, GREY_RGB, 1),
    "PNG opaque alpha": (COLOUR.convert("RGBA"), "PNG", {}, PICTURE, 0),
    "JPEG": (COLOUR, "JPEG", {"quality": 90}, PICTURE, 3),
    "JPEG progressive": (COLOUR, "JPEG", {"quality": 90, "progressive": True}, PICTURE, 3),
    "JPEG grey": (LIGHT, "JPEG", {"quality": 90}, GREY_RGB, 2),
    "JPEG CMYK, inverted as Adobe does": (COLOUR.convert("CMYK"), "JPEG", {}, PICTURE, 6),
    "MPO": (COLOUR, "MPO", {"append_images": [COLOUR.rotate(180)], "save_all": True}, PICTURE, 3),
    "WebP": (COLOUR, "WEBP", {"quality": 90}, PICTURE, 4),
    "WebP lossless": (COLOUR, "WEBP", {"lossless": True}, PICTURE, 0),
    "WebP animated": (COLOUR, "WEBP", {**ANIMATED, "lossless": True}, PICTURE, 0),
    "BMP": (COLOUR, "BMP", {}, PICTURE, 0),
    "BMP grey": (LIGHT, "BMP", {}, GREY_RGB, 0),
    "GIF": (LIGHT, "GIF", {}, GREY_RGB, 0),
    "GIF animated": (LIGHT, "GIF", {**ANIMATED}, GREY_RGB, 0),
    "TIFF": (COLOUR, "TIFF", {}, PICTURE, 0),
    "TIFF LZW": (COLOUR, "TIFF", {"compression": "tiff_lzw"}, PICTURE, 0),
    "TIFF JPEG": (COLOUR, "TIFF", {"compression": "jpeg", "quality": 90}, PICTURE, 3),
    "TIFF CMYK": (COLOUR.convert("CMYK"), "TIFF", {}, PICTURE, 0),
    "TIFF 16-bit grey": (deep("uint16", 65535), "TIFF", {}, GREY_RGB, 1),
    "TIFF 16-bit grey, big-endian": (deep(">u2", 65535), "TIFF", {}, GREY_RGB, 1),
    "TIFF 32-bit grey": (deep("int32", 65535), "TIFF", {}, GREY_RGB, 1),
    "TIFF of floats to 1": (deep("float32", 1), "TIFF", {}, GREY_RGB, 1),
    "TIFF of floats to 255": (deep("float32", 255), "TIFF", {}, GREY_RGB, 1),
    "HEIC": (COLOUR, "HEIF", {"quality": 90}, PICTURE, 4),
    "HEIC grey": (LIGHT, "HEIF", {"quality": 90}, GREY_RGB, 4),
}  # fmt: skip
"""Picture, format, options, the pixels expected, and by how many grey levels they may be off."""


@cache
def file_of(name: str) -> bytes:
    image, kind, options, *_ = FILES[name]
    return packed(image, kind, **options)


@pytest.mark.parametrize("name", FILES)
def test_same_picture_in_every_format_has_the_same_pixels(name):
    *_, expected, most = FILES[name]
    found = decode(file_of(name))
    assert far_off(found, expected) <= most
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_black_and_white_stays_black_and_white(kind):
    found = decode(packed(LIGHT.point(lambda v: 255 * (v > 110), "1"), kind))
    assert np.array_equal(found, np.where(GREY_RGB > 110, 255, 0))


def test_fax_is_read():
    page = LIGHT.point(lambda v: 255 * (v > 110), "1")
    found = decode(packed(page, "TIFF", compression="group4"))
    assert np.array_equal(found, np.where(GREY_RGB > 110, 255, 0))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_scanner_of_fewer_than_sixteen_bits_gives_no_black_picture(bits):
    found = decode(packed(deep("uint16", 2**bits - 1), "PNG"))
    assert far_off(found, GREY_RGB) <= 1


def test_floats_that_are_no_numbers_are_black():
    values = GREY.astype(np.float32) / 255
    values[:5], values[5:10], values[10:15] = np.nan, np.inf, -np.inf
    found = decode(packed(Image.fromarray(values), "TIFF"))
    assert not found[:15].any()
    assert far_off(found[15:], GREY_RGB[15:]) <= 1


def test_lightness_of_a_lab_picture_is_kept():
    found = decode(packed(Image.merge("LAB", [LIGHT, LIGHT, LIGHT]), "TIFF"))
    assert np.array_equal(found, GREY_RGB)


# Transparency -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "HEIF"])
def test_alpha_channel_is_kept(kind):
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = decode(packed(Image.fromarray(np.dstack([PICTURE, alpha])), kind, **options))
    assert far_off(found[..., 3], alpha) <= 4
    assert far_off(found[..., :3], PICTURE) <= 4


def test_grey_with_alpha_is_kept():
    alpha = Image.fromarray(255 - GREY)
    found = decode(packed(Image.merge("LA", [LIGHT, alpha]), "PNG"))
    assert np.array_equal(found, np.dstack([GREY_RGB, 255 - GREY]))


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_colour_of_a_palette_is_transparent(kind):
    palette = LIGHT.quantize(8)
    colour = int(np.asarray(palette)[0, 0])
    found = decode(packed(palette, kind, transparency=colour))
    assert np.array_equal(found[..., 3] == 0, np.asarray(palette) == colour)


def test_transparent_grey_of_a_deep_picture_does_no_harm():
    file = packed(deep("uint16", 65535), "PNG")
    chunk = b"tRNS\0\0"
    end = file.index(b"IDAT") - 4
    tagged = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
    found = decode(file[:end] + tagged + file[end:])
    assert far_off(found, GREY_RGB) <= 1


# Orientation --------------------------------------------------------------------------------------

STORED = {
    1: PICTURE,
    2: PICTURE[:, ::-1],
    3: PICTURE[::-1, ::-1],
    4: PICTURE[::-1],
    5: PICTURE.swapaxes(0, 1),
    6: np.rot90(PICTURE, 1),  # to be turned clockwise by a quarter to be upright
    7: np.rot90(PICTURE, 2).swapaxes(0, 1),
    8: np.rot90(PICTURE, -1),
}


@pytest.mark.parametrize("turn", STORED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_picture_is_turned_upright_as_exif_says(kind, turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    stored = Image.fromarray(np.ascontiguousarray(STORED[turn]))
    assert far_off(decode(packed(stored, kind, exif=exif.tobytes(), quality=90)), PICTURE) <= 4


@pytest.mark.parametrize("turn", [0, 9, 65535])
def test_orientation_that_does_not_exist_is_ignored(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    assert np.array_equal(decode(packed(COLOUR, "PNG", exif=exif)), PICTURE)


def test_damaged_exif_does_not_cost_the_picture():
    file = packed(COLOUR, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense")
    assert far_off(decode(file), PICTURE) <= 4


# What is refused ----------------------------------------------------------------------------------


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        decode(data)
    return str(caught.value)


def test_empty_file_says_so():
    assert "empty" in refusal(b"")


@pytest.mark.parametrize(
    "data",
    [b"abc", bytes(1000), "Dear diary, 407 €\n".encode() * 50, b"%PDF-1.7\n", b"BM", b"<svg/>"],
    ids=["three letters", "zeros", "text", "PDF", "two letters", "SVG"],
)  # fmt: skip
def test_what_is_no_picture_is_called_so(data):
    assert NO_PICTURE in refusal(data)


ONE_PICTURE = [name for name in FILES if "animated" not in name and name != "MPO"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ONE_PICTURE)
def test_truncated_file_is_called_damaged(name, share):
    file = file_of(name)
    assert DAMAGED in refusal(file[: int(len(file) * share)])


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WebP", "GIF", "TIFF", "HEIC"])
def test_file_cut_within_its_header_is_called_damaged(name):
    assert DAMAGED in refusal(file_of(name)[:14])


def test_too_many_bytes_are_refused_with_their_number():
    message = refusal(file_of("PNG") + bytes(images.MAX_BYTES))
    assert "20 MB" in message
    assert "smaller" in message


def claiming(width: int, height: int) -> bytes:
    """A small PNG that says it is so large; its pixels are missing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("size", [(30_000, 30_000), (20_000, 2_400), (9_000, 9_000), (1, 60_000)])
def test_decompression_bomb_is_refused_before_it_is_decoded(size):
    began = time.process_time()
    message = refusal(claiming(*size))
    assert "pixels" in message
    assert "smaller" in message
    assert time.process_time() - began < 0.2


def test_largest_size_is_not_refused_for_its_size():
    assert DAMAGED in refusal(claiming(8_000, 6_000))


def tiled(side: int) -> bytes:
    """A grey TIFF of 64x64 pixels, cut from one black tile."""
    tile = zlib.compress(bytes(side * side))
    tags = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 1), (277, 1)]
    tags += [(322, side), (323, side), (324, 200), (325, len(tile))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return header.ljust(200, b"\0") + tile


def test_huge_tile_of_a_small_tiff_is_refused():
    assert decode(tiled(64)).shape == decode(tiled(512)).shape == (64, 64, 3)
    assert DAMAGED in refusal(tiled(8192))


def test_jpeg_of_ten_thousand_scans_is_refused_at_once():
    file = packed(Image.new("RGB", (4000, 3000), "red"), "JPEG", progressive=True)
    last = file.rindex(b"\xff\xda")
    began = time.process_time()
    assert DAMAGED in refusal(file[:last] + 10_000 * file[last:-2] + file[-2:])
    assert time.process_time() - began < 1


# Hostile files ------------------------------------------------------------------------------------


def survives(data: bytes) -> None:
    """Pixels or an ImageError, soon."""
    began = time.process_time()
    try:
        found = decode(data)
    except ImageError:
        pass
    else:
        assert found.dtype == np.uint8
        assert found.ndim == 3
        assert found.shape[2] in (3, 4)
    assert time.process_time() - began < 8


@given(st.binary(max_size=300))
@example(b"\xff\xd8\xff\xda")
@example(b"II*\0\x08\0\0\0")
@example(b"RIFF\0\0\0\0WEBPVP8X")
def test_random_bytes_never_crash(data):
    survives(data)


BEGINNINGS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
              b"RIFF\xff\0\0\0WEBPVP8 ", b"\0\0\0\x18ftypheic"]  # fmt: skip


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=300))
def test_random_bytes_after_a_true_beginning_never_crash(beginning, data):
    survives(beginning + data)


EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60)
@given(edits=EDITS, cut=st.floats(0.05, 1), inserted=st.binary(max_size=8), place=st.floats(0, 1))
def test_mutated_pictures_never_crash(name, edits, cut, inserted, place):
    data = bytearray(file_of(name))
    for where, value in edits:
        # Squared, so that most changes hit the headers at the beginning.
        data[int(where**2 * (len(data) - 1))] = value
    data[int(place * len(data)) : int(place * len(data))] = inserted
    survives(bytes(data[: int(cut * len(data))] if cut < 0.8 else data))


# Threads and memory -------------------------------------------------------------------------------


def test_threads_that_decode_at_once_get_the_same_pixels_as_one():
    names = list(FILES) * 6
    expected = {name: decode(file_of(name)) for name in FILES}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: decode(file_of(name)), names))
    for name, pixels in zip(names, found, strict=True):
        assert np.array_equal(pixels, expected[name])


MEASURE = """
import re, sys
from pathlib import Path
from digitlab.images import ImageError, decode

def held(what):
    return int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

for name in ("small.png", sys.argv[1]):
    data = Path(sys.argv[2], name).read_bytes()
    before = held("VmRSS")
    try:
        shape = decode(data).shape
    except ImageError as error:
        sys.exit(str(error))
print(held("VmHWM") - before, *shape)
"""
"""Prints by how many bytes decoding raised the process' memory at most, then the shape."""

LARGE = 8000, 6000  # 48 megapixels, as the largest cameras of telephones have
SIDEWAYS = Image.Exif()
SIDEWAYS[0x0112] = 6
HUGE_FILES = {
    "jpeg": ("RGB", "JPEG", {}),
    "turned": ("RGB", "JPEG", {"exif": SIDEWAYS}),
    "progressive": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "cmyk jpeg": ("CMYK", "JPEG", {}),
    "cmyk tiff": ("CMYK", "TIFF", {"compression": "tiff_adobe_deflate", "strip_size": 2**31 - 1}),
    "grey 16": ("I;16", "PNG", {"compress_level": 1}),
    "float": ("F", "TIFF", {"compression": "tiff_adobe_deflate", "strip_size": 2**31 - 1}),
    "rgba": ("RGBA", "PNG", {"compress_level": 1}),
    "webp": ("RGBA", "WEBP", {"lossless": True, "method": 0, "quality": 0}),
    "heic": ("RGB", "HEIF", {"quality": 30, "enc_params": {"preset": "ultrafast"}}),
}  # fmt: skip
SMALLER = {"webp": (6000, 4600)}
"""Formats whose decoders need more memory take fewer pixels."""


def plain(mode: str, size: tuple[int, int]) -> Image.Image:
    """A large picture of few colours, quick to pack."""
    if mode in ("I;16", "F"):
        return Image.fromarray(np.full(size[::-1], 0.75 if mode == "F" else 40_000,
                                       np.float32 if mode == "F" else np.uint16))  # fmt: skip
    image = Image.new(mode, size, (200, 180, 90, 30)[: len(Image.new(mode, (1, 1)).getbands())])
    image.paste(0, (100, 100, size[0] // 2, size[1] // 2))
    return image


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
@pytest.mark.parametrize("name", HUGE_FILES)
def test_largest_pictures_stay_under_the_limit_of_memory(name, tmp_path):
    mode, kind, options = HUGE_FILES[name]
    size = SMALLER.get(name, LARGE)
    (tmp_path / "small.png").write_bytes(file_of("PNG"))
    (tmp_path / "large").write_bytes(packed(plain(mode, size), kind, **options))
    command = [sys.executable, "-c", MEASURE, "large", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    extra, *shape = map(int, done.stdout.split())
    assert sorted(shape[:2]) == sorted(size)
    assert extra < 500_000_000


def test_what_would_take_too_much_memory_in_its_format_is_refused():
    message = refusal(packed(plain("RGB", LARGE), "WEBP", method=0))
    assert "pixels" in message
    assert "28 million" in message
