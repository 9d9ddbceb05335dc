"""Strips of touching digits to learn from."""

import numpy as np
import pytest
from handwriting import STROKES

from digitlab import strings_corpus
from digitlab.datasets import rehearsal
from digitlab.strings_corpus import LONGEST, NONE, touching
from digitlab.synthesis import Drawing, Writing, render, write_row


def drawings() -> list[Drawing]:
    paths = {
        label: tuple(np.array(path, np.float32) for path in STROKES[label]) for label in STROKES
    }
    return [Drawing(label, "abc", "1", strokes) for label, strokes in paths.items()]


def row_of(text: str, gap: float) -> Writing:
    rng, known = np.random.default_rng(0), {drawing.label: drawing for drawing in drawings()}
    signs = [(sign, render(known[sign], rng, 60, 6)) for sign in text]
    return write_row(signs, rng, (gap, gap))


def strips_of(writing: Writing) -> list[list[int]]:
    return [digits for _, digits in touching(writing, np.random.default_rng(1))]


def test_digits_that_touch_are_one_strip_from_left_to_right():
    assert strips_of(row_of("308", -0.1)) == [[3, 0, 8]]


def test_most_digits_that_touch_none_are_left_out():
    assert len(strips_of(row_of("3" * 30, 0.3))) < 12


def test_part_of_a_digit_is_left_out():
    whole = row_of("00", -0.1)
    ink = whole.ink.copy()
    x, y, w, h = whole.boxes[0]
    ink[y + h // 2 - 4 : y + h // 2 + 4, x - 5 : x + w - 12] = 0  # torn, but held by the other one
    assert strips_of(Writing(ink, whole.labels, whole.boxes)) == [[0, 0]]
    ink[y + h // 2 - 4 : y + h // 2 + 4] = 0
    assert strips_of(Writing(ink, whole.labels, whole.boxes)) == []


@pytest.fixture(scope="module")
def made():
    ink, labels = rehearsal()
    return strings_corpus.make(300, 1, drawings(), ink[:500], labels[:500], processes=1)


def test_strips_have_their_digits_and_nothing_behind_them(made):
    strips, truth = made
    assert strips.shape == (300, 32, 112)
    assert strips.dtype == np.uint8
    assert truth.shape == (300, LONGEST)
    assert (strips.max((1, 2)) == 255).all()
    counts = (truth != NONE).sum(1)
    assert set(np.unique(counts)) >= {1, 2, 3, 4}
    assert all((row[count:] == NONE).all() for row, count in zip(truth, counts, strict=True))
    lengths = strips.any(1).sum(1)
    assert lengths[counts >= 3].mean() > 1.4 * lengths[counts == 1].mean()


def test_same_seed_makes_the_same_strips(made):
    ink, labels = rehearsal()
    again = strings_corpus.make(300, 1, drawings(), ink[:500], labels[:500], processes=2)
    assert all(np.array_equal(*parts) for parts in zip(made, again, strict=True))
    other = strings_corpus.make(300, 2, drawings(), ink[:500], labels[:500], processes=1)
    assert not np.array_equal(made[0], other[0])
