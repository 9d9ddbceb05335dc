"""Connected parts of the ink, and the straight line that a stroke follows."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np


class Part(Protocol):
    """A connected part of the ink and its box, right and bottom exclusive."""

    labels: list[int]
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


@dataclass(frozen=True)
class Stroke:
    """A straight line through some ink, and the box along the ink.

    Attributes
    ----------
    points : (n, 2) float32, x and y of each pixel.
    x, y : of a place on the line.
    across, down : its direction, of length 1; `down` is not below 0.
    short, long : sides of the box, from the middles of its outermost pixels.
    """

    points: np.ndarray
    x: float
    y: float
    across: float
    down: float
    short: float
    long: float

    @property
    def lean(self) -> float:
        """Degrees by which it leans to the right of upright; below 0, to the left."""
        return float(-np.degrees(np.arctan2(self.across, self.down)))

    def is_slim(self, most: float) -> bool:
        """Whether it is at most so many times as wide as long."""
        return self.short + 1 <= most * (self.long + 1)


def ink_of(labels: np.ndarray, part: Part) -> np.ndarray:
    """The pixels of a part in its box, (h, w) bool; `labels` says whose each is."""
    return labels[part.top : part.bottom, part.left : part.right] == part.labels[0]


def runs(rows: np.ndarray) -> np.ndarray:
    """How many stretches of ink there are in each row of (n, m) bool, (n,) int."""
    return (rows[:, 1:] & ~rows[:, :-1]).sum(1) + rows[:, 0]


def fit(mask: np.ndarray, left: int = 0, top: int = 0) -> Stroke:
    """The line through the ink in `mask` (h, w), whose box begins at left, top; some is there."""
    rows, columns = np.nonzero(mask)
    points = np.stack([columns + left, rows + top], 1).astype(np.float32)
    short, long = sorted(cv2.minAreaRect(points)[1])
    across, down, x, y = cv2.fitLine(points, cv2.DIST_L2, 0, 0.01, 0.01).ravel().tolist()
    if down < 0:
        across, down = -across, -down
    return Stroke(points, x, y, across, down, short, long)
