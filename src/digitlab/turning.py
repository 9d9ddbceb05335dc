"""Which other way up a picture may be, where it can hardly be read as it came."""

from dataclasses import dataclass

import numpy as np

from digitlab.recognizer import Recognizer
from digitlab.wording import Answer

LEAST = 2  # digits in a row; one alone is often one the other way up, too, as a 6 is a 9
DOUBTED = 0.5  # of the signs, from which the picture may stand another way up
HOW = {1: "to the right", 2: "upside down", 3: "to the left"}


@dataclass(frozen=True)
class Way:
    """A picture turned `quarters` times by 90 degrees to the right, and what it then reads."""

    quarters: int
    text: str

    @property
    def words(self) -> str:
        """How to turn it, and what that gives, in one line."""
        return f"Turn {HOW[self.quarters]}: {self.text.replace(chr(10), ', ')}"


def turned(image: np.ndarray, quarters: int) -> np.ndarray:
    """An image (h, w) or (h, w, channels) of any dtype, so many quarters turned to the right."""
    return np.ascontiguousarray(np.rot90(image, -quarters)) if quarters else image


def other_ways_up(recognizer: Recognizer, image: np.ndarray) -> tuple[Way, ...]:
    """How to turn a picture so that all of it is read, where it `is_doubted` as it came.

    A camera that is held level over a page can't know which side is up. Of a number that lies on
    its side, most digits are doubted; the other way up it is often another one, as 98 is 86, so
    that somebody has to choose.

    Parameters
    ----------
    image : (h, w) grey, (h, w, 3) RGB or (h, w, 4) RGBA, uint8.

    Returns
    -------
    The ways in which LEAST or more digits in a line are found and every sign is an accepted digit;
    the one with most digits first.
    """
    found = []
    for quarters in HOW:
        read = recognizer.recognize(turned(image, quarters))
        longest = max(map(len, read.text.split("\n")))
        if longest >= LEAST and _accepted(read) == 1:
            found.append((len(read.digits), Way(quarters, read.text)))
    return tuple(way for _, way in sorted(found, key=lambda entry: -entry[0]))


def is_doubted(answer: Answer) -> bool:
    """Whether DOUBTED or more of the signs that were found are doubted, or are no digits."""
    return bool(answer.digits) and _accepted(answer) <= 1 - DOUBTED


def _accepted(answer: Answer) -> float:
    """Which share of the signs that were found are digits and accepted."""
    accepted = sum(digit.accepted for digit in answer.digits)
    return accepted / (len(answer.digits) + len(answer.unread))
