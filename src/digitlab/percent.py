"""Per cent signs: a slash with a small ring on either side is no 190, 90 or 01."""

from collections.abc import Sequence

import numpy as np

from digitlab.strokes import Part, Stroke, fit, ink_of

SLIM = 0.3  # times as wide as long: a wider stroke is no slash
FULL = 0.5  # of the box along it: a narrow 0 fills less of its own
LEAN = 8.0, 65.0  # degrees to the right of upright
SMALL = 0.55  # of the slash's height: larger is a digit
OUTSIDE = 0.25  # likewise: how far over or under the slash the middle of a ring may be
NEAR = 0.75  # likewise: how far beside it


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
        rings = _rings_beside(parts, slash, _slash(labels, slash))
        if rings is not None:
            found += [i, *rings]
    return found


def _slash(labels: np.ndarray, part: Part) -> Stroke | None:
    """A part as a straight stroke that leans to the right, or None if it is none."""
    stroke = fit(ink_of(labels, part), part.left, part.top)
    full = len(stroke.points) >= FULL * (stroke.short + 1) * (stroke.long + 1)
    is_slash = stroke.is_slim(SLIM) and full and LEAN[0] <= stroke.lean <= LEAN[1]
    return stroke if is_slash else None


def _right_of(line: Stroke, part: Part) -> float:
    """How far the middle of a part is to the right, in pixels; below 0, to the left."""
    x, y = (part.left + part.right) / 2, (part.top + part.bottom) / 2
    return x - (line.x + line.across / line.down * (y - line.y))


def _rings_beside(parts: Sequence[Part], slash: Part, line: Stroke | None) -> list[int] | None:
    """The parts over the slash on the left and under it on the right; None if one is lacking."""
    if line is None:
        return None
    middle, high = (slash.top + slash.bottom) / 2, slash.height
    chosen = []
    for side in (-1, 1):
        near = {
            i: abs(_right_of(line, part))
            for i, part in enumerate(parts)
            if part is not slash
            and max(part.width, part.height) <= SMALL * high
            and 0 < side * _right_of(line, part) < NEAR * high
            and 0 < side * ((part.top + part.bottom) / 2 - middle) < (0.5 + OUTSIDE) * high
        }
        if not near:
            return None
        chosen.append(min(near, key=near.__getitem__))
    return chosen
