"""Per cent signs: a slash with a small ring on either side is no 190, 90 or 01."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

SLIM = 0.3  # times as wide as long: a wider stroke is no slash
FULL = 0.5  # of the box along it: a narrow 0 fills less of its own
LEAN = 8.0, 65.0  # degrees to the right of upright
SMALL = 0.55  # of the slash's height: larger is a digit
OUTSIDE = 0.25  # likewise: how far over or under the slash the middle of a ring may be
NEAR = 0.75  # likewise: how far beside it


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


def percent_signs(labels: np.ndarray, parts: Sequence[Part]) -> list[int]:
    """Which parts are a per cent sign's.

    Parameters
    ----------
    labels : (h, w) int32, to which part each pixel belongs.

    Returns
    -------
    Indices into `parts`.
    """
    found: list[int] = []
    for i, slash in enumerate(parts):
        rings = _rings_beside(parts, slash, _Slash.seen(labels, slash))
        if rings is not None:
            found += [i, *rings]
    return found


class _Slash:
    """A straight stroke that leans to the right."""

    def __init__(self, x: float, y: float, lean: float):
        self.x, self.y, self.lean = x, y, lean

    @staticmethod
    def seen(labels: np.ndarray, part: Part) -> "_Slash | None":
        """A part as a slash, or None if it is no such stroke."""
        view = labels[part.top : part.bottom, part.left : part.right] == part.labels[0]
        rows, columns = np.nonzero(view)
        points = np.stack([columns, rows], 1).astype(np.float32)
        short, long = sorted(cv2.minAreaRect(points)[1])
        across, down, x, y = cv2.fitLine(points, cv2.DIST_L2, 0, 0.01, 0.01).ravel()
        lean = -across / down if abs(down) > 1e-3 else 0.0
        degrees = np.degrees(np.arctan(lean))
        slim = short + 1 <= SLIM * (long + 1) and len(rows) >= FULL * (short + 1) * (long + 1)
        if not slim or not LEAN[0] <= degrees <= LEAN[1]:
            return None
        return _Slash(part.left + float(x), part.top + float(y), float(lean))

    def right_of(self, part: Part) -> float:
        """How far the middle of a part is to the right, in pixels; below 0, to the left."""
        x, y = (part.left + part.right) / 2, (part.top + part.bottom) / 2
        return x - (self.x + self.lean * (self.y - y))


def _rings_beside(parts: Sequence[Part], slash: Part, line: _Slash | None) -> list[int] | None:
    """The parts over the slash on the left and under it on the right; None if one is lacking."""
    if line is None:
        return None
    middle, high = (slash.top + slash.bottom) / 2, slash.height
    chosen = []
    for side in (-1, 1):
        near = {
            i: abs(line.right_of(part))
            for i, part in enumerate(parts)
            if part is not slash
            and max(part.width, part.height) <= SMALL * high
            and 0 < side * line.right_of(part) < NEAR * high
            and 0 < side * ((part.top + part.bottom) / 2 - middle) < (0.5 + OUTSIDE) * high
        }
        if not near:
            return None
        chosen.append(min(near, key=near.__getitem__))
    return chosen
