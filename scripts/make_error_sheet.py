"""Makes docs/errors.png: every image of the MNIST test set that the shipped model gets wrong.

python scripts/make_error_sheet.py
"""

from pathlib import Path

import cv2
import numpy as np

from digitlab.datasets import mnist_test
from digitlab.recognizer import champion

TARGET = Path(__file__).resolve().parents[1] / "docs" / "errors.png"
COLUMNS = 8
CELL = 112  # pixels: 28 enlarged four times
CAPTION = 24


def main() -> None:
    """Write the sheet, the most certain mistakes first."""
    ink, labels = mnist_test()
    beliefs = champion().classify(ink)
    answers = beliefs.probabilities.argmax(1)
    wrong = np.flatnonzero(answers != labels)
    wrong = wrong[np.argsort(-beliefs.confidence[wrong])]
    cells = [
        _cell(ink[i], f"{labels[i]} read {answers[i]}, {100 * beliefs.confidence[i]:.0f} %")
        for i in wrong
    ]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    TARGET.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(TARGET), np.vstack(rows))


def _cell(ink: np.ndarray, caption: str) -> np.ndarray:
    """One image, dark on white, with its caption below."""
    large = cv2.resize(255 - ink, (CELL, CELL), interpolation=cv2.INTER_NEAREST)
    cell = np.full((CELL + CAPTION, CELL + 24), 255, np.uint8)
    cell[:CELL, 12 : 12 + CELL] = large
    cv2.putText(cell, caption, (8, CELL + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 0, 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    main()
