"""Digits and other signs that touch, and what is written there, for the string reader to learn."""

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np

from digitlab.corpus import LINKED, NOT_A_DIGIT, in_chunks, levelled, scribble, write_signs
from digitlab.frame import to_strip
from digitlab.hands import UNTAUGHT, Drawing
from digitlab.quickdraw import enlarged
from digitlab.synthesis import Writing, linked, render, write_row

LONGEST = 6  # signs in a strip
NONE = -1  # behind the last of them
COUNTS = (0.04, 0.36, 0.32, 0.18, 0.10)  # how often a row of 1, 2, … digits is written
GAPS = ((0.5, (-0.15, 0.02)), (0.35, (-0.05, 0.05)), (0.15, (-0.25, -0.03)))
"""How often each least and greatest space between two is, as a share of their height."""
WORDS, MIXED, SCRIBBLES = 0.24, 0.08, 0.04  # of the rows: no digit; a sign among digits; scribbles
DOODLES = 0.05  # of the rows: as people drew them, if any are given
LETTERS = (0.45, 0.3, 0.15, 0.1)  # how often a word of 1, 2, … signs is written
SINGLE, LONE = 0.25, 1.0  # of the digits and the other signs that touch none are kept
BLURRED = 0.3  # of the rows
WHOLE, PART = 0.85, 0.15  # of a digit's ink that is in a connected part: all of it; some of it
TALL = 0.4  # of the usual height: what is lower is a dot or a scrap
_CHUNK = 500


def make(strips: int, seed: int, digits, others, doodles, mnist, labels, processes: int = 2):
    """About `strips` strips.

    Parameters
    ----------
    digits, others : drawings of digits; of letters and symbols.
    doodles : as people drew them, (n, 28, 28) uint8; None for none.
    mnist, labels : MNIST's ink (n, 28, 28) uint8 and labels (n,).

    Returns
    -------
    Strips (n, 32, 112) uint8 as `frame.to_strip` makes them, and the signs in each, from left to
    right, (n, LONGEST) int8: 0 to 9, NOT_A_DIGIT, and NONE behind the last.
    """
    count = min(strips, _CHUNK)
    others = [drawing for drawing in others if drawing.label not in UNTAUGHT]
    drawings = {"digits": digits, "others": others, "doodles": doodles}
    work = partial(_strips, count=count, **drawings, mnist=mnist, labels=labels)
    found = in_chunks(work, strips, _CHUNK, seed, processes)
    truth = np.full((len(found), LONGEST), NONE, np.int8)
    for row, (_, signs) in zip(truth, found, strict=True):
        row[: len(signs)] = signs
    return np.stack([strip for strip, _ in found]), truth


def _strips(
    seed: int, count: int, digits, others, doodles, mnist, labels
) -> list[tuple[np.ndarray, list[int]]]:
    rng, found, chances = np.random.default_rng(seed), [], levelled(others)

    def other(tall: float, pen: float) -> tuple[str, np.ndarray]:
        drawing = others[rng.choice(len(others), p=chances)]
        return drawing.label, render(drawing, rng, tall, pen)

    while len(found) < count:
        if doodles is not None and rng.random() < DOODLES:
            ink = enlarged(doodles[rng.integers(len(doodles))], rng, rng.uniform(20, 120))
            writing = write_row([("", ink)], rng, (0, 0))
        else:
            writing = _writing(rng, digits, other, mnist, labels)
        found += touching(writing, rng)
    return found[:count]


def _writing(rng: np.random.Generator, digits: list[Drawing], other, mnist, labels) -> Writing:
    """Signs so near to each other that many of them touch, or a doodle; now and then blurred.

    Parameters
    ----------
    other : height, width of the pen -> label and ink (h, w) uint8 of a sign that is no digit.
    """
    kind, tall = rng.random(), float(np.exp(rng.uniform(np.log(20), np.log(80))))
    if kind < SCRIBBLES:
        return write_row([("", scribble(rng, side=int(2 * tall)))], rng, (0, 0))
    if kind < SCRIBBLES + WORDS:
        pen = tall * float(np.exp(rng.uniform(np.log(0.025), np.log(0.17))))
        count = 1 + int(rng.choice(len(LETTERS), p=LETTERS))
        signs = [other(tall * rng.uniform(0.6, 1.1), pen) for _ in range(count)]
    else:
        count = 1 + int(rng.choice(len(COUNTS), p=COUNTS))
        signs = write_signs(digits, mnist, labels, rng, count, tall)
        if kind < SCRIBBLES + WORDS + MIXED:
            place = int(rng.integers(count + 1))
            signs.insert(place, other(tall * rng.uniform(0.4, 1.1), 0.08 * tall))
    _, gap = GAPS[rng.choice(len(GAPS), p=[share for share, _ in GAPS])]
    writing = write_row(signs, rng, gap)
    writing = linked(writing, rng) if rng.random() < LINKED else writing
    if rng.random() >= BLURRED:
        return writing
    soft = cv2.GaussianBlur(writing.ink, (0, 0), rng.uniform(0.01, 0.04) * tall)
    return Writing(soft, writing.labels, writing.boxes)


def touching(writing: Writing, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, list[int]]]:
    """The strip of each connected part of a writing, and the signs that it is.

    Parts that hold some of a sign and not all of it are left out, and many single signs.
    """
    mask = writing.ink > rng.integers(50, 160)
    tall = float(np.median(writing.boxes[:, 3]))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for number, (x, y, w, h, _) in enumerate(stats[1:], 1):
        part = parts == number
        signs = _signs(writing, mask, part) if h >= TALL * tall else []
        if not signs or (len(signs) == 1 and rng.random() >= _kept(signs[0])):
            continue
        view = slice(y, y + h), slice(x, x + w)
        yield to_strip(writing.ink[view].astype(np.float32) / 255, part[view]), signs


def _kept(sign: int) -> float:
    """How many of the signs of a kind are kept that touch none, so that one alone is known, too."""
    return LONE if sign == NOT_A_DIGIT else SINGLE


def _signs(writing: Writing, mask: np.ndarray, part: np.ndarray) -> list[int]:
    """The signs that a connected part (h, w) bool of all ink holds; none if it holds a piece."""
    signs = []
    for label, (x, y, w, h) in zip(writing.labels, writing.boxes, strict=True):
        view = slice(y, y + h), slice(x, x + w)
        share = part[view].sum() / max(1, mask[view].sum())
        if share > WHOLE:
            signs.append(int(label) if label.isdecimal() else NOT_A_DIGIT)
        elif share > PART:
            return []
    return signs
