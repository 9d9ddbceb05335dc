"""Strips of touching digits to learn from."""

import numpy as np
import pytest
from handwriting import STROKES

from digitlab import strings_corpus
from digitlab.corpus import NOT_A_DIGIT
from digitlab.datasets import rehearsal
from digitlab.hands import Drawing
from digitlab.strings_corpus import LONGEST, NONE, touching
from digitlab.synthesis import Writing, render, write_row


def drawings() -> list[Drawing]:
    paths = {
        label: tuple(np.array(path, np.float32) for path in STROKES[label]) for label in STROKES
    }
    return [Drawing(label, "abc", "1", strokes) for label, strokes in paths.items()]


def letters() -> list[Drawing]:
    """An A, an upright cross, and an O, which is too like a digit to be none."""
    paths = {
        "A": [[(0.0, 1.0), (0.4, 0.0), (0.8, 1.0)], [(0.2, 0.6), (0.6, 0.6)]],
        "+": [[(0.4, 0.0), (0.4, 1.0)], [(0.0, 0.5), (0.8, 0.5)]],
        "O": STROKES["0"],
    }
    return [
        Drawing(label, "abc", "1", tuple(np.array(path, np.float32) for path in paths[label]))
        for label in paths
    ]


def row_of(text: str, gap: float) -> Writing:
    rng = np.random.default_rng(0)
    known = {drawing.label: drawing for drawing in drawings() + letters()}
    signs = [(sign, render(known[sign], rng, 60, 6)) for sign in text]
    return write_row(signs, rng, (gap, gap))


def strips_of(writing: Writing) -> list[list[int]]:
    return [digits for _, digits in touching(writing, np.random.default_rng(1))]


def test_digits_that_touch_are_one_strip_from_left_to_right():
    assert strips_of(row_of("308", -0.1)) == [[3, 0, 8]]


def test_other_signs_are_told_from_digits_they_touch():
    assert strips_of(row_of("0+0", -0.1)) == [[0, NOT_A_DIGIT, 0]]
    assert strips_of(row_of("AA", -0.1)) == [[NOT_A_DIGIT, NOT_A_DIGIT]]


def test_other_signs_that_touch_none_are_kept_more_often_than_digits():
    alone = strips_of(row_of("A" * 30, 0.3))
    assert set(map(tuple, alone)) == {(NOT_A_DIGIT,)}
    assert len(alone) > len(strips_of(row_of("3" * 30, 0.3)))


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
    return strings_corpus.make(
        300, 1, drawings(), letters(), None, ink[:500], labels[:500], processes=1
    )


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


def test_some_strips_are_no_numbers(made):
    _, truth = made
    other = truth == NOT_A_DIGIT
    assert 0.15 < (other.any(1)).mean() < 0.5
    mixed = other.any(1) & ((truth >= 0) & ~other).any(1)
    assert 0.01 < mixed.mean() < 0.2


def test_signs_like_digits_are_not_among_the_others():
    ink, labels = rehearsal()
    given = drawings(), letters(), None, ink[:500], labels[:500]
    without = drawings(), letters()[:2], None, ink[:500], labels[:500]
    parts = (strings_corpus.make(60, 1, *each, processes=1) for each in (given, without))
    assert all(np.array_equal(*part) for part in zip(*parts, strict=True))


def test_doodles_that_people_drew_are_written_as_what_is_no_digit(made):
    ink, labels = rehearsal()
    frame = np.zeros((1, 28, 28), np.uint8)
    frame[:, 1:27, 1:27] = 255
    frame[:, 4:24, 4:24] = 0  # a square as no digit and no letter is
    given = drawings(), letters(), frame, ink[:500], labels[:500]
    strips, truth = strings_corpus.make(300, 1, *given, processes=1)

    def framed(strips: np.ndarray) -> np.ndarray:
        body = strips[:, 4:28, 4:28].astype(int)
        corners = body[:, [2, 2, -3, -3], [2, -3, 2, -3]].min(1)
        return (corners > 60) & (body[:, 8:16, 8:16].max((1, 2)) < 60)

    found = framed(strips)
    assert found.sum() > framed(made[0]).sum() + 5
    assert (truth[found] == [NOT_A_DIGIT] + [NONE] * (LONGEST - 1)).all(1).mean() > 0.8


def test_same_seed_makes_the_same_strips(made):
    ink, labels = rehearsal()
    again = strings_corpus.make(
        300, 1, drawings(), letters(), None, ink[:500], labels[:500], processes=2
    )
    assert all(np.array_equal(*parts) for parts in zip(made, again, strict=True))
    other = strings_corpus.make(
        300, 2, drawings(), letters(), None, ink[:500], labels[:500], processes=1
    )
    assert not np.array_equal(made[0], other[0])
