"""Drawings and photographs that nobody made: where the ink is known, and the paper around it."""

import cv2
import numpy as np
import pytest
from handwriting import STROKES

from digitlab.hands import Drawing
from digitlab.synthesis import Scene, _print_lines, linked, photograph, render, write_row

FOUR = Drawing("4", "here", "1", tuple(np.array(p, np.float32) * 300 for p in STROKES["4"]))


@pytest.mark.parametrize("height", [20, 100, 300])
@pytest.mark.parametrize("pen", [2, 9])
def test_drawing_is_rendered_in_the_size_asked_for(rng, height, pen):
    ink = render(FOUR, rng, height, pen)
    assert ink.dtype == np.uint8
    assert ink.max() == 255
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    tall = max(np.ptp(rows), np.ptp(columns)) + 1
    assert tall == pytest.approx(height + pen, abs=4)
    # cut to its box: no wide margin, and no stroke cut off
    assert rows[0] <= 3
    assert ink.shape[0] - rows[-1] <= 5


def test_dot_is_rendered_as_a_dot(rng):
    dot = Drawing(".", "here", "1", (np.array([[5, 5]], np.float32),))
    ink = render(dot, rng, 100, 8)
    assert ink.max() == 255
    assert max(ink.shape) < 20


def test_wider_pen_gives_more_ink():
    amounts = [(render(FOUR, np.random.default_rng(0), 120, pen) > 127).sum() for pen in (3, 6, 12)]
    assert amounts[0] < amounts[1] < amounts[2]


def test_nib_is_widest_where_it_runs_down():
    """Of two strokes, one down and one to the right, a swelling nib thins the level one alone."""
    strokes = ([[0, 0], [0, 100]], [[20, 50], [120, 50]])
    cross = Drawing("+", "here", "1", tuple(np.array(s, np.float32) for s in strokes))
    plain, swelling = (
        render(cross, np.random.default_rng(0), 200, 20, swell=swell) > 127 for swell in (0, 0.7)
    )
    down, level = (slice(None), slice(0, 24)), (slice(None), slice(60, -12))
    assert swelling[down].sum() > 0.8 * plain[down].sum()
    assert 0.15 < swelling[level].sum() / plain[level].sum() < 0.5


def test_same_seed_renders_the_same_and_another_something_else():
    one, same, other = (render(FOUR, np.random.default_rng(s), 90, 6) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or (one != other).any()


def row(rng, count=4):
    return write_row([(str(i), render(FOUR, rng, 60, 5)) for i in range(count)], rng, (0.1, 0.4))


def test_row_has_its_signs_in_order_and_boxes_around_their_ink(rng):
    writing = row(rng)
    assert writing.labels == ("0", "1", "2", "3")
    assert (np.diff(writing.boxes[:, 0]) > 0).all()
    covered = np.zeros(writing.ink.shape, bool)
    for x, y, w, h in writing.boxes:
        covered[y : y + h, x : x + w] = True
        inside = writing.ink[y : y + h, x : x + w] > 100
        assert inside.any(0)[[0, -1]].all()
        assert inside.any(1)[[0, -1]].all()
    assert not (writing.ink > 100)[~covered].any()


@pytest.mark.parametrize("seed", range(8))
def test_all_ink_of_high_and_low_signs_is_on_the_page(seed):
    rng = np.random.default_rng(seed)
    inks = [render(FOUR, rng, height, 5) for height in (100, 25, 60, 25, 100)]
    writing = write_row([("4", ink) for ink in inks], rng, (0.1, 0.4))
    assert (writing.ink > 100).sum() == sum((ink > 100).sum() for ink in inks)


def test_negative_gap_lets_signs_touch(rng):
    signs = [(str(i), render(FOUR, rng, 60, 5)) for i in range(6)]
    apart, close = (
        write_row(signs, np.random.default_rng(0), gap) for gap in ((0.3, 0.4), (-0.1, 0))
    )
    assert close.boxes[-1, 0] - close.boxes[0, 0] < apart.boxes[-1, 0] - apart.boxes[0, 0]


SCENES = {
    "plain": Scene(shadow=0, faint=0, blur=0, dark_ground=0),
    **{name: Scene(**{name: 1.0}, dark_ground=0) for name in
       ("ruled", "underlined", "squared", "boxed", "security", "shadow", "faint", "blur", "printed",
        "desk", "celled", "captioned", "underscored", "cast")},
    "heavy": Scene(boxed=1.0, heavy=1.0, dark_ground=0),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_ink_is_darker_than_the_paper_beside_it(name):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        writing = row(rng)
        page = photograph(writing, rng, SCENES[name])
        assert page.shape == (*writing.ink.shape, 3)
        assert page.dtype == np.uint8
        darker = []
        for x, y, w, h in writing.boxes:
            ink = writing.ink[y : y + h, x : x + w]
            view = page[y : y + h, x : x + w].min(2)
            darker.append(np.median(view[ink == 0]) - np.median(view[ink > 200]))
        assert np.median(darker) > 8


def test_dark_ground_turns_light_and_dark_round(rng):
    writing = row(rng)
    scene = Scene(shadow=0, faint=0, blur=0, dark_ground=1.0)
    page = photograph(writing, rng, scene).max(2)
    assert np.median(page[writing.ink > 200]) > np.median(page[writing.ink == 0]) + 8


@pytest.mark.parametrize(
    "name", ["ruled", "squared", "boxed", "printed", "celled", "captioned", "underscored"]
)
def test_what_is_printed_is_there(name):
    plain, printed = (
        photograph(row(np.random.default_rng(3)), np.random.default_rng(3), SCENES[kind]).astype(
            int
        )
        for kind in ("plain", name)
    )
    assert (np.abs(plain - printed).max(2) > 25).mean() > 0.005


def test_heavy_boxes_have_thicker_lines():
    def thickness(scene: Scene, seed: int) -> float:
        rng = np.random.default_rng(seed)
        writing = row(rng)
        page = _print_lines(np.ones((*writing.ink.shape, 3)), writing, 60, rng, scene)
        return cv2.distanceTransform((page.min(2) < 0.99).astype(np.uint8), cv2.DIST_L2, 3).max()

    fine, thick = (
        [thickness(Scene(boxed=1.0, heavy=heavy), seed) for seed in range(20)] for heavy in (0, 1)
    )
    assert np.median(thick) > 1.8 * np.median(fine)


def test_same_seed_photographs_the_same():
    pages = [
        photograph(row(np.random.default_rng(5)), np.random.default_rng(5), Scene()) for _ in "ab"
    ]
    assert np.array_equal(*pages)


# Slashed zeros and crossed sevens -----------------------------------------------------------------


def test_neighbouring_zeros_are_linked_and_nothing_else(rng):
    ring = cv2.circle(np.zeros((60, 60), np.uint8), (30, 30), 24, 255, 5)
    bar = cv2.line(np.zeros((60, 20), np.uint8), (10, 5), (10, 55), 255, 5)
    signs = [("1", bar), ("0", ring), ("0", ring), ("1", bar)]
    apart = write_row(signs, rng, (0.2, 0.3))
    joined = linked(apart, rng)
    parts = [cv2.connectedComponents(writing.ink)[0] - 1 for writing in (apart, joined)]
    assert parts == [4, 3]
    assert np.array_equal(joined.boxes, apart.boxes)
    assert joined.labels == apart.labels


def test_some_hands_link_zeros_at_their_tops_and_some_at_their_feet():
    ring = cv2.circle(np.zeros((60, 60), np.uint8), (30, 30), 24, 255, 5)
    high = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        apart = write_row([("0", ring), ("0", ring)], rng, (0.2, 0.3))
        rows, _ = np.nonzero(linked(apart, rng).ink != apart.ink)
        top, tall = apart.boxes[:, 1].min(), apart.boxes[:, 3].max()
        high.add(bool(rows.mean() < top + tall / 2))
    assert high == {True, False}
