"""Digits that touch, read together: the search for strings, the network, and both networks' say."""

from itertools import groupby, product
from pathlib import Path

import cv2
import numpy as np
import pytest
from handwriting import on_white

from digitlab import recognizer, touching
from digitlab.corpus import enlarge_mnist
from digitlab.datasets import mnist_test
from digitlab.errors import ModelError
from digitlab.frame import to_strip
from digitlab.reading import DISPUTED, REFUSED, UNSURE
from digitlab.recognizer import champion
from digitlab.synthesis import write_row
from digitlab.touching import (
    OTHER,
    Opinion,
    StringReader,
    alone_odds,
    likely_strings,
    log_likelihood,
    seconded,
    shipped,
)


def columns_of(count: int, seed: int = 0) -> np.ndarray:
    """Any logarithms of probabilities, (count, 11), of the blank and three digits."""
    logits = np.full((count, 11), -50.0)
    logits[:, :4] = np.random.default_rng(seed).normal(0, 3, (count, 4))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def every_string(columns: np.ndarray) -> dict[tuple[int, ...], float]:
    """The probability of each string: that of all the ways to spread it over the columns."""
    found: dict[tuple[int, ...], float] = {}
    for way in product(range(4), repeat=len(columns)):
        string = tuple(state - 1 for state, _ in groupby(way) if state)
        share = float(np.exp(columns[np.arange(len(way)), way].sum()))
        found[string] = found.get(string, 0.0) + share
    return found


@pytest.mark.parametrize("seed", range(5))
def test_likelihood_is_that_of_all_ways_to_spread_a_string(seed):
    columns = columns_of(6, seed)
    for string, share in every_string(columns).items():
        assert np.exp(log_likelihood(columns, string)) == pytest.approx(share, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_likely_strings_are_the_likeliest_of_all(seed):
    every = every_string(columns_of(6, seed))
    every.pop(())
    first, second, *_ = sorted(every, key=every.get, reverse=True)
    found = likely_strings(columns_of(6, seed))
    assert found[0] == first
    assert second in found  # the search is no full one: the order of the others may be another


def test_string_too_long_for_its_columns_is_impossible():
    assert log_likelihood(columns_of(3), (0, 0, 0)) < -1e6  # a blank is needed between equal ones
    assert log_likelihood(columns_of(3), (0, 1, 2)) > -1e3


@pytest.mark.parametrize("count", [1, 5, 40])
def test_odds_of_what_stands_alone_are_those_of_the_strings_of_one_sign(count):
    logits = np.random.default_rng(count).normal(0, 3, (count, 12))
    columns = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    digits = np.logaddexp.reduce([log_likelihood(columns, (digit,)) for digit in range(OTHER)])
    other = log_likelihood(columns, (OTHER,))
    assert alone_odds(columns) == pytest.approx(digits - other, rel=1e-9)


def strip_of(ink: np.ndarray) -> np.ndarray:
    return to_strip(ink.astype(np.float32) / 255, ink > 100)


def row_of(text: str, seed: int, gap: tuple[float, float]) -> np.ndarray:
    """Digits of the MNIST test set in a row, (h, w) uint8, 255 is ink."""
    rng, digits = np.random.default_rng(seed), mnist_test()
    signs = []
    for label in text:
        index = rng.choice(np.flatnonzero(digits.labels == int(label)))
        signs.append((label, enlarge_mnist(digits.ink[index], 60)))
    return write_row(signs, rng, gap).ink


def test_network_reads_digits_that_touch():
    right = 0
    for seed in range(40):
        text = "".join(map(str, np.random.default_rng(seed).integers(10, size=2)))
        ink = row_of(text, seed, (-0.12, -0.06))
        strip = strip_of(ink)
        (columns,) = shipped()(strip[None])
        right += likely_strings(columns)[0] == tuple(map(int, text))
    assert right >= 34


def test_columns_end_a_little_behind_the_ink():
    ink = row_of("00", 0, (-0.1, -0.1))
    strip = strip_of(ink)
    (columns,) = shipped()(strip[None])
    end = np.flatnonzero(strip.any(0))[-1] / 2
    assert end < len(columns) < end + 6
    assert np.allclose(np.exp(columns).sum(1), 1)


def test_numbers_that_touch_are_read_better_together(monkeypatch):
    numbers = []
    for seed in range(40):
        text = "".join(map(str, np.random.default_rng(seed + 100).integers(10, size=4)))
        numbers.append((text, on_white(row_of(text, seed, (-0.22, -0.08)))))

    def right() -> int:
        return sum(champion().recognize(image).text == text for text, image in numbers)

    with_it = right()
    monkeypatch.setattr(recognizer, "together", lambda row, path, shares, junk: (path, {}))
    assert with_it >= right() + 3


def test_signs_that_touch_are_known_as_none():
    """Letters and crosses of straight strokes, one or two in a strip."""
    strokes = {
        "M": [(0, 1), (0.1, 0), (0.5, 0.7), (0.9, 0), (1, 1)],
        "N": [(0, 1), (0, 0), (0.7, 1), (0.7, 0)],
        "W": [(0, 0), (0.3, 1), (0.5, 0.2), (0.7, 1), (1, 0)],
        "E": [(0.6, 0), (0, 0), (0, 0.5), (0.5, 0.5), (0, 0.5), (0, 1), (0.6, 1)],
        "K": [(0, 0), (0, 1), (0, 0.6), (0.6, 0), (0.2, 0.4), (0.7, 1)],
    }
    known = 0
    for name in ("M", "N", "W", "E", "K", "MN", "EN", "KE"):
        ink, left = np.zeros((80, 200), np.uint8), 10.0
        for sign in name:
            path = np.array(strokes[sign]) * 60 + [left, 10]
            cv2.polylines(ink, [np.rint(path).astype(np.int32)], False, 255, 6, cv2.LINE_AA)
            left = path[:, 0].max()
        (columns,) = shipped()(strip_of(ink)[None])
        known += touching.OTHER in likely_strings(columns)[0]
    assert known >= 6


def test_both_networks_confidence_grows_with_each():
    sure, unsure = Opinion(0.999), Opinion(0.3)
    for opinion in (sure, unsure):
        found = [opinion.believed(confidence) for confidence in (0.0, 0.3, 0.9, 1.0)]
        assert 0 < found[0] < found[1] < found[2] < found[3] <= 1
    assert all(unsure.believed(c) < sure.believed(c) for c in (0.0, 0.5, 1.0))


def test_numbers_that_touch_are_accepted_where_both_agree(monkeypatch):
    numbers = []
    for seed in range(400):
        text = "".join(map(str, np.random.default_rng(seed + 300).integers(10, size=3)))
        numbers.append((text, on_white(row_of(text, seed, (-0.22, -0.08)))))

    def accepted() -> tuple[int, int]:
        """How many are, and how many of those are wrong."""
        readings = [(text, champion().recognize(image)) for text, image in numbers]
        believed = [(t, r) for t, r in readings if all(digit.accepted for digit in r.digits)]
        return len(believed), sum(reading.text != text for text, reading in believed)

    count, wrong = accepted()
    monkeypatch.setattr(Opinion, "believed", lambda opinion, confidence: confidence)
    count_alone, wrong_alone = accepted()
    assert count >= count_alone + 20
    assert wrong <= wrong_alone


def test_digit_that_only_the_classifier_believes_says_why_it_is_doubted():
    readings = [
        champion().recognize(on_white(row_of(text, seed, (-0.3, -0.15))))
        for seed, text in enumerate(["4718", "5392", "8205", "6174", "9036"] * 4)
    ]
    doubted = [d for r in readings for d in r.digits if d.objection == DISPUTED]
    assert doubted
    assert all(not d.accepted and d.verdict == UNSURE for d in doubted)
    assert all(d.confidence < champion().calibration.accept for d in doubted)


def test_numbers_apart_are_read_as_without(monkeypatch):
    images = [on_white(row_of("4071", seed, (0.2, 0.4))) for seed in range(10)]
    before = [champion().recognize(image).text for image in images]
    monkeypatch.setattr(recognizer, "together", lambda row, path, shares, junk: (path, {}))
    assert [champion().recognize(image).text for image in images] == before


def test_digits_read_together_have_boxes_of_their_own_and_shares_that_fit_their_labels():
    for seed in range(12):
        reading = champion().recognize(on_white(row_of("305", seed, (-0.14, -0.06))))
        lefts = [digit.box[0] for digit in reading.digits]
        assert lefts == sorted(lefts)
        for digit in reading.digits:
            assert digit.label == int(np.argmax(digit.probabilities))
            assert sum(digit.probabilities) == pytest.approx(1, abs=1e-4)
            assert 0 <= digit.confidence <= 1


def test_long_number_in_one_piece_is_read_without_an_error():
    ink = row_of("0123456789" * 2, 3, (-0.12, -0.05))
    middle = ink.shape[0] // 2
    cv2.line(ink, (40, middle), (ink.shape[1] - 40, middle), 255, 5)
    assert len(champion().recognize(on_white(ink)).text) > 5


def test_damaged_model_is_an_error():
    with pytest.raises(ModelError):
        StringReader(b"no model")


def test_missing_model_is_an_error_that_names_it(monkeypatch, tmp_path):
    monkeypatch.setattr(touching, "SHIPPED", Path(tmp_path) / "none.tflite")
    with pytest.raises(ModelError, match=r"none\.tflite"):
        touching.shipped.__wrapped__()


def test_second_opinion_raises_what_is_like_a_digit_and_lowers_what_is_not():
    zigzag = np.zeros((90, 90), np.uint8)
    path = [(5, 80), (20, 8), (35, 80), (50, 8), (65, 80), (80, 8)]
    cv2.polylines(zigzag, [np.array(path, np.int32)], False, 255, 7, cv2.LINE_AA)
    assert seconded(0.8, strip_of(zigzag)) < 0.4
    assert seconded(0.8, strip_of(row_of("3", 0, (0, 0)))) > 0.9


def test_classifier_that_is_certain_is_not_overruled():
    cross = np.zeros((90, 90), np.uint8)
    cv2.line(cross, (5, 5), (80, 80), 255, 7, cv2.LINE_AA)
    cv2.line(cross, (80, 5), (5, 80), 255, 7, cv2.LINE_AA)
    assert seconded(0.99999, strip_of(cross)) > 0.99


def test_what_stands_alone_in_a_drawing_is_judged_by_both_networks(monkeypatch):
    image = on_white(row_of("3", 0, (0, 0)))
    before = champion().recognize(image).digits[0]
    assert before.accepted
    asked = []

    def doubt(likeness: float, strip: np.ndarray) -> float:
        asked.append(strip)
        return 0.3 * likeness

    monkeypatch.setattr(recognizer, "seconded", doubt)
    (digit,) = champion().recognize(image).digits
    assert len(asked) == 1
    assert asked[0].shape == (32, 112)
    assert (digit.label, digit.accepted) == (3, False)
    assert digit.confidence <= 0.3
    assert digit.verdict == REFUSED
    assert [d.accepted for d in champion().recognize(image, [before.box]).digits] == [True]
    assert champion().recognize(on_white(row_of("34", 0, (0.3, 0.3)))).digits[0].accepted
