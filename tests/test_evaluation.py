"""Intervals and calibration errors, checked against published and hand-made values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.evaluation import expected_calibration_error, wilson_interval


@pytest.mark.parametrize(
    ("right", "n", "expected"),
    [
        (0, 10, (0.0, 0.2775)),
        (10, 10, (0.7225, 1.0)),
        (50, 100, (0.4038, 0.5962)),
        (81, 263, (0.2553, 0.3662)),  # Newcombe (1998), table I, method 3
        (15, 148, (0.0624, 0.1605)),
        (9965, 10_000, (0.9951, 0.9975)),
    ],
)
def test_interval_is_wilsons(right, n, expected):
    assert wilson_interval(right, n) == pytest.approx(expected, abs=1e-4)


def test_nothing_seen_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_share_and_stays_a_share(counts):
    right, n = counts
    low, high = wilson_interval(right, n)
    assert 0 <= low <= right / n + 1e-9
    assert right / n - 1e-9 <= high <= 1
    assert low < high


def test_more_pictures_make_the_interval_narrower():
    widths = [np.ptp(wilson_interval(9 * n // 10, n)) for n in (10, 100, 1000, 10_000)]
    assert widths == sorted(widths, reverse=True)


def test_confidence_that_keeps_its_word_has_no_error():
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)
    assert expected_calibration_error([1.0] * 5, [True] * 5) == pytest.approx(0)


def test_overconfidence_is_the_error():
    assert expected_calibration_error([1.0] * 10, [True] * 4 + [False] * 6) == pytest.approx(0.6)
    assert expected_calibration_error([0.0] * 10, [True] * 10) == pytest.approx(1.0)


def test_errors_of_different_bins_do_not_cancel_out():
    confidence = [0.9] * 10 + [0.1] * 10
    correct = [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.1)


def test_errors_within_one_bin_do_cancel_out():
    assert expected_calibration_error([0.6, 0.6], [True, False], bins=2) == pytest.approx(0.1)


def test_bins_are_of_equal_width_and_hold_their_upper_limit():
    assert expected_calibration_error([0.25, 0.75], [True, False], bins=2) == pytest.approx(0.75)
    assert expected_calibration_error([0.25, 0.5], [True, False], bins=2) == pytest.approx(0.125)


def test_no_answers_have_no_error():
    assert expected_calibration_error([], []) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_error_is_a_share(answers):
    confidence, correct = zip(*answers, strict=True)
    assert 0 <= expected_calibration_error(confidence, correct) <= 1 + 1e-12
