"""One digit that somebody labelled: what is kept of it, and whether that is in order."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from numbers import Real

import numpy as np

from digitlab.crops import crop_around, to_png
from digitlab.errors import DataError
from digitlab.reading import Digit

NOT_A_DIGIT = 10
"""The label of what is no digit."""

LABELS = tuple(range(11))
SOURCES = ("drawn", "uploaded", "camera", "imported")
STATES = ("pending", "accepted", "rejected")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")  # of a version or a session


@dataclass(frozen=True, eq=False)
class Sample:
    """One digit that somebody labelled.

    Attributes
    ----------
    crop : PNG bytes of the digit in its picture; b"" if there is only ink.
    ink : (28, 28) uint8, what the network saw.
    label : what it is: 0 to 9, or NOT_A_DIGIT.
    source : one of SOURCES.
    probabilities : of 0 to 9 if it is a digit; None where nothing was predicted.
    is_digit : probability that it is a digit at all; None likewise.
    version : name of the model version that predicted.
    confirmed : whether the person called the answer, or the doubt about it, right.
    session : anonymous and random; None for what was imported.
    state : one of STATES; None keeps that of the same sample, and is pending for a new one.
    created : when; None is now.
    id : in the store; None before it is there.
    """

    crop: bytes
    ink: np.ndarray
    label: int
    source: str
    probabilities: tuple[float, ...] | None = None
    is_digit: float | None = None
    version: str | None = None
    confirmed: bool = False
    session: str | None = None
    state: str | None = None
    created: datetime | None = None
    id: int | None = None

    @classmethod
    def of_digit(
        cls,
        image: np.ndarray,
        digit: Digit,
        label: int,
        source: str,
        version: str,
        session: str | None = None,
        confirmed: bool = False,
    ) -> "Sample":
        """What a person said about one digit that was read in `image`, as `recognize` got it."""
        is_digit = min(1.0, digit.confidence / max(*digit.probabilities, 1e-9))
        return cls(
            crop=to_png(crop_around(image, digit.box)),
            ink=digit.ink,
            label=label,
            source=source,
            probabilities=digit.probabilities,
            is_digit=is_digit,
            version=version,
            confirmed=confirmed,
            session=session,
        )

    @property
    def predicted(self) -> int | None:
        """The likeliest of the eleven labels; None where nothing was predicted."""
        if self.probabilities is None:
            return None
        chances = [share * self.is_digit for share in self.probabilities]
        best = max(range(10), key=chances.__getitem__)
        return best if chances[best] >= 1 - self.is_digit else NOT_A_DIGIT

    @property
    def confidence(self) -> float | None:
        """Probability that it is a digit and the likeliest one; None likewise."""
        return None if self.probabilities is None else max(self.probabilities) * self.is_digit

    @property
    def loss(self) -> float:
        """How wrong the model was: -log of the probability it gave the label; 0 if it gave none."""
        if self.probabilities is None:
            return 0.0
        chance = 1 - self.is_digit
        if self.label != NOT_A_DIGIT:
            chance = self.probabilities[self.label] * self.is_digit
        return -math.log(min(1.0, max(chance, 1e-12)))


def check(sample: Sample) -> None:
    """Raise DataError saying what is wrong with a sample, if anything is."""
    ink = sample.ink
    require(ink.shape == (28, 28) and ink.dtype == np.uint8, "the ink is not 28x28 bytes")
    require(sample.label in LABELS, f"{sample.label!r} is no label from 0 to 10")
    require(sample.source in SOURCES, f"{sample.source!r} is no source")
    require(sample.state in (None, *STATES), f"{sample.state!r} is no state")
    year = sample.created.year if sample.created else 2000
    require(1980 <= year < 2200, f"{sample.created} is no time at which this can have been made")
    for name in filter(None, (sample.version, sample.session)):
        require(_NAME.fullmatch(name) is not None, f"{name[:80]!r} is no name of a version")
    if sample.probabilities is None:
        return
    shares = (*sample.probabilities, sample.is_digit)
    right = len(shares) == 11 and all(isinstance(p, Real) and 0 <= p <= 1 for p in shares)
    require(right, "the probabilities are not ten numbers from 0 to 1, and one for being a digit")


def require(holds: bool, message: str) -> None:
    """Raise DataError with a message unless something holds."""
    if not holds:
        raise DataError(message)
