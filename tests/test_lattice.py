"""The path through a row: the digits that the recogniser believes most."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from digitlab.lattice import best_path, path_of
from digitlab.preprocess import Candidate, Glyph, Row

TALL = 100


def row(pieces: int, *spans: tuple[int, int], heights: tuple[int, ...] = ()) -> Row:
    """Candidates as high as is usual, unless told."""
    heights = heights or (TALL,) * len(spans)
    glyphs = [Glyph((0, 0, 50, height), np.zeros((28, 28), np.uint8)) for height in heights]
    candidates = tuple(Candidate(*span, g) for span, g in zip(spans, glyphs, strict=True))
    return Row(pieces=pieces, candidates=candidates, height=TALL)


def read(found: Row, belief: list[float], junk: list[float] | None = None) -> list[int]:
    belief = np.array(belief)
    return best_path(found, belief, np.array(junk) if junk else (1 - belief) * 0.1)


def test_pieces_that_look_like_digits_are_read_apart():
    found = row(2, (0, 1), (0, 2), (1, 2))
    assert read(found, [0.9, 0.5, 0.9]) == [0, 2]


def test_pieces_that_look_like_one_digit_together_are_joined():
    found = row(2, (0, 1), (0, 2), (1, 2))
    assert read(found, [0.3, 0.95, 0.4]) == [1]


def test_fewer_digits_are_no_advantage_in_themselves():
    found = row(2, (0, 1), (0, 2), (1, 2))
    assert read(found, [0.9, 0.85, 0.9]) == [0, 2]  # although 0.9 * 0.9 < 0.85


def test_paths_come_from_left_to_right_whatever_the_order_of_the_candidates():
    found = row(3, (2, 3), (0, 1), (1, 2), (1, 3))
    assert read(found, [0.9, 0.9, 0.9, 0.1]) == [1, 2, 0]


def test_piece_at_the_edge_of_a_crop_is_left_out_more_readily():
    found = row(2, (0, 1), (0, 2), (1, 2))
    belief, junk = [0.9, 0.3, 0.01], [0.1, 0.7, 0.99]
    assert read(found, belief, junk) == [1]
    first, both, last = found.candidates
    cropped = replace(found, candidates=(first, both, replace(last, at_edge=True)))
    assert read(cropped, belief, junk) == [0]


def test_piece_that_is_surely_no_digit_is_left_out():
    found = row(3, (0, 1), (1, 2), (2, 3))
    assert read(found, [0.95, 0.001, 0.95], [0.01, 0.999, 0.01]) == [0, 2]


def test_piece_that_is_doubtful_is_kept():
    found = row(3, (0, 1), (1, 2), (2, 3))
    assert read(found, [0.95, 0.4, 0.95], [0.01, 0.5, 0.01]) == [0, 1, 2]


def test_low_piece_is_rather_a_part_of_a_digit_than_one():
    spans = (0, 1), (0, 2), (1, 2)
    belief = [0.9, 0.8, 0.9]
    assert read(row(2, *spans), belief) == [0, 2]
    assert read(row(2, *spans, heights=(TALL, TALL, TALL // 4)), belief) == [1]


@pytest.mark.parametrize(("wide", "tall", "expected"), [
    (12, 40, [0]),  # a tick
    (30, 40, [0, 1]),  # too broad for one
    (12, 60, [0, 1]),  # too high
])  # fmt: skip
def test_low_stroke_is_left_out_although_it_looks_like_a_one(wide, tall, expected):
    digit, last = row(2, (0, 1), (1, 2)).candidates
    last = replace(last, glyph=replace(last.glyph, box=(0, 0, wide, tall)))
    assert read(Row(2, (digit, last), TALL), [0.9, 0.95], [0.01, 0.01]) == expected


def test_stroke_that_two_digits_share_belongs_to_both():
    found = replace(row(3, (0, 1), (0, 2), (0, 3), (1, 3), (2, 3)), shared=frozenset({1}))
    assert read(found, [0.5, 0.9, 0.7, 0.9, 0.5]) == [1, 3]
    assert read(found, [0.5, 0.6, 0.9, 0.6, 0.5]) == [2]


def test_shared_stroke_that_only_one_digit_covers_counts_once():
    found = replace(row(3, (0, 1), (0, 2), (1, 3), (2, 3)), shared=frozenset({1}))
    assert read(found, [0.9, 0.2, 0.9, 0.2]) == [0, 2]
    assert read(found, [0.2, 0.9, 0.2, 0.9]) == [1, 3]


def test_all_pieces_may_be_left_out():
    found = row(2, (0, 1), (1, 2))
    assert read(found, [0.001, 0.001], [0.99, 0.99]) == []


def test_single_piece_is_read():
    assert read(row(1, (0, 1)), [0.7]) == [0]


def test_certain_no_does_not_make_a_row_unreadable():
    found = row(2, (0, 1), (1, 2))
    assert read(found, [0.0, 0.9], [0.0, 0.1]) == [0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_path_covers_every_piece_once_or_leaves_it_out(seed):
    rng = np.random.default_rng(seed)
    pieces = int(rng.integers(1, 12))
    spans = [(i, j) for i in range(pieces) for j in range(i + 1, min(i + 4, pieces) + 1)]
    found, belief = row(pieces, *spans), rng.random(len(spans))
    path = [spans[index] for index in best_path(found, belief, 1 - belief)]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(path))


@pytest.mark.parametrize("seed", range(20))
def test_path_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    spans = [(i, j) for i in range(6) for j in range(i + 1, min(i + 3, 6) + 1)]
    belief = rng.uniform(0.2, 1, len(spans))

    def score(path):
        return sum((spans[i][1] - spans[i][0]) * np.log(belief[i]) for i in path)

    def paths(start):
        if start == 6:
            yield []
        for index, (first, last) in enumerate(spans):
            if first == start:
                yield from ([index, *rest] for rest in paths(last))

    found = best_path(row(6, *spans), belief, np.zeros(len(spans)))
    assert score(found) == pytest.approx(max(map(score, paths(0))))


def reading(found: Row, digits: tuple[int, ...], span: tuple[int, int] | None = None, **labels):
    """The path that reads `digits`; `labels` say of a candidate which digit it looks like."""
    shares = np.full((len(found.candidates), 10), 0.001)
    for name, label in labels.items():
        shares[int(name[1:]), label] = 0.9
    junk = np.full(len(found.candidates), 0.05)
    return path_of(found, shares, junk, span or (0, found.pieces), digits)


def test_path_of_a_string_has_its_digits():
    found = row(2, (0, 1), (0, 2), (1, 2))
    assert reading(found, (3, 8), c0=3, c1=4, c2=8)[1] == [0, 2]
    assert reading(found, (4,), c0=3, c1=4, c2=8)[1] == [1]


def test_string_that_looks_like_it_is_believed_more_than_another():
    found = row(2, (0, 1), (0, 2), (1, 2))
    like, other = (reading(found, digits, c0=3, c2=8)[0] for digits in ((3, 8), (3, 7)))
    assert like > other > -np.inf


def test_string_with_more_digits_than_pieces_has_no_path():
    score, path = reading(row(2, (0, 1), (0, 2), (1, 2)), (1, 2, 3))
    assert score == -np.inf
    assert path == []


def test_path_of_a_string_stays_within_its_span():
    found = row(4, (0, 1), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4))
    assert reading(found, (5, 6), (1, 3), c1=5, c3=6)[1] == [1, 3]
    assert reading(found, (5,), (1, 3), c2=5)[1] == [2]


def test_piece_that_no_digit_needs_is_left_out_of_the_path_of_a_string():
    found = row(3, (0, 1), (1, 2), (2, 3))
    shares = np.full((3, 10), 0.001)
    shares[[0, 2], [4, 7]] = 0.9
    score, path = path_of(found, shares, np.array([0.01, 0.99, 0.01]), (0, 3), (4, 7))
    assert path == [0, 2]
    assert np.isfinite(score)


def test_shared_piece_is_in_both_digits_of_a_string():
    found = replace(row(3, (0, 2), (1, 3)), shared=frozenset({1}))
    assert reading(found, (0, 0), c0=0, c1=0)[1] == [0, 1]
