"""Strokes as people wrote them, and as other hands would: with flags, slashes, bars and feet."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitlab.errors import DataError

DIGIT_LIKE = set("OoIl|ZSBqgb")
"""Signs whose shape a person takes for a digit: whether they are refused is not counted."""

UNTAUGHT = DIGIT_LIKE | set("izsT!/()")
"""Signs that many a hand writes like a digit: no fair examples of "not a digit" to learn from."""


@dataclass(frozen=True)
class Drawing:
    """One sign as it was written.

    Attributes
    ----------
    label : the sign, "0" to "9" or another character.
    source : the site that collected it.
    page : the file that it was in, about one writer.
    strokes : the pen's paths, each (points, 2) float32, x to the right and y downwards.
    """

    label: str
    source: str
    page: str
    strokes: tuple[np.ndarray, ...]


def load_drawings(path: Path) -> list[Drawing]:
    """The drawings of a gzipped file of JSON lines.

    Raises DataError if the file is missing or not of that form.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [_drawing(json.loads(line)) for line in lines]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise DataError(
            f"{path} is no gzipped file of drawings, one JSON a line: {error}"
        ) from error


def _drawing(entry: dict) -> Drawing:
    strokes = tuple(np.array(stroke, np.float32).reshape(-1, 2) for stroke in entry["strokes"])
    return Drawing(str(entry["label"]), entry["source"], entry["page"], strokes)


def flagged(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 1 as much of Europe and Latin America writes it: with an upstroke, perhaps a foot.

    Other drawings, and a 1 that is no single steep stroke, come back as they are.
    """
    if drawing.label != "1" or len(drawing.strokes) != 1:
        return drawing
    stem = drawing.strokes[0]
    low, high = stem.min(0), stem.max(0)
    tall, wide = high[1] - low[1], high[0] - low[0]
    if wide > 0.45 * tall or len(stem) < 2:
        return drawing
    if stem[0, 1] > stem[-1, 1]:
        stem = stem[::-1]
    reach = tall * rng.uniform(0.12, 0.7)
    # A 7 begins with a bar that is nearly level; an upstroke is steeper.
    drop = reach * rng.uniform(0.55, 1.9)
    tip = stem[0] + [-reach, min(drop, 0.95 * tall)]
    time = np.linspace(0, 1, 9)[:, None]
    # Straight, bulging, or level at first and then up along the stem.
    level = np.array([stem[0, 0], tip[1]])
    bend = rng.uniform(-0.35, 1.0) * (level - (tip + stem[0]) / 2)
    flag = tip * (1 - time) ** 2 + ((tip + stem[0]) / 2 + bend) * 2 * time * (1 - time)
    flag = flag + stem[0] * time**2
    strokes = [np.concatenate([flag, stem]).astype(np.float32)]
    if rng.random() < 0.25:
        left, right = rng.uniform(0.1, 0.4, 2) * tall
        foot = [stem[-1] + [-left, rng.normal(0, 0.03) * tall], stem[-1] + [right, 0]]
        strokes.append(np.array(foot, np.float32))
    return Drawing("1", drawing.source, drawing.page, tuple(strokes))


def slashed(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 0 with a stroke through it, aslant or upright, inside or beyond its edge.

    Other drawings come back as they are.
    """
    if drawing.label != "0":
        return drawing
    points = np.concatenate(drawing.strokes)
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, np.maximum(high - low, 1e-3) / 2
    lean = rng.uniform(0.0, 1.0) * (1 if rng.random() < 0.8 else -1)
    reach = rng.uniform(0.55, 1.25) if rng.random() < 0.7 else rng.uniform(1.2, 1.9)
    end = np.array([lean, -np.sqrt(1 - 0.6 * lean**2)]) * half * reach
    shift = rng.normal(0, 0.08, 2) * half
    slash = np.array([middle + shift - end, middle + shift + end], np.float32)
    return Drawing("0", drawing.source, drawing.page, (*drawing.strokes, slash))


def crossed(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 7 with a short bar through its stem; one with several strokes comes back as it is."""
    if drawing.label != "7" or len(drawing.strokes) != 1 or len(drawing.strokes[0]) < 4:
        return drawing
    stem = drawing.strokes[0]
    tall = float(np.ptp(stem[:, 1]))
    level = stem[:, 1].min() + rng.uniform(0.3, 0.72) * tall
    lower_half = stem[len(stem) // 2 :]
    centre = lower_half[np.abs(lower_half[:, 1] - level).argmin(), 0]
    strokes = (stem, _bar(centre, level, tall, rng))
    return Drawing("7", drawing.source, drawing.page, strokes)


def footed(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 2 that ends in a long, level foot, as on a ruled line.

    Other drawings, and a 2 of several strokes, come back as they are.
    """
    if drawing.label != "2" or len(drawing.strokes) != 1 or len(drawing.strokes[0]) < 6:
        return drawing
    stroke = drawing.strokes[0]
    tall = float(np.ptp(stroke[:, 1]))
    corner = int((stroke[:, 1] - stroke[:, 0]).argmax())  # the lowest on the left
    end = stroke[corner] + [tall * rng.uniform(0.5, 1.1), tall * rng.normal(0, 0.02)]
    strokes = (np.concatenate([stroke[: corner + 1], [end]]).astype(np.float32),)
    return Drawing("2", drawing.source, drawing.page, strokes)


def curled(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 2 that begins with a curl inside its bow, as French schools teach it.

    Other drawings, and a 2 that is not one stroke from its top left, come back as they are.
    """
    if not _is_simple_two(drawing):
        return drawing
    stroke = drawing.strokes[0]
    tall = float(np.ptp(stroke[:, 1]))
    steps = np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum()
    ahead = stroke[1 + int(np.searchsorted(steps, 0.08 * tall).clip(0, len(steps) - 1))]
    along = (ahead - stroke[0]) / max(float(np.linalg.norm(ahead - stroke[0])), 1e-3)
    # The bow turns clockwise, and so does the curl that leads into it.
    spoke = tall * rng.triangular(0.05, 0.08, 0.28) * np.array([along[1], -along[0]])
    turn = np.linspace(-np.deg2rad(rng.uniform(120, 400)), 0, 20)[:-1, None]
    across = np.array([-spoke[1], spoke[0]])
    curl = stroke[0] - spoke + np.cos(turn) * spoke + np.sin(turn) * across
    strokes = (np.concatenate([curl, stroke]).astype(np.float32),)
    return Drawing("2", drawing.source, drawing.page, strokes)


def looped(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 2 whose bow begins low, at its own stem, so that it is nearly closed; often narrow.

    Other drawings, and a 2 that is not one stroke from its top left, come back as they are.
    """
    if not _is_simple_two(drawing):
        return drawing
    stroke = drawing.strokes[0] * np.float32([rng.uniform(0.65, 1.0), 1.0])
    tall = float(np.ptp(stroke[:, 1]))
    below = np.flatnonzero(stroke[:, 1] > stroke[:, 1].min() + 0.5 * tall)
    bow = stroke[: max(2, int(below[0]))]
    centre, half = (bow.min(0) + bow.max(0)) / 2, np.maximum(np.ptp(bow, axis=0) / 2, 1e-3)
    spoke = (stroke[0] - centre) / half
    # The bow turns clockwise; what leads into it goes on from its start the other way round.
    back = np.linspace(np.deg2rad(rng.uniform(50, 190)), 0, 16)[:-1, None]
    inwards = 1 - (1 - rng.uniform(0.45, 1.0)) * back / back[0]
    turned = np.cos(back) * spoke + np.sin(back) * [spoke[1], -spoke[0]]
    lead = centre + turned * inwards * half * [1.0, rng.uniform(0.9, 1.3)]
    strokes = (np.concatenate([lead, stroke]).astype(np.float32),)
    return Drawing("2", drawing.source, drawing.page, strokes)


def _is_simple_two(drawing: Drawing) -> bool:
    """Whether a drawing is a 2 of one stroke that begins at its top left."""
    if drawing.label != "2" or len(drawing.strokes) != 1 or len(drawing.strokes[0]) < 6:
        return False
    stroke = drawing.strokes[0]
    deep = stroke[0, 1] - stroke[:, 1].min() > 0.5 * float(np.ptp(stroke[:, 1]))
    return not deep and stroke[0, 0] <= stroke[:, 0].mean()


def stepped(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 4 whose stem begins at the bar, below where its first stroke does, like an h or a ч.

    Other drawings, and a 4 that is not made of a corner and a stem, come back as they are.
    """
    if drawing.label != "4" or len(drawing.strokes) != 2:
        return drawing
    corner, stem = sorted(drawing.strokes, key=lambda stroke: stroke[:, 1].max())
    tall = float(np.ptp(np.concatenate(drawing.strokes)[:, 1]))
    top, bottom = float(stem[:, 1].min()), float(stem[:, 1].max())
    level = float(corner[-1, 1])
    if corner[0, 1] > corner[-1, 1] - 0.2 * tall or bottom - max(top, level) < 0.2 * tall:
        return drawing
    start, end = level - rng.uniform(-0.03, 0.22) * tall, bottom + rng.uniform(0, 0.25) * tall
    stem = stem if stem[0, 1] < stem[-1, 1] else stem[::-1]
    down = start + (stem[:, 1] - top) * (end - start) / (bottom - top)
    stem = np.stack([stem[:, 0], down], 1).astype(np.float32)
    raised = corner.copy()
    raised[:, 1] = level + (corner[:, 1] - level) * rng.uniform(1.0, 1.8)
    strokes = (np.concatenate([raised, stem]),) if rng.random() < 0.5 else (raised, stem)
    return Drawing("4", drawing.source, drawing.page, strokes)


def plain(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 1 or a 7 of one or two straight lines, as a mouse draws them; others as they are.

    Hands on paper hardly ever write so. Without them a narrow 7 of two straight lines is taken
    for a piece of another sign, of which there are many.
    """
    if drawing.label == "1":
        path = np.array([[rng.normal(0.08, 0.1), 0.0], [0.0, 1.0]])
    elif drawing.label == "7":
        width = float(np.exp(rng.uniform(np.log(0.26), np.log(0.8))))
        foot = width * (1 - rng.uniform(0.0, 0.9))
        path = np.array([[0.0, rng.normal(0, 0.04)], [width, 0.0], [foot, 1.0]])
    else:
        return drawing
    path += rng.normal(0, 0.015, path.shape)
    # as many points as a hand's stroke has: a flag or a bar is put at one of them
    steps = np.linspace(0, len(path) - 1, 12 * (len(path) - 1) + 1)
    points = [np.interp(steps, np.arange(len(path)), axis) for axis in path.T]
    stroke = np.stack(points, 1).astype(np.float32)
    return Drawing(drawing.label, drawing.source, drawing.page, (stroke,))


def barred(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A 7 with a bar through its stem and hardly a head, like a t; others as they are."""
    if drawing.label != "7":
        return drawing
    reach, lean = rng.uniform(0.08, 0.4), rng.uniform(-0.05, 0.35)
    time = np.linspace(0, 1, 13)[:, None]
    head = np.array([[-reach, rng.uniform(-0.02, 0.3) * reach], [0.0, 0.0]])
    head = head[0] * (1 - time) + head[1] * time
    stem = time * [-lean, 1.0] + time * (1 - time) * [rng.normal(0.05, 0.12), 0.0]
    level = rng.uniform(0.3, 0.62)
    bar = _bar(stem[int(level * 12), 0], level, 1.0, rng)
    strokes = (np.concatenate([head, stem[1:]]).astype(np.float32), bar)
    return Drawing("7", drawing.source, drawing.page, strokes)


def _bar(centre: float, level: float, tall: float, rng: np.random.Generator) -> np.ndarray:
    """A short bar, nearly level, through (centre, level) of a digit `tall` high, (2, 2) float32."""
    left, right = rng.uniform(0.12, 0.4, 2) * tall
    rise = rng.normal(0, 0.06, 2) * tall
    bar = np.array([[centre - left, level + rise[0]], [centre + right, level - rise[1]]])
    return bar.astype(np.float32)


def straightened(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """The same sign by a hand that draws straight lines and clear corners."""
    points = np.concatenate(drawing.strokes)
    size = float((points.max(0) - points.min(0)).max())
    slack = size * float(rng.uniform(0.02, 0.08))
    strokes = [
        cv2.approxPolyDP(stroke.reshape(-1, 1, 2), slack, False).reshape(-1, 2)
        for stroke in drawing.strokes
    ]
    return Drawing(drawing.label, drawing.source, drawing.page, tuple(strokes))
