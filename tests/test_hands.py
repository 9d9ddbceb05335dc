"""Strokes as they were written, and what other hands make of them."""

import gzip
import json

import numpy as np
import pytest
from handwriting import STROKES

from digitlab.errors import DataError
from digitlab.hands import (
    Drawing,
    barred,
    crossed,
    curled,
    footed,
    load_drawings,
    looped,
    plain,
    slashed,
    stepped,
)

FOUR = Drawing("4", "here", "1", tuple(np.array(p, np.float32) * 300 for p in STROKES["4"]))


def packed(path, *entries) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


ENTRY = {
    "label": "7",
    "source": "abc",
    "page": "p1",
    "strokes": [[[0, 0], [9, 0], [3, 9]], [[1, 5]]],
}


def test_drawings_are_read_with_their_writer(tmp_path):
    packed(tmp_path / "strokes.gz", ENTRY, {**ENTRY, "label": "x"})
    seven, sign = load_drawings(tmp_path / "strokes.gz")
    assert (seven.label, seven.source, seven.page, sign.label) == ("7", "abc", "p1", "x")
    assert [stroke.shape for stroke in seven.strokes] == [(3, 2), (1, 2)]
    assert seven.strokes[0].dtype == np.float32


@pytest.mark.parametrize(
    "entry", [{}, {**ENTRY, "strokes": [["a"]]}, {**ENTRY, "strokes": [[1, 2, 3]]}, {"label": "7"}]
)
def test_drawings_of_another_form_are_a_data_error(tmp_path, entry):
    packed(tmp_path / "strokes.gz", ENTRY, entry)
    with pytest.raises(DataError, match=r"strokes\.gz"):
        load_drawings(tmp_path / "strokes.gz")


def test_missing_and_unpacked_and_truncated_files_are_a_data_error(tmp_path):
    path = tmp_path / "strokes.gz"
    with pytest.raises(DataError):
        load_drawings(path)
    packed(path, *[ENTRY] * 50)
    whole = path.read_bytes()
    for content in (json.dumps(ENTRY).encode(), whole[:-20], b""):
        path.write_bytes(content)
        if content:
            with pytest.raises(DataError):
                load_drawings(path)


def test_two_is_given_a_long_level_foot(rng):
    hook = np.array(
        [[0, 20], [20, 0], [40, 20], [30, 50], [10, 90], [5, 100], [30, 95]], np.float32
    )
    two = Drawing("2", "here", "1", (hook,))
    (stroke,) = footed(two, rng).strokes
    assert np.array_equal(stroke[:6], hook[:6])
    assert len(stroke) == 7
    assert 50 <= stroke[6, 0] - stroke[5, 0] <= 110
    assert abs(stroke[6, 1] - stroke[5, 1]) < 10


@pytest.mark.parametrize("other", [FOUR, Drawing("2", "here", "1", FOUR.strokes)])
def test_other_digits_and_a_two_of_two_strokes_keep_their_feet(rng, other):
    assert footed(other, rng) is other


def test_slash_runs_through_the_middle_of_a_zero(rng):
    time = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([30 * np.cos(time), 50 * np.sin(time)], 1).astype(np.float32)
    zero = Drawing("0", "site", "page", (ring,))
    for _ in range(20):
        *before, slash = slashed(zero, rng).strokes
        assert len(before) == 1
        assert np.abs(slash.mean(0) / [30, 50]).max() < 0.5
        assert np.ptp(slash[:, 1]) > 30  # upright or aslant, never level


def test_bar_crosses_the_stem_of_a_seven(rng):
    stem = np.array([[0, 0], [20, 0], [40, 0], [30, 30], [22, 60], [15, 100]], np.float32)
    stroke, bar = crossed(Drawing("7", "site", "page", (stem,)), rng).strokes
    assert np.array_equal(stroke, stem)
    assert bar[0, 0] < 22 < bar[1, 0] or bar[0, 0] < 30 < bar[1, 0]
    assert 20 < bar[:, 1].mean() < 75


def test_barred_seven_has_a_short_head_and_a_bar_through_its_stem(rng):
    hand = Drawing("7", "site", "page", (np.ones((5, 2), np.float32),))
    for _ in range(20):
        stroke, bar = barred(hand, rng).strokes
        top, bottom = stroke[:, 1].min(), stroke[:, 1].max()
        assert stroke[0, 0] < stroke[12, 0] - 0.05
        assert stroke[12, 1] < top + 0.15
        assert top + 0.2 < bar[:, 1].mean() < bottom - 0.3
        crossing = stroke[np.abs(stroke[12:, 1] - bar[:, 1].mean()).argmin() + 12, 0]
        assert bar[0, 0] < crossing < bar[1, 0]


def test_curl_leads_into_a_two_and_turns_as_its_bow_does(rng):
    time = np.linspace(np.pi, 2.2 * np.pi, 20)
    bow = np.stack([30 * np.cos(time), 30 * np.sin(time)], 1)
    two = np.concatenate([bow, [[-30, 70], [30, 70]]]).astype(np.float32)
    drawing = Drawing("2", "site", "page", (two,))
    for _ in range(20):
        (stroke,) = curled(drawing, rng).strokes
        curl = stroke[: -len(two)]
        assert np.array_equal(stroke[-len(two) :], two)
        steps = np.diff(curl.astype(float), axis=0)
        turns = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
        assert (turns > 0).all()  # clockwise, as y grows downwards
        assert np.linalg.norm(curl[-1] - two[0]) < 15
        assert np.ptp(curl, 0).max() < 45


def test_looped_two_begins_below_its_bow_and_goes_on_as_it_was_written(rng):
    turn = np.deg2rad(np.linspace(200, 380, 24))[:, None]
    bow = np.concatenate([np.cos(turn), np.sin(turn)], 1) * 30 + [0, 30]
    two = np.concatenate([bow, [[-30, 100], [30, 100]]]).astype(np.float32)
    drawing = Drawing("2", "site", "page", (two,))
    for _ in range(20):
        (stroke,) = looped(drawing, rng).strokes
        lead, rest = stroke[: -len(two)], stroke[-len(two) :]
        assert np.array_equal(rest[:, 1], two[:, 1])
        assert 0.6 < np.ptp(rest[:, 0]) / np.ptp(two[:, 0]) <= 1
        assert lead[:, 1].max() > rest[0, 1] + 5  # under the start of the bow
        assert lead[:, 1].max() < 0.8 * two[:, 1].max()
        steps = np.diff(lead.astype(float), axis=0)
        turns = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
        assert (turns > 0).all()  # clockwise, as y grows downwards


def test_two_that_begins_elsewhere_is_neither_curled_nor_looped(rng):
    upwards = np.stack([np.linspace(0, 30, 10), np.linspace(100, 0, 10)], 1).astype(np.float32)
    drawing = Drawing("2", "site", "page", (upwards,))
    assert curled(drawing, rng) is drawing
    assert looped(drawing, rng) is drawing


def test_plain_seven_has_two_straight_lines_and_a_plain_one_has_one(rng):
    for label, corners in (("1", 0), ("7", 1)):
        hand = Drawing(label, "site", "page", (np.ones((5, 2), np.float32),))
        (stroke,) = plain(hand, rng).strokes
        turns = np.diff(np.unwrap(np.arctan2(*np.diff(stroke, axis=0).T)))
        assert (np.abs(turns) > 0.5).sum() == corners
        assert (np.abs(turns) > 1e-2).sum() == corners
        assert stroke[0, 1] < stroke[-1, 1]
        assert np.ptp(stroke[:, 0]) < np.ptp(stroke[:, 1])


def test_stem_of_a_stepped_four_begins_below_its_corner(rng):
    four = Drawing("4", "site", "page", FOUR.strokes)
    for _ in range(20):
        strokes = stepped(four, rng).strokes
        corner = strokes[0][: len(FOUR.strokes[0])]
        stem = strokes[1] if len(strokes) == 2 else strokes[0][len(corner) :]
        assert np.array_equal(corner[-1], FOUR.strokes[0][-1])
        assert corner[0, 1] <= FOUR.strokes[0][0, 1]
        assert corner[0, 1] + 20 < stem[0, 1] < corner[-1, 1] + 5
        assert stem[-1, 1] >= FOUR.strokes[1][-1, 1]


def test_four_of_one_stroke_keeps_its_stem(rng):
    four = Drawing("4", "site", "page", (np.concatenate(FOUR.strokes),))
    assert stepped(four, rng) is four


@pytest.mark.parametrize("change", [slashed, crossed, barred, stepped, curled, looped, plain])
def test_other_digits_are_left_as_they_are(change, rng):
    drawing = Drawing("3", "site", "page", (np.ones((5, 2), np.float32),))
    assert change(drawing, rng) is drawing
