"""The paired comparison and the gate, against cases worked out by hand."""

import json

import numpy as np
import pytest

from digitlab import comparison
from digitlab.recognizer import Beliefs
from digitlab.sample import NOT_A_DIGIT


def test_pair_finds_which_images_changed_sides():
    labels = np.array([1, 2, 3, 4, 5])
    found = comparison.pair(np.array([1, 0, 3, 0, 5]), np.array([1, 2, 0, 0, 5]), labels)
    assert (found.images, found.before, found.after) == (5, 3, 3)
    assert (found.gained, found.lost) == ((1,), (2,))
    assert found.difference == 0


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    # 2 * (C(10,0) + C(10,1)) / 2^10, and so on
    [(9, 1, 22 / 1024), (1, 9, 22 / 1024), (5, 0, 2 / 32), (3, 3, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_is_the_exact_binomial_test(gained, lost, p):
    assert comparison.mcnemar(gained, lost) == pytest.approx(p)


def paired(images: int, before: int, after: int) -> comparison.Paired:
    return comparison.Paired(images, before, after, (), (), 1.0)


def holding(
    held_back=(10, 5, 6), lucky=0.05, test=(10_000, 9960, 9960), refused=(0.9, 0.9)
) -> list[bool]:
    rules = comparison.judge(paired(*held_back), lucky, paired(*test), refused)
    assert comparison.recommended(rules) == all(rule.holds for rule in rules)
    return [rule.holds for rule in rules]


def test_better_candidate_passes_every_rule():
    assert holding() == [True, True, True]


@pytest.mark.parametrize("after", [4, 5])
def test_candidate_that_is_not_better_on_what_was_held_back_fails(after):
    assert holding(held_back=(10, 5, after)) == [False, True, True]


def test_candidate_whose_hits_may_be_luck_fails_and_is_told_so():
    assert holding(lucky=0.051) == [False, True, True]
    rule, *_ = comparison.judge(paired(8, 5, 6), 0.126, paired(9, 9, 9), (0.9, 0.9))
    assert rule.reason == (
        "6 of 8 right, 5 before. "
        "Luck alone does as well in 13% of cases: more corrections would tell."
    )


LABELS = np.repeat([1, 4, 7, 9], [6, 4, 3, 2])


@pytest.mark.parametrize(
    ("answers", "least", "most"),
    [
        (np.roll(LABELS, 5), 0.2, 1.0),  # as many of each, elsewhere: four are right by luck
        (np.full(15, 1), 1.0, 1.0),  # the likeliest label for all
        (np.where(LABELS == 9, 1, LABELS), 0.0, 0.001),
        (np.where(np.arange(15) % 2, LABELS, 0), 0.0, 0.01),
    ],
)
def test_luck_is_the_share_of_deals_with_as_many_hits(answers, least, most):
    assert least <= comparison.luck(answers, LABELS) <= most


@pytest.mark.parametrize("labels", [[1, 2], [1, 2, 3], [7] * 15, [7] * 14 + [1]])
def test_labels_that_any_deal_may_hit_tell_nothing_of_luck(labels):
    assert comparison.luck(np.zeros(len(labels), int), np.array(labels)) == 0


def test_five_images_of_ten_thousand_are_the_margin():
    assert holding(test=(10_000, 9960, 9955)) == [True, True, True]
    assert holding(test=(10_000, 9960, 9954)) == [True, False, True]


def test_candidate_that_accepts_scribbles_fails():
    assert holding(refused=(0.9, 0.86)) == [True, True, False]


def test_reasons_name_the_figures():
    rules = comparison.judge(paired(8, 5, 6), 0.0, paired(10_000, 9960, 9950), (0.9, 0.85))
    assert rules[0].reason == "6 of 8 right, 5 before."
    assert rules[1].reason == "99.50%, 99.60% before: -0.10 points."
    assert rules[2].reason.startswith("85.0%")
    json.dumps([comparison.as_json(rule) for rule in rules])


def test_answer_is_no_digit_where_that_is_likelier():
    shares = np.eye(10, dtype=np.float32)[[3, 4]]
    beliefs = Beliefs(shares, np.array([0.6, 0.4], np.float32), np.zeros((2, 0)))
    assert comparison.answers(beliefs).tolist() == [3, NOT_A_DIGIT]


def test_rows_by_digit_count_the_right_ones():
    labels = np.array([7, 7, 2])
    rows = comparison.by_digit(np.array([7, 1, 2]), np.array([7, 7, 3]), labels)
    assert rows[7] == {"digit": 7, "images": 2, "before": 1, "after": 2}
    assert rows[2] == {"digit": 2, "images": 1, "before": 1, "after": 0}
    assert rows[0] == {"digit": 0, "images": 0, "before": 0, "after": 0}
