"""Makes the README's picture of how a photograph becomes 28x28 again, from an example.

python scripts/make_pictures.py
"""

from pathlib import Path

import cv2
import numpy as np

from digitlab.images import decode
from digitlab.recognizer import champion

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "number_in_shadow.jpg"
TARGET = ROOT / "docs" / "steps.png"
HEIGHT = 150  # pixels of each picture
GAP = 12


def main() -> None:
    """Write the strip: the photograph, each step, and each digit's ink."""
    image = decode(EXAMPLE.read_bytes())
    reading = champion().recognize(image)
    strip = [image, *(step.image for step in reading.steps)]
    digits = np.hstack([np.pad(255 - digit.ink, 1) for digit in reading.digits])
    large = cv2.resize(digits, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    rows = [_row(strip[:4]), _row(strip[4:]), _row([large])]
    width = max(row.shape[1] for row in rows)
    rows = [_widened(row, width) for row in rows]
    TARGET.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(TARGET), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _row(pictures: list[np.ndarray]) -> np.ndarray:
    """Pictures of one height side by side, with white between them."""
    parts = []
    for picture in pictures:
        colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        factor = HEIGHT / colour.shape[0]
        size = (round(colour.shape[1] * factor), HEIGHT)
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
        parts.append(cv2.resize(colour, size, interpolation=method))
        parts.append(np.full((HEIGHT, GAP, 3), 255, np.uint8))
    row = np.hstack(parts[:-1])
    return np.vstack([row, np.full((GAP, row.shape[1], 3), 255, np.uint8)])


def _widened(row: np.ndarray, width: int) -> np.ndarray:
    return np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)


if __name__ == "__main__":
    main()
