"""Pictures that lie on their side or upside down: which way up they can be read."""

import numpy as np
import pytest
from handwriting import centred, on_white, photographed, placed, written

from digitlab.recognizer import champion
from digitlab.turning import Way, is_doubted, other_ways_up, turned


def ways(picture: np.ndarray) -> tuple[Way, ...]:
    """What the page offers: nothing where the picture is read as it came."""
    doubted = is_doubted(champion().recognize(picture))
    return other_ways_up(champion(), picture) if doubted else ()


def lines(*texts: str) -> np.ndarray:
    """A photograph of numbers, one under the other."""
    canvas = np.zeros((60 + 150 * len(texts), 520), np.uint8)
    for number, text in enumerate(texts):
        canvas |= placed(written(text, 90, 9), canvas.shape, 40, 40 + 150 * number)
    return photographed(canvas)


@pytest.mark.parametrize("quarters", [1, 3])
@pytest.mark.parametrize("number", ["27", "4327", "75243"])
def test_number_on_its_side_is_offered_upright(number, quarters):
    offered = ways(turned(lines(number), quarters))
    assert Way(4 - quarters, number) in offered


@pytest.mark.parametrize("number", ["27", "44", "747", "4347"])  # of 86 nobody can know
def test_number_upside_down_is_offered_upright(number):
    assert Way(2, number) in ways(turned(lines(number), 2))


def test_all_lines_of_a_page_are_offered():
    offered = ways(turned(lines("2734", "5243"), 1))
    assert offered[0] == Way(3, "2734\n5243")
    assert offered[0].words == "Turn to the left: 2734, 5243"


@pytest.mark.parametrize("number", ["27", "4327", "75243"])
def test_upright_number_is_not_questioned(number):
    assert ways(lines(number)) == ()


@pytest.mark.parametrize("digit", "0123456789")
def test_nothing_is_offered_for_a_digit_alone(digit):
    for quarters in range(4):
        assert ways(turned(on_white(centred(written(digit))), quarters)) == ()


def test_nothing_is_offered_for_empty_paper():
    assert ways(np.full((200, 300, 3), 255, np.uint8)) == ()


def test_turned_goes_to_the_right_and_all_around():
    picture = np.array([[1, 2], [3, 4]], np.uint8)
    np.testing.assert_array_equal(turned(picture, 1), [[3, 1], [4, 2]])
    np.testing.assert_array_equal(turned(turned(picture, 3), 1), turned(picture, 0))
