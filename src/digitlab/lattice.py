"""Which runs of pieces are the digits of a row: the path that the recogniser believes most."""

import numpy as np

from digitlab.preprocess import Candidate, Row
from digitlab.segmentation import SMALL

LEAST = 1e-6  # a probability never counts for less, so that one odd piece can't decide a row
SHORT = 0.7  # of the usual height; what is lower is less and less likely a digit of its own
SKIP = 0.02  # how readily a piece is taken for no digit and left out of the path
LEFT_OVER = 0.3  # likewise at the edge of a picture cut out around one digit, or a tick
SLIM = 0.6  # of its height: a stroke that is low and no wider is a tick, as in 5", not a 1
NARROW = 0.3  # of its height: a stroke at such an edge is rather left over than a 1
STUB = 0.25  # share of its belief that such a stroke keeps


def best_path(row: Row, belief: np.ndarray, junk: np.ndarray) -> list[int]:
    """The candidates (indices into `row.candidates`) of the best path through a row.

    Each candidate's log belief counts once for every piece that it covers, so that a path with
    fewer digits has no advantage. A piece may be left out when it looks like no digit; a stroke at
    the edge of a picture cut out around one digit even if it looks like a 1. A tick is no digit. A
    shared piece counts for nothing by itself, and both of its neighbours may cover it.

    Parameters
    ----------
    row : pieces and candidates.
    belief : (candidates,) float, probability that this is some one digit: the largest of the ten.
    junk : (candidates,) float, probability that it is no digit.
    """
    reading, skipping = _ways(row, junk)
    score = np.full(row.pieces + 1, -np.inf)
    score[0] = 0.0
    step: list[tuple[int, int | None]] = [(0, None)] * (row.pieces + 1)
    for index, candidate in sorted(enumerate(row.candidates), key=lambda c: c[1].first):
        start = max(_starts(row, candidate), key=lambda place: score[place])
        options = (belief[index] * reading[index], index), (skipping[index], None)
        for probability, choice in options:
            value = score[start] + _logarithm(row, candidate, probability)
            if value > score[candidate.last]:
                score[candidate.last] = value
                step[candidate.last] = (start, choice)
    return _walk_back(step)


def path_of(
    row: Row, shares: np.ndarray, junk: np.ndarray, span: tuple[int, int], digits: tuple[int, ...]
) -> tuple[float, list[int]]:
    """The best path through a part of a row that reads just these digits, and its log belief.

    Parameters
    ----------
    shares : (candidates, 10) float, probability that each is each digit.
    junk : as in `best_path`.
    span : the first and the last (exclusive) of the part's pieces.

    Returns
    -------
    -inf and [] if there is no such path.
    """
    reading, skipping = _ways(row, junk)
    begin, end = span
    score = np.full((row.pieces + 1, len(digits) + 1), -np.inf)
    score[begin, 0] = 0.0
    step: dict[tuple[int, int], tuple[int, int, int | None]] = {}
    for index, candidate in sorted(enumerate(row.candidates), key=lambda c: c[1].first):
        if candidate.first < begin or candidate.last > end:
            continue
        for read in range(len(digits) + 1):
            start = max(_starts(row, candidate), key=lambda place, read=read: score[place, read])
            options = [(skipping[index], None, read)]
            if read < len(digits):
                options.append((shares[index, digits[read]] * reading[index], index, read + 1))
            for probability, choice, after in options:
                value = score[start, read] + _logarithm(row, candidate, probability)
                if value > score[candidate.last, after]:
                    score[candidate.last, after] = value
                    step[candidate.last, after] = (start, read, choice)
    path, place, read = [], end, len(digits)
    while place > begin and np.isfinite(score[end, len(digits)]):
        place, read, choice = step[place, read]
        if choice is not None:
            path.append(choice)
    return float(score[end, len(digits)]), path[::-1]


def _starts(row: Row, candidate: Candidate) -> list[int]:
    """Where a path may stand before a candidate: a shared piece may belong to the one before."""
    first = candidate.first
    return [first, first + 1] if first in row.shared else [first]


def _logarithm(row: Row, candidate: Candidate, probability: float) -> float:
    """Of a probability, once for each piece that is covered; -inf for what can't be (nan)."""
    if np.isnan(probability):
        return -np.inf
    covered = sum(i not in row.shared for i in range(candidate.first, candidate.last))
    return covered * np.log(max(probability, LEAST))


def _ways(row: Row, junk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How readily each candidate is taken for a digit, (candidates,), and left out, likewise.

    nan where it can't be.
    """
    heights = np.array([candidate.glyph.box[3] for candidate in row.candidates])
    reading = np.minimum(1.0, heights / (SHORT * row.height)) ** 2
    skipping = np.full(len(reading), np.nan)
    inner = any(not c.at_edge and c.glyph.box[3] > SHORT * row.height for c in row.candidates)
    for index, candidate in enumerate(row.candidates):
        if candidate.at_edge and inner and not row.tight and _is_narrow(candidate):
            reading[index] *= STUB
            skipping[index] = LEFT_OVER
        elif candidate.last > candidate.first + 1:
            continue
        elif _is_tick(candidate, row.height):
            reading[index], skipping[index] = np.nan, LEFT_OVER
        else:
            skipping[index] = (LEFT_OVER if candidate.at_edge else SKIP) * junk[index]
    return reading, skipping


def _is_narrow(candidate: Candidate) -> bool:
    """Whether it is a stroke, as a 1 and what the edge leaves of other digits."""
    _, _, width, height = candidate.glyph.box
    return width < NARROW * height


def _is_tick(candidate: Candidate, usual: float) -> bool:
    """Whether it is a short stroke, as inches and feet have, beside digits of a usual height."""
    _, _, width, height = candidate.glyph.box
    return height < SMALL * usual and width < SLIM * height


def _walk_back(step: list[tuple[int, int | None]]) -> list[int]:
    path, place = [], len(step) - 1
    while place > 0:
        place, choice = step[place]
        if choice is not None:
            path.append(choice)
    return path[::-1]
