"""What a lone digit's surroundings say against it, whatever the network read there."""

from dataclasses import replace

import cv2
import pytest
from handwriting import hat_over

from digitlab.objections import unless_sign
from digitlab.preprocess import prepare
from digitlab.reading import RINGED, Digit
from digitlab.recognizer import champion


def believed(picture) -> Digit:
    """The last digit read in a picture, as if nothing had been said against it."""
    return replace(champion().recognize(picture).digits[-1], accepted=True, objection="")


@pytest.mark.parametrize("tall", [90, 150])
def test_outline_taller_than_the_digit_is_no_ring_of_a_percent_sign(tall):
    picture = hat_over("4", tall)
    four = believed(picture)
    assert four.label == 4
    assert unless_sign(four, prepare(picture), unread=[]).accepted


def test_small_ring_beside_a_digit_makes_it_a_percent_sign():
    picture = hat_over("4", 90)
    four = believed(picture)
    picture[:190] = 255  # without the hat
    cv2.circle(picture, (190, 225), 14, (0, 0, 0), 6, cv2.LINE_AA)
    assert unless_sign(four, prepare(picture), unread=[]).objection == RINGED
