"""Printed digits, and that they are read as handwritten ones are."""

import numpy as np
import pytest
from handwriting import on_white

from digitlab.recognizer import champion
from digitlab.typesetting import typeset


@pytest.mark.parametrize("height", [20, 60, 200])
@pytest.mark.parametrize("text", ["0", "1", "7", "4186"])
def test_print_is_as_high_as_its_face_has_it_and_cut_to_its_box(rng, text, height):
    for _ in range(12):
        ink = typeset(text, rng, height)
        assert ink.dtype == np.uint8
        assert ink[0].any()
        assert ink[-1].any()
        assert ink[:, 0].any()
        assert ink[:, -1].any()
        assert 0.6 * height <= ink.shape[0] <= 1.15 * height


def test_faces_and_weights_differ():
    rng = np.random.default_rng(3)
    pages = [typeset("5", rng, 60) for _ in range(40)]
    assert len({page.tobytes() for page in pages}) == 40
    dark = [(page > 127).mean() for page in pages]
    assert max(dark) > 1.6 * min(dark)


def test_printed_digits_are_read_and_nearly_always_accepted():
    rng = np.random.default_rng(4)
    right = accepted = 0
    for digit in "0123456789" * 12:
        reading = champion().recognize(on_white(np.pad(typeset(digit, rng, 90), 60)))
        right += reading.text == digit
        accepted += reading.text == digit and reading.digits[0].accepted
    assert right >= 118
    assert accepted >= 112
