"""The line through a stroke: where it is, how it leans, how slim it is."""

import cv2
import numpy as np
import pytest

from digitlab.strokes import fit


@pytest.mark.parametrize(
    ("start", "end", "lean"),
    [((50, 90), (50, 10), 0), ((10, 90), (90, 10), 45), ((90, 90), (10, 10), -45)],
)
def test_line_leans_as_it_was_drawn_from_either_end(start, end, lean):
    for ends in ((start, end), (end, start)):
        stroke = fit(cv2.line(np.zeros((100, 100), np.uint8), *ends, 1, 5), 300, 200)
        assert stroke.lean == pytest.approx(lean, abs=2)
        assert stroke.is_slim(0.1)
        assert (stroke.x, stroke.y) == pytest.approx((350, 250), abs=2)


def test_disc_is_not_slim():
    assert not fit(cv2.circle(np.zeros((60, 60), np.uint8), (30, 30), 20, 1, -1)).is_slim(0.9)
