"""Cuts that bend: from the top of the ink to its foot along the path that crosses least of it.

As seams are found for resizing pictures (Avidan and Shamir 2007, "Seam carving for content-aware
image resizing"), each near a straight cut that it is the bent variant of.
"""

from collections.abc import Sequence

import numpy as np

FINE = 56  # rows to the height of a digit: twice as fine as what the network sees
REACH = 0.22  # of the height: no seam goes farther from its straight cut
BEND = 0.15  # what a row costs a height away from the straight cut, in rows of ink crossed
STEP = 0.01  # likewise, one place to the side of the row above


def behind_seams(
    along: np.ndarray, rows: np.ndarray, places: Sequence[int], height: float
) -> np.ndarray:
    """Behind how many of some bent cuts each pixel of a connected part lies.

    Parameters
    ----------
    along, rows : (n,) int, where each pixel lies along the line, slant taken out, and its row.
    places : of the straight cuts, rising, in the units of `along`; at least one.
    height : of the line's digits in pixels.

    Returns
    -------
    (n,) int, 0 to len(places).
    """
    pixel = max(1.0, height / FINE)
    reach = max(2, round(REACH * height / pixel))
    x, y = (along / pixel).astype(int), ((rows - rows.min()) / pixel).astype(int)
    shape = int(y.max()) + 1, int(x.max()) + 1
    ink = np.bincount(y * shape[1] + x, minlength=shape[0] * shape[1]).reshape(shape) / pixel**2
    away = np.arange(-reach, reach + 1)
    middles = (np.array(places) / pixel).astype(int)
    windows = np.pad(ink, ((0, 0), (reach, reach)))[:, middles[:, None] + away + reach]
    bent = _least(windows + BEND * np.abs(away) * pixel / height)
    seams = np.maximum.accumulate(middles + away[bent], axis=1)  # a later one is never before
    return (x[:, None] > seams[y]).sum(1)


def _least(cost: np.ndarray) -> np.ndarray:
    """The cheapest path down each of m windows.

    Parameters
    ----------
    cost : (rows, m, width) float.

    Returns
    -------
    (rows, m) int, the place of each path in each row; from row to row it moves by one at most.
    """
    total, steps = cost[0], []
    for row in cost[1:]:
        padded = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        from_left, from_right = padded[:, :-2] + STEP, padded[:, 2:] + STEP
        sideways = np.where(from_left < from_right, -1, 1)
        best = np.minimum(from_left, from_right)
        steps.append(np.where(total <= best, 0, sideways))
        total = np.minimum(total, best) + row
    every = np.arange(cost.shape[1])
    path = [total.argmin(1)]
    for step in reversed(steps):
        path.append(path[-1] + step[every, path[-1]])
    return np.array(path[::-1])
