"""From any picture to glyphs: golden cases of the whole way."""

import time

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, placed, written

from digitlab.datasets import mnist_test
from digitlab.preprocess import Glyph, prepare


def only_glyph(image: np.ndarray) -> Glyph:
    """Of a picture of one digit, the candidate that takes all of its ink for one."""
    (row,) = prepare(image).rows
    return next(c.glyph for c in row.candidates if (c.first, c.last) == (0, row.pieces))


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two inks, whose lines are thin: a pixel aside is as good as none."""
    soft = [cv2.GaussianBlur(ink, (0, 0), 1.0) for ink in (a, b)]
    moves = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    shifted = (np.roll(soft[0], move, (0, 1)).ravel() for move in moves)
    return max(float(np.corrcoef(one, soft[1].ravel())[0, 1]) for one in shifted)


def ink_box(canvas: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((canvas > 127).any(1)), np.flatnonzero((canvas > 127).any(0))
    return columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1


CLEAN = {label: only_glyph(on_white(centred(written(label, 150, 13)))).ink for label in "0457"}


@pytest.mark.parametrize("dark_on_light", [False, True])
def test_mnist_picture_gives_back_its_ink(dark_on_light):
    for ink in mnist_test().ink[:400]:
        glyph = only_glyph(np.dstack([255 - ink] * 3) if dark_on_light else ink)
        assert np.abs(glyph.ink.astype(int) - ink).max() <= 2  # the darkest ink is made full ink


@pytest.mark.parametrize("label", CLEAN)
def test_photograph_in_shadow_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    light = np.where(np.arange(280) > 130, 0.55, 1.0)[None, :, None]
    light = cv2.GaussianBlur(np.broadcast_to(light, (280, 280, 1)).copy(), (0, 0), 8)
    page = photographed(canvas) * light[..., None]
    glyph = only_glyph(np.rint(page).astype(np.uint8))
    assert likeness(glyph.ink, CLEAN[label]) > 0.9


@pytest.mark.parametrize("label", CLEAN)
def test_ruled_paper_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    for y in range(34, 280, 54):
        cv2.line(canvas, (0, y), (279, y + 3), 150, 2, cv2.LINE_AA)
    glyph = only_glyph(photographed(canvas))
    assert likeness(glyph.ink, CLEAN[label]) > 0.85


@pytest.mark.parametrize("label", CLEAN)
def test_box_of_a_form_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    cv2.rectangle(canvas, (50, 30), (235, 250), 220, 3)
    glyph = only_glyph(photographed(canvas))
    assert likeness(glyph.ink, CLEAN[label]) > 0.85


@pytest.mark.parametrize("label", CLEAN)
def test_light_on_dark_and_alpha_only_give_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    transparent = np.zeros((280, 280, 4), np.uint8)
    transparent[..., 3] = canvas
    for image in (np.dstack([canvas] * 3), transparent):
        glyph = only_glyph(image)
        assert likeness(glyph.ink, CLEAN[label]) > 0.99


def test_specks_do_not_change_the_digit():
    canvas = centred(written("7", 150, 13))
    clean = only_glyph(on_white(canvas))
    for x, y in np.random.default_rng(1).integers(5, 275, (30, 2)):
        if not canvas[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12].any():
            cv2.circle(canvas, (int(x), int(y)), 3, 255, -1)
    glyph = only_glyph(on_white(canvas))
    assert glyph.box == clean.box
    assert np.array_equal(glyph.ink, clean.ink)


def test_detached_bar_of_a_five_is_part_of_it():
    canvas = centred(written("5", 150, 13))
    top = int(np.flatnonzero(canvas.any(1))[0])
    canvas[top + 17 : top + 22] = 0
    glyph = only_glyph(on_white(canvas))
    assert glyph.box[3] > 140
    assert likeness(glyph.ink, CLEAN["5"]) > 0.8


def test_rows_come_from_top_to_bottom_and_candidates_from_left_to_right():
    canvas = np.zeros((400, 420), np.uint8)
    for label, left, top in (("0", 60, 30), ("4", 240, 50), ("5", 40, 230), ("7", 250, 220)):
        ink = written(label, 120, 11)
        canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    rows = prepare(photographed(canvas)).rows
    assert len(rows) == 2
    for row, names in zip(rows, ("04", "57"), strict=True):
        places = []
        for name in names:  # the candidate that looks most like it
            best = max(row.candidates, key=lambda c: likeness(c.glyph.ink, CLEAN[name]))
            assert likeness(best.glyph.ink, CLEAN[name]) > 0.85
            places.append((best.first, best.last))
        assert places[0][1] <= places[1][0]


def test_candidates_name_runs_of_pieces_and_every_piece_is_one():
    (row,) = prepare(photographed(placed(written("40757", 90, 9), (200, 600), 60, 50))).rows
    spans = [(c.first, c.last) for c in row.candidates]
    assert len(set(spans)) == len(spans)
    assert {(i, i + 1) for i in range(row.pieces)} <= set(spans)
    assert all(0 <= first < last <= row.pieces for first, last in spans)


@pytest.mark.parametrize(("height", "width"), [(280, 280), (1000, 700), (3000, 4000)])
def test_box_lies_around_the_digit_in_pixels_of_the_picture(height, width):
    tall = height // 3
    canvas = placed(written("4", tall, tall // 10), (height, width), width // 3, height // 4)
    for image in (on_white(canvas), photographed(canvas)):
        glyph = only_glyph(image)
        slack = 2 + 2 * max(height, width) / 1600
        assert np.abs(np.subtract(glyph.box, ink_box(canvas))).max() <= 2 * slack


@pytest.mark.parametrize("size", [(40, 60), (300, 500), (1800, 2500)])
def test_boxes_lie_within_the_picture(size):
    ink = cv2.resize(written("40", 100, 10, 0.1), size[::-1])  # touches all four edges
    for image in (on_white(ink), photographed(ink)):
        for glyph in prepare(image).glyphs:
            left, top, width, height = glyph.box
            assert left >= 0
            assert top >= 0
            assert width >= 1
            assert height >= 1
            assert left + width <= size[1]
            assert top + height <= size[0]


@pytest.mark.parametrize("shape", [(28, 28), (60, 90), (280, 280), (900, 1200)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_picture_has_no_rows_and_says_so(shape, level):
    preparation = prepare(np.full((*shape, 3), level, np.uint8))
    assert preparation.rows == ()
    assert preparation.glyphs == ()
    assert "no ink" in preparation.steps[-1].note.lower()


@pytest.mark.parametrize("strength", [2, 10, 40])
def test_noise_has_no_rows(strength):
    page = 160 + np.random.default_rng(0).normal(0, strength, (300, 400, 3))
    assert prepare(np.rint(page.clip(0, 255)).astype(np.uint8)).rows == ()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (5000, 2)])
def test_tiny_and_narrow_pictures_raise_nothing(shape, channels):
    rng = np.random.default_rng(0)
    for image in (
        rng.integers(0, 256, (*shape, channels), np.uint8),
        np.zeros((*shape, channels), np.uint8),
    ):
        prepare(image[..., 0] if channels == 1 else image)


@pytest.mark.parametrize("seed", [31, 46, 62, 63, 76])
def test_boxes_in_narrow_pictures_are_within_them(seed):
    rng = np.random.default_rng(seed)
    height, width = int(rng.integers(1, 4)), int(rng.integers(1, 60))
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    for glyph in prepare(image).glyphs:
        left, top, wide, high = glyph.box
        assert left + wide <= width
        assert top + high <= height


def test_transparent_picture_has_no_rows():
    assert prepare(np.zeros((200, 200, 4), np.uint8)).rows == ()


def test_photograph_of_twelve_megapixels_is_prepared_quickly():
    ink = written("407", 900, 80)
    canvas = placed(ink, (3000, 4000), 600, 900)
    image = photographed(canvas)
    began = time.process_time()
    (row,) = prepare(image).rows
    # Processor time, since other programs may be running; OpenCV adds up several threads'.
    assert time.process_time() - began < 3
    assert row.pieces >= 3


def test_steps_are_named_pictures_with_a_sentence():
    for image in (on_white(centred(written("4", 150, 13))), photographed(centred(written("4")))):
        steps = prepare(image).steps
        assert len({step.name for step in steps}) == len(steps) >= 4
        for step in steps:
            assert step.image.dtype == np.uint8
            assert step.image.ndim in (2, 3)
            assert step.image.size > 0
            assert step.note.endswith(".")


def test_steps_say_how_light_and_ink_lie():
    canvas = centred(written("4", 150, 13))
    notes = {dark: str([s.note for s in prepare(np.dstack([image] * 3)).steps]) for dark, image in
             ((False, 255 - canvas), (True, canvas))}  # fmt: skip
    assert "dark ink on a light ground" in notes[False]
    assert "light ink on a dark ground" in notes[True]


def test_up_to_fifty_digits_are_found_in_several_lines():
    rows = [written("0123456789", 60, 6) for _ in range(5)]
    width = max(row.shape[1] for row in rows) + 60
    canvas = np.vstack([placed(row, (110, width), 30, 20) for row in rows])
    preparation = prepare(photographed(canvas))
    assert len(preparation.rows) == 5
    assert all(row.pieces >= 10 for row in preparation.rows)
