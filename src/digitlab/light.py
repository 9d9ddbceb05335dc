"""The light on a picture evened out, and what is darker than its ground by enough to be ink."""

from typing import NamedTuple

import cv2
import numpy as np

from digitlab.sheet import find_sheet

BACKGROUND_SIDE = 320  # the light changes slowly, so the ground is estimated on a small copy
AS_LIGHT = 0.3  # of what is lightest beside its surroundings: it may be the same light
ALONG_SIDE = 0.15  # of a side: light that takes so much of it is no stroke
LEAST_CONTRAST = 0.055  # share of the ground's light that ink must take away to be seen


def resize(image: np.ndarray, factor: float) -> tuple[np.ndarray, float]:
    """`image` enlarged or reduced by `factor`, and the factor."""
    if factor == 1.0:
        return image, 1.0
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=method), factor


def to_grey(image: np.ndarray) -> np.ndarray:
    """(h, w) of an image (h, w) or (h, w, 3) RGB, uint8."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def usual_height(mask: np.ndarray) -> float:
    """The usual height in pixels of what is written in `mask` (h, w) uint8, 0.0 if nothing is.

    A weighted median: a tall piece says more about digits than a speck.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    heights = stats[1:, cv2.CC_STAT_HEIGHT]
    heights = np.sort(heights[heights >= 5]).astype(float)
    if not heights.size:
        return 0.0
    share = np.cumsum(heights**2)
    return float(heights[np.searchsorted(share, share[-1] / 2)])


class Evened(NamedTuple):
    """`darkness`, `light_on_dark` and `alone` of a `paper.Paper`; darkness may be below 0."""

    darkness: np.ndarray
    light_on_dark: bool
    alone: bool


def even_light(image: np.ndarray, grey: np.ndarray) -> Evened:
    """Take the light, and what lies around the sheet, out of a photograph.

    Parameters
    ----------
    image : (h, w) or (h, w, 3) uint8.
    grey : (h, w) uint8, the same.
    """
    alone = on_sheet(image)
    if alone is not None:
        return alone
    light = _is_light_on_dark(grey)
    return Evened(darkness_of(255 - image if light else image), light, False)


def on_sheet(image: np.ndarray) -> Evened | None:
    """The darkness of what is written on a sheet, where one lies in the picture."""
    sheet = find_sheet(image)
    if sheet is None:
        return None
    darkness = darkness_of(_alone(image, sheet)) * sheet
    # A thick stroke of chalk has nothing on it.
    return None if level_of(darkness) is None else Evened(darkness, False, True)


def _alone(image: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    """`image` with bare paper wherever the sheet ((h, w) bool) is not."""
    alone = image.copy()
    alone[~sheet] = np.median(image[sheet], axis=0)
    return alone


def _is_light_on_dark(grey: np.ndarray) -> bool:
    """Whether what stands out from its surroundings is lighter than they are (chalk)."""
    small, _ = resize(grey, min(1.0, 200 / max(grey.shape)))
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    # Ink covers less than half of any wide window, so the window's median is the paper.
    size = min(255, max(3, round(min(small.shape) * 0.6)) | 1)
    padded = cv2.copyMakeBorder(small, size, size, size, size, cv2.BORDER_REFLECT)
    paper = cv2.medianBlur(padded, size)[size:-size, size:-size]
    difference = small.astype(np.float32) - paper
    light, dark = _strength(difference), _strength(-difference)
    if light < 1.5 * dark:  # dark ink on light paper is far more usual
        return False
    # Strokes of chalk are narrow, which a lamp mirrored in the paper is not.
    disc = _wide_kernel(small.shape)
    narrow = cv2.morphologyEx(small, cv2.MORPH_TOPHAT, disc)
    return _strength(narrow) > 0.3 * light and not _is_pen_beside_light(difference, disc)


def _is_pen_beside_light(difference: np.ndarray, disc: np.ndarray) -> bool:
    """Whether light only comes in along a side, and what is narrow elsewhere is rather dark.

    Parameters
    ----------
    difference : (h, w) float32, how much lighter each place is than its surroundings.
    disc : uint8, wider than any stroke.
    """
    lit = _lit_sides(difference)
    elsewhere = np.where(lit, 0, difference)
    chalk, pen = (
        _strength(cv2.morphologyEx(side.clip(0), cv2.MORPH_TOPHAT, disc))
        for side in (elsewhere, -elsewhere)
    )
    return bool(lit.any()) and pen >= chalk


def _lit_sides(difference: np.ndarray) -> np.ndarray:
    """Where light, or something light, is along a side of the picture, (h, w) bool.

    Strokes that run out of a picture cross its side, and are not wide there. `difference` as in
    `_is_pen_beside_light`.
    """
    light = (difference > AS_LIGHT * difference.max()).astype(np.uint8)
    _, labels = cv2.connectedComponents(light, connectivity=8)
    found = np.zeros(labels.shape, bool)
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        along = np.bincount(side) / len(side)
        wide = np.flatnonzero(along > ALONG_SIDE)
        found |= np.isin(labels, wide[wide > 0])
    return cv2.dilate(found.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0


def _strength(difference: np.ndarray) -> float:
    """How much stands out upwards; what stands out far counts for much more."""
    return float((difference.astype(np.float32).clip(0) ** 3).sum())


def _ground(channel: np.ndarray, paper: np.ndarray | None) -> np.ndarray:
    """The light of the paper without its ink, as if nothing were written; same shape, float32.

    `paper` as for `darkness_of`.
    """
    if paper is not None:
        small = cv2.resize(channel, paper.shape[::-1], interpolation=cv2.INTER_AREA)
        even = plane(small, paper)
        return cv2.resize(even, channel.shape[::-1], interpolation=cv2.INTER_LINEAR)
    small, _ = resize(channel, min(1.0, BACKGROUND_SIDE / max(channel.shape)))
    small = cv2.medianBlur(np.ascontiguousarray(small), 3)
    # At the edge a closing takes a slope for ink: once more without the slope. Both are as light
    # as the paper or lighter.
    closed = _closed(small).astype(np.float32)
    slope = np.maximum(plane(closed), 1.0)
    closed = np.minimum(closed, _closed(small / slope) * slope)
    soft = cv2.GaussianBlur(closed, (0, 0), 1.5)
    return cv2.resize(soft, channel.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _closed(light: np.ndarray) -> np.ndarray:
    """`light` (h, w) without what is dark and narrow; edges of shadows stay."""
    return cv2.morphologyEx(light, cv2.MORPH_CLOSE, _wide_kernel(light.shape))


def _wide_kernel(shape: tuple[int, int]) -> np.ndarray:
    """A disc wider than any stroke in a picture of this shape."""
    size = max(5, round(min(shape) * 0.25)) | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def plane(light: np.ndarray, where: np.ndarray | None = None) -> np.ndarray:
    """The plane nearest to `light` (h, w); (h, w) float32.

    `where`, (h, w) bool, says at which places it has to be near; None for all.
    """
    y, x = np.meshgrid(*(np.linspace(-1, 1, side) for side in light.shape), indexing="ij")
    terms = np.ones_like(x), x, y
    if where is None:
        # On a whole grid these three are orthogonal, so that each is found by itself.
        slopes = [float((light * term).mean() / (term * term).mean()) for term in terms]
    else:
        near = np.stack([term[where] for term in terms], -1)
        slopes, *_ = np.linalg.lstsq(near, light[where].astype(float), rcond=None)
    return sum(slope * term for slope, term in zip(slopes, terms, strict=True)).astype(np.float32)


def darkness_of(image: np.ndarray, paper: np.ndarray | None = None) -> np.ndarray:
    """Share of the ground's light that is missing, (h, w) float32; the clearest colour counts.

    Where writing in another colour is lost in it, all of them do. `paper` is what
    `crowded.bare_paper` finds where bold strokes fill the picture.
    """
    channels = [image] if image.ndim == 2 else [to_grey(image), *cv2.split(image)]
    seen, best, contrast = [], 0, -1.0
    for channel in channels:
        missing = 1.0 - channel.astype(np.float32) / np.maximum(_ground(channel, paper), 1.0)
        seen.append(missing - (np.median(missing) if paper is None else 0.0))
        clarity = _clarity(missing)
        if clarity > contrast * 1.15:  # grey comes first and is the least noisy: prefer it
            best, contrast = len(seen) - 1, clarity
    small = [_relative(part) for part in seen]
    if any(_is_lost(other, small[best]) for i, other in enumerate(small) if i != best):
        return np.max(seen, 0)
    return seen[best]


def _relative(missing: np.ndarray) -> np.ndarray:
    """A small, smooth copy of the light that is missing, (h, w) float32; 1.0 where ink is."""
    small, _ = resize(missing, min(1.0, BACKGROUND_SIDE / max(missing.shape)))
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    return small / max(LEAST_CONTRAST, np.percentile(small, 99))


def _is_lost(other: np.ndarray, best: np.ndarray) -> bool:
    """Whether what looks like writing in one colour, `other`, is hardly there in the `best` one.

    Both as `_relative` gives them.
    """
    ink = (best > 0.5).astype(np.uint8)
    tall = usual_height(ink)
    only = ((other > 0.5) & (best < 0.25)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(only, connectivity=8)
    _, _, w, h, _ = stats[1:].T
    usual = (h > 0.6 * tall) & (h < 1.6 * tall) & (h >= 8)
    found = stats[1:][usual & (w > 0.25 * h) & (w < 1.3 * h)]  # a narrower one may be ruled
    # Within loops and between strokes of the one colour, another may only seem dark.
    around = [ink[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1] for x, y, w, h, _ in found]
    return not all(part.any() for part in around)


def _clarity(missing: np.ndarray) -> float:
    """How far the darkest hundredth stands out from the paper's grain."""
    sample = missing[:: max(1, missing.shape[0] // 400), :: max(1, missing.shape[1] // 400)]
    low, middle, high = np.percentile(sample, [16, 50, 99])
    return float((high - middle) / (middle - low + 0.02))


def _noise(darkness: np.ndarray) -> float:
    """Standard deviation of the paper's grain, from the lighter half (ink is never there)."""
    sample = darkness[::3, ::3]
    low = np.percentile(sample, 16)
    return float(max(0.0, np.median(sample) - low))


def separate(darkness: np.ndarray, dark: float) -> tuple[np.ndarray, np.ndarray]:
    """All that is dark, soft and as a mask: at least half as dark as the ink around it.

    `dark` is how dark ink is on this page.
    """
    smooth, noise = _smoothed(darkness), _noise(darkness)
    local = _local_darkness(smooth, dark, noise)
    mask = grown(smooth > 0.45 * local, smooth > 0.72 * local)
    ink = ((darkness - 0.2 * local) / (0.7 * local)).clip(0, 1).astype(np.float32)
    return ink, mask


def level_of(darkness: np.ndarray, busy: bool = False) -> float | None:
    """How dark ink is on this page, or None where nothing stands out from its ground.

    `busy` says that a pattern may pass for the paper's grain, so that ink stands out less.
    """
    noise = _noise(darkness)
    seen = _smoothed(darkness)
    seen = seen[seen > max((2 if busy else 3) * noise, LEAST_CONTRAST * 0.7)]
    if seen.size < 12:
        return None
    dark = _ink_level(seen)
    return dark if dark >= max(LEAST_CONTRAST, (2 if busy else 4) * noise) else None


def _smoothed(darkness: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(darkness, (0, 0), 0.7 + max(darkness.shape) / 1600)


def _ink_level(seen: np.ndarray) -> float:
    """How dark ink is, of the darkness (n,) of all that stands out from the paper."""
    return float(np.percentile(seen[seen >= otsu(seen)], 70))


def _local_darkness(smooth: np.ndarray, dark: float, noise: float) -> np.ndarray:
    """How dark ink is here, (h, w) float32: a pen fades and a hand presses unevenly.

    On patterned paper, where much of the picture is somewhat dark, ink is as dark everywhere.
    """
    least = max(6 * noise, 0.4 * dark, LEAST_CONTRAST)
    if float((smooth > 0.45 * least).mean()) > 0.3:
        return np.full_like(smooth, dark)
    small, factor = resize(smooth, min(1.0, 240 / max(smooth.shape)))
    reach = max(3, round(0.2 * min(small.shape))) | 1
    peak = cv2.dilate(small, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    peak = cv2.GaussianBlur(peak, (0, 0), reach / 4)
    full = cv2.resize(peak, smooth.shape[::-1]) if factor != 1.0 else peak
    return full.clip(least, dark)


def otsu(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> float:
    """Otsu's threshold (1979) of values between `low` and `high`."""
    levels = np.rint(((values - low) / max(1e-6, high - low)).clip(0, 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(levels.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return low + level / 255 * (high - low)


def grown(candidates: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected parts of `candidates` that hold a seed, as uint8 0 or 1 (hysteresis)."""
    count, labels = cv2.connectedComponents(candidates.astype(np.uint8), connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[seeds & candidates]] = True
    keep[0] = False
    return keep[labels].astype(np.uint8)
