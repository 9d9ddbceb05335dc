"""Photographs of anything but writing, made up: stripes; things over each other, and their light.

The things are thrown onto each other until nothing is seen between them, a few large and many
small. Such pictures have the statistics of natural ones (Lee, Mumford and Huang 2001, "Occlusion
models for natural images"), and what looks like a stroke in them has no paper around it.
"""

import cv2
import numpy as np

from digitlab import clutter
from digitlab.synthesis import Scene, exposed, grain

LEAST, MOST = 0.012, 0.45  # radius of a thing, as a share of the picture's longer side
THINGS = 40, 400
_LIGHT = Scene(shadow=0.3, blur=0.6, dark_ground=0.0)


def scenery(rng: np.random.Generator) -> np.ndarray:
    """A photograph without writing, (h, w, 3) uint8 RGB, 120 to 480 pixels a side."""
    height, width = (int(side) for side in np.exp(rng.uniform(np.log(120), np.log(480), 2)))
    palette = rng.uniform(5, 250, (int(rng.integers(2, 12)), 3))
    grey = rng.uniform(0, 1)
    palette = (1 - grey) * palette + grey * palette.mean(1, keepdims=True)
    page = np.broadcast_to(palette[0], (height, width, 3)).astype(np.float32)
    least = LEAST * float(np.exp(rng.uniform(0, 2.5)))
    for _ in range(int(np.exp(rng.uniform(*np.log(THINGS))))):
        radius = max(height, width) * _radius(least, rng)
        _put_thing(page, radius, palette[rng.integers(len(palette))], rng)
    return exposed(page, 0.15 * min(height, width), rng, _LIGHT)


def striped(rng: np.random.Generator, tall: float) -> np.ndarray:
    """A photograph of nothing but stripes, as `scenery`; at least four of them.

    Parameters
    ----------
    tall : what would be the height of a digit, in pixels, where there were one.
    """
    pitch = max(4.0, tall * clutter.log_uniform(rng, 0.06, 1.2))
    sides = np.exp(rng.uniform(np.log(120), np.log(480), 2))
    height, width = (max(int(side), round(4 * pitch)) for side in sides)
    ground, colour = (rng.uniform(110, 250) * rng.uniform(0.7, 1.0, 3) for _ in range(2))
    cover = clutter.stripes(height, width, pitch, rng)[..., None]
    page = ground * (1 - cover) + colour * rng.uniform(0.1, 0.9) * cover
    page = page * (1 + grain(height, width, rng, 0.04)[..., None])
    return exposed(page.astype(np.float32), tall, rng, _LIGHT)


def _radius(least: float, rng: np.random.Generator) -> float:
    """A share of the picture's side; as many things of each size as make all sizes look alike."""
    share = rng.uniform()
    return float((share * MOST**-2 + (1 - share) * least**-2) ** -0.5)


def _put_thing(page: np.ndarray, radius: float, colour: np.ndarray, rng) -> None:
    """Put one more thing, of about one colour, on the page (h, w, 3) float32."""
    height, width = page.shape[:2]
    cover = np.zeros((height, width), np.uint8)
    centre = rng.uniform(-0.05, 1.05, 2) * (width, height)
    _draw(cover, centre, radius, rng)
    left, top, wide, high = cv2.boundingRect(cover)
    if not wide:
        return
    place = slice(top, top + high), slice(left, left + wide)
    seen = (colour * rng.uniform(0.8, 1.2) + rng.normal(0, 6, 3)) * _surface(high, wide, rng)
    share = cover[place][..., None].astype(np.float32) / 255
    page[place] = page[place] * (1 - share) + seen * share


def _draw(cover: np.ndarray, centre: np.ndarray, radius: float, rng) -> None:
    """An ellipse, a polygon or a bent band, in 255."""
    kind, long = rng.random(), float(np.exp(rng.normal(0, 0.5)))
    if kind < 0.4:
        axes = max(1, round(radius * long)), max(1, round(radius / long))
        middle = round(float(centre[0])), round(float(centre[1]))
        cv2.ellipse(cover, middle, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
        return
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8)))) + rng.uniform(0, np.pi)
    reach = radius * rng.uniform(0.5, 1.3, len(angles)) * 1.2
    ends = np.stack([np.cos(angles) * long, np.sin(angles) / long], 1) * reach[:, None]
    points = np.rint(centre + ends).astype(np.int32)
    if kind < 0.85:
        cv2.fillPoly(cover, [points], 255, cv2.LINE_AA)
    else:
        thick = max(1, round(radius * rng.uniform(0.1, 0.5)))
        cv2.polylines(cover, [points], rng.random() < 0.3, 255, thick, cv2.LINE_AA)


def _surface(height: int, width: int, rng) -> np.ndarray:
    """How light a thing is in each place, (h, w, 1) float32: rounded, striped or rough."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    span = max(4.0, float(np.ptp(along)))
    light = 1 + rng.uniform(0, 0.7) * ((along - along.mean()) / span)
    if rng.random() < 0.2:
        light += rng.uniform(0, 0.3) * np.sin(along / rng.uniform(0.8, 8))
    if rng.random() < 0.3:
        light += grain(height, width, rng, 0.15)
    return light[..., None].astype(np.float32)
