"""Little drawings that people try a digit reader with, a heart or a face, as strokes by hand."""

from functools import cache
from pathlib import Path

import numpy as np

from digitlab.hands import Drawing

INVENTED = 0.4  # of the doodles to learn from: of no kind that has a name
SHAKE = 2.5  # standard deviation of each point that leads a stroke, on 100 by 100
_FILES = "sketches.txt", "sketches_held_out.txt"
_CURVE = 8  # points between two that lead a curve


@cache
def sketches(held_out: bool) -> dict[str, tuple[str, ...]]:
    """The strokes of each kind to learn from, or of each that is kept for validation.

    In the words that the head of sketches.txt explains, each kind as different people draw it.
    """
    found: dict[str, list[str]] = {}
    lines = Path(__file__).with_name(_FILES[held_out]).read_text("utf-8").splitlines()
    for kind, strokes in (line.split(": ", 1) for line in lines if not line.startswith("#")):
        found.setdefault(kind, []).append(strokes)
    return {kind: tuple(ways) for kind, ways in found.items()}


def doodle(rng: np.random.Generator, held_out: bool = False) -> Drawing:
    """A doodle by a hand of its own; its label is its kind, of which none looks like a digit.

    Parameters
    ----------
    held_out : of a kind kept for validation; else of another kind, or of an invented one.
    """
    if not held_out and rng.random() < INVENTED:
        kind, strokes = "invented", _invented(rng)
    else:
        known = sketches(held_out)
        kind = list(known)[int(rng.integers(len(known)))]
        ways = known[kind]
        strokes = ways[int(rng.integers(len(ways)))]
    paths = [_path(stroke, rng) for stroke in strokes.split(";")]
    return Drawing(kind, "doodle", kind, tuple(_by_hand(paths, rng)))


def _path(stroke: str, rng: np.random.Generator) -> np.ndarray:
    """One stroke's points (n, 2), those that lead it a little out of place."""
    return np.concatenate([_segment(words.split(), rng) for words in stroke.split("+")])


def _segment(words: list[str], rng: np.random.Generator) -> np.ndarray:
    form = words.pop(0) if words[0] in ("~", "o") else ""
    points = np.array([word.split(",") for word in words], float)
    if form == "o":
        return _ellipse(points, rng)
    closed = len(points) > 2 and bool((points[0] == points[-1]).all())
    points = points + rng.normal(0, min(SHAKE, 0.2 * float(np.ptp(points, 0).max())), points.shape)
    if closed and rng.random() < 0.6:  # else it misses its start by a little
        points[-1] = points[0]
    return _curve(points) if form == "~" else _straight(points)


def _ellipse(words: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An ellipse or its arc; the ends of a whole one seldom meet."""
    middle, radii = words[0], words[1] * np.exp(rng.normal(0, 0.08, 2))
    if len(words) > 2:
        start, end = words[2] + rng.normal(0, 4, 2)
    else:
        start = rng.uniform(-150, -30)
        end = start + 360 + rng.normal(0, 14)
    turn = np.deg2rad(np.linspace(start, end, 33))[:, None]
    turn = turn[::-1] if rng.random() < 0.5 and len(words) == 2 else turn
    shift = rng.normal(0, 0.04, 2) * radii
    return middle + shift + np.hstack([np.cos(turn), np.sin(turn)]) * radii


def _straight(points: np.ndarray) -> np.ndarray:
    """Points joined by straight lines, with more in between, which the hand then bends."""
    at = np.linspace(0, len(points) - 1, _CURVE * (len(points) - 1) + 1)
    return np.stack([np.interp(at, np.arange(len(points)), axis) for axis in points.T], 1)


def _curve(points: np.ndarray) -> np.ndarray:
    """A curve through points (Catmull and Rom 1974), its ends as if they went straight on."""
    ends = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    lead = np.vstack([ends[0], points, ends[1]])
    before, first, second, after = lead[:-3], lead[1:-2], lead[2:-1], lead[3:]
    t = np.linspace(0, 1, _CURVE, endpoint=False)[:, None, None]
    bent = first + 0.5 * t * (
        second
        - before
        + t * (2 * before - 5 * first + 4 * second - after)
        + t * t * (3 * (first - second) + after - before)
    )
    return np.vstack([bent.swapaxes(0, 1).reshape(-1, 2), points[-1]])


def _by_hand(paths: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes turned, stretched, slanted and mirrored together, each a little shaky."""
    angle, stretch, slant = rng.normal(0, 0.08), np.exp(rng.normal(0, 0.12)), rng.normal(0, 0.1)
    change = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    change = change @ [[stretch, slant], [0, 1]]
    if rng.random() < 0.3:
        change = change @ np.diag([-1, 1])
    firm = float(rng.uniform(0.2, 1.4))
    return [((path + _tremor(path, firm, rng)) @ change.T).astype(np.float32) for path in paths]


def _tremor(path: np.ndarray, firm: float, rng: np.random.Generator) -> np.ndarray:
    """How far a hand strays from where it wanted to go, slowly along the stroke; (n, 2)."""
    along = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()]) / 100
    strayed = rng.normal(0, 0.6, 2) + np.zeros_like(path)
    for waves in (0.5, 1, 2, 4):
        phase = 2 * np.pi * (waves * along + rng.random())
        strayed += rng.normal(0, 1.3 / np.sqrt(waves), 2) * np.sin(phase)[:, None]
    return firm * strayed


def _invented(rng: np.random.Generator) -> str:
    """A body with things in and on it, as the strokes of a sketch."""
    body = _BODIES[int(rng.integers(len(_BODIES)))]
    chosen = rng.permutation(len(_THINGS))[: int(rng.integers(2, 6))]
    things = [_THINGS[i] for i in chosen]
    return "; ".join([body, *things])


_BODIES = (
    "o 50,50 36,36",
    "o 50,50 40,28",
    "o 50,50 26,40",
    "20,25 80,25 80,78 20,78 20,25",
    "50,14 84,80 16,80 50,14",
    "50,12 86,50 50,88 14,50 50,12",
    "16,40 50,14 84,40 72,82 28,82 16,40",
    "~ 50,22 30,12 14,34 24,62 50,86 76,62 86,34 70,12 50,22",
    "~ 50,14 66,30 86,36 72,56 76,82 50,72 24,82 28,56 14,36 34,30 50,14",
    "~ 18,70 14,48 32,40 44,20 64,24 70,40 86,48 82,70 18,70",
    "o 50,66 38,50 180,360 + 88,66 12,66",
    "12,34 88,34 72,80 28,80 12,34",
    "~ 20,20 50,30 80,20 70,50 80,80 50,70 20,80 30,50 20,20",
)
"""What an invented doodle is built on."""

_THINGS = (
    "o 38,42 4,5; o 62,42 4,5",
    "38,38 38,46; 62,38 62,46",
    "~ 34,60 50,70 66,60",
    "36,64 64,64",
    "o 50,50 10,10",
    "50,20 50,80",
    "18,50 82,50",
    "24,60 76,60; 26,68 74,68",
    "30,30 70,72; 70,30 30,72",
    "o 32,88 9,9; o 68,88 9,9",
    "36,80 36,100; 64,80 64,100",
    "46,82 46,102; 54,82 54,102",
    "20,52 0,38; 80,52 100,38",
    "20,52 2,66; 80,52 98,66",
    "30,24 18,2 42,18; 58,18 82,2 70,24",
    "~ 36,20 30,-6 42,-4 46,18; ~ 54,18 58,-4 70,-6 64,20",
    "50,14 50,0; o 50,-4 4,4",
    "50,-6 50,6; 100,50 88,50; 50,106 50,94; 0,50 12,50; 88,12 80,20; 12,12 20,20; 12,88 20,80;"
    " 88,88 80,80",
    "~ 82,60 100,55 96,76 110,72",
    "20,30 -2,20 -2,80 20,70",
    "26,46 34,56 42,46 50,56 58,46 66,56 74,46",
    "~ 20,90 35,98 50,90 65,98 80,90",
    "44,46 56,46 50,56 44,46",
    "40,80 40,62 60,62 60,80",
)
"""What is put in and on it."""
