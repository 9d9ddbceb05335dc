"""What the network learns from: MNIST, people's strokes and synthetic photographs, as 28x28 ink.

Every picture but MNIST's own goes through `preprocess.prepare`, so that training sees what use
sees. A candidate of the segmentation lattice that covers one digit is an example of that digit;
one that covers a part of a digit, or parts of two, is an example of "not a digit".
"""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from digitlab.datasets import DAMAGE
from digitlab.doodles import doodle
from digitlab.errors import DataError
from digitlab.frame import to_frame
from digitlab.hands import (
    UNTAUGHT,
    Drawing,
    barred,
    crossed,
    curled,
    flagged,
    footed,
    looped,
    plain,
    slashed,
    stepped,
    straightened,
)
from digitlab.preprocess import prepare
from digitlab.quickdraw import enlarged
from digitlab.synthesis import Scene, Writing, cropped, linked, photograph, render, write_row
from digitlab.typesetting import typeset

NOT_A_DIGIT = 10
SKIPPED = -1  # neither a digit nor clearly something else
HELD_OUT_SOURCE = "uqb"  # a whole site that the shipped model has never seen
HELD_OUT_PAGES = 10  # percent of the other sites' pages (writers), likewise
PLAIN = 0.2  # of the ones and sevens
FLAGGED = 0.35  # of the ones with a single steep stroke
SLASHED = 0.2  # of the zeros
CROSSED = 0.2  # of the sevens with a single stroke
BARRED = 0.06  # of the sevens
FOOTED = 0.3  # of the twos with a single stroke
CURLED = 0.15  # of the twos with a single stroke
LOOPED = 0.12  # likewise
STEPPED = 0.3  # of the fours made of two strokes
STRAIGHTENED = 0.2  # of all drawings
SWELLING = 0.25  # of the hands: their nib spreads under pressure
MINIATURES = 0.1  # of the drawings of one digit, cut out close and brought to 16 to 30 pixels
ROUND = 0.2  # of the numbers: they end in zeros, as amounts do
LINKED = 0.5  # of the numbers: a stroke leads from each zero to the next
SYMBOLS = 2.2  # times as likely as a letter
TRICKY = set("DGJQjy]@>\\")  # they resemble 0, 6, 5, 9, 4, 1 and 7
OFTEN = 2.5  # times as likely as others of their kind
SIGN = "sign"  # kind of whole letters and symbols
SCRIBBLE = "scribble"
DOODLE = "doodle"
QUICKDRAW = "quickdraw"
PRINT = "print"
OTHER_SIGNS = SIGN, SCRIBBLE, DOODLE, QUICKDRAW  # kinds of whole signs that are no digit
INSIDE = 0.75  # share of a sign from which a candidate covers it, too
ONE_OF_TWO = 0.93  # share of overlap from which nobody knows whether the other of two is in it
WHOLE = 0.86  # share of overlap from which a candidate covers all of a sign
_CHUNK = 200  # pictures made by one task

_BESIDE = {
    "printed": 0.1,
    "desk": 0.06,
    "folded": 0.05,
    "pen": 0.04,
    "finger": 0.02,
    "holes": 0.03,
    "glare": 0.02,
}
SCENES = (
    (3.0, Scene(**_BESIDE)),
    (1.0, Scene(ruled=1.0, **_BESIDE)),
    (0.8, Scene(underlined=1.0, **_BESIDE)),
    (1.0, Scene(squared=1.0, **_BESIDE)),
    (1.2, Scene(boxed=1.0, **_BESIDE)),
    (1.6, Scene(security=1.0, faint=0.35, **_BESIDE)),
    (0.5, Scene(faint=1.0, **_BESIDE)),
)
"""How often each kind of paper is made, and what is on it."""


@dataclass(frozen=True)
class Examples:
    """Ink (n, 28, 28) uint8, labels (n,) int8 0 to 10, and the kind of picture (n,) str."""

    ink: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index) -> "Examples":
        return Examples(self.ink[index], self.labels[index], self.kinds[index])

    @staticmethod
    def of_kind(ink: np.ndarray, labels: np.ndarray, kind: str) -> "Examples":
        """Ink (n, 28, 28) uint8 and labels (n,) of any integer type, all of one kind."""
        return Examples(ink, labels.astype(np.int8), np.full(len(labels), kind))

    @staticmethod
    def join(parts: "list[Examples]") -> "Examples":
        """All parts as one."""
        return Examples(
            np.concatenate([p.ink for p in parts]),
            np.concatenate([p.labels for p in parts]),
            np.concatenate([p.kinds for p in parts]),
        )

    def save(self, path: Path) -> None:
        """Write to a compressed .npz file, whole or not at all."""
        part = path.with_suffix(".part.npz")
        np.savez_compressed(part, ink=self.ink, labels=self.labels, kinds=self.kinds)
        part.replace(path)

    @staticmethod
    def load(path: Path) -> "Examples":
        """Read what `save` wrote. Raises DataError if the file is missing or damaged."""
        try:
            with np.load(path) as stored:
                return Examples(stored["ink"], stored["labels"], stored["kinds"])
        except DAMAGE as error:
            raise DataError(f"{path} holds no examples: {error}") from error


def is_held_out(drawing: Drawing) -> bool:
    """Whether a drawing is kept for validation: an unseen site, or an unseen writer."""
    if drawing.source == HELD_OUT_SOURCE:
        return True
    page = hashlib.sha256(f"{drawing.source}/{drawing.page}".encode()).digest()
    return page[0] * 100 < HELD_OUT_PAGES * 256


def parted(drawings: list[Drawing]) -> tuple[list[Drawing], list[Drawing]]:
    """Drawings to learn from, and those kept for validation."""
    held = [is_held_out(drawing) for drawing in drawings]
    return tuple([d for d, h in zip(drawings, held, strict=True) if h == kept] for kept in (0, 1))


def label_candidate(box, writing: Writing) -> int:
    """The label of what lies in `box` (left, top, width, height in pixels of the writing).

    One digit, NOT_A_DIGIT (a part, several, or another sign), or SKIPPED.
    """
    tall = float(np.median(writing.boxes[:, 3]))
    shares = _intersection_over_union(
        np.array(box, float), writing.boxes.astype(float), 0.06 * tall
    )
    best = int(shares.argmax())
    if shares[best] < 0.6:
        return NOT_A_DIGIT
    if np.count_nonzero(_within(box, writing.boxes) > INSIDE) > 1:  # a 1 adds little to a 0's box
        return NOT_A_DIGIT if shares[best] < ONE_OF_TWO else SKIPPED
    sign = writing.labels[best]
    if shares[best] < WHOLE or sign in UNTAUGHT:
        return SKIPPED
    return int(sign) if sign.isdigit() else NOT_A_DIGIT


def _within(box, boxes: np.ndarray) -> np.ndarray:
    """Share of each of some boxes (n, 4) that lies inside one of left, top, width, height."""
    return _shared(np.array(box), boxes) / boxes[:, 2:].prod(1)


def _shared(box: np.ndarray, boxes: np.ndarray, slack: float = 0.0) -> np.ndarray:
    """Area (n,) that one box has in common with each of several, all widened by `slack`."""
    low = np.maximum(box[:2], boxes[:, :2]) - slack
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:]) + slack
    return (high - low).clip(0).prod(1)


def _intersection_over_union(box: np.ndarray, boxes: np.ndarray, slack: float) -> np.ndarray:
    """Overlap of one box with several, all widened by `slack` so that a thin 1 can match."""
    shared = _shared(box, boxes, slack)
    area = (box[2:] + 2 * slack).prod()
    areas = (boxes[:, 2:] + 2 * slack).prod(1)
    return shared / (area + areas - shared)


def examples_of(picture: np.ndarray, writing: Writing, kind: str) -> Iterator[tuple]:
    """(ink, label, kind) of every candidate that `prepare` finds in a picture of a writing."""
    for glyph in prepare(picture).glyphs:
        label = label_candidate(glyph.box, writing)
        if label != SKIPPED:
            yield glyph.ink, label, kind


def write_signs(
    drawings: list[Drawing],
    mnist: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    count: int,
    tall: float,
) -> list[tuple[str, np.ndarray]]:
    """Label and ink of `count` digits: strokes with one pen, now and then MNIST's own.

    Parameters
    ----------
    mnist, labels : (n, 28, 28) uint8 and (n,).
    tall : about the height of a digit in pixels.
    """
    pen = tall * float(np.exp(rng.uniform(np.log(0.025), np.log(0.17))))
    lean, swell = rng.normal(0, 0.12), _swell(rng)
    signs = []
    for _ in range(count):
        height = tall * rng.uniform(0.85, 1.12)
        if rng.random() < 0.3:
            i = int(rng.integers(len(mnist)))
            signs.append((str(labels[i]), enlarge_mnist(mnist[i], height)))
        else:
            drawing = _any_of(drawings, rng)
            signs.append((drawing.label, render(drawing, rng, height, pen, lean, swell)))
    if count > 1 and rng.random() < ROUND and (zeros := [d for d in drawings if d.label == "0"]):
        zero, last = zeros[int(rng.integers(len(zeros)))], min(count, int(rng.integers(2, 4)))
        low = tall * rng.uniform(0.45, 1.0)  # they often get smaller
        signs[-last:] = [("0", render(zero, rng, low, pen, lean, swell)) for _ in range(last)]
    return signs


def _swell(rng: np.random.Generator) -> float:
    """How much thinner than a downstroke a hand's other strokes are, mostly not at all."""
    return float(rng.uniform(0.2, 0.75)) if rng.random() < SWELLING else 0.0


_CHANGES = (
    (plain, PLAIN),
    (flagged, FLAGGED),
    (slashed, SLASHED),
    (crossed, CROSSED),
    (barred, BARRED),
    (footed, FOOTED),
    (curled, CURLED),
    (looped, LOOPED),
    (stepped, STEPPED),
)


def _any_of(drawings: list[Drawing], rng: np.random.Generator) -> Drawing:
    """One of the drawings; often with a flag, slash, bar or foot that its writer did not make."""
    drawing = drawings[int(rng.integers(len(drawings)))]
    for change, share in _CHANGES:
        if rng.random() < share:
            drawing = change(drawing, rng)
    return straightened(drawing, rng) if rng.random() < STRAIGHTENED else drawing


def enlarge_mnist(ink: np.ndarray, height: float) -> np.ndarray:
    """An MNIST digit's ink, cut out, `height` pixels high, with smooth edges; uint8."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    factor = height / max(cut.shape)
    size = [max(2, round(side * factor)) for side in cut.shape[::-1]]
    large = cv2.resize(np.pad(cut, 1), size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    return ((large - 127) * max(1.0, factor / 2) + 127).clip(0, 255).astype(np.uint8)


def _photographs(seed: int, drawings, mnist, labels) -> list[tuple]:
    """Candidates from synthetic photographs of one digit or a number."""
    rng = np.random.default_rng(seed)
    chances = np.array([weight for weight, _ in SCENES])
    found = []
    for _ in range(_CHUNK):
        scene = SCENES[rng.choice(len(SCENES), p=chances / chances.sum())][1]
        count = 1 if rng.random() < 0.4 else int(rng.integers(2, 7))
        tall = float(np.exp(rng.uniform(np.log(22), np.log(110))))
        signs = write_signs(drawings, mnist, labels, rng, count, tall)
        writing = write_row(signs, rng, (-0.12, 0.12) if rng.random() < 0.5 else (0.05, 0.6))
        writing = linked(writing, rng) if rng.random() < LINKED else writing
        picture = photograph(writing, rng, scene)
        if count > 1 and rng.random() < 0.3:
            picture, writing = _cut_out(picture, writing, rng)
        found += examples_of(picture, writing, "photo")
    return found


def _cut_out(picture: np.ndarray, writing: Writing, rng) -> tuple[np.ndarray, Writing]:
    """The part of a picture around one digit, as people crop: pieces of its neighbours stay."""
    x, y, w, h = writing.boxes[rng.integers(len(writing.boxes))]
    left, top, right, bottom = np.rint(rng.uniform(0.02, 0.4, 4) * h).astype(int)
    return cropped(picture, writing, (x - left, y - top), (x + w + right, y + h + bottom))


def drawn(seed: int, drawings, mnist, labels) -> list[tuple]:
    """Candidates from clean drawings on a canvas, mostly of one sign."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHUNK):
        tall, pen = _size_on_canvas(rng)
        count = 1 if rng.random() < 0.8 else int(rng.integers(2, 5))
        chosen, swell = [_any_of(drawings, rng) for _ in range(count)], _swell(rng)
        signs = [(d.label, render(d, rng, tall, pen, swell=swell)) for d in chosen]
        writing = write_row(signs, rng, (-0.05, 0.4))
        if count == 1 and rng.random() < MINIATURES:
            writing = _miniature(writing, rng)
        found += examples_of(writing.ink, writing, "drawn")
    return found


def _size_on_canvas(rng: np.random.Generator, widest: float = 0.2) -> tuple[float, float]:
    """How tall somebody draws, and with how wide a pen, at most `widest` times that; in pixels."""
    tall = rng.uniform(40, 260)
    pen = np.exp(rng.uniform(np.log(1.5), np.log(max(2.5, widest * tall))))
    return float(tall), float(pen)


def _miniature(writing: Writing, rng: np.random.Generator) -> Writing:
    """A digit as collections of small pictures keep it: 16 to 30 pixels high, hardly a margin."""
    x, y, w, h = writing.boxes[0]
    cut = writing.ink[y : y + h, x : x + w]
    factor = rng.uniform(16, 30) / max(w, h)
    size = [max(1, round(side * factor)) for side in (w, h)]
    ink = np.pad(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), margin := rng.integers(0, 3))
    return Writing(ink, writing.labels, np.array([[margin, margin, *size]]))


def _signs(seed: int, drawings, mnist, labels) -> list[tuple]:
    """Letters and symbols, one on a canvas, whole: a stem of an H alone may well be a 1."""
    rng = np.random.default_rng(seed)
    drawings = [drawing for drawing in drawings if drawing.label not in UNTAUGHT]
    chances = levelled(drawings)
    found = []
    for _ in range(_CHUNK):
        tall, pen = _size_on_canvas(rng)
        drawing = drawings[rng.choice(len(drawings), p=chances)]
        found += _whole(drawing, rng, tall, pen, SIGN)
    return found


def _whole(
    drawing: Drawing, rng: np.random.Generator, tall: float, pen: float, kind: str
) -> Iterator[tuple]:
    """What `prepare` finds of a sign alone on a canvas that is all of it: no digit."""
    yield from _alone(drawing.label, render(drawing, rng, tall, pen), rng, kind)


def _alone(label: str, ink: np.ndarray, rng: np.random.Generator, kind: str) -> Iterator[tuple]:
    """As `_whole`, of a sign's ink (h, w) uint8."""
    writing = write_row([(label, ink)], rng, (0, 0))
    for glyph in prepare(writing.ink).glyphs:
        if covers(glyph.box, writing):
            yield glyph.ink, NOT_A_DIGIT, kind


def levelled(drawings: list[Drawing]) -> np.ndarray:
    """How likely to take each drawing, so that rare signs come up more often than they were drawn.

    A sign that makes up a share p of the drawings makes up a share in proportion to the square
    root of p of what is taken: a question mark is as much like a digit as an e, and much rarer.
    Signs that are no letters, and TRICKY ones, count for more: they are read as digits more often.
    """
    labels = np.array([drawing.label for drawing in drawings])
    _, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[which])
    weights *= [1.0 if drawing.label.isalpha() else SYMBOLS for drawing in drawings]
    weights *= [OFTEN if drawing.label in TRICKY else 1.0 for drawing in drawings]
    return weights / weights.sum()


def covers(box, writing: Writing) -> bool:
    """Whether one of a writing's signs fills `box` (left, top, width, height), and no more."""
    tall = float(np.median(writing.boxes[:, 3]))
    boxes = writing.boxes.astype(float)
    return bool(_intersection_over_union(np.array(box, float), boxes, 0.06 * tall).max() >= WHOLE)


def _printed(seed: int, drawings, mnist, labels) -> list[tuple]:
    """Candidates from printed digits, one on a page."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHUNK):
        label = str(rng.integers(10))
        writing = write_row([(label, typeset(label, rng, rng.uniform(20, 200)))], rng, (0, 0))
        found += examples_of(writing.ink, writing, PRINT)
    return found


def _doodles(seed: int, drawings, mnist, labels, held_out: bool) -> list[tuple]:
    """Little drawings of things, one on a canvas, whole: an eye of a face alone may well be a 0."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHUNK):
        tall, pen = _size_on_canvas(rng, widest=0.12)
        found += _whole(doodle(rng, held_out), rng, tall, pen, DOODLE)
    return found


def _quickdraw(seed: int, drawings: np.ndarray, mnist, labels) -> list[tuple]:
    """Doodles as people drew them (n, 28, 28), one on a canvas, whole likewise."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHUNK):
        tall, _ = _size_on_canvas(rng)
        ink = enlarged(drawings[int(rng.integers(len(drawings)))], rng, tall)
        found += _alone(QUICKDRAW, ink, rng, QUICKDRAW)
    return found


def _scribbles(seed: int, drawings, mnist, labels) -> list[tuple]:
    """Candidates from lines that mean nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHUNK):
        canvas = scribble(rng)
        for glyph in prepare(canvas).glyphs[:3]:
            found.append((glyph.ink, NOT_A_DIGIT, SCRIBBLE))
    return found


def scribble(rng: np.random.Generator, side: int = 200) -> np.ndarray:
    """A doodle: many-cornered, wild or filled, (side, side) uint8 with 255 for ink."""
    canvas = np.zeros((side, side), np.uint8)
    pen = int(rng.integers(2, 14))
    kind = rng.integers(4)
    if kind == 0:  # a curve that turns too often
        turns = rng.normal(0, 1, (int(rng.integers(9, 40)), 2)).cumsum(0)
        path = (
            cv2.GaussianBlur(turns, (1, 0), 0, sigmaY=rng.uniform(0.4, 1.5))
            if len(turns)
            else turns
        )
    elif kind == 1:  # a zigzag or a coil
        t = np.linspace(0, rng.uniform(4, 10) * 2 * np.pi, 300)
        path = np.stack([t * rng.uniform(0.1, 0.6) + np.cos(t), np.sin(t) * rng.uniform(0.4, 3)], 1)
    elif kind == 2:  # a star or another polygon with crossing sides
        corners = int(rng.integers(5, 12))
        angle = np.arange(corners + 1) * rng.integers(2, 5) * 2 * np.pi / corners
        path = np.stack([np.cos(angle), np.sin(angle)], 1)
    else:  # blots
        for _ in range(rng.integers(1, 5)):
            place = rng.integers(side // 4, 3 * side // 4, 2).tolist()
            axes = rng.integers(side // 12, side // 4, 2).tolist()
            cv2.ellipse(canvas, place, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
        return canvas
    low, high = path.min(0), path.max(0)
    path = (path - low) / max(float((high - low).max()), 1e-6) * side * 0.75 + side * 0.12
    points = np.rint(path * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [points], False, 255, pen, cv2.LINE_AA, 4)
    return canvas


def in_chunks(work: Callable, amount: int, chunk: int, seed: int, processes: int) -> list:
    """What `work` makes of several seeds, `chunk` at a time until it is about `amount`, as one."""
    seeds = [seed * 100_000 + i for i in range(max(1, round(amount / chunk)))]
    # `work` holds all drawings: each process is given them once, not with every seed.
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(work,)) as pool:
        return [made for part in pool.map(_made, seeds) for made in part]


_work: Callable | None = None  # in each process of a pool, what it does


def _begin(work: Callable) -> None:
    global _work
    _work = work


def _made(seed: int) -> list:
    assert _work is not None
    return _work(seed)


def make(
    recipe: Callable, pictures: int, seed: int, drawings, mnist, labels, processes: int = 2
) -> Examples:
    """Run one of the recipes above for about `pictures` pictures, in several processes."""
    work = partial(recipe, drawings=drawings, mnist=mnist, labels=labels)
    found = in_chunks(work, pictures, _CHUNK, seed, processes)
    ink, label, kind = zip(*found, strict=True)
    return Examples(np.stack(ink), np.array(label, np.int8), np.array(kind))


def build(
    own: list[Drawing],
    other: list[Drawing],
    mnist: np.ndarray,
    labels: np.ndarray,
    pictures: int,
    seed: int,
    processes: int = 2,
    held_out: bool = False,
    doodles: np.ndarray | None = None,
) -> Examples:
    """Examples from strokes, synthetic photographs, print, other signs, doodles and scribbles.

    Parameters
    ----------
    own, other : drawings of digits; of letters and symbols.
    mnist, labels : MNIST's ink (n, 28, 28) uint8 and labels (n,), to put on synthetic paper too.
    pictures : drawings and photographs to make, about this many of each.
    held_out : whether the doodles of made-up hands are of kinds that are kept for validation.
    doodles : as people drew them, (n, 28, 28) uint8; None learns from those of made-up hands alone.
    """
    arguments = {"mnist": mnist, "labels": labels, "processes": processes}
    made_up = pictures if doodles is None else pictures // 2
    parts = [
        make(drawn, pictures, seed, own, **arguments),
        make(_photographs, pictures, seed + 1, own, **arguments),
        make(_signs, 2 * pictures, seed + 2, other, **arguments),
        make(_photographs, pictures // 8, seed + 3, other, **arguments),
        make(_scribbles, pictures // 6, seed + 4, own, **arguments),
        make(partial(_doodles, held_out=held_out), made_up, seed + 5, own, **arguments),
        make(_printed, pictures // 6, seed + 6, own, **arguments),
    ]
    if doodles is not None:
        parts.append(make(_quickdraw, pictures, seed + 7, doodles, **arguments))
    return Examples.join(parts)


def doubtful(drawings: list[Drawing], classify: Callable, least: float = 0.05) -> np.ndarray:
    """Which drawings have a label that a network trained on all of them does not believe.

    A network trained for few epochs under strong augmentation has learnt what a digit looks like
    but not by heart which of its examples are wrong (Northcutt, Jiang and Chuang 2021).

    Parameters
    ----------
    classify : ink (n, 28, 28) uint8 -> probabilities of the ten digits (n, 10).
    least : a label believed less than this, on average over three renderings, is doubtful.

    Returns
    -------
    (drawings,) bool.
    """
    rng = np.random.default_rng(0)
    belief = np.zeros(len(drawings))
    for _ in range(3):
        ink = np.stack([_only_ink(drawing, rng) for drawing in drawings])
        labels = np.array([int(drawing.label) for drawing in drawings])
        belief += classify(ink)[np.arange(len(drawings)), labels] / 3
    return belief < least


def _only_ink(drawing: Drawing, rng: np.random.Generator) -> np.ndarray:
    """A drawing's 28x28 ink, with all of its strokes whatever the segmentation would say."""
    canvas = render(drawing, rng, 120.0, float(rng.uniform(6, 16)))
    return to_frame(canvas.astype(np.float32) / 255, canvas > 100)
