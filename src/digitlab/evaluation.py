"""How good answers are: what a share may really be, and whether confidence keeps its word."""

import math

import numpy as np


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


def expected_calibration_error(confidence, correct, bins: int = 15) -> float:
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
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    excess = np.bincount(place, weights=confidence - correct, minlength=bins)
    return float(np.abs(excess).sum() / confidence.size)
