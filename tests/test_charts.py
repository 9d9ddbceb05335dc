"""The figures' form: what never changes place, and what stands out."""

import numpy as np
import pytest

from digitlab.charts import ACCENT, GREY, digit_map, probability_bars

SHARES = [0.0, 0.9, 0.001, 0.02, 0.0, 0.0, 0.0, 0.079, 0.0, 0.0]


def test_bars_keep_place_order_and_scale():
    figure = probability_bars(SHARES, 1)
    assert list(figure.data[0].x) == [str(digit) for digit in range(10)]
    assert list(figure.data[0].y) == pytest.approx([100 * share for share in SHARES])
    assert tuple(figure.layout.yaxis.range) == (0, 100)
    assert figure.layout.yaxis.fixedrange


def test_only_the_winner_has_the_accent():
    colours = probability_bars(SHARES, 7).data[0].marker.color
    assert [colour == ACCENT for colour in colours] == [digit == 7 for digit in range(10)]
    assert set(colours) == {ACCENT, GREY}


def test_shares_that_round_to_nothing_have_no_number():
    assert list(probability_bars(SHARES, 1).data[0].text) == [
        *("", "90", "", "2", "", "", "", "8", "", ""),
    ]


def test_new_digit_is_drawn_over_the_dots_of_the_map():
    labels = np.arange(10).repeat(3)
    *dots, cross = digit_map(np.zeros((30, 2)), labels, (0.5, 0.25)).data
    assert [len(own.x) for own in dots] == [3] * 10
    assert (cross.name, *cross.x, *cross.y) == ("yours", 0.5, 0.25)
    assert {own.type for own in dots} == {cross.type}, "plotly draws SVG under WebGL"
