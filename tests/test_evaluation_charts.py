"""The figures of an evaluation: what is in them, and where."""

import numpy as np

from digitlab.evaluating import Curve
from digitlab.evaluation import coverage_curve, reliability
from digitlab.evaluation_charts import (
    confusion_matrix,
    coverage_chart,
    on_ground,
    reliability_diagram,
    robustness_chart,
)

CONFUSION = np.diag([980, 1100, 7])
CONFUSION[2, 0] = 3


def texts(figure) -> set[str]:
    return {word for trace in figure.data[:4] for row in trace.text for word in row if word}


def test_each_cell_with_images_can_be_clicked_and_says_which_it_is():
    points = confusion_matrix(CONFUSION, percent=False).data[-1]
    cells = [tuple(cell) for cell in points.customdata]
    assert cells == [(0, 0), (1, 1), (2, 0), (2, 2)]
    at = cells.index((2, 0))
    assert (points.x[at], points.y[at]) == ("0", "2")  # columns are answers, rows are labels
    assert points.text[at] == "3 of 10 (30.00%)"


def test_cells_hold_counts_or_percent():
    assert texts(confusion_matrix(CONFUSION, percent=False)) == {"980", "1100", "7", "3"}
    assert texts(confusion_matrix(CONFUSION, percent=True)) == {"100.0", "70.0", "30.0"}


def test_errors_are_rounded_neither_to_all_nor_to_nothing():
    many = np.array([[9999, 1], [0, 10]])
    assert texts(confusion_matrix(many, percent=True)) == {"99.9", "0.0", "100.0"}


def test_letters_can_be_read_on_strong_cells_and_on_weak_ones_in_the_dark():
    light, dark = (confusion_matrix(CONFUSION, False, dark).data for dark in (False, True))
    strong = [trace.textfont.color for trace in light[1:4:2]]
    assert strong == ["#ffffff"] * 2
    assert light[0].textfont.color != dark[0].textfont.color


def test_each_version_has_a_colour_of_its_own():
    found = reliability([0.9, 0.6], [True, False])
    figure = reliability_diagram({"Version 1": found, "Version 2": found})
    assert [trace.name for trace in figure.data[1:]] == ["Version 1", "Version 2"]
    assert figure.data[1].marker.color != figure.data[2].marker.color
    low = figure.data[1].y[0] - figure.data[1].error_y.arrayminus[0]
    assert 0 <= low < figure.data[1].y[0] + 1e-9


def test_long_curve_is_thinned_where_it_is_flat_and_keeps_its_end():
    confidence = np.linspace(1, 0, 20_000)
    curve = coverage_curve(confidence, confidence > 0.01)
    drawn = coverage_chart({"Version 1": curve}).data[0]
    assert len(drawn.x) <= 2000
    assert (drawn.x[0], drawn.x[-1]) == (100 / 20_000, 100)
    assert drawn.y[-1] == 100 * curve.accuracy[-1]


def test_robustness_has_a_chart_for_each_change_with_both_ways():
    strengths, right = np.array([0.0, 1.0]), np.array([10, 5])
    curves = [Curve(name, "px", strengths, right, right - 1, 10) for name in ("shift", "blur")]
    figure = robustness_chart({"Version 1": curves}, 2)
    assert [trace.y.tolist() for trace in figure.data] == [[100, 50], [90, 40]] * 2
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    titles = [note.text for note in figure.layout.annotations]
    assert titles == ["Shift<br><sup>px</sup>", "Blur<br><sup>px</sup>"]


def test_ground_is_opaque_for_the_picture_that_is_taken_away():
    figure = confusion_matrix(CONFUSION, False)
    on_ground(figure, dark=True)
    assert figure.layout.paper_bgcolor.startswith("#")
