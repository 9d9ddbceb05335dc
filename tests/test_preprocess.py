"""From any picture to glyphs: golden cases of the whole way."""

import time

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, placed, written

from digitlab.datasets import mnist_test
from digitlab.preprocess import prepare


def whole_glyphs(image: np.ndarray) -> list:
    """The glyph of each piece by itself, in reading order."""
    return [c.glyph for row in prepare(image).rows for c in row.candidates if c.last == c.first + 1]


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two inks."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def ink_box(canvas: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((canvas > 127).any(1)), np.flatnonzero((canvas > 127).any(0))
    return columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1


CLEAN = {label: whole_glyphs(on_white(centred(written(label, 150, 13))))[0].ink for label in "0457"}


def test_mnist_picture_gives_back_its_ink_unchanged():
    for ink in mnist_test().ink[:400]:
        (glyph,) = whole_glyphs(ink)
        assert np.array_equal(glyph.ink, ink)


def test_mnist_picture_dark_on_light_gives_back_its_ink_unchanged():
    for ink in mnist_test().ink[:400]:
        (glyph,) = whole_glyphs(np.dstack([255 - ink] * 3))
        assert np.array_equal(glyph.ink, ink)


@pytest.mark.parametrize("label", CLEAN)
def test_photograph_in_shadow_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    light = np.where(np.arange(280) > 130, 0.55, 1.0)[None, :, None]
    light = cv2.GaussianBlur(np.broadcast_to(light, (280, 280, 1)).copy(), (0, 0), 8)
    page = photographed(canvas) * light[..., None]
    (glyph,) = whole_glyphs(np.rint(page).astype(np.uint8))
    assert likeness(glyph.ink, CLEAN[label]) > 0.9


@pytest.mark.parametrize("label", CLEAN)
def test_ruled_paper_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    for y in range(34, 280, 54):
        cv2.line(canvas, (0, y), (279, y + 3), 150, 2, cv2.LINE_AA)
    (glyph,) = whole_glyphs(photographed(canvas))
    assert likeness(glyph.ink, CLEAN[label]) > 0.85


@pytest.mark.parametrize("label", CLEAN)
def test_box_of_a_form_gives_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    cv2.rectangle(canvas, (50, 30), (235, 250), 220, 3)
    (glyph,) = whole_glyphs(photographed(canvas))
    assert likeness(glyph.ink, CLEAN[label]) > 0.85


@pytest.mark.parametrize("label", CLEAN)
def test_light_on_dark_and_alpha_only_give_the_ink_of_the_drawing(label):
    canvas = centred(written(label, 150, 13))
    transparent = np.zeros((280, 280, 4), np.uint8)
    transparent[..., 3] = canvas
    for image in (np.dstack([canvas] * 3), transparent):
        (glyph,) = whole_glyphs(image)
        assert likeness(glyph.ink, CLEAN[label]) > 0.99


def test_specks_do_not_change_the_digit():
    canvas = centred(written("7", 150, 13))
    clean = whole_glyphs(on_white(canvas))[0]
    for x, y in np.random.default_rng(1).integers(5, 275, (30, 2)):
        if not canvas[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12].any():
            cv2.circle(canvas, (int(x), int(y)), 3, 255, -1)
    (glyph,) = whole_glyphs(on_white(canvas))
    assert glyph.box == clean.box and np.array_equal(glyph.ink, clean.ink)


def test_detached_bar_of_a_five_is_part_of_it():
    canvas = centred(written("5", 150, 13))
    top = int(np.flatnonzero(canvas.any(1))[0])
    canvas[top + 17 : top + 22] = 0
    (glyph,) = whole_glyphs(on_white(canvas))
    assert glyph.box[3] > 140
    assert likeness(glyph.ink, CLEAN["5"]) > 0.8


def test_two_lines_are_read_from_left_to_right_and_top_to_bottom():
    canvas = np.zeros((400, 420), np.uint8)
    for label, left, top in (("0", 60, 30), ("4", 240, 50), ("5", 40, 230), ("7", 250, 220)):
        ink = written(label, 120, 11)
        canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    found = whole_glyphs(photographed(canvas))
    order = [max(CLEAN, key=lambda label: likeness(glyph.ink, CLEAN[label])) for glyph in found]
    assert order == list("0457")


@pytest.mark.parametrize(("height", "width"), [(280, 280), (1000, 700), (3000, 4000)])
def test_box_lies_around_the_digit_in_pixels_of_the_picture(height, width):
    tall = height // 3
    canvas = placed(written("4", tall, tall // 10), (height, width), width // 3, height // 4)
    for image in (on_white(canvas), photographed(canvas)):
        (glyph,) = whole_glyphs(image)
        slack = 2 + 2 * max(height, width) / 1600
        assert np.abs(np.subtract(glyph.box, ink_box(canvas))).max() <= 2 * slack


@pytest.mark.parametrize("size", [(40, 60), (300, 500), (1800, 2500)])
def test_boxes_lie_within_the_picture(size):
    ink = cv2.resize(written("40", 100, 10, 0.1), size[::-1])  # touches all four edges
    for image in (on_white(ink), photographed(ink)):
        for glyph in prepare(image).glyphs:
            left, top, width, height = glyph.box
            assert left >= 0 and top >= 0 and width >= 1 and height >= 1
            assert left + width <= size[1] and top + height <= size[0]


@pytest.mark.parametrize("shape", [(28, 28), (60, 90), (280, 280), (900, 1200)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_picture_has_no_rows_and_says_so(shape, level):
    preparation = prepare(np.full((*shape, 3), level, np.uint8))
    assert preparation.rows == () and preparation.glyphs == ()
    assert "no ink" in preparation.steps[-1].note.lower()


@pytest.mark.parametrize("strength", [2, 10, 40])
def test_noise_has_no_rows(strength):
    page = 160 + np.random.default_rng(0).normal(0, strength, (300, 400, 3))
    assert prepare(np.rint(page.clip(0, 255)).astype(np.uint8)).rows == ()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (5000, 2)])
def test_tiny_and_narrow_pictures_raise_nothing(shape, channels):
    rng = np.random.default_rng(0)
    for image in (rng.integers(0, 256, (*shape, channels), np.uint8), np.zeros((*shape, channels), np.uint8)):
        prepare(image[..., 0] if channels == 1 else image)


def test_transparent_picture_has_no_rows():
    assert prepare(np.zeros((200, 200, 4), np.uint8)).rows == ()


def test_photograph_of_twelve_megapixels_is_prepared_quickly():
    ink = written("407", 900, 80)
    canvas = placed(ink, (3000, 4000), 600, 900)
    image = photographed(canvas)
    began = time.process_time()
    found = whole_glyphs(image)
    # Processor time, since other programs may be running; OpenCV adds up several threads'.
    assert time.process_time() - began < 3
    assert len(found) == 3


def test_steps_are_named_pictures_with_a_sentence():
    for image in (on_white(centred(written("4", 150, 13))), photographed(centred(written("4")))):
        steps = prepare(image).steps
        assert len({step.name for step in steps}) == len(steps) >= 4
        for step in steps:
            assert step.image.dtype == np.uint8 and step.image.ndim in (2, 3)
            assert step.image.size > 0 and step.note.endswith(".")


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
