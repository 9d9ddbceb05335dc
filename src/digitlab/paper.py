"""From a picture to its ink: grey, evened light, polarity, and what is ink at all.

The result says for each pixel how much ink is there (0 to 1), whatever the colour of the paper,
the pen or the light.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from digitlab.binarization import shipped
from digitlab.blocks import without_blocks
from digitlab.crowded import even_bold, surrounds
from digitlab.frame import BODY
from digitlab.light import (
    LEAST_CONTRAST,
    Evened,
    even_light,
    grown,
    level_of,
    resize,
    separate,
    to_grey,
    usual_height,
)
from digitlab.mending import INK, left_over, parts_of, put_back
from digitlab.panel import find_panels, rim
from digitlab.ruling import THICKEST, remains, ruling
from digitlab.shade import soft_shade

WORKING_SIDE = 1600  # pixels; a digit of 1/60 of the picture is still 26 pixels high
SMALL_SIDE = 120  # a photograph smaller than this is enlarged, since strokes are 1-2 pixels wide
TINY = 32  # pixels; a picture no larger holds one digit, whose strokes are a pixel or two wide
ENLARGED = 3.0  # times: a tiny picture, before its ink is told from its ground
CROP = 200  # pixels; a picture no larger than this may be a crop without margins
FLAT_SHARE = 0.4  # of all pixels exactly alike: a drawing or a scan, not a photograph
EXACT = 0.06  # likewise, where ink and its soft edges fill the picture
LONELY, NEXT = 3.0, 8  # times as common as any of so many next greys
PARTED, SOFTLY = 0.85, 0.72  # of a crop's variance: between its two tones; in a drawing enlarged
FILLED = 0.7  # of its box: a stroke covers less, unless it is a 1
LIT = 0.25  # of the shorter side, from a place to all that is dark: more than in any stroke
WIDEST = 0.17  # of the picture: no stroke is twice as wide, where it leaves the picture either
ASKEW = -7, 7, -13, 13  # degrees that a crop's lines may be turned by
LARGE = 0.35  # of the picture's shorter side: writing as high may lie on a pattern
HARDLY = 0.02  # of all that is dark: less ink than that is found where its height is mistaken
MOST_ACROSS = 30  # digits side by side in a picture; no guess of their height is smaller


@dataclass(frozen=True)
class Paper:
    """A picture seen as ink on a ground.

    Attributes
    ----------
    grey : (h, w) uint8, working size, as it was.
    darkness : (h, w) float32 in 0..1, share of the ground's light that is missing.
    ink : (h, w) float32 in 0..1, how much ink.
    mask : (h, w) uint8 0 or 1, where there is ink.
    scale : working pixels to one of the original.
    flat : whether the ground has exactly one colour (a drawing).
    light_on_dark : whether the ink is lighter than its ground.
    alone : whether a sheet or a panel was found, and all that is around it left out.
    tiny : whether a drawing is so small, or was before it was enlarged, that it holds one digit.
    belief : (h, w) float32 in 0..1, how likely the binarization network finds it that a pixel of a
        photograph is handwriting; None where it was not asked.
    """

    grey: np.ndarray
    darkness: np.ndarray
    ink: np.ndarray
    mask: np.ndarray
    scale: float
    flat: bool
    light_on_dark: bool
    alone: bool = False
    tiny: bool = False
    belief: np.ndarray | None = None

    @property
    def even(self) -> np.ndarray:
        """(h, w) uint8, dark ink on a white ground in even light."""
        return np.rint(255 * (1 - self.darkness.clip(0, 1))).astype(np.uint8)

    def turned(self, turn: np.ndarray, size: tuple[int, int]) -> "Paper":
        """The same paper under an affine map of its working pixels, `turn` (2, 3) float.

        `size` is the width and height that it has then; what comes in has no ink.
        """
        ground = float(np.median(self.grey))
        darkness, ink, grey = (
            cv2.warpAffine(part, turn, size, flags=cv2.INTER_LINEAR, borderValue=fill)
            for part, fill in ((self.darkness, 0.0), (self.ink, 0.0), (self.grey, ground))
        )
        mask = cv2.warpAffine(self.mask * 255, turn, size, flags=cv2.INTER_LINEAR) >= 128
        belief = self.belief
        if belief is not None:
            belief = cv2.warpAffine(belief, turn, size, flags=cv2.INTER_LINEAR)
        mask = mask.astype(np.uint8)
        return replace(self, grey=grey, darkness=darkness, ink=ink, mask=mask, belief=belief)


def read_paper(image: np.ndarray) -> Paper:
    """See `image` as ink on a ground.

    Parameters
    ----------
    image : (h, w), (h, w, 3) RGB or (h, w, 4) RGBA, uint8.
    """
    opaque = _flatten_alpha(image)
    before = without_blocks(opaque)
    if before is not None:
        return _read_picture(before, to_grey(before), before.shape[1] / opaque.shape[1])
    small, scale = resize(opaque, min(1.0, WORKING_SIDE / max(opaque.shape[:2])))
    grey = to_grey(small)
    panels = find_panels(grey)
    if panels is not None:
        left, top, right, bottom = panels.box
        inside = small[top:bottom, left:right].copy()
        inside[~panels.mask] = np.median(inside[panels.mask], axis=0)
        paper = _on_page(_read_picture(inside, to_grey(inside), 1.0), panels.box, grey)
        if paper.mask.any():
            return replace(paper, scale=scale * paper.scale)
    return _read_picture(small, grey, scale)


def _on_page(paper: Paper, box: tuple[int, int, int, int], page: np.ndarray) -> Paper:
    """`paper` in its place, `box`, on a `page`, (h, w) uint8, on which there is no other ink."""
    height, width = paper.mask.shape
    left, top = round(box[0] * paper.scale), round(box[1] * paper.scale)
    bottom, right = (max(0, round(side * paper.scale)) for side in page.shape)
    room = (top, max(0, bottom - top - height)), (left, max(0, right - left - width))
    parts = {name: getattr(paper, name) for name in ("darkness", "ink", "mask", "belief")}
    rest = {name: np.pad(part, room) for name, part in parts.items() if part is not None}
    grey = cv2.resize(page, rest["mask"].shape[::-1], interpolation=cv2.INTER_AREA)
    return replace(paper, grey=grey, alone=True, **rest)


def _read_picture(small: np.ndarray, grey: np.ndarray, scale: float) -> Paper:
    """See a picture of working size as ink on a ground.

    Parameters
    ----------
    small : (h, w) or (h, w, 3) RGB uint8.
    grey : (h, w) uint8, the same.
    scale : how many of its pixels are one of the original.
    """
    level = _flat_level(grey)
    if level is not None:
        return _read_flat(small, grey, level, scale)
    drawn = _has_exact_ground(grey)
    tones = _two_tones(grey, drawn) if drawn or max(grey.shape) <= CROP else None
    crop = _read_crop(grey, *tones, drawn, scale) if tones is not None else None
    if crop is not None:
        return crop
    if min(small.shape[:2]) < SMALL_SIDE:
        factor = min(4.0, SMALL_SIDE / min(small.shape[:2]))
        small, _ = resize(small, factor)
        scale, grey = scale * factor, to_grey(small)
    return _read_photo(small, grey, scale)


def _flatten_alpha(image: np.ndarray) -> np.ndarray:
    """RGBA over white if what is opaque is dark, over black if it is light."""
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    alpha = image[..., 3]
    if alpha.min() == 255:
        return np.ascontiguousarray(image[..., :3])
    mean = cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGBA2GRAY), np.ascontiguousarray(alpha))[0]
    ground = 255.0 if mean < 128 else 0.0
    flat = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, len(image), 64):  # in strips: the whole as floats is a gigabyte
        rows = slice(top, top + 64)
        share = alpha[rows, :, None].astype(np.float32) / 255
        flat[rows] = np.rint(image[rows, :, :3] * share + ground * (1 - share))
    return flat


def _counts(grey: np.ndarray) -> np.ndarray:
    """How many pixels have each grey, (256,) float32."""
    return cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()


def _flat_level(grey: np.ndarray) -> int | None:
    """The grey of the ground if it is exactly one and covers most of the picture, else None."""
    counts = _counts(grey)
    level = int(counts.argmax())
    if counts[level] < FLAT_SHARE * grey.size:
        return None
    # An over-exposed photograph has one exact white too, but also shades next to it: in a
    # drawing nearly everything that is not ground is ink, far from the ground.
    near = int(counts[max(0, level - 40) : level + 41].sum()) - int(counts[level])
    if max(grey.shape) <= CROP and _edge_share(grey == level) < 0.5:
        return None  # thick ink that runs out of the picture may be its commonest grey
    return level if near < 0.15 * grey.size else None


def _read_flat(image: np.ndarray, grey: np.ndarray, level: int, scale: float) -> Paper:
    """A drawing or a clean scan: ink is what differs from the one ground, in whatever colour."""
    as_mnist = _is_mnist(grey, level)
    light = int(grey.sum(dtype=np.int64)) > level * grey.size
    ink = _difference(image, grey, level)
    tiny = _is_tiny(grey)
    factor = ENLARGED if tiny and not as_mnist else 1.0
    (grey, _), (ink, _) = resize(grey, factor), resize(ink, factor)
    peak = int(ink.max())
    if peak < 255 * LEAST_CONTRAST:
        ink, peak = np.zeros_like(ink), 255
    share = ink.astype(np.float32) / peak
    # JPEG rings a little around strokes; MNIST's greys start at 1.
    mask = (share > (0.0 if as_mnist else 0.25)).astype(np.uint8)
    ink = share
    if max(grey.shape) > 60 and ruling(mask) is not None:
        ink, _ = _handwriting(share, 1.0)
        mask = (ink > INK).astype(np.uint8)
    return Paper(grey, share, ink, mask, scale * factor, True, light, tiny=tiny)


def _difference(image: np.ndarray, grey: np.ndarray, level: int) -> np.ndarray:
    """How far each pixel is from the ground in the colour that differs most, (h, w) uint8.

    Parameters
    ----------
    grey : (h, w) uint8, `image` in grey.
    level : the ground's grey.
    """
    if image.ndim == 2:
        return cv2.absdiff(grey, np.full_like(grey, level))
    places = np.flatnonzero(grey.ravel() == level)
    colours = image.reshape(-1, 3)[places[:: max(1, places.size // 1000)]]
    ground = tuple(np.median(colours, axis=0).astype(int).tolist())
    red, green, blue = cv2.split(cv2.absdiff(image, (*ground, 0)))
    return cv2.max(cv2.max(red, green), blue)


def _is_tiny(grey: np.ndarray) -> bool:
    """Whether a picture is so small that it holds one digit."""
    return max(grey.shape) <= TINY


def _is_mnist(grey: np.ndarray, level: int) -> bool:
    """Whether the ink's box has MNIST's size already, so that its faintest grey belongs to it.

    `level` is the grey of the ground.
    """
    _, _, w, h = cv2.boundingRect((grey != level).astype(np.uint8))
    return _is_tiny(grey) and max(w, h) == BODY


def _two_tones(grey: np.ndarray, drawn: bool) -> tuple[float, float] | None:
    """The ground's and the ink's grey in a crop that its ink fills; None for other pictures.

    Where ink covers much of a picture and runs out of it, no wide window shows the paper. Such a
    crop is small and evenly lit, so that Otsu's threshold parts ink and ground; the ground is
    what most of the edge and of the corners belongs to.

    `drawn` says that the ground is exactly one grey: ink has no lines and shadows beside it, but
    may have edges as soft as its strokes are wide.
    """
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = grey > level
    share = float(light.mean())
    if share in (0.0, 1.0):
        return None
    means = float(grey[~light].mean()), float(grey[light].mean())
    parted = share * (1 - share) * (means[1] - means[0]) ** 2 / max(1e-9, float(grey.var()))
    ground_is_light = surrounds(light)
    ink = ~light if ground_is_light else light
    if not _is_tiny(grey):
        crowded = ink.mean() > 0.15 and _edge_share(ink) > 0.02
        dark_enough = means[0] < 0.5 * means[1]
        enough = SOFTLY if drawn else PARTED
        chalk = drawn and not ground_is_light and not _is_lit(ink)
        strokes = chalk or _is_stroke(ink)
        if parted < enough or not crowded or not dark_enough or not strokes:
            return None
    ground = float(np.median(grey[~ink]))
    return ground, float(np.percentile(grey[ink], 20 if ground_is_light else 80))


def _is_lit(light: np.ndarray) -> bool:
    """Whether what is light, (h, w) bool, is paper in the light: nearly as wide as the picture.

    A shadow may have one exact grey, too, where a file is made small at the cost of what is dark.
    """
    depth = cv2.distanceTransform(light.astype(np.uint8), cv2.DIST_L2, 3)
    return float(depth.max()) > LIT * min(light.shape)


def _has_exact_ground(grey: np.ndarray) -> bool:
    """Whether a picture's commonest grey is one that only a drawing's ground has so much of.

    A digit of 16x16 pixels that fills its picture has soft edges as wide as its strokes when it
    is enlarged, but its ground still has one grey; in a photograph the next greys are as common.
    """
    counts = _counts(grey)
    level = int(counts.argmax())
    exact, counts[level] = float(counts[level]), 0
    beside = float(counts[max(0, level - NEXT) : level + NEXT + 1].max())
    return exact > max(EXACT * grey.size, LONELY * beside)


def _is_stroke(ink: np.ndarray) -> bool:
    """Whether what passes for ink, (h, w) bool, may be strokes that run out of the picture.

    A shadow, a desk beside the paper or a printed line takes a whole side, or is wider than any
    stroke; the paper within the frames of a puzzle's cells fills its boxes.
    """
    height, width = ink.shape
    sides = ink[0], ink[-1], ink[:, 0], ink[:, -1]
    if width > 0.4 * height and max(side.mean() for side in sides) > 0.9:
        return False
    mask = ink.astype(np.uint8)
    beyond = np.pad(mask, max(ink.shape) // 4, mode="edge")  # as it goes on out of the picture
    if float(cv2.distanceTransform(beyond, cv2.DIST_L2, 3).max()) > WIDEST * max(ink.shape):
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    _, _, w, h, area = stats[1:].T
    filled = (area > FILLED * w * h) & (w > 0.3 * h)
    return bool((w * h)[filled].sum() <= 0.4 * ink.size)


def _edge_share(mask: np.ndarray) -> float:
    """Share of the outermost pixels that are in `mask` (h, w) bool."""
    return float(rim(mask).mean())


def _read_crop(
    grey: np.ndarray, ground: float, ink: float, drawn: bool, scale: float
) -> Paper | None:
    """A crop of two tones: ink is what is nearer to the ink's.

    None if there are lines in it, unless it is `drawn`, as in `_two_tones`.
    """
    tiny = _is_tiny(grey)
    factor = ENLARGED if tiny else max(1.0, SMALL_SIDE / min(grey.shape))
    large, factor = resize(grey, min(4.0, factor))
    share = ((large.astype(np.float32) - ground) / (ink - ground)).clip(0, 1)
    mask = (share > 0.45).astype(np.uint8)
    if not (tiny or drawn) and _has_lines(mask):
        return None
    return Paper(large, share, share, mask, scale * factor, tiny, ink > ground, tiny=tiny)


def _has_lines(mask: np.ndarray) -> bool:
    """Whether there are printed lines in a crop, however it is askew; `mask` as for `ruling`."""
    if ruling(mask) is not None:
        return True
    height, width = mask.shape
    broad = round(THICKEST * min(mask.shape)) + 2
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (broad, broad))
    for degrees in ASKEW:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        turned = cv2.warpAffine(mask, turn, (width, height), flags=cv2.INTER_NEAREST)
        # No corner that was not in the picture; of a narrow strip nothing is left.
        x, y = (round(abs(np.sin(np.deg2rad(degrees))) * side / 2) + 1 for side in (height, width))
        inner = np.s_[y : height - y, x : width - x]
        lines = ruling(np.ascontiguousarray(turned[inner]))
        if lines is None:
            continue
        # A stroke that only reaches into what is left looks thin there.
        strokes = cv2.morphologyEx(turned, cv2.MORPH_OPEN, disc)[inner]
        if strokes[lines].mean() < 0.5:
            return True
    return False


def _read_photo(image: np.ndarray, grey: np.ndarray, scale: float) -> Paper:
    """A photograph: the light is evened out, then ink is what is clearly darker than its ground."""
    bold = even_bold(image, grey)
    if bold is not None:
        return _read_bold(grey, bold, scale)
    darkness, light, alone = even_light(image, grey)
    level = level_of(darkness)
    seen = _large_writing(darkness) if level is None else _handwriting(darkness, level)
    mask = grown(seen.ink > INK, seen.ink > 0.7)
    return Paper(grey, darkness, seen.ink, mask, scale, False, light, alone, belief=seen.belief)


def _read_bold(grey: np.ndarray, bold: Evened, scale: float) -> Paper:
    """A photograph that bold strokes fill: ink is what is nearer to their tone than to paper's."""
    share = bold.darkness.clip(0, 1)
    mask, belief = (share > 0.45).astype(np.uint8), None
    if _has_lines(mask):
        share, belief = _handwriting(bold.darkness, 1.0)
        mask = grown(share > INK, share > 0.7)
    light = bold.light_on_dark
    return Paper(grey, bold.darkness.clip(0, 1), share, mask, scale, False, light, belief=belief)


class _Handwriting(NamedTuple):
    """Soft ink, and what the binarization network alone makes of it; both (h, w) float32."""

    ink: np.ndarray
    belief: np.ndarray


def _large_writing(darkness: np.ndarray) -> _Handwriting:
    """Writing where nothing stands out from a pattern that fills the picture.

    A digit cut out close on squared or patterned paper hardly does. It fills much of the picture,
    which grains and threads, that may look like writing too, do not.
    """
    level = level_of(darkness, busy=True)
    if level is not None:
        seen = _handwriting(darkness, level)
        if usual_height((seen.ink > INK).astype(np.uint8)) >= LARGE * min(darkness.shape):
            return seen
    nothing = np.zeros(darkness.shape, np.float32)
    return _Handwriting(nothing, nothing)


def _handwriting(darkness: np.ndarray, level: float) -> _Handwriting:
    """The writing on a page, by the binarization network and by what it can't know."""
    dark, mask = separate(darkness, level)
    lines = ruling(mask)
    rest = mask if lines is None else mask & ~(lines | remains(mask & ~lines, lines))
    tall = usual_height(rest) or 0.5 * darkness.shape[0]
    belief = _network_ink(darkness, level, tall, HARDLY * float(mask.sum()))
    parts = parts_of(mask)
    belief = np.where(left_over(parts, belief > INK), 0, belief)
    if lines is None and not (belief > INK).any():
        return _Handwriting(dark * mask, belief)  # whatever it is, it is all there is
    ink = np.maximum(belief, dark * put_back(parts, belief, lines))
    shade = soft_shade(darkness, ink, level)
    if shade is None:
        return _Handwriting(ink, belief)
    return _Handwriting(np.where(shade, 0, ink), np.where(shade, 0, belief))


def _network_ink(darkness: np.ndarray, level: float, tall: float, least: float) -> np.ndarray:
    """What the binarization network makes of a page whose writing is about `tall` pixels high.

    It needs to know how high: the guess at first, then what it found itself. The guess is far too
    high where all writing touches the squares that it stands in; the network is blind then.

    Parameters
    ----------
    least : pixels of ink that are hardly any.
    """
    smallest = max(darkness.shape) / MOST_ACROSS
    refined = False
    while True:
        ink = shipped()(darkness, level, tall)
        mask = (ink > INK).astype(np.uint8)
        found = usual_height(mask)
        if 0.6 < found / tall < 1.7 or refined:
            return ink
        if mask.sum() < least and tall > 2 * smallest:
            tall /= 2
        elif found:
            tall, refined = found, True
        else:
            return ink
