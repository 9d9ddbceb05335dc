"""Brackets around a number or after it are left out; ones and zeros are not."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.brackets import brackets
from digitlab.recognizer import champion
from digitlab.segmentation import Piece


def bow(page: np.ndarray, left: int, bent: float, top: int = 30, tall: int = 130, lean: int = 0):
    """A stroke whose middle is `bent` heights to the left of its ends, its lower end shifted."""
    down = np.linspace(0, 1, 40)
    across = left + lean * down - bent * tall * (1 - (2 * down - 1) ** 2)
    path = np.rint(np.stack([across, top + tall * down], 1)).astype(np.int32)
    cv2.polylines(page, [path], False, 255, 8)


def numbered(text: str, before: float = 0.0, after: float = 0.0, lean: int = 0) -> np.ndarray:
    """A number, with strokes of that bow before and after it."""
    number = written(text, 100, 9)
    page = placed(number, (200, number.shape[1] + 240), 120, 45)
    if before:
        bow(page, 90, before, lean=lean)
    if after:
        bow(page, number.shape[1] + 175, -after, lean=lean)
    return page


def read(ink: np.ndarray) -> set[str]:
    """As a drawing and as a photograph."""
    return {champion().recognize(picture).text for picture in (on_white(ink), photographed(ink))}


def found(ink: np.ndarray) -> list[int]:
    """The parts that are brackets, numbered from left to right."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((ink > 127).astype(np.uint8))
    order = 1 + np.argsort(stats[1:, cv2.CC_STAT_LEFT])
    boxes = [stats[i].tolist() for i in order]
    parts = [
        Piece([int(i)], x, y, x + w, y + h, area)
        for i, (x, y, w, h, area) in zip(order, boxes, strict=True)
    ]
    return sorted(brackets(labels, parts))


@pytest.mark.parametrize("lean", [0, -35])
@pytest.mark.parametrize("bent", [0.12, 0.25])
@pytest.mark.parametrize("number", ["7", "42", "3805"])
def test_number_in_brackets_is_read_without_them(number, bent, lean):
    assert read(numbered(number, bent, bent, lean)) == {number}


def test_bracket_that_is_nearly_straight_belongs_to_one_that_is_not():
    assert found(numbered("42", 0.06, 0.25)) == [0, 3]
    assert found(numbered("42", 0.06, 0.1)) == []


@pytest.mark.parametrize("number", ["5", "12"])
def test_number_before_a_single_bracket_is_read(number):
    assert read(numbered(number, after=0.22)) == {number}


def test_several_numbers_in_brackets_keep_what_is_between():
    left, right = numbered("4", 0.2, 0.2), numbered("6", 0.2, 0.2)
    between = placed(written("5", 100, 9), (200, 90), 10, 45)
    assert read(np.hstack([left, between, right])) == {"456"}


def test_stroke_with_little_bow_after_a_number_is_a_one():
    assert found(numbered("5", after=0.1)) == []
    assert read(numbered("5", after=0.04)) == {"51"}


@pytest.mark.parametrize(("before", "after"), [(0.2, -0.2), (-0.2, 0.04)])
def test_strokes_that_bow_the_same_way_hold_nothing(before, after):
    assert found(numbered("42", before, after)) == []


def test_bracket_among_digits_is_none():
    page = numbered("5", after=0.22)
    more = placed(written("3", 100, 9), (200, 120), 0, 45)
    assert found(np.hstack([page[:, :-60], more])) == []


def test_zero_in_two_arcs_is_no_pair_of_brackets():
    page = np.zeros((200, 200), np.uint8)
    bow(page, 95, 0.3)
    bow(page, 105, -0.3)
    assert found(page) == []


def test_far_lower_stroke_after_a_number_is_no_bracket():
    page = numbered("42")
    bow(page, 300, -0.25, 60, 60)
    assert found(page) == []
