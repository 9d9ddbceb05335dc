"""What else a photograph shows: folds, pens, fingers, holes, glare, the desk, cast shadows.

Each takes a page (h, w, 3) float32 of light in 0..255 and gives another; none hides the writing.
`stripes` is the pattern alone.
"""

import cv2
import numpy as np

TRIES = 8  # places tried for a thing that must lie clear of the writing


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two above 0, as likely from one to twice it as from there to twice that."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def fold(page: np.ndarray, tall: float, rng: np.random.Generator) -> np.ndarray:
    """A fold across the whole page: a soft dark line, a light one beside it, a step of light.

    Parameters
    ----------
    tall : height of a digit in pixels.
    """
    distance = _distance(page.shape[:2], rng.uniform(0, np.pi), rng.uniform(0.1, 0.9, 2))
    wide = max(0.7, tall * log_uniform(rng, 0.008, 0.06))
    dark = rng.uniform(0.05, 0.4) * np.exp(-((distance / wide) ** 2))
    bright = rng.uniform(0, 0.15) * np.exp(-(((distance - 2 * wide) / wide) ** 2))
    step = rng.uniform(-0.12, 0.12) / (1 + np.exp(-np.clip(distance / wide, -30, 30)))
    return page * (1 - dark + bright + step)[..., None].astype(np.float32)


def lay_pen(page: np.ndarray, ink: np.ndarray, tall: float, rng) -> np.ndarray:
    """A pen or pencil that reaches into the picture, with its shadow.

    Parameters
    ----------
    ink : (h, w) uint8, the writing, which stays clear.
    """
    size = np.array(page.shape[1::-1], float)
    thick = max(2, round(tall * log_uniform(rng, 0.1, 0.6)))

    def bar(canvas):
        tip, angle = rng.uniform(-0.1, 1.1, 2) * size, rng.uniform(0, 2 * np.pi)
        end = tip + 2 * size.max() * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(canvas, *_rounded(tip, end), 255, thick, cv2.LINE_AA)

    colour = rng.uniform(8, 200) * rng.uniform(0.3, 1.0, 3)
    return _laid(page, ink, bar, colour, thick, rng)


def lay_finger(page: np.ndarray, ink: np.ndarray, tall: float, rng) -> np.ndarray:
    """A finger that holds the paper, at an edge of the picture; `ink` as in `lay_pen`."""
    size = np.array(page.shape[1::-1], float)
    long = tall * rng.uniform(0.6, 2.0)

    def tip(canvas):
        place = rng.uniform(0, 1, 2)
        place[rng.integers(2)] = rng.integers(2)
        axes = round(long), round(long * rng.uniform(0.35, 0.6))
        (centre,) = _rounded(place * size)
        cv2.ellipse(canvas, centre, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)

    skin = rng.uniform(60, 230) * np.array([1.0, rng.uniform(0.65, 0.85), rng.uniform(0.5, 0.75)])
    return _laid(page, ink, tip, skin, 0.1 * long, rng)


def punch_holes(page: np.ndarray, ink: np.ndarray, tall: float, rng) -> np.ndarray:
    """A row of holes along one side, as in paper from a binder; `ink` as in `lay_pen`."""
    height, width = page.shape[:2]
    radius = max(2.0, tall * rng.uniform(0.08, 0.35))
    space, upright = radius * rng.uniform(2.6, 8.0), rng.random() < 0.7

    def row(canvas):
        side = rng.uniform(1.0, 3.0) * radius
        depth, length = (width, height) if upright else (height, width)
        across = side if rng.random() < 0.6 else depth - side
        for along in np.arange(rng.uniform(0, space), length, space):
            (centre,) = _rounded((across, along) if upright else (along, across))
            cv2.circle(canvas, centre, round(radius), 255, -1, cv2.LINE_AA)

    return _laid(page, ink, row, np.full(3, rng.uniform(5, 110)), 0.5 * radius, rng)


def glare(page: np.ndarray, tall: float, rng) -> np.ndarray:
    """A lamp mirrored in the paper: a bright spot with a soft edge."""
    height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(x - rng.uniform(-0.2, 1.2) * width, y - rng.uniform(-0.2, 1.2) * height)
    spot = np.exp(-((far / (tall * rng.uniform(0.4, 2.0))) ** 2))
    return page + rng.uniform(30, 180) * spot[..., None]


def cast_shadow(page: np.ndarray, tall: float, rng) -> np.ndarray:
    """The shadow of a hand or of a blind over the page; it may lie on the writing.

    Parameters
    ----------
    tall : height of a digit in pixels.
    """
    height, width = page.shape[:2]
    if rng.random() < 0.4:
        cover = stripes(height, width, tall * log_uniform(rng, 0.5, 4.0), rng)
    else:
        cover = _hand(height, width, tall, rng)
    soft = tall * log_uniform(rng, 0.02, 0.3)
    cover = cv2.GaussianBlur(cover, (0, 0), max(0.5, soft))
    return page * (1 - rng.uniform(0.15, 0.7) * cover[..., None])


def stripes(height: int, width: int, pitch: float, rng) -> np.ndarray:
    """Parallel stripes through the whole picture, `pitch` pixels apart; (h, w) float32 in 0..1."""
    upright, any_way = rng.normal(0, 0.09), rng.uniform(0, np.pi)
    angle = rng.choice([upright + np.pi / 2, upright, any_way], p=[0.35, 0.15, 0.5])
    along = _distance((height, width), angle, rng.uniform(0, 1, 2))
    if rng.random() < 0.2:
        across = _distance((height, width), angle + np.pi / 2, (0.0, 0.0))
        along = along + rng.uniform(0, 0.4) * pitch * np.sin(across / (pitch * rng.uniform(1, 6)))
    thick = rng.uniform(0.08, 0.6) * pitch
    return (thick / 2 - np.abs(along % pitch - pitch / 2) + 0.5).clip(0, 1).astype(np.float32)


def _hand(height: int, width: int, tall: float, rng) -> np.ndarray:
    """Fingers, and often what they belong to, that reach into the picture; as `stripes`."""
    cover = np.zeros((height, width), np.uint8)
    size = np.array([width, height], float)
    thick, angle = tall * log_uniform(rng, 0.3, 2.5), rng.uniform(0, 2 * np.pi)
    ahead = np.array([np.cos(angle), np.sin(angle)])
    tip, aside = rng.uniform(0.1, 0.9, 2) * size, ahead[::-1] * (1, -1)
    for number in range(int(rng.integers(1, 5))):
        start = tip + aside * thick * 1.3 * number + ahead * rng.uniform(-1, 1) * thick
        spread = ahead + aside * rng.normal(0, 0.1)
        end = start + spread * (2 * size.max() if rng.random() < 0.6 else rng.uniform(2, 6) * thick)
        cv2.line(cover, *_rounded(start, end), 255, max(2, round(thick)), cv2.LINE_AA)
    if rng.random() < 0.6:
        (palm,) = _rounded(tip + ahead * thick * rng.uniform(4, 6) + aside * thick * 1.5)
        cv2.circle(cover, palm, round(thick * rng.uniform(2.5, 3.5)), 255, -1, cv2.LINE_AA)
    return cover.astype(np.float32) / 255


def lay_on_desk(page: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One to four edges of the page in sight, something darker or lighter beyond them.

    Parameters
    ----------
    boxes : (signs, 4), left, top, width, height of what is written, which stays on the page.
    """
    height, width = page.shape[:2]
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    tilt = rng.uniform(-0.8, 0.8) if rng.random() < 0.3 else rng.normal(0, 0.08)
    beyond = np.zeros((height, width), np.float32)
    for side in rng.permutation(4)[: rng.choice([1, 2, 3, 4], p=[0.55, 0.25, 0.1, 0.1])]:
        angle = side * np.pi / 2 + tilt + rng.normal(0, 0.03)
        distance = _distance((height, width), angle, (0.0, 0.0))
        normal = np.array([-np.sin(angle), np.cos(angle)])
        written = float((corners @ normal).max())
        room = max(0.0, float(distance.max()) - written)
        edge = written + rng.uniform(0.1, 0.9) * room
        beyond = np.maximum(beyond, (distance - edge).clip(-0.5, 0.5) + 0.5)
    return page * (1 - beyond[..., None]) + _desk(height, width, rng) * beyond[..., None]


def _desk(height: int, width: int, rng) -> np.ndarray:
    """What a page lies on, (h, w, 3) float32: of one colour, often with a grain as of wood."""
    colour = rng.uniform(20, 200) * rng.uniform(0.5, 1.0, 3)
    across = _distance((height, width), rng.uniform(0, np.pi), (0.0, 0.0))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin(across / rng.uniform(1.5, 12) + 2 * np.sin((x + y) / rng.uniform(20, 120)))
    grain = rng.choice([0.0, rng.uniform(0, 0.25)]) * wave
    return (colour * (1 + grain[..., None])).astype(np.float32)


def _distance(shape: tuple[int, int], angle: float, place) -> np.ndarray:
    """Signed distance in pixels of each pixel from a line, (h, w) float32.

    `place` is a point on the line, as shares of width and height.
    """
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    left, top = place[0] * shape[1], place[1] * shape[0]
    return (y - top) * np.float32(np.cos(angle)) - (x - left) * np.float32(np.sin(angle))


def _rounded(*points) -> list[tuple[int, int]]:
    return [(round(float(x)), round(float(y))) for x, y in points]


def _laid(page, ink, draw, colour, shadow: float, rng) -> np.ndarray:
    """The page with what `draw` draws on it in `colour`, where a place clear of `ink` is found."""
    reach = 2 * round(shadow * 0.3 + 2) + 1
    written = cv2.dilate(ink, np.ones((reach, reach), np.uint8)) > 40
    for _ in range(TRIES):
        cover = np.zeros(page.shape[:2], np.uint8)
        draw(cover)
        if not (written & (cover > 0)).any():
            break
    else:
        return page
    cover = cover.astype(np.float32)[..., None] / 255
    soft = np.roll(cover, rng.integers(-1, 2, 2) * max(1, round(0.3 * shadow)), (0, 1))
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.5, 0.25 * shadow))[..., None]
    page = page * (1 - rng.uniform(0, 0.5) * soft)
    return page * (1 - cover) + colour.astype(np.float32) * cover
