"""Scores, intervals and calibration, checked against published and hand-computed values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab import evaluation
from digitlab.evaluation import Predictions, expected_calibration_error, wilson_interval
from digitlab.recognizer import Beliefs


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


def predictions(labels, shares: list[dict], is_digit=None) -> Predictions:
    """Predictions of which each `shares` names the digits that get any probability."""
    probabilities = np.zeros((len(labels), 10), np.float32)
    for row, own in zip(probabilities, shares, strict=True):
        row[list(own)] = list(own.values())
    is_digit = np.ones(len(labels)) if is_digit is None else is_digit
    beliefs = Beliefs(probabilities, np.array(is_digit, np.float32), np.empty(0))
    return Predictions(np.array(labels), beliefs)


FOUR = predictions(
    [3, 3, 7, 7],
    [{3: 0.9, 5: 0.1}, {5: 0.8, 3: 0.2}, {7: 1.0}, {7: 0.5, 1: 0.3, 3: 0.2}],
    [1.0, 0.5, 1.0, 0.9],
)


def test_scores_are_those_worked_out_by_hand():
    scores = evaluation.score(FOUR)
    assert (scores.images, scores.errors, scores.right, scores.accuracy) == (4, 1, 3, 0.75)
    assert scores.loss == pytest.approx(-np.log([0.9, 0.2, 1.0, 0.5]).mean(), rel=1e-5)
    squares = [0.1**2 + 0.1**2, 0.8**2 + 0.8**2, 0, 0.5**2 + 0.3**2 + 0.2**2]
    assert scores.brier == pytest.approx(np.mean(squares), rel=1e-5)
    assert (scores.precision[3], scores.recall[3], scores.f1[3]) == pytest.approx((1, 0.5, 2 / 3))
    assert (scores.precision[5], scores.precision[7], scores.recall[7]) == (0, 1, 1)
    assert scores.support.tolist() == [0, 0, 0, 2, 0, 0, 0, 2, 0, 0]


def test_score_that_divides_by_nothing_is_no_number():
    scores = evaluation.score(FOUR)
    assert np.isnan([scores.precision[0], scores.recall[0], scores.recall[5]]).all()


def test_confusion_has_a_row_for_each_label_and_a_column_for_each_answer():
    confusion = evaluation.score(FOUR).confusion
    assert confusion.shape == (10, 10)
    assert {
        (int(row), int(column)): int(confusion[row, column])
        for row, column in np.argwhere(confusion)
    } == {(3, 3): 1, (3, 5): 1, (7, 7): 2}
    assert evaluation.row_shares(confusion)[3, 5] == 0.5
    assert evaluation.row_shares(confusion)[0].sum() == 0


def test_refused_digit_is_still_judged_by_its_likeliest_digit_where_all_are_digits():
    only = predictions([3], [{3: 0.6, 5: 0.4}], [0.1])
    assert only.right.tolist() == [True]
    assert only.confidence == pytest.approx([0.06])


def test_not_a_digit_is_an_answer_where_there_are_others():
    mixed = predictions([10, 3, 10], [{3: 1.0}, {3: 0.7, 8: 0.3}, {0: 1.0}], [0.2, 0.4, 0.9])
    assert mixed.answers.tolist() == [10, 10, 0]
    assert mixed.confidence == pytest.approx([0.8, 0.6, 0.9])
    assert evaluation.score(mixed).confusion[10].tolist() == [1] + [0] * 9 + [1]
    loss = -np.log([0.8, 0.4 * 0.7, 0.1]).mean()
    assert evaluation.score(mixed).loss == pytest.approx(loss, rel=1e-5)


def test_reliability_holds_the_gaps_that_the_calibration_error_sums_up():
    confidence, correct = [0.1, 0.3, 0.9, 0.7, 0.8], [False, True, True, False, True]
    diagram = evaluation.reliability(confidence, correct, bins=2)
    assert diagram.counts.tolist() == [2, 3]
    assert diagram.confidence == pytest.approx([0.2, 0.8])
    assert diagram.right == pytest.approx([0.5, 2 / 3])
    gaps = np.abs(diagram.confidence - diagram.right) * diagram.counts / 5
    expected = expected_calibration_error(confidence, correct, bins=2)
    assert gaps.sum() == pytest.approx(expected)


def test_empty_range_of_confidence_has_no_share():
    diagram = evaluation.reliability([0.9], [True], bins=2)
    assert np.isnan(diagram.right[0])
    assert diagram.right[1] == 1


def test_surest_answers_are_read_first():
    curve = evaluation.coverage_curve([0.6, 0.9, 0.7, 0.8], [False, True, True, False])
    assert curve.threshold == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert curve.coverage == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert curve.accuracy == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert evaluation.readable(curve, 0.99) == pytest.approx((0.25, 0.9))
    assert evaluation.readable(curve, 0.6) == pytest.approx((0.75, 0.7))


def test_answers_of_equal_confidence_are_read_together():
    curve = evaluation.coverage_curve([0.9, 0.9, 0.5], [True, False, True])
    assert curve.coverage == pytest.approx([2 / 3, 1])
    assert evaluation.readable(curve, 0.99)[0] == 0


def test_nothing_can_be_read_of_nothing():
    assert evaluation.readable(evaluation.coverage_curve([], []))[0] == 0


def test_most_certain_mistake_comes_first_and_the_least_certain_right_answer():
    many = predictions(
        [1, 2, 3, 4, 5],
        [{1: 0.9, 2: 0.1}, {3: 0.6, 2: 0.4}, {8: 0.99, 3: 0.01}, {4: 0.7, 9: 0.3}, {5: 1.0}],
    )
    assert evaluation.mistakes(many).tolist() == [2, 1]
    assert evaluation.hardest(many).tolist() == [3, 0, 4]
    assert evaluation.cell(many, 3, 8).tolist() == [2]
    assert evaluation.cell(many, 3, 9).tolist() == []
