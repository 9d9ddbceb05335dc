"""Digits read in boxes that a person has put right."""

import numpy as np
from handwriting import on_white, placed, written

from digitlab.recognizer import champion
from digitlab.segmentation import segment_boxes


def page(*texts: str) -> np.ndarray:
    rows = [placed(written(text, 90, 9), (150, 520), 30, 25) for text in texts]
    return on_white(np.vstack(rows))


def test_boxes_found_and_given_back_read_the_same():
    image = page("2704", "18")
    found = champion().recognize(image)
    again = champion().recognize(image, [digit.box for digit in found.digits])
    assert found.text == again.text == "2704\n18"


def test_order_of_boxes_does_not_matter():
    image = page("274")
    boxes = [digit.box for digit in champion().recognize(image).digits]
    assert champion().recognize(image, boxes[::-1]).text == "274"


def test_box_taken_away_is_a_digit_less():
    image = page("274")
    boxes = [digit.box for digit in champion().recognize(image).digits]
    assert champion().recognize(image, boxes[:2]).text == "27"


def test_box_without_ink_is_left_out():
    image = page("27")
    boxes = [digit.box for digit in champion().recognize(image).digits]
    assert champion().recognize(image, [*boxes, (400, 10, 40, 40)]).text == "27"


def test_no_boxes_read_nothing():
    reading = champion().recognize(page("27"), [])
    assert reading.text == ""
    assert reading.digits == ()


def test_boxes_beyond_the_picture_are_cut():
    image = page("7")
    assert champion().recognize(image, [(-50, -50, 700, 400)]).text == "7"


def test_every_box_counts_even_if_it_holds_no_digit():
    image = page("27")
    left = champion().recognize(image).digits[0].box
    half = (left[0], left[1], left[2], left[3] // 4)
    assert len(champion().recognize(image, [half]).digits) == 1


def test_later_box_has_the_ink_of_both():
    mask = np.ones((20, 20), np.uint8)
    found = segment_boxes(mask, [(0, 0, 10, 20), (5, 0, 20, 20)])
    assert (found.labels[:, :5] == 1).all()
    assert (found.labels[:, 5:] == 2).all()


def test_box_hidden_by_a_later_one_is_left_out():
    mask = np.ones((20, 20), np.uint8)
    found = segment_boxes(mask, [(5, 5, 10, 10), (0, 0, 20, 20)])
    assert [len(line.pieces) for line in found.lines] == [1]
