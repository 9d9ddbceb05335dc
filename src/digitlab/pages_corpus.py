"""Synthetic pages with the truth of every pixel: what the binarization network learns from."""

from functools import partial

import cv2
import numpy as np

from digitlab.binarization import TALL, as_input
from digitlab.clutter import log_uniform
from digitlab.corpus import in_chunks, write_signs
from digitlab.light import even_light, level_of, resize, to_grey
from digitlab.paper import SMALL_SIDE
from digitlab.scenery import scenery, striped
from digitlab.synthesis import Scene, Writing, cropped, photograph, render, write_row

SIDE = 128  # pixels of a training window
ROOM = 0.35  # of the pages have wide margins
ASKEW = 0.3  # are photographed by a hand that tilts the camera
TILT = np.deg2rad(4)  # standard deviation
BARE = 0.1  # of them show nothing that was written, but stripes or things
COLUMNS = 0.06  # of the writings are columns of digits
ONES = 0.1  # of them are mostly ones, which are most like a line
CLOSE = 0.35  # of the pages are cut out close around a digit or two, as people crop
_PLAIN = {"printed": 0.12, "desk": 0.1, "heavy": 0.06, "cast": 0.08}
_COMMON = _PLAIN | {"folded": 0.1, "pen": 0.1, "finger": 0.06, "holes": 0.06, "glare": 0.06}
_COMMON |= {"captioned": 0.08}
TALL_ON_PAGE = 20, 110  # pixels; of the digits, before the page is brought to the network's scale
LINES = 0.75, 0.18, 0.07  # chances of one, two and three of them
SCENES = (
    (2.0, Scene(**_COMMON)),
    (1.6, Scene(ruled=1.0, **_COMMON)),
    (1.2, Scene(underlined=1.0, **_COMMON)),
    (2.0, Scene(squared=1.0, faint=0.25, **_COMMON)),
    (1.8, Scene(boxed=1.0, **_COMMON)),
    (2.2, Scene(celled=1.0, **_COMMON)),
    (0.4, Scene(underscored=1.0, **_PLAIN)),
    (0.5, Scene(boxed=1.0, ruled=1.0, **_COMMON)),
    (6.0, Scene(security=1.0, faint=0.35, ruled=0.15, boxed=0.1, **_PLAIN)),
    (0.8, Scene(faint=1.0, **_COMMON)),
    (0.5, Scene(printed=1.0, boxed=0.3, ruled=0.3)),
)
_CHUNK = 100


def make(pages: int, seed: int, digits, others, mnist, labels, processes: int = 2):
    """Windows of about `pages` synthetic pages.

    Parameters
    ----------
    digits, others : drawings of digits; of letters and symbols.
    mnist, labels : MNIST's ink (n, 28, 28) uint8 and labels (n,).

    Returns
    -------
    Windows (n, SIDE, SIDE) uint8 as `binarization.as_input` makes them, and how much of each
    pixel is handwriting, likewise.
    """
    count = min(pages, _CHUNK)
    work = partial(_windows, count=count, digits=digits, others=others, mnist=mnist, labels=labels)
    found = in_chunks(work, pages, _CHUNK, seed, processes)
    return tuple(np.stack(part) for part in zip(*found, strict=True))


def _windows(seed: int, count: int, digits, others, mnist, labels) -> list[tuple]:
    rng = np.random.default_rng(seed)
    chances = np.array([weight for weight, _ in SCENES])
    found = []
    for _ in range(count):
        if rng.random() < BARE:
            found += _bare(rng)
            continue
        scene = SCENES[rng.choice(len(SCENES), p=chances / chances.sum())][1]
        writing, tall = _page(rng, digits, others, mnist, labels)
        writing = _with_room(writing, tall, rng) if rng.random() < ROOM else writing
        if rng.random() < ASKEW:
            picture, writing = _askew(writing, rng, scene)
        else:
            picture = photograph(writing, rng, scene)
        if rng.random() < CLOSE:
            picture, writing = _close_up(picture, writing, rng)
        found += _cut(picture, writing.ink, tall, rng)
    return found


def _bare(rng) -> list[tuple]:
    """Windows of a picture without any writing."""
    tall = log_uniform(rng, *TALL_ON_PAGE)
    picture = striped(rng, tall) if rng.random() < 0.6 else scenery(rng)
    return _cut(picture, np.zeros(picture.shape[:2], np.uint8), tall, rng)


def _with_room(writing: Writing, tall: float, rng) -> Writing:
    """The same on a larger page: what lies beside the writing is farther away."""
    (top, bottom), (left, right) = (rng.uniform(0, 2.5, (2, 2)) * tall).astype(int)
    return _padded(writing, (top, bottom), (left, right))


def _padded(writing: Writing, rows: tuple[int, int], columns: tuple[int, int]) -> Writing:
    """The same with so many pixels more before and after its rows and its columns."""
    ink = np.pad(writing.ink, (rows, columns))
    boxes = writing.boxes + np.array([columns[0], rows[0], 0, 0])
    return Writing(ink, writing.labels, boxes)


def _askew(writing: Writing, rng, scene: Scene) -> tuple[np.ndarray, Writing]:
    """A photograph by a camera that was held a little turned and tilted."""
    height, width = writing.ink.shape
    room = round(0.2 * max(height, width))  # what is turned into the picture is paper, too
    wide = _padded(writing, (room, room), (room, room))
    angle = float(np.clip(rng.normal(0, TILT), -2.5 * TILT, 2.5 * TILT))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    centre = np.array([width, height]) / 2
    seen = (corners - centre) @ turn.T + centre + rng.normal(0, 0.02, (4, 2)) * min(height, width)
    change = cv2.getPerspectiveTransform(
        (corners + room).astype(np.float32), seen.astype(np.float32)
    )
    picture, ink = (
        cv2.warpPerspective(page, change, (width, height), flags=cv2.INTER_LINEAR)
        for page in (photograph(wide, rng, scene), wide.ink)
    )
    x, y, w, h = wide.boxes.T.astype(float)
    middles = np.stack([x + w / 2, y + h / 2], 1)[:, None]
    moved = cv2.perspectiveTransform(middles, change)[:, 0] - np.stack([w, h], 1) / 2
    boxes = np.concatenate([np.rint(moved), wide.boxes[:, 2:]], 1).astype(int)
    return picture, Writing(ink, writing.labels, boxes)


def _close_up(picture: np.ndarray, writing: Writing, rng) -> tuple[np.ndarray, Writing]:
    """A part of a page that one to three digits fill: strokes end near its edge or on it."""
    count = min(len(writing.boxes), int(rng.choice([1, 2, 3], p=[0.75, 0.15, 0.1])))
    first = int(rng.integers(len(writing.boxes) - count + 1))
    boxes = writing.boxes[first : first + count]
    tall = float(boxes[:, 3].mean())
    low = boxes[:, :2].min(0) - rng.uniform(-0.03, 0.35, 2) * tall
    high = (boxes[:, :2] + boxes[:, 2:]).max(0) + rng.uniform(-0.03, 0.35, 2) * tall
    return cropped(picture, writing, low, high)


def _page(rng, digits, others, mnist, labels) -> tuple[Writing, float]:
    """One line of writing, or two or three, or a column of digits, and the height of its digits."""
    tall = log_uniform(rng, *TALL_ON_PAGE)
    column, rows = rng.random() < COLUMNS, []
    if rng.random() < ONES:
        digits = [d for d in digits if d.label == "1"] or digits
    for _ in range(int(rng.integers(3, 9) if column else rng.choice([1, 2, 3], p=LINES))):
        count = 1 if column or rng.random() < 0.3 else int(rng.integers(2, 9))
        signs = write_signs(digits, mnist, labels, rng, count, tall)
        if rng.random() < 0.15:
            other = others[int(rng.integers(len(others)))]
            signs.insert(
                int(rng.integers(len(signs) + 1)),
                (other.label, render(other, rng, tall * rng.uniform(0.3, 1.0), 0.08 * tall)),
            )
        rows.append(write_row(signs, rng, (-0.12, 0.12) if rng.random() < 0.4 else (0.05, 0.7)))
    if column:
        room = round(rng.uniform(0, 0.3) * tall / 2)
        rows = [_trimmed(row, room) for row in rows]
    return _stacked(rows), tall


def _stacked(rows: list[Writing]) -> Writing:
    """Lines of writing below each other."""
    width = max(row.ink.shape[1] for row in rows)
    ink = np.vstack([np.pad(r.ink, ((0, 0), (0, width - r.ink.shape[1]))) for r in rows])
    return Writing(ink, sum((r.labels for r in rows), ()), rows[0].boxes)


def _trimmed(row: Writing, room: int) -> Writing:
    """A row with no more than `room` pixels above its highest digit and below its lowest."""
    top = max(0, int(row.boxes[:, 1].min()) - room)
    foot = int((row.boxes[:, 1] + row.boxes[:, 3]).max()) + room
    return Writing(row.ink[top:foot], row.labels, row.boxes - [0, top, 0, 0])


def _cut(picture, ink, tall: float, rng) -> list[tuple]:
    """Up to three windows of a photograph, in the network's scale, with their truth."""
    small = min(picture.shape[:2])
    picture, factor = resize(picture, min(4.0, max(1.0, SMALL_SIDE / small)))
    darkness = even_light(picture, to_grey(picture)).darkness
    level = level_of(darkness)
    if level is None:
        return []
    wanted = TALL * float(np.exp(rng.normal(0, 0.3)))
    size = [max(8, round(side * wanted / tall)) for side in ink.shape[::-1]]
    method = cv2.INTER_AREA if wanted < tall * factor else cv2.INTER_CUBIC
    page = as_input(cv2.resize(darkness, size, interpolation=method), level)
    method = cv2.INTER_AREA if wanted < tall else cv2.INTER_CUBIC
    truth = cv2.resize(ink, size, interpolation=method)
    area = page.size / SIDE**2
    return [_window(page, truth, rng) for _ in range(1 if area < 1.5 else 2 if area < 4 else 3)]


def _window(page: np.ndarray, truth: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray]:
    """A window at a random place; bare paper where the page has ended."""
    out = []
    top, left = (int(rng.integers(0, max(1, side - SIDE + 1))) for side in page.shape)
    for picture, empty in ((page, 64), (truth, 0)):
        window = np.full((SIDE, SIDE), empty, np.uint8)
        part = picture[top : top + SIDE, left : left + SIDE]
        window[: part.shape[0], : part.shape[1]] = part
        out.append(window)
    return tuple(out)
