"""Corrections that are kept from learning, so that they can tell whether learning helped."""

import numpy as np

from digitlab.errors import DataError
from digitlab.samples import Corrections

LEAST = 5
"""Corrections needed: with fewer, none could be held back."""


def part(corrections: Corrections, share: float, seed: int) -> tuple[Corrections, Corrections]:
    """Corrections to learn, and those held back: each label in about the same share of both.

    Raises
    ------
    DataError if there are fewer than LEAST.
    """
    check(corrections)
    n = len(corrections)
    order = np.random.default_rng([seed, 1]).permutation(n)
    order = order[np.argsort(corrections.labels[order], kind="stable")]
    every = max(2, round(1 / share))
    held = np.zeros(n, bool)
    held[order[every // 2 :: every]] = True
    return corrections[np.flatnonzero(~held)], corrections[np.flatnonzero(held)]


def check(corrections: Corrections) -> None:
    """Raise DataError saying what to do if there are fewer than LEAST."""
    n = len(corrections)
    if n < LEAST:
        raise DataError(
            f"There are {n} accepted corrections, and at least {LEAST} are needed: some are held "
            "back to see whether learning the others helped. Accept more on the Corrections page."
        )
