"""Pieces and pairs of digits, scribbles and doodles: what people hand in that is no digit."""

import cv2
import numpy as np

from digitlab.corpus import scribble
from digitlab.datasets import Digits
from digitlab.doodles import doodle
from digitlab.frame import to_frame
from digitlab.synthesis import render


def oddities(digits: Digits, count: int, seed: int) -> np.ndarray:
    """Pieces of digits, pairs of digits, scribbles and doodles, (count, 28, 28) uint8.

    Nobody says which of them look like a digit after all: the network before fine-tuning does.
    """
    rng = np.random.default_rng([seed, 2])
    makers = (_piece, _pair, _scribble, _doodle)
    chosen = rng.choice(len(makers), count, p=[0.3, 0.3, 0.15, 0.25])
    return np.stack([makers[i](digits.ink, rng) for i in chosen])


def _piece(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A digit of which a side is cut away."""
    digit = np.rot90(ink[rng.integers(len(ink))], turns := int(rng.integers(4)))
    filled = np.flatnonzero((digit > 60).any(1))
    cut = int(filled[0] + rng.uniform(0.35, 0.7) * (filled[-1] - filled[0] + 1))
    return _framed(np.rot90(digit[: max(cut, filled[0] + 2)], -turns))


def _pair(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two digits beside each other, as close as they are when one cut is missing."""
    left, right = (ink[i] for i in rng.integers(len(ink), size=2))
    left = left[:, : int(np.flatnonzero((left > 60).any(0))[-1]) + 1]
    right = right[:, int(np.flatnonzero((right > 60).any(0))[0]) :]
    return _framed(np.hstack([left, right]))


def _scribble(_ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _framed(cv2.resize(scribble(rng), (100, 100), interpolation=cv2.INTER_AREA))


def _doodle(_ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return _framed(render(doodle(rng), rng, 100.0, rng.uniform(3, 11)))


def _framed(ink: np.ndarray) -> np.ndarray:
    mask = ink > 60
    return to_frame(ink.astype(np.float32) / 255, mask if mask.any() else ink > 0)
