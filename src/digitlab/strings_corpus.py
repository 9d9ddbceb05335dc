"""Digits that touch, and what is written there: what the string reader learns from."""

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np

from digitlab.corpus import LINKED, in_chunks, write_signs
from digitlab.frame import to_strip
from digitlab.synthesis import Writing, linked, write_row

LONGEST = 6  # digits in a strip
NONE = -1  # behind the last of them
COUNTS = (0.04, 0.36, 0.32, 0.18, 0.10)  # how often a row of 1, 2, … digits is written
GAPS = ((0.5, (-0.15, 0.02)), (0.35, (-0.05, 0.05)), (0.15, (-0.25, -0.03)))
"""How often each least and greatest space between two is, as a share of their height."""
SINGLE = 0.12  # of the digits that touch none are kept, so that one alone is read as one
BLURRED = 0.3  # of the rows
WHOLE, PART = 0.85, 0.15  # of a digit's ink that is in a connected part: all of it; some of it
TALL = 0.4  # of the usual height: what is lower is a dot or a scrap
_CHUNK = 500


def make(strips: int, seed: int, drawings, mnist, labels, processes: int = 2):
    """About `strips` strips.

    Parameters
    ----------
    drawings : of digits.
    mnist, labels : MNIST's ink (n, 28, 28) uint8 and labels (n,).

    Returns
    -------
    Strips (n, 32, 112) uint8 as `frame.to_strip` makes them, and the digits in each, from left
    to right, (n, LONGEST) int8 with NONE behind the last.
    """
    count = min(strips, _CHUNK)
    work = partial(_strips, count=count, drawings=drawings, mnist=mnist, labels=labels)
    found = in_chunks(work, strips, _CHUNK, seed, processes)
    truth = np.full((len(found), LONGEST), NONE, np.int8)
    for row, (_, digits) in zip(truth, found, strict=True):
        row[: len(digits)] = digits
    return np.stack([strip for strip, _ in found]), truth


def _strips(seed: int, count: int, drawings, mnist, labels) -> list[tuple[np.ndarray, list[int]]]:
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        found += touching(_row(rng, drawings, mnist, labels), rng)
    return found[:count]


def _row(rng: np.random.Generator, drawings, mnist, labels) -> Writing:
    """A few digits so near to each other that many of them touch."""
    digits = 1 + int(rng.choice(len(COUNTS), p=COUNTS))
    tall = float(np.exp(rng.uniform(np.log(20), np.log(80))))
    signs = write_signs(drawings, mnist, labels, rng, digits, tall)
    _, gap = GAPS[rng.choice(len(GAPS), p=[share for share, _ in GAPS])]
    writing = write_row(signs, rng, gap)
    writing = linked(writing, rng) if rng.random() < LINKED else writing
    if rng.random() >= BLURRED:
        return writing
    soft = cv2.GaussianBlur(writing.ink, (0, 0), rng.uniform(0.01, 0.04) * tall)
    return Writing(soft, writing.labels, writing.boxes)


def touching(writing: Writing, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, list[int]]]:
    """The strip of each connected part of a writing of digits, and the digits that it is.

    Parts that hold some of a digit and not all of it are left out, and most single digits.
    """
    mask = writing.ink > rng.integers(50, 160)
    tall = float(np.median(writing.boxes[:, 3]))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for number, (x, y, w, h, _) in enumerate(stats[1:], 1):
        part = parts == number
        digits = _digits(writing, mask, part) if h >= TALL * tall else []
        if not digits or (len(digits) == 1 and rng.random() >= SINGLE):
            continue
        view = slice(y, y + h), slice(x, x + w)
        yield to_strip(writing.ink[view].astype(np.float32) / 255, part[view]), digits


def _digits(writing: Writing, mask: np.ndarray, part: np.ndarray) -> list[int]:
    """The digits that a connected part (h, w) bool of all ink holds; none if it holds a piece."""
    digits = []
    for label, (x, y, w, h) in zip(writing.labels, writing.boxes, strict=True):
        view = slice(y, y + h), slice(x, x + w)
        share = part[view].sum() / max(1, mask[view].sum())
        if share > WHOLE:
            digits.append(int(label))
        elif share > PART:
            return []
    return digits
