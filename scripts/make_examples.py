"""Makes the pictures in examples/ again: strokes of the UNIPEN collection on drawn paper.

    python scripts/make_examples.py --digits strokes.jsonl.gz --others letters.jsonl.gz

Nothing is a photograph. A picture that the shipped model does not read right is not written.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digitlab.hands import Drawing, load_drawings
from digitlab.recognizer import champion
from digitlab.synthesis import Scene, photograph, render, write_row

FOLDER = Path(__file__).resolve().parents[1] / "examples"
DRAWN = {"seven_with_bar": ("7", 9219), "slashed_zero": ("0", 4758), "flagged_one": ("1", 5443)}
"""Label and line number in the file of digits, of what looks as if drawn on the canvas."""

LETTER = 1230
"""Line number in the file of other signs, of what is no digit."""

PHOTOS = {
    "number_in_shadow": ("27385", "syn", 34, Scene(shadow=1, faint=0, blur=0.5, dark_ground=0)),
    "ruled_paper": ("604192", "syn", 82, Scene(ruled=1, faint=0, shadow=0.5, dark_ground=0)),
    "boxes_of_a_form": ("310726", "syn", 46, Scene(boxed=1, faint=0, dark_ground=0)),
}
"""Number, site that collected the hands, first seed to try, paper."""


def main() -> None:
    """Write every example picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--digits", type=Path, required=True, help="strokes of digits")
    parser.add_argument("--others", type=Path, required=True, help="strokes of letters")
    arguments = parser.parse_args()
    drawings = load_drawings(arguments.digits)
    FOLDER.mkdir(exist_ok=True)
    for name, (label, number) in DRAWN.items():
        _save(f"{name}.png", _on_canvas(drawings[number]), label)
    for name, (number, source, seed, scene) in PHOTOS.items():
        hand = [drawing for drawing in drawings if drawing.source == source]
        _save(f"{name}.jpg", next(_readable(number, hand, seed, scene)), number)
    _save("letter.png", _on_canvas(load_drawings(arguments.others)[LETTER]), None)


def _on_canvas(drawing: Drawing) -> np.ndarray:
    """A drawing as the canvas gives it: dark on white, 280x280."""
    ink = render(drawing, np.random.default_rng(1), height=170, pen=14)
    canvas = np.full((280, 280), 255, np.uint8)
    top, left = (280 - ink.shape[0]) // 2, (280 - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink
    return canvas


def _readable(number: str, hand: list[Drawing], seed: int, scene: Scene) -> Iterator[np.ndarray]:
    """Photographs of `number` that are read right and surely, from `seed` on."""
    while True:
        rng = np.random.default_rng(seed)
        picture = _photo(number, hand, rng, scene)
        reading = champion().recognize(picture)
        if reading.text == number and all(digit.verdict == "sure" for digit in reading.digits):
            yield picture
        seed += 1


def _photo(number: str, hand: list[Drawing], rng, scene: Scene) -> np.ndarray:
    signs = []
    for label in number:
        choices = [drawing for drawing in hand if drawing.label == label]
        drawing = choices[rng.integers(len(choices))]
        signs.append((label, render(drawing, rng, height=rng.uniform(92, 108), pen=7)))
    return photograph(write_row(signs, rng, (0.15, 0.35)), rng, scene)


def _save(name: str, picture: np.ndarray, text: str | None) -> None:
    """Write a picture that is read as `text`, or refused where `text` is None."""
    reading = champion().recognize(picture)
    accepted = "".join(str(digit.label) for digit in reading.digits if digit.accepted)
    if accepted != (text or ""):
        raise SystemExit(f"{name} is read as {accepted or 'nothing'}, not {text or 'nothing'}")
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    quality = [cv2.IMWRITE_JPEG_QUALITY, 88] if name.endswith(".jpg") else []
    cv2.imwrite(str(FOLDER / name), colours, quality)
    print(f"{name}: {reading.text!r}, {[round(d.confidence, 3) for d in reading.digits]}")


if __name__ == "__main__":
    main()
