"""What was read in a picture, and the words for how far to trust it."""

from dataclasses import dataclass

import numpy as np

from digitlab.preprocess import Box, Preparation, Step

REFUSED = "this may not be a digit"
UNSURE = "not sure"
DETAIL = "it is small beside something larger that is no digit, as an eye in a face is"
DOTTED = "a dot or another mark stands over or under it, as in ?, !, : or i"
RINGED = "a ring or another much smaller sign is beside it, as in a %"
RUNNING = "it runs out of the picture, as lines and patterns do"
SCENERY = "what is around it is not like paper, as in a photograph of things"
STRIPE = "it goes on beyond its ends, as a piece of a longer line does"
TORN = "it is cut out of one connected shape that is no number as a whole"
DISPUTED = "together with what it touches it may be read otherwise"


@dataclass(frozen=True)
class Digit:
    """One digit that was read.

    Attributes
    ----------
    label : 0 to 9.
    probabilities : of 0 to 9, ten numbers that sum to 1.
    confidence : probability that `label` is right, calibrated.
    box : left, top, width, height in pixels of the picture.
    accepted : whether to trust it; False says "this may not be a digit", or hard to tell.
    verdict : how sure, in words.
    ink : (28, 28) uint8, what the network saw.
    objection : what around it says that it is none, or another, whatever the network makes of its
        shape; "" if it is accepted, or doubted for its shape alone.
    """

    label: int
    probabilities: tuple[float, ...]
    confidence: float
    box: Box
    accepted: bool
    verdict: str
    ink: np.ndarray
    objection: str = ""

    @property
    def likeness(self) -> float:
        """Probability that it is a digit, whichever."""
        return likeness_of(self.confidence, max(self.probabilities))

    @property
    def ranking(self) -> tuple[int, ...]:
        """The ten digits, the likeliest first."""
        return tuple(int(d) for d in np.argsort(self.probabilities)[::-1])


@dataclass(frozen=True)
class Reading:
    """What was read in a picture.

    Attributes
    ----------
    text : the digits in reading order, lines separated by a line feed; "" if there are none.
    digits : each of them.
    left_out : lines in which nothing looks like a digit, beside others that were read.
    unread : boxes of what stands in a line that was read, as high as its digits, but looks like
        none: an equals sign as well as a 7 that is hard to read; or that a side of the picture
        cut off.
    preparation : how the picture was prepared; `steps` shows it.
    version : name of the model version that read.
    milliseconds : from the decoded picture to this reading.
    """

    text: str
    digits: tuple[Digit, ...]
    left_out: int
    preparation: Preparation
    version: str
    milliseconds: float
    unread: tuple[Box, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done to the picture, to look at."""
        return self.preparation.steps


def likeness_of(confidence: float, share: float) -> float:
    """Probability of being a digit, of a confidence and its digit's share among the ten."""
    return min(1.0, confidence / max(share, 1e-9))
