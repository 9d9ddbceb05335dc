"""Two versions on the same images: what changed, whether that is more than chance, and whether
the new one may be recommended."""

from dataclasses import asdict, dataclass
from math import comb

import numpy as np

from digitlab.recognizer import Beliefs
from digitlab.sample import NOT_A_DIGIT

MARGIN = 0.0005
"""Share of the MNIST test set, five images, by which a candidate may be worse: less is noise."""

REFUSAL_MARGIN = 0.03
"""Share of signs that are no digits, by which a candidate may refuse fewer."""

LUCK = 0.05
"""Largest chance to be as often right with the labels handed out anew, for a candidate's answers
to corrections to count as learnt. Corrections are what the champion read wrong: it has hardly one
right, so that a candidate of nonsense is better on them by a few lucky hits."""

_DEALS = 10_000


@dataclass(frozen=True)
class Paired:
    """Two versions on the same n images.

    Attributes
    ----------
    images : n.
    before, after : how many the older and the newer version read right.
    gained, lost : places of the images that went from wrong to right, and from right to wrong.
    p_value : chance to see so uneven a change if neither were better (McNemar's exact test).
    """

    images: int
    before: int
    after: int
    gained: tuple[int, ...]
    lost: tuple[int, ...]
    p_value: float

    @property
    def difference(self) -> float:
        """How much larger the newer version's share of right answers is, -1 to 1."""
        return (self.after - self.before) / self.images if self.images else 0.0


@dataclass(frozen=True)
class Rule:
    """A condition for recommending a candidate, whether it holds, and why, in words."""

    name: str
    holds: bool
    reason: str


def answers(beliefs: Beliefs) -> np.ndarray:
    """What is answered, (n,) int64: the likeliest digit, or NOT_A_DIGIT where that is likelier."""
    digit = beliefs.probabilities.argmax(1)
    return np.where(beliefs.is_digit >= 0.5, digit, NOT_A_DIGIT)


def pair(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> Paired:
    """Compare the answers of two versions, each (n,) int, to the same images with these labels."""
    was, now = before == labels, after == labels
    gained, lost = np.flatnonzero(~was & now), np.flatnonzero(was & ~now)
    return Paired(
        len(labels),
        int(was.sum()),
        int(now.sum()),
        tuple(gained.tolist()),
        tuple(lost.tolist()),
        mcnemar(len(gained), len(lost)),
    )


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided p-value of McNemar's exact test (1947): are gains and losses equally likely?

    Only images on which the versions differ tell anything; if neither is better, each of them is
    a fair coin.
    """
    n, least = gained + lost, min(gained, lost)
    return min(1.0, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n)


def luck(answers: np.ndarray, labels: np.ndarray) -> float:
    """How often answers, (n,) int, are as often right when the labels, (n,), are handed out anew.

    A permutation test (Fisher 1935) of 10,000 deals, the same ones each time. 0 where it could
    not tell: with few labels, or nearly all the same, even n right answers might be luck.
    """
    rng = np.random.default_rng(0)
    dealt = (rng.permutation(labels) for _ in range(_DEALS))
    hits = np.array([((deal == answers).sum(), (deal == labels).sum()) for deal in dealt])
    reached = hits >= [(answers == labels).sum(), len(labels)]
    chance, least = (1 + reached.sum(0)) / (1 + _DEALS)
    return float(chance) if least <= LUCK else 0.0


def judge(
    held_back: Paired,
    lucky: float,
    test: Paired,
    refused: tuple[float, float],
    margin: float = MARGIN,
) -> tuple[Rule, ...]:
    """The rules for recommending a candidate; it is recommended if all hold.

    Parameters
    ----------
    held_back : on corrections that it has never learnt.
    lucky : `luck` of its answers to those.
    test : on the MNIST test set.
    refused : shares of the signs that are no digits that were refused before and after.
    margin : share by which it may be worse on the test set.
    """
    better = held_back.after > held_back.before
    learnt = lucky <= LUCK
    figures = f"{held_back.after} of {held_back.images} right, {held_back.before} before."
    doubt = f"Luck alone does as well in {lucky:.0%} of cases: more corrections would tell."
    kept = test.difference >= -margin - 1e-12
    wary = refused[1] >= refused[0] - REFUSAL_MARGIN - 1e-12
    return (
        Rule(
            "Better on corrections it has never seen",
            better and learnt,
            figures if learnt else f"{figures} {doubt}",
        ),
        Rule(
            f"MNIST test accuracy no more than {100 * margin:.2f} points lower",
            kept,
            f"{test.after / max(1, test.images):.2%}, {test.before / max(1, test.images):.2%} "
            f"before: {_signed(100 * test.difference)} points.",
        ),
        Rule(
            f"Refuses what is no digit, at most {100 * REFUSAL_MARGIN:.0f} points less often",
            wary,
            f"{refused[1]:.1%} of pieces, pairs, scribbles and doodles refused, "
            f"{refused[0]:.1%} before.",
        ),
    )


def recommended(rules: tuple[Rule, ...]) -> bool:
    """Whether a candidate passes the gate."""
    return all(rule.holds for rule in rules)


def by_digit(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Images, and how many are right before and after, for each of the ten digits."""
    rows = []
    for digit in range(10):
        own = labels == digit
        was, now = (int((found[own] == digit).sum()) for found in (before, after))
        rows.append({"digit": digit, "images": int(own.sum()), "before": was, "after": now})
    return rows


def as_json(part: Paired | Rule) -> dict:
    """Fit to be kept with a version."""
    return asdict(part)


def _signed(points: float) -> str:
    return f"{points:+.2f}" if round(points, 2) else "0.00"
