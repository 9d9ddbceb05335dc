"""How good answers are: scores, mistakes, what a share may really be, and whether confidence keeps
its word. Pure functions of stored predictions."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from digitlab.recognizer import Beliefs
from digitlab.sample import NOT_A_DIGIT

BINS = 15  # of confidence, as published comparisons have
CERTAIN = 0.999  # the accuracy that "can be read without a second look" means


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a version made of n labelled pieces of ink.

    Where all of them are digits, the answer is the likeliest digit, refused or not; where some are
    no digits, "not a digit" is an answer like the ten others.

    Attributes
    ----------
    labels : (n,) int, 0 to 9, or 10 for what is no digit.
    beliefs : of the version.
    """

    labels: np.ndarray
    beliefs: Beliefs

    @property
    def classes(self) -> int:
        """10, or 11 where "not a digit" is among the labels."""
        return 11 if (self.labels == NOT_A_DIGIT).any() else 10

    @cached_property
    def chances(self) -> np.ndarray:
        """(n, classes) float64, the probability of each answer; rows sum to 1."""
        chances = self.beliefs.probabilities.astype(float)
        if self.classes == 11:
            is_digit = self.beliefs.is_digit.astype(float)[:, None]
            chances = np.concatenate([chances * is_digit, 1 - is_digit], 1)
        return chances / chances.sum(1, keepdims=True)

    @cached_property
    def answers(self) -> np.ndarray:
        """(n,) int64, the likeliest answer."""
        return self.chances.argmax(1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(n,) float64, the probability of the answer, that it is a digit at all included."""
        is_digit = self.beliefs.is_digit.astype(float)
        digits = self.beliefs.probabilities.max(1) * is_digit
        return np.where(self.answers == NOT_A_DIGIT, 1 - is_digit, digits)

    @property
    def right(self) -> np.ndarray:
        """(n,) bool, whether the answer is the label."""
        return self.answers == self.labels


@dataclass(frozen=True, eq=False)
class Scores:
    """The standard scores of a set of predictions.

    Attributes
    ----------
    images, errors : how many there were, and how many were answered wrong.
    loss : mean -log of the probability of the label, in nats.
    brier : mean squared distance of the probabilities from the truth, summed over the answers;
        0 (perfect) to 2. Brier (1950), "Verification of forecasts expressed in terms of
        probability".
    precision, recall, f1 : (classes,) float64; NaN where there is nothing to divide by.
    support : (classes,) int64, how many images have that label.
    confusion : (classes, classes) int64, rows are labels and columns are answers.
    """

    images: int
    errors: int
    loss: float
    brier: float
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    confusion: np.ndarray

    @property
    def right(self) -> int:
        """How many were answered right."""
        return self.images - self.errors

    @property
    def accuracy(self) -> float:
        """The share that was answered right."""
        return self.right / self.images


@dataclass(frozen=True, eq=False)
class Reliability:
    """Confidence against the share that is right, in ranges of confidence of equal width.

    Attributes
    ----------
    limits : (bins + 1,) float64, 0 to 1.
    counts : (bins,) int64.
    confidence, right : (bins,) float64, mean confidence and share right; NaN in an empty range.
    """

    limits: np.ndarray
    counts: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


@dataclass(frozen=True, eq=False)
class Coverage:
    """What can be read if unsure answers may be left to a person, the surest read first.

    Attributes
    ----------
    threshold : (m,) float64, falling: the confidence from which an answer is read.
    coverage, accuracy : (m,) float64, the share that is read then, and of it the share right.
    """

    threshold: np.ndarray
    coverage: np.ndarray
    accuracy: np.ndarray


def score(predictions: Predictions) -> Scores:
    """The standard scores, by scikit-learn. Raises ValueError if there are no predictions."""
    from sklearn import metrics  # seconds and 70 MB, which a page with stored scores never needs

    labels, answers, chances = predictions.labels, predictions.answers, predictions.chances
    classes = list(range(predictions.classes))
    parts = metrics.precision_recall_fscore_support(
        labels, answers, labels=classes, zero_division=np.nan
    )
    right = int(metrics.accuracy_score(labels, answers, normalize=False))
    return Scores(
        len(labels),
        len(labels) - right,
        float(metrics.log_loss(labels, chances, labels=classes)),
        float(metrics.brier_score_loss(labels, chances, labels=classes)),
        *parts,
        metrics.confusion_matrix(labels, answers, labels=classes),
    )


def wilson_interval(right: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Where the true share lies when `right` of `n` were seen: the score interval.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference". Unlike
    the usual plus and minus it never leaves 0 to 1 and stays honest when all or none are right.

    Parameters
    ----------
    right, n : counts, 0 <= right <= n.
    z : quantile of the normal distribution; as it stands, for 95 %.

    Returns
    -------
    Lower and upper limit, shares from 0 to 1; (0, 1) when nothing was seen.
    """
    if n == 0:
        return 0.0, 1.0
    share, shrink = right / n, z * z / n
    middle = share + shrink / 2
    spread = z * math.sqrt(share * (1 - share) / n + shrink / (4 * n))
    low, high = (middle - spread) / (1 + shrink), (middle + spread) / (1 + shrink)
    return max(0.0, low), min(1.0, high)


def expected_calibration_error(confidence, correct, bins: int = BINS) -> float:
    """How far confidence is from the share that is right, on average over the answers.

    Answers are sorted into `bins` ranges of confidence of equal width, the upper limit
    belonging to each; Guo et al. (2017), "On calibration of modern neural networks".

    Parameters
    ----------
    confidence : (n,) float, 0 to 1.
    correct : (n,) bool.

    Returns
    -------
    0 (perfect) to 1; 0 when there are no answers.
    """
    confidence = np.asarray(confidence, float)
    correct = np.asarray(correct, float)
    if not confidence.size:
        return 0.0
    excess = np.bincount(_bin(confidence, bins), weights=confidence - correct, minlength=bins)
    return float(np.abs(excess).sum() / confidence.size)


def reliability(confidence, correct, bins: int = BINS) -> Reliability:
    """The reliability diagram, whose gaps `expected_calibration_error` sums up.

    Parameters
    ----------
    confidence : (n,) float, 0 to 1.
    correct : (n,) bool.
    """
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, float)
    place = _bin(confidence, bins)
    counts = np.bincount(place, minlength=bins)
    divisor = np.where(counts, counts, np.nan)
    return Reliability(
        np.linspace(0, 1, bins + 1),
        counts,
        np.bincount(place, weights=confidence, minlength=bins) / divisor,
        np.bincount(place, weights=correct, minlength=bins) / divisor,
    )


def _bin(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def coverage_curve(confidence, correct) -> Coverage:
    """How much can be read at which accuracy, for every threshold that makes a difference.

    Answers of the same confidence are read together or not at all, as no threshold parts them.
    El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".

    Parameters
    ----------
    confidence : (n,) float.
    correct : (n,) bool.
    """
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, float)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    right = np.cumsum(correct[order])[last]
    return Coverage(ranked[last], (last + 1) / max(1, len(ranked)), right / (last + 1))


def readable(curve: Coverage, accuracy: float = CERTAIN) -> tuple[float, float]:
    """The largest share that is right to `accuracy`, and the confidence from which it is read.

    Returns
    -------
    Share and threshold; (0, NaN) where even the surest answers are not as good.
    """
    good = np.flatnonzero(curve.accuracy >= accuracy - 1e-12)
    if not good.size:
        return 0.0, math.nan
    return float(curve.coverage[good[-1]]), float(curve.threshold[good[-1]])


def mistakes(predictions: Predictions) -> np.ndarray:
    """Places of the wrong answers, the most certain first."""
    return _sorted_by(-predictions.confidence, ~predictions.right)


def hardest(predictions: Predictions) -> np.ndarray:
    """Places of the right answers, the least certain first."""
    return _sorted_by(predictions.confidence, predictions.right)


def cell(predictions: Predictions, label: int, answer: int) -> np.ndarray:
    """Places of the images behind a cell of the confusion matrix, the most certain first."""
    chosen = (predictions.labels == label) & (predictions.answers == answer)
    return _sorted_by(-predictions.confidence, chosen)


def _sorted_by(key: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(chosen)
    return places[np.argsort(key[places], kind="stable")]


def row_shares(confusion: np.ndarray) -> np.ndarray:
    """A confusion matrix (c, c) as shares of each label; a row without images is all 0."""
    return confusion / np.maximum(1, confusion.sum(1, keepdims=True))
