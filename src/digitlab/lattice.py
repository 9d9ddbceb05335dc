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
    score = np.full(row.pieces + 1, -np.inf)
    score[0] = 0.0
    step: list[tuple[int, int | None]] = [(0, None)] * (row.pieces + 1)
    inner = [c for c in row.candidates if not c.at_edge and c.glyph.box[3] > SHORT * row.height]
    for index, candidate in sorted(enumerate(row.candidates), key=lambda c: c[1].first):
        covered = sum(i not in row.shared for i in range(candidate.first, candidate.last))
        start = candidate.first
        if start in row.shared and score[start + 1] > score[start]:
            start += 1
        short = min(1.0, candidate.glyph.box[3] / (SHORT * row.height))
        options = [(belief[index] * short**2, index)]
        single = candidate.last == candidate.first + 1
        stub = candidate.at_edge and inner and not row.tight and _is_narrow(candidate)
        if stub:
            options = [(STUB * belief[index] * short**2, index), (LEFT_OVER, None)]
        elif single and _is_tick(candidate, row.height):
            options = [(LEFT_OVER, None)]
        elif single:
            readily = LEFT_OVER if candidate.at_edge else SKIP
            options.append((readily * junk[index], None))
        for probability, choice in options:
            value = score[start] + covered * np.log(max(probability, LEAST))
            if value > score[candidate.last]:
                score[candidate.last] = value
                step[candidate.last] = (start, choice)
    return _walk_back(step)


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
