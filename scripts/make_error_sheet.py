"""Makes the sheets of what the shipped model gets wrong, the most certain mistakes first.

    python scripts/make_error_sheet.py [--strokes unipen_strokes.jsonl.gz]

docs/errors.png has every such image of the MNIST test set; with --strokes, docs/errors-tablet.png
has every such drawing of UNIPEN's writers whom no training saw, labels as they came.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from digitlab.benchmark import pasted
from digitlab.corpus import is_held_out
from digitlab.datasets import mnist_test
from digitlab.hands import load_drawings
from digitlab.recognizer import champion
from digitlab.synthesis import render

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLUMNS = 8
CELL = 112  # pixels: 28 enlarged four times
CAPTION = 24
TALL, PEN = 150, 12  # pixels of a drawing on a canvas


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--strokes", type=Path, help="gzipped drawings of digits")
    strokes = parser.parse_args().strokes
    _write("errors.png", _wrong_on_mnist())
    if strokes is not None:
        wrong, count = _wrong_on_tablets(strokes)
        print(f"{len(wrong)} of {count} drawings wrong")
        _write("errors-tablet.png", wrong)


def _wrong_on_mnist() -> list[tuple[float, np.ndarray]]:
    """Confidence and cell of each image that is read wrong."""
    ink, labels = mnist_test()
    beliefs = champion().classify(ink)
    answers = beliefs.probabilities.argmax(1)
    return [
        (beliefs.confidence[i], _cell(255 - ink[i], labels[i], answers[i], beliefs.confidence[i]))
        for i in np.flatnonzero(answers != labels)
    ]


def _wrong_on_tablets(strokes: Path) -> tuple[list[tuple[float, np.ndarray]], int]:
    """Likewise of the drawings of held-out writers, each on a canvas; and how many there were."""
    rng = np.random.default_rng(0)
    drawings = [drawing for drawing in load_drawings(strokes) if is_held_out(drawing)]
    wrong = []
    for drawing in drawings:
        canvas = pasted(render(drawing, rng, TALL, PEN))
        reading = champion().recognize(canvas)
        if reading.text != drawing.label:
            confidence = min((digit.confidence for digit in reading.digits), default=0.0)
            wrong.append((confidence, _cell(canvas, drawing.label, reading.text, confidence)))
    return wrong, len(drawings)


def _write(name: str, wrong: list[tuple[float, np.ndarray]]) -> None:
    """A sheet of cells, the most certain first."""
    cells = [cell for _, cell in sorted(wrong, key=lambda found: -found[0])]
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    DOCS.mkdir(exist_ok=True)
    cv2.imwrite(str(DOCS / name), np.vstack(rows))


def _cell(picture: np.ndarray, label, answer, confidence: float) -> np.ndarray:
    """One picture, dark on white, with its caption below."""
    enlarge = cv2.INTER_NEAREST if len(picture) < CELL else cv2.INTER_AREA
    cell = np.full((CELL + CAPTION, CELL + 24), 255, np.uint8)
    cell[:CELL, 12 : 12 + CELL] = cv2.resize(picture, (CELL, CELL), interpolation=enlarge)
    caption = f"{label} read {answer}, {100 * confidence:.0f} %".replace("\n", "/")
    cv2.putText(cell, caption, (8, CELL + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 0, 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    main()
