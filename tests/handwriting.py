"""Digits drawn from a few curves, so that tests make their own input and know what is in it."""

import cv2
import numpy as np


def _arc(centre, radii, start: float, stop: float) -> list[tuple[float, float]]:
    """Part of an ellipse; degrees clockwise from three o'clock, as y grows downwards."""
    turn = np.deg2rad(np.linspace(start, stop, 40))
    return [(centre[0] + radii[0] * np.cos(t), centre[1] + radii[1] * np.sin(t)) for t in turn]


STROKES = {
    "0": [_arc((0.33, 0.5), (0.33, 0.5), -90, 275)],
    "1": [[(0.08, 0.0), (0.0, 1.0)]],
    "2": [[*_arc((0.33, 0.3), (0.32, 0.3), -170, 25), (0.0, 1.0), (0.68, 0.97)]],
    "3": [[*_arc((0.3, 0.25), (0.3, 0.25), -160, 85), *_arc((0.28, 0.74), (0.36, 0.26), -85, 160)]],
    "4": [[(0.22, 0.0), (0.0, 0.6), (0.66, 0.6)], [(0.5, 0.2), (0.46, 1.0)]],
    "5": [
        [(0.12, 0.0), (0.08, 0.42), *_arc((0.24, 0.68), (0.36, 0.31), -115, 140)],
        [(0.12, 0.0), (0.62, 0.0)],
    ],
    "6": [[(0.45, 0.0), (0.12, 0.42), *_arc((0.3, 0.72), (0.3, 0.28), -180, 180)]],
    "7": [[(0.0, 0.02), (0.62, 0.0), (0.2, 1.0)]],
    "8": [[*_arc((0.3, 0.25), (0.26, 0.25), 90, 450), *_arc((0.3, 0.75), (0.3, 0.25), -90, 270)]],
    "9": [[*_arc((0.3, 0.3), (0.28, 0.3), 0, 360), (0.58, 0.3), (0.48, 1.0)]],
}
"""Strokes of each digit, 1.0 high; x to the right and y downwards."""


def written(text: str, tall: float = 120, pen: int = 12, gap: float = 0.35) -> np.ndarray:
    """The ink of some digits in a row, cut to its box; (h, w) uint8, 255 is ink.

    `tall` and `pen` are in pixels, `gap` is a share of the height.
    """
    margin = pen / 2 + 2
    strokes, left = [], 0.0
    for sign in text:
        paths = [np.array(path) for path in STROKES[sign]]
        shift = np.array([left - min(path[:, 0].min() for path in paths), 0])
        strokes += [path + shift for path in paths]
        left = max(path[:, 0].max() for path in strokes) + gap + pen / tall
    size = np.concatenate(strokes).max(0) * tall + 2 * margin
    ink = np.zeros((int(np.ceil(size[1])), int(np.ceil(size[0]))), np.uint8)
    for path in strokes:
        points = np.rint((path * tall + margin) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(ink, [points], False, 255, pen, cv2.LINE_AA, 4)
    return ink


def placed(ink: np.ndarray, shape: tuple[int, int], left: int, top: int) -> np.ndarray:
    """`ink` on an empty canvas of `shape` (height, width)."""
    canvas = np.zeros(shape, np.uint8)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def centred(ink: np.ndarray, side: int = 280) -> np.ndarray:
    """`ink` in the middle of an empty square canvas."""
    return placed(ink, (side, side), (side - ink.shape[1]) // 2, (side - ink.shape[0]) // 2)


def on_white(ink: np.ndarray) -> np.ndarray:
    """Black ink on white, as the canvas of the app gives it; (h, w, 3) uint8."""
    return np.dstack([255 - ink] * 3)


def photographed(ink: np.ndarray, seed: int = 0, paper: float = 190, pen: float = 60) -> np.ndarray:
    """Dark ink on grainy paper, slightly blurred; (h, w, 3) uint8."""
    cover = cv2.GaussianBlur(ink, (0, 0), 0.8)[..., None].astype(np.float32) / 255
    tint = np.array([1.0, 0.98, 0.93], np.float32)
    page = (paper * (1 - cover) + pen * cover) * tint
    page += np.random.default_rng(seed).normal(0, 2.5, page.shape)
    return np.rint(page.clip(0, 255)).astype(np.uint8)


def hat_over(number: str, tall: int) -> np.ndarray:
    """A hat of `tall` pixels and, under it, a number of 70 pixels' height."""
    outline = [(0, 70), (34, 60), (40, 8), (58, 0), (74, 18), (96, 14), (98, 48), (86, 66), (6, 84)]
    ink = np.zeros((340, 460), np.uint8)
    points = np.rint(np.array(outline) * tall / 84 + [60, 180 - tall])
    cv2.polylines(ink, [points.astype(np.int32)], True, 255, 6, cv2.LINE_AA)
    digits = written(number, 70, 6)
    ink[200 : 200 + digits.shape[0], 80 : 80 + digits.shape[1]] = digits
    return on_white(ink)
