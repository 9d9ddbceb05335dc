"""Little drawings by hand, and what the program makes of them."""

import cv2
import numpy as np
import pytest
from handwriting import hat_over, on_white

from digitlab.doodles import doodle, sketches
from digitlab.reading import DETAIL
from digitlab.recognizer import champion
from digitlab.synthesis import render


def test_no_kind_is_both_learnt_and_held_out():
    learnt, held = sketches(held_out=False), sketches(held_out=True)
    assert len(learnt) > 200
    assert len(held) > 15
    assert not set(learnt) & set(held)


@pytest.mark.parametrize("held_out", [False, True])
def test_doodle_is_of_a_kind_that_was_asked_for(rng, held_out):
    labels = {doodle(rng, held_out).label for _ in range(120)}
    assert labels <= {*sketches(held_out), *([] if held_out else ["invented"])}
    assert len(labels) > 12


def test_same_seed_draws_the_same_and_no_two_hands_draw_alike():
    first, second = ([doodle(np.random.default_rng(5)) for _ in range(2)] for _ in range(2))
    for one, other in zip(first[0].strokes, second[0].strokes, strict=True):
        np.testing.assert_array_equal(one, other)
    rng = np.random.default_rng(5)
    hearts = [d for d in (doodle(rng) for _ in range(2000)) if d.label == "heart"]
    assert len({heart.strokes[0].tobytes() for heart in hearts}) == len(hearts) > 2


def test_doodles_are_a_few_strokes_with_room_between_them(rng):
    for drawing in (doodle(rng, held_out) for held_out in (False, True) for _ in range(60)):
        points = np.concatenate(drawing.strokes)
        assert np.isfinite(points).all()
        assert 60 < np.ptp(points, 0).max() < 190
        ink = render(drawing, rng, 120, 4)
        assert 0.02 < cv2.countNonZero(ink) / ink.size < 0.7


@pytest.mark.parametrize(("held_out", "most"), [(False, 5), (True, 9)])
def test_most_doodles_are_refused(held_out, most):
    """Of kinds that the shipped model has learnt and of those that it has not."""
    rng, accepted = np.random.default_rng(31), 0
    for _ in range(60):
        ink = render(doodle(rng, held_out), rng, rng.uniform(80, 200), rng.uniform(5, 16))
        read = champion().recognize(on_white(np.pad(ink, 40)))
        accepted += any(digit.accepted for digit in read.digits)
    assert accepted <= most


@pytest.mark.parametrize("number", ["11", "4"])
def test_digits_are_not_believed_as_details_of_a_larger_drawing(number):
    read = champion().recognize(hat_over(number, 150)).digits[-len(number) :]
    assert "".join(str(digit.label) for digit in read) == number
    assert [(digit.accepted, digit.objection) for digit in read] == [(False, DETAIL)] * len(number)


@pytest.mark.parametrize(("number", "tall"), [("4", 90), ("10203", 150)])
def test_digits_are_believed_beside_what_is_hardly_larger_and_a_long_number_beside_anything(
    number, tall
):
    read = champion().recognize(hat_over(number, tall)).digits[-len(number) :]
    assert "".join(str(digit.label) for digit in read) == number
    assert all(digit.accepted for digit in read)
