"""Brackets around a number, or one after it, are no ones or zeros: (12) and 5)."""

from collections.abc import Sequence

import numpy as np

from digitlab.strokes import Part

BOWED = 0.05  # of its height: so far is the middle of a bracket at least beside its ends
STRONGLY = 0.16  # likewise, if nothing but that tells it from a 1
TOGETHER = 0.2  # likewise, of the two of a pair
SMOOTH = 0.035  # of its height: so near does it follow a parabola
ONCE = 0.9  # of its rows: so many cross it in one place
THIN = 0.45  # of its height: no row crosses more ink than where its ends bend
TALL = 0.9  # of what it holds: a bracket is no lower
TALLER = 1.1  # of the digit before it: likewise, a single one
LOW = 0.4  # of a bracket's height: lower is no digit
LIKE = 0.6  # of the other's height: two that belong together are no more different
LEVEL = 0.5  # of its height: so much of what is lower is beside it
CLEAR = 0.06  # of its height: nearer, a single one is part of a digit that came off
FAR = 1.5  # heights: farther away, a single one is no part of the number


def brackets(labels: np.ndarray, parts: Sequence[Part]) -> list[int]:
    """Which parts are brackets around digits or after one.

    Parameters
    ----------
    labels : (h, w) int32, to which part each pixel belongs.

    Returns
    -------
    Indices into `parts`.
    """
    bows = [_bow(labels, part) for part in parts]
    found: list[int] = []
    pairs = [
        (i, j)
        for i, opening in enumerate(bows)
        for j, closing in enumerate(bows)
        if opening >= BOWED
        and closing <= -BOWED
        and opening - closing >= TOGETHER
        and _are_pair(parts, bows, i, j)
    ]
    for pair in sorted(pairs, key=lambda pair: bows[pair[1]] - bows[pair[0]]):
        if not any(_within(parts, number, pair) for number in found):
            found += pair
    alone = [i for i, bow in enumerate(bows) if bow <= -STRONGLY and i not in found]
    return found + [i for i in alone if _ends_number(parts, bows, parts[i])]


def _bow(labels: np.ndarray, part: Part) -> float:
    """How far the middle of a smooth stroke is to the left of its ends, in heights.

    Below 0, to the right; 0 if the part is no such stroke. The stroke may lean.
    """
    if part.width > part.height or part.height < 8:
        return 0.0
    view = labels[part.top : part.bottom, part.left : part.right] == part.labels[0]
    begins = view[:, 0] + (view[:, 1:] & ~view[:, :-1]).sum(1)
    ink, (rows,) = view.sum(1), np.nonzero(begins == 1)
    if len(rows) < ONCE * part.height or ink.max() > THIN * part.height:
        return 0.0
    across = view[rows] @ np.arange(part.width) / ink[rows] / part.height
    down = rows / part.height - 0.5
    curve = np.polynomial.Polynomial.fit(down, across, 2, domain=[-1, 1])
    rough = np.sqrt(np.mean((curve(down) - across) ** 2))
    return float(curve.coef[2] / 4) if rough <= SMOOTH else 0.0


def _beside(one: Part, other: Part) -> bool:
    """Whether two parts stand on one line of writing."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= LEVEL * min(one.height, other.height)


def _within(parts: Sequence[Part], number: int, pair: tuple[int, int]) -> bool:
    """Whether a part is one of two brackets or stands between them."""
    first, last = parts[pair[0]], parts[pair[1]]
    part = parts[number]
    return first.left <= part.left and part.right <= last.right and _beside(part, first)


def _are_pair(parts: Sequence[Part], bows: list[float], opening: int, closing: int) -> bool:
    """Whether a stroke that bows to the left and one that bows to the right hold digits."""
    first, last = parts[opening], parts[closing]
    low, high = sorted((first.height, last.height))
    if low < LIKE * high or first.right > last.left or not _beside(first, last):
        return False
    inner = [i for i in range(len(parts)) if _within(parts, i, (opening, closing))]
    inner = [i for i in inner if i not in (opening, closing)]
    tallest = max((parts[i].height for i in inner), default=0)
    as_digits = LOW * first.height <= tallest <= first.height / TALL
    return as_digits and all(abs(bows[i]) < STRONGLY for i in inner)


def _ends_number(parts: Sequence[Part], bows: list[float], bracket: Part) -> bool:
    """Whether a bracket stands clear on the right of digits, the last of its line."""
    left, high = [], bracket.height
    for part, bow in zip(parts, bows, strict=True):
        if part is bracket or part.height < LOW * high or not _beside(part, bracket):
            continue
        if part.right > bracket.left - CLEAR * high and part.left < bracket.right + FAR * high:
            return False
        if part.right <= bracket.left:
            left.append((part.right, part, bow))
    if not left:
        return False
    right, nearest, bow = max(left, key=lambda found: found[0])
    near = bracket.left - right <= FAR * high
    return near and bow < BOWED and high >= TALLER * nearest.height
