"""Fits how far to trust digits that touch, and what stands alone, to the shipped networks.

    python scripts/fit_belief.py mnist.npz unipen_strokes.jsonl.gz unipen_nondigits.jsonl.gz

Numbers that touch, drawn and photographed, and words of other signs, are written in the hands of
UNIPEN's writers whom no training saw and with MNIST's validation digits, and read. The weights are
those of a logistic regression of which digits are right on both networks' confidence in them:
`touching.BELIEF`.

For `touching.SECOND`, digits, letters and symbols of those writers and doodles of kinds that no
training saw are drawn alone. The weight is that of a logistic regression of which are digits, and
read right, on both networks' odds, as a share of the classifier's own; the constant is such that
as many of those are refused as `release.REFUSED` allows.
"""

import argparse
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from digitlab import quickdraw, recognizer
from digitlab.benchmark import pasted
from digitlab.corpus import SCENES, is_held_out, write_signs
from digitlab.datasets import load_mnist, split
from digitlab.hands import UNTAUGHT, load_drawings
from digitlab.reading import Reading
from digitlab.recognizer import champion
from digitlab.release import REFUSED
from digitlab.synthesis import photograph, render, write_row
from digitlab.touching import Opinion, log_odds, odds_of_digit

SEED = 77
NUMBERS = 1500
GAP = -0.22, -0.02  # between digits, of their height
RENDERINGS = 3  # of each digit that stands alone: few are near the threshold
MARGIN = 20  # pixels of white around a drawing


class Seen(float):
    """The classifier's confidence in a digit, with the strings' agreement beside it."""

    agreement: float


def main() -> None:
    """Print the weights."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("mnist", "strokes", "signs"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    # First: what follows lets the classifier decide alone on what touches.
    print("SECOND = {:.2f}, {:.2f}".format(*_fit_second(asked.strokes, asked.signs)))
    Opinion.believed = _seen
    found = [
        ((log_odds(seen), log_odds(seen.agreement)), right)
        for text, image in _writings(asked.mnist, asked.strokes, asked.signs)
        for seen, right in _judged(champion().recognize(image), text)
    ]
    odds, right = map(np.array, zip(*found, strict=True))
    fitted = LogisticRegression(C=np.inf).fit(odds, right)
    constant, weights = fitted.intercept_[0], fitted.coef_[0]
    print(f"{len(right)} digits that touch, {right.mean():.1%} of them right")
    print(f"BELIEF = {constant:.2f}, {weights[0]:.2f}, {weights[1]:.2f}")


def _fit_second(strokes: Path, signs: Path) -> tuple[float, float]:
    """`touching.SECOND`."""
    digit, accepted, share, own, other = np.array(list(_alone(strokes, signs))).T
    both = np.isfinite(own)
    odds = np.stack([own, other], 1)[both]
    first, second = LogisticRegression(C=np.inf).fit(odds, digit[both]).coef_[0]
    weight = float(second / first)
    # The constant with which each would just be accepted; none where only one network was asked.
    accept = champion().calibration.accept
    share = share.clip(accept + 1e-9)
    just = np.log(accept / (share - accept)) - own - weight * other
    just[~both] = np.where(accepted[~both], -np.inf, np.inf)
    return float(np.quantile(just[digit > 0], 1 - REFUSED["drawn"])), weight


def _alone(strokes: Path, signs: Path) -> Iterator[tuple[bool, bool, float, float, float]]:
    """Of each drawing that is read right or is none: whether it is a digit, and accepted.

    Then the likeliest digit's share, and both networks' log odds, nan where one was not asked.
    """
    seen: list[tuple[float, float]] = []

    def note(likeness: float, strip: np.ndarray) -> float:
        seen.append(odds_of_digit(likeness, strip))
        return likeness

    recognizer.seconded = note
    for label, image in _drawings(strokes, signs):
        seen.clear()
        reading = champion().recognize(image)
        if label.isdecimal() and reading.text != label:
            continue
        objected = any(digit.objection for digit in reading.digits)
        asked = seen[0] if seen and not objected else (np.nan, np.nan)
        share = max((max(digit.probabilities) for digit in reading.digits), default=0.0)
        accepted = any(digit.accepted for digit in reading.digits)
        yield label.isdecimal(), accepted, share, *asked


def _drawings(strokes: Path, signs: Path) -> Iterator[tuple[str, np.ndarray]]:
    """A digit, "" or another sign, and a drawing of it, (h, w) uint8."""
    rng = np.random.default_rng(SEED)
    chosen = RENDERINGS * [d for d in load_drawings(strokes) if is_held_out(d)]
    chosen += [d for d in load_drawings(signs) if is_held_out(d) and d.label not in UNTAUGHT]
    for drawing in chosen:
        ink = render(drawing, rng, rng.uniform(60, 220), rng.uniform(4, 22))
        yield drawing.label, pasted(ink)
    for ink in quickdraw.sample().ink:
        yield "", pasted(quickdraw.enlarged(ink, rng, rng.uniform(80, 220)))


def _seen(opinion: Opinion, confidence: float) -> Seen:
    """In the place of `Opinion.believed`: the classifier's confidence as it is."""
    seen = Seen(confidence)
    seen.agreement = opinion.agreement
    return seen


def _writings(mnist: Path, strokes: Path, signs: Path) -> Iterator[tuple[str, np.ndarray]]:
    """What is to be read, "" for signs that are no digits, and a picture (h, w[, 3]) uint8."""
    rng = np.random.default_rng(SEED)
    drawings = [drawing for drawing in load_drawings(strokes) if is_held_out(drawing)]
    others = [d for d in load_drawings(signs) if is_held_out(d) and d.label not in UNTAUGHT]
    ink, labels, *_ = load_mnist(mnist)
    validation = split(len(labels))[1]
    ink, labels = ink[validation], labels[validation]
    for i in range(NUMBERS):
        tall = float(np.exp(rng.uniform(np.log(36), np.log(110))))
        many = int(rng.integers(2, 7))
        number = write_signs(drawings, ink, labels, rng, many, tall)
        writing = write_row(number, rng, GAP)
        text = "".join(writing.labels)
        yield text, 255 - np.pad(writing.ink, MARGIN)
        if i % 2 == 0:
            yield text, photograph(writing, rng, SCENES[rng.integers(len(SCENES))][1])
        if i % 3 == 0:
            pen = tall * rng.uniform(0.05, 0.14)
            chosen = rng.integers(len(others), size=rng.integers(2, 4))
            word = [("", render(others[k], rng, tall, pen)) for k in chosen]
            yield "", 255 - np.pad(write_row(word, rng, GAP).ink, MARGIN)


def _judged(reading: Reading, text: str) -> Iterator[tuple[Seen, bool]]:
    """Each digit of which both networks said something, and whether it is right."""
    read = reading.text.replace("\n", "")
    right = np.zeros(len(read), bool)
    for block in SequenceMatcher(None, read, text, autojunk=False).get_matching_blocks():
        right[block.a : block.a + block.size] = True
    for digit, is_right in zip(reading.digits, right, strict=True):
        if isinstance(digit.confidence, Seen):
            yield digit.confidence, bool(is_right)


if __name__ == "__main__":
    main()
