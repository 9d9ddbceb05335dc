"""What a hand, a pen and a camera do to digits: random changes to 28x28 ink, and to strips."""

from dataclasses import asdict, dataclass

import cv2
import numpy as np

SIDE = 28
STRETCH, RISE, ROTATION = 0.15, 0.12, 0.03  # of a strip: shares, and pixels down to one along
WAVES = 4, 14  # places along its height and width that are moved by themselves
_CENTRE = (SIDE - 1) / 2


@dataclass(frozen=True)
class Augmentation:
    """How strongly to change ink. Lengths are in pixels of the 28x28 frame."""

    shift: float = 1.6
    rotation: float = 12.0  # degrees
    scale: float = 0.13  # share
    shear: float = 0.22  # horizontal pixels a vertical pixel
    elastic: float = 1.3  # largest displacement
    thickness: float = 0.35  # chance of a thinner or thicker stroke
    blur: float = 0.2  # chance of a softer picture
    gaps: float = 0.2  # chance of a stroke with gaps, as a dry pen or chalk leaves them
    neighbour: float = 0.08  # chance that a piece of another digit or a line stays in the frame

    def weaker(self, share: float) -> "Augmentation":
        """Every strength and every chance `share` times as large."""
        return Augmentation(**{name: share * value for name, value in asdict(self).items()})


def _elastic_fields(rng: np.random.Generator, count: int) -> np.ndarray:
    """Smooth random displacements, (count, 28, 28, 2) float32, largest about 1.

    After Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks".
    """
    fields = np.empty((count, SIDE, SIDE, 2), np.float32)
    for field in fields:
        sigma = rng.uniform(3.0, 6.0)
        noise = rng.uniform(-1, 1, (SIDE, SIDE, 2)).astype(np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
        field[:] = smooth / np.abs(smooth).max()
    return fields


class Augmenter:
    """Draws random variants of ink; generators in the same state give the same variants.

    Parameters
    ----------
    settings : how strongly.
    """

    def __init__(self, settings: Augmentation | None = None):
        self.settings = settings or Augmentation()
        self._fields = _elastic_fields(np.random.default_rng(0), 512)

    def __call__(self, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New variants of `ink`, (n, 28, 28) uint8 in, the same shape and dtype out."""
        maps = self._maps(len(ink), rng)
        out = np.empty_like(ink)
        for i, picture in enumerate(ink):
            warped = cv2.remap(picture, maps[i], None, cv2.INTER_LINEAR)
            out[i] = _with_other_pen(self._intrude(warped, ink, rng), rng, self.settings)
        return out

    def _maps(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Where each pixel is fetched from, (count, 28, 28, 2) float32."""
        s = self.settings
        angle = np.deg2rad(rng.uniform(-s.rotation, s.rotation, count))
        zoom = np.exp(rng.uniform(-s.scale, s.scale, (2, count)) * [[1.0], [0.6]])
        shear = rng.uniform(-s.shear, s.shear, count)
        cos, sin = np.cos(angle), np.sin(angle)
        rotate = np.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)
        one, none = np.ones(count), np.zeros(count)
        slant = np.stack([one, shear, none, one], -1).reshape(-1, 2, 2)
        stretch = np.stack([zoom[0] * zoom[1], none, none, zoom[0]], -1).reshape(-1, 2, 2)
        grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1) - _CENTRE
        maps = np.einsum("nij,hwj->nhwi", rotate @ slant @ stretch, grid) + _CENTRE
        maps += rng.normal(0, s.shift / 2, (count, 1, 1, 2)).clip(-s.shift, s.shift)
        fields = self._fields[rng.integers(0, len(self._fields), count)]
        strength = rng.uniform(0, s.elastic, (count, 1, 1, 1))
        return (maps + fields * strength).astype(np.float32)

    def _intrude(self, picture, others, rng: np.random.Generator) -> np.ndarray:
        """Sometimes a piece of a neighbour or of a ruled line, at the frame's edge."""
        if rng.random() >= self.settings.neighbour:
            return picture
        if rng.random() < 0.5:
            return np.maximum(picture, _line(rng))
        return np.maximum(picture, _piece(others[rng.integers(len(others))], rng))


def vary_strips(strips: np.ndarray, rng: np.random.Generator, settings: Augmentation) -> np.ndarray:
    """New variants of `strips`, (n, 32, 112) uint8 in, the same shape and dtype out."""
    varied = np.empty_like(strips)
    for out, strip in zip(varied, strips, strict=True):
        warped = cv2.remap(strip, _strip_map(strip.shape, rng, settings), None, cv2.INTER_LINEAR)
        out[:] = _with_other_pen(warped, rng, settings)
    return varied


def _strip_map(shape: tuple[int, int], rng, settings: Augmentation) -> np.ndarray:
    """Where each pixel of a strip is fetched from, (h, w, 2) float32; its left end stays there."""
    height, width = shape
    x, y = np.meshgrid(np.arange(width), np.arange(height) - height / 2)
    shear = 1.4 * settings.shear * rng.uniform(-1, 1)  # nothing is straightened before
    stretch, rise = np.exp(rng.uniform(-STRETCH, STRETCH)), np.exp(rng.uniform(-RISE, RISE))
    waves = rng.uniform(-1, 1, (*WAVES, 2)).astype(np.float32)
    field = cv2.resize(waves, (width, height), interpolation=cv2.INTER_CUBIC)
    moved = np.stack([x * stretch + shear * y, y * rise + rng.normal(0, ROTATION) * x], -1)
    shift = rng.uniform(-2, 1) * settings.shift, height / 2 + rng.normal(0, 0.6) * settings.shift
    return (moved + shift + settings.elastic * rng.uniform() * field).astype(np.float32)


def _with_other_pen(
    picture: np.ndarray, rng: np.random.Generator, settings: Augmentation
) -> np.ndarray:
    """A thinner, thicker, broken or softer stroke, or fainter ink."""
    if rng.random() < settings.thickness:
        kernel = np.ones((2, 2), np.uint8) if rng.random() < 0.6 else _CROSS
        change = cv2.dilate if rng.random() < 0.5 else cv2.erode
        share = rng.uniform(0.3, 1.0)  # a whole pixel is much in a 20-pixel digit
        picture = cv2.addWeighted(change(picture, kernel), share, picture, 1 - share, 0)
    if rng.random() < settings.gaps:
        picture = _with_gaps(picture, rng)
    if rng.random() < settings.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.2:
        picture = cv2.convertScaleAbs(picture, alpha=rng.uniform(0.75, 1.4))
    return picture


def _with_gaps(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One or two places without ink, 2 to 3 pixels wide."""
    rows, columns = np.nonzero(picture > 127)
    if not rows.size:
        return picture
    broken = picture.copy()
    for i in rng.integers(len(rows), size=rng.integers(1, 3)):
        place = columns[i] * 16 + int(rng.integers(16)), rows[i] * 16 + int(rng.integers(16))
        cv2.circle(broken, place, int(rng.integers(14, 25)), 0, -1, cv2.LINE_AA, 4)
    return broken


def _line(rng: np.random.Generator) -> np.ndarray:
    """A straight line along one edge of the frame."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    near, tilt = rng.uniform(1, 6), rng.uniform(-1, 1)
    start, end = (0, int(4 * near)), (4 * (SIDE - 1), int(4 * (near + tilt)))
    cv2.line(canvas, start, end, int(rng.uniform(100, 255)), 1, cv2.LINE_AA, 2)
    return np.rot90(canvas, rng.integers(0, 4))


def _piece(other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few columns of another digit, pushed against one side."""
    width, left = int(rng.integers(2, 5)), 4 + int(rng.integers(0, 3))
    piece = np.zeros_like(other)
    if rng.random() < 0.5:
        piece[:, SIDE - width - 2 : SIDE - 2] = other[:, left : left + width]
    else:
        piece[:, 2 : 2 + width] = other[:, SIDE - left - width : SIDE - left]
    return piece


_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
