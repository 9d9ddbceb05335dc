"""Drawings and photographs that nobody made: strokes rendered with any pen on any paper.

Used to train on what the app will see, and to test it; nothing here runs when a digit is read.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitlab import clutter, forms
from digitlab.forms import FRACTION
from digitlab.hands import Drawing

LINKED_FEET = 0.5  # of the hands that link zeros do it there


def render(
    drawing: Drawing,
    rng: np.random.Generator,
    height: float,
    pen: float,
    lean: float = 0.0,
    swell: float = 0.0,
) -> np.ndarray:
    """The drawing's ink, cut to its box, (h, w) uint8 with 255 for ink.

    Parameters
    ----------
    rng : for a small random rotation and stretch.
    height : of the longer side in pixels, pen excluded.
    pen : width of the stroke in pixels.
    lean : horizontal pixels to the right for each pixel upwards, added to the writer's own.
    swell : how much thinner than a downstroke the others are, 0 for none to 1: as a nib that
        spreads under pressure writes.
    """
    points = np.concatenate(drawing.strokes)
    centre = (points.min(0) + points.max(0)) / 2
    angle, stretch = np.deg2rad(rng.normal(0, 4)), np.exp(rng.normal(0, 0.07))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    change = turn @ np.array([[stretch, -lean], [0, 1 / stretch]])
    strokes = [(stroke - centre) @ change.T for stroke in drawing.strokes]
    low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
    factor = height / max(float((high - low).max()), 1e-3)
    margin = pen / 2 + 1
    size = np.ceil((high - low) * factor + 2 * margin).astype(int)
    canvas = np.zeros((int(size[1]), int(size[0])), np.uint8)
    for stroke in strokes:
        path = (stroke - low) * factor + margin
        if swell and len(path) > 1:
            _draw_with_nib(canvas, path, pen, swell)
        else:
            _draw(canvas, path, pen)
    return canvas


def _draw(canvas: np.ndarray, path: np.ndarray, pen: float) -> None:
    if len(path) == 1 or float(np.ptp(path, 0).max()) < 0.5:
        middle, radius = np.rint(path[0] * (1 << FRACTION)), round(pen / 2 * (1 << FRACTION))
        cv2.circle(canvas, middle.astype(int).tolist(), radius, 255, -1, cv2.LINE_AA, FRACTION)
        return
    forms.polyline(canvas, path, max(1, round(pen)))


def _draw_with_nib(canvas: np.ndarray, path: np.ndarray, pen: float, swell: float) -> None:
    """A path (points, 2) in pixels, as wide as the pen where it runs down, thinner elsewhere."""
    length = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
    steps = max(2, int(length[-1] / max(1.0, pen / 4)))
    at = np.linspace(0, length[-1], steps + 1)
    fine = np.stack([np.interp(at, length, path[:, axis]) for axis in (0, 1)], 1)
    down = np.diff(fine[:, 1]) / max(length[-1] / steps, 1e-6)
    # Pressure neither comes nor goes at once.
    down = cv2.GaussianBlur(down.reshape(-1, 1), (1, 0), 0, sigmaY=3.0).ravel()
    widths = pen * (1 - swell * (1 - down.clip(0, 1)))
    for start, width in enumerate(widths):
        _draw(canvas, fine[start : start + 2], max(1.0, float(width)))


@dataclass(frozen=True)
class Writing:
    """Signs placed on a page.

    Attributes
    ----------
    ink : (h, w) uint8, 255 for ink.
    labels : what was written, one sign each, in reading order.
    boxes : (signs, 4) int, left, top, width, height of each sign.
    """

    ink: np.ndarray
    labels: tuple[str, ...]
    boxes: np.ndarray


def write_row(
    signs: list[tuple[str, np.ndarray]], rng: np.random.Generator, gap: tuple[float, float]
) -> Writing:
    """Signs in a row, as a hand sets them.

    Parameters
    ----------
    signs : label and ink (h, w) uint8 of each.
    gap : least and greatest space between two, as a share of their height; negative overlaps.
    """
    tall = max(ink.shape[0] for _, ink in signs)
    margin = int(tall * rng.uniform(0.12, 0.9))
    slope, x, places = rng.normal(0, 0.03), float(margin), []
    for _, ink in signs:
        y = (tall - ink.shape[0]) / 2 + rng.normal(0, 0.05) * tall + slope * x
        places.append((int(x), y))
        x += ink.shape[1] + rng.uniform(*gap) * tall
    lift = min(y for _, y in places)
    places = [(x, int(y - lift) + margin) for x, y in places]
    width = max(x + ink.shape[1] for (x, _), (_, ink) in zip(places, signs, strict=True)) + margin
    height = max(y + ink.shape[0] for (_, y), (_, ink) in zip(places, signs, strict=True)) + margin
    page = np.zeros((height, width), np.uint8)
    for (x, y), (_, ink) in zip(places, signs, strict=True):
        view = page[y : y + ink.shape[0], x : x + ink.shape[1]]
        np.maximum(view, ink, out=view)
    boxes = [ink_box(ink, x, y) for (x, y), (_, ink) in zip(places, signs, strict=True)]
    return Writing(page, tuple(label for label, _ in signs), np.array(boxes))


def cropped(picture: np.ndarray, writing: Writing, low, high) -> tuple[np.ndarray, Writing]:
    """A part of a writing's picture, and of the writing; what is cut off keeps its box and label.

    Parameters
    ----------
    picture : (h, w, 3) uint8, the photograph of `writing`.
    low, high : x and y of the part's corners in pixels; it ends where the picture does and is at
        least 8 pixels wide and high.
    """
    left, top = np.rint(np.maximum(low, 0)).astype(int)
    right, bottom = np.maximum(np.rint(high).astype(int), [left + 8, top + 8])
    part = slice(top, bottom), slice(left, right)
    boxes = writing.boxes - [left, top, 0, 0]
    return np.ascontiguousarray(picture[part]), Writing(writing.ink[part], writing.labels, boxes)


def linked(writing: Writing, rng: np.random.Generator) -> Writing:
    """Neighbouring zeros joined at their tops or their feet, as a running hand writes them."""
    ink = writing.ink.copy()
    level, sag = (0.97, (-0.3, 0.1)) if rng.random() < LINKED_FEET else (0.03, (-0.1, 0.3))
    thickness = 2 * float(cv2.distanceTransform((ink > 100).astype(np.uint8), cv2.DIST_L2, 3).max())
    for i in range(len(writing.labels) - 1):
        if writing.labels[i : i + 2] != ("0", "0"):
            continue
        (x, y, w, h), (other_x, other_y, other_w, other_h) = writing.boxes[i : i + 2].astype(float)
        start = np.array([x + w * rng.uniform(0.4, 0.8), y + level * h])
        end = np.array([other_x + other_w * rng.uniform(0.2, 0.6), other_y + level * other_h])
        middle = (start + end) / 2 + [0, rng.uniform(*sag) * h]
        time = np.linspace(0, 1, 9)[:, None]
        path = start * (1 - time) ** 2 + middle * 2 * time * (1 - time) + end * time**2
        _draw(ink, path, float(np.clip(0.6 * thickness, 1, 0.15 * h)))
    return Writing(ink, writing.labels, writing.boxes)


def ink_box(ink: np.ndarray, x: int = 0, y: int = 0) -> tuple[int, int, int, int]:
    """Left, top, width and height of ink (h, w) uint8 that lies at x, y; all if there is none."""
    rows, columns = np.flatnonzero((ink > 100).any(1)), np.flatnonzero((ink > 100).any(0))
    if not rows.size:
        return x, y, ink.shape[1], ink.shape[0]
    return (
        x + int(columns[0]),
        y + int(rows[0]),
        int(columns[-1] - columns[0]) + 1,
        int(rows[-1] - rows[0]) + 1,
    )


@dataclass(frozen=True)
class Scene:
    """What is around the writing: chances of each, all between 0 and 1."""

    ruled: float = 0.0
    underlined: float = 0.0
    squared: float = 0.0
    boxed: float = 0.0
    security: float = 0.0
    shadow: float = 0.5
    faint: float = 0.15
    blur: float = 0.5
    dark_ground: float = 0.06
    printed: float = 0.0
    desk: float = 0.0
    folded: float = 0.0
    pen: float = 0.0
    finger: float = 0.0
    holes: float = 0.0
    glare: float = 0.0
    celled: float = 0.0
    captioned: float = 0.0
    underscored: float = 0.0
    heavy: float = 0.0
    cast: float = 0.0


def photograph(writing: Writing, rng: np.random.Generator, scene: Scene) -> np.ndarray:
    """A photograph of the writing, (h, w, 3) uint8 RGB, the same size as `writing.ink`."""
    height, width = writing.ink.shape
    tall = float(np.median(writing.boxes[:, 3]))
    ink = writing.ink
    if _happens(scene.underscored, rng):
        ink = np.maximum(ink, forms.underscore(ink, writing.boxes, rng))
    cover = _uneven(ink.astype(np.float32) / 255, rng)
    if rng.random() < 0.5:
        cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.3, 0.8))
    ground = np.array(_paper_colour(rng), np.float32)
    pen = _pen_colour(rng, ground, faint=rng.random() < scene.faint)
    page = np.broadcast_to(ground, (height, width, 3)).copy()
    page *= 1 + grain(height, width, rng, 0.025)[..., None]
    page = _print_lines(page, writing, tall, rng, scene)
    if rng.random() < scene.printed:
        page *= 1 - _print_text(writing, tall, rng)[..., None]
    if _happens(scene.captioned, rng):
        share = rng.uniform(0.4, 0.95) / 255
        page *= 1 - share * forms.caption((height, width), writing.boxes, rng)[..., None]
    page = _cluttered(page, writing, tall, rng, scene)
    page = page * (1 - cover[..., None]) + page * (pen / ground) * cover[..., None]
    return exposed(page, tall, rng, scene)


def exposed(page: np.ndarray, tall: float, rng: np.random.Generator, scene: Scene) -> np.ndarray:
    """What a camera makes of a page in some light, (h, w, 3) uint8 RGB.

    Parameters
    ----------
    page : (h, w, 3) float32, its colours in even light, 0 to 255.
    tall : height of a digit in pixels.
    """
    page = page * _light(*page.shape[:2], rng, rng.random() < scene.shadow)[..., None]
    if _happens(scene.cast, rng):
        page = clutter.cast_shadow(page, tall, rng)
    if _happens(scene.glare, rng):
        page = clutter.glare(page, tall, rng)
    if rng.random() < scene.dark_ground:
        page = 255 - page
    if rng.random() < scene.blur:
        page = cv2.GaussianBlur(page, (0, 0), rng.uniform(0.01, 0.05) * tall)
    page += rng.normal(0, rng.uniform(0.5, 7), page.shape)
    return _jpeg(np.rint(page.clip(0, 255)).astype(np.uint8), rng)


def _cluttered(page, writing: Writing, tall: float, rng, scene: Scene) -> np.ndarray:
    """The page with what lies on it and around it."""
    if _happens(scene.folded, rng):
        page = clutter.fold(page, tall, rng)
    if rng.random() < scene.desk:
        page = clutter.lay_on_desk(page, writing.boxes, rng)
    for chance, put in (
        (scene.holes, clutter.punch_holes),
        (scene.pen, clutter.lay_pen),
        (scene.finger, clutter.lay_finger),
    ):
        if _happens(chance, rng):
            page = put(page, writing.ink, tall, rng)
    return page


def _happens(chance: float, rng: np.random.Generator) -> bool:
    """Whether it does; nothing is drawn from `rng` for what never does."""
    return chance > 0 and rng.random() < chance


def _uneven(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink that a ball pen or a pencil does not lay evenly."""
    strength = rng.uniform(0, 0.5) if rng.random() < 0.5 else 0.0
    patches = cv2.resize(
        rng.random((max(2, cover.shape[0] // 5), max(2, cover.shape[1] // 5))).astype(np.float32),
        cover.shape[::-1],
    )
    return cover * (1 - strength * patches)


def _paper_colour(rng: np.random.Generator) -> np.ndarray:
    light = rng.uniform(110, 250)
    tint = rng.uniform(0.85, 1.0, 3) if rng.random() < 0.7 else rng.uniform(0.5, 1.0, 3)
    return light * tint / tint.max()


def _pen_colour(rng: np.random.Generator, ground: np.ndarray, faint: bool) -> np.ndarray:
    """What is left of the ground's light under the pen."""
    left = rng.uniform(0.45, 0.87) if faint else rng.uniform(0.08, 0.55)
    tint = np.ones(3)
    if rng.random() < 0.45:  # blue, red, green ball pens let one colour through
        tint[rng.choice(3, p=[0.25, 0.1, 0.65])] = rng.uniform(1.0, min(2.0, 0.95 / left))
    return ground * left * tint


def grain(height: int, width: int, rng: np.random.Generator, most: float) -> np.ndarray:
    """Texture of paper, or of what is rougher: share of light added or lost, (h, w) float32.

    `most` is its largest standard deviation, where it is coarse.
    """
    coarse = rng.normal(0, 1, (height // 3 + 2, width // 3 + 2)).astype(np.float32)
    return cv2.resize(coarse, (width, height)) * rng.uniform(0.0, most)


def _light(height: int, width: int, rng: np.random.Generator, shadow: bool) -> np.ndarray:
    """A slope of light over the page, and perhaps a shadow with a soft edge."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    light = 1 + rng.uniform(0, 0.5) * along
    if shadow:
        angle = rng.uniform(0, 2 * np.pi)
        along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
        edge = (along - rng.uniform(-0.4, 0.4)) / rng.uniform(0.01, 0.2)
        light *= 1 - rng.uniform(0.1, 0.5) / (1 + np.exp(-np.clip(edge, -30, 30)))
    return light


def _print_lines(page, writing: Writing, tall: float, rng, scene: Scene) -> np.ndarray:
    """Lines that are on the paper before anyone writes."""
    layer = np.zeros(page.shape[:2], np.uint8)
    pen = max(1, round(tall * rng.uniform(0.015, 0.07)))
    if _happens(scene.heavy, rng):
        pen = max(1, round(tall * rng.uniform(0.07, 0.25)))
    if rng.random() < scene.ruled:
        _ruled(layer, tall * rng.uniform(1.0, 1.8), writing, pen, rng)
    if rng.random() < scene.squared:
        _squared(layer, tall * rng.uniform(0.45, 2.2), pen, rng)
    if rng.random() < scene.underlined:
        _underline(layer, writing, pen, rng)
    if rng.random() < scene.boxed:
        _boxes(layer, writing, tall, pen, rng)
    if _happens(scene.celled, rng):
        forms.draw_cells(layer, writing.boxes, pen, rng)
    strength = rng.uniform(0.15, 0.85) * layer[..., None] / np.float32(255)
    tint = np.ones(3) if rng.random() < 0.6 else rng.uniform(0.3, 1.0, 3)
    page = page * (1 - strength * (tint / tint.max()).astype(np.float32))
    if rng.random() < scene.security:
        page *= 1 - _security(page.shape[:2], tall, rng)[..., None]
    return page


def _line(layer, start, end, pen: int, dash: float = 0.0) -> None:
    """A line, or dashes as long as the gaps between them, `dash` pixels."""
    start, end = np.array(start, float), np.array(end, float)
    parts = max(1, int(np.hypot(*(end - start)) / dash)) if dash else 1
    for part in range(0, parts, 2):
        first = start + (end - start) * part / parts
        last = start + (end - start) * (part + 1) / parts
        ends = [tuple(round(v * 16) for v in point) for point in (first, last)]
        cv2.line(layer, *ends, 255, pen, cv2.LINE_AA, FRACTION)


def _dash(tall: float, rng: np.random.Generator) -> float:
    """Length of dashes in pixels, 0 for a whole line."""
    return tall * rng.uniform(0.03, 0.15) if rng.random() < 0.12 else 0.0


def _ruled(layer, space: float, writing: Writing, pen: int, rng) -> None:
    """Parallel lines; one runs near the feet of the digits or through them."""
    height, width = layer.shape
    foot = float((writing.boxes[:, 1] + writing.boxes[:, 3]).mean())
    y = foot + rng.normal(0, 0.12) * space
    tilt, dash = rng.normal(0, 0.012) * width, _dash(space, rng)
    y -= np.floor(y / space) * space
    while y < height + space:
        _line(layer, (0, y), (width, y + tilt), pen, dash)
        y += space


def _squared(layer, space: float, pen: int, rng) -> None:
    """Squared paper, or a puzzle's grid, in which some lines are thicker."""
    height, width = layer.shape
    tilt, every = rng.normal(0, 0.01), int(rng.choice([1, 2, 3, 5], p=[0.6, 0.1, 0.2, 0.1]))
    for number, x in enumerate(np.arange(rng.uniform(0, space), width, space)):
        thick = pen if number % every else pen * (1 + (every > 1))
        _line(layer, (x, 0), (x - tilt * height, height), thick)
    for number, y in enumerate(np.arange(rng.uniform(0, space), height, space)):
        thick = pen if number % every else pen * (1 + (every > 1))
        _line(layer, (0, y), (width, y + tilt * width), thick)


def _underline(layer, writing: Writing, pen: int, rng) -> None:
    boxes = writing.boxes
    foot = float((boxes[:, 1] + boxes[:, 3]).max()) + rng.uniform(0.02, 0.25) * boxes[:, 3].mean()
    left, right = boxes[:, 0].min(), (boxes[:, 0] + boxes[:, 2]).max()
    reach = rng.uniform(-0.1, 0.5) * boxes[:, 3].mean()
    tilt = rng.normal(0, 0.03) * (right - left)
    dash, lines = _dash(boxes[:, 3].mean(), rng), 2 if rng.random() < 0.15 else 1
    for number in range(lines):
        lower = foot + 3 * pen * number
        _line(layer, (left - reach, lower), (right + reach, lower + tilt), pen, dash)


def _boxes(layer, writing: Writing, tall: float, pen: int, rng) -> None:
    """A printed box around each digit, or one around all; some edges run out of the picture."""
    boxes = writing.boxes
    room = rng.uniform(0.06, 0.35) * tall
    top, bottom = boxes[:, 1].min() - room, (boxes[:, 1] + boxes[:, 3]).max() + room
    edges = [boxes[0, 0] - room]
    if rng.random() < 0.7:
        edges += list((boxes[:-1, 0] + boxes[:-1, 2] + boxes[1:, 0]) / 2)
    edges.append(boxes[-1, 0] + boxes[-1, 2] + room)
    left, right = edges[0], edges[-1]
    if rng.random() < 0.35:  # a cell of a table: its lines go on
        left, right = -5, layer.shape[1] + 5
    _line(layer, (left, top), (right, top), pen)
    _line(layer, (left, bottom), (right, bottom), pen)
    for x in edges:
        if left <= x <= right:
            over = rng.uniform(0, 0.5) * tall if left < 0 else 0
            _line(layer, (x, top - over), (x, bottom + over), pen)


def _print_text(writing: Writing, tall: float, rng) -> np.ndarray:
    """Printed words above, below or beside the writing: share of light lost, (h, w) float32."""
    height, width = writing.ink.shape
    sheet = Image.new("L", (width, height))
    draw = ImageDraw.Draw(sheet)
    top, bottom = writing.boxes[:, 1].min(), (writing.boxes[:, 1] + writing.boxes[:, 3]).max()
    for _ in range(rng.integers(1, 4)):
        size = max(6.0, tall * rng.uniform(0.12, 0.5))
        signs = rng.choice(list("abcdefghinorstuvABCDEFNORT0123456789:.,()$-"), rng.integers(2, 14))
        room = size * len(signs) * 0.5
        beside = writing.boxes[:, 0].min() - room, rng.uniform(top, bottom)
        over = rng.uniform(-0.3 * room, width), top - size * rng.uniform(1.05, 1.8)
        under = rng.uniform(-0.3 * room, width), bottom + size * rng.uniform(0.1, 0.8)
        place = (beside, over, under)[rng.integers(3)]
        draw.text(place, "".join(signs), fill=255, font=ImageFont.load_default(size))
    return np.asarray(sheet, np.float32) * np.float32(rng.uniform(0.3, 0.9) / 255)


def _security(shape: tuple[int, int], tall: float, rng) -> np.ndarray:
    """Fine wavy lines as on cheques: share of light lost."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    lost = np.zeros(shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]) + rng.normal(0, 0.15)
        along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        space = tall * rng.uniform(0.07, 0.3)
        wave = rng.uniform(0, 0.6) * space * np.sin(along / (tall * rng.uniform(0.15, 0.8)))
        line = np.cos((across + wave) * 2 * np.pi / space)
        lost = np.maximum(lost, (line - rng.uniform(0.2, 0.8)).clip(0) * rng.uniform(0.15, 0.5))
    return lost


def _jpeg(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
    _, packed = cv2.imencode(".jpg", page, quality)
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)
