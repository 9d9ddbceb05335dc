"""Fits how far to trust digits that touch, `touching.BELIEF`, to the shipped networks.

    python scripts/fit_belief.py mnist.npz unipen_strokes.jsonl.gz unipen_nondigits.jsonl.gz

Numbers that touch, drawn and photographed, and words of other signs, are written in the hands of
UNIPEN's writers whom no training saw and with MNIST's validation digits, and read. The weights are
those of a logistic regression of which digits are right on both networks' confidence in them.
"""

import argparse
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from digitlab.corpus import SCENES, is_held_out, write_signs
from digitlab.datasets import load_mnist, split
from digitlab.hands import UNTAUGHT, load_drawings
from digitlab.reading import Reading
from digitlab.recognizer import champion
from digitlab.synthesis import photograph, render, write_row
from digitlab.touching import Opinion, log_odds

SEED = 77
NUMBERS = 1500
GAP = -0.22, -0.02  # between digits, of their height
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
