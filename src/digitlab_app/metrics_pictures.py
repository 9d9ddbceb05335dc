"""The parts of the Metrics page that show images: the cells of the confusion matrix, mistakes."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from digitlab import evaluation_charts, evaluation_tables
from digitlab.evaluation import cell, hardest, mistakes
from digitlab.evaluation_charts import class_names
from digitlab_app.metrics_cards import show_digits
from digitlab_app.metrics_charts import is_dark, offer_csv, show_chart
from digitlab_app.metrics_exam import Exam


def show_confusion(exams: Sequence[Exam]) -> None:
    """What is read as what; a click on a cell opens its images."""
    percent = (
        st.segmented_control(
            "In each cell", ("images", "percent"), default="images", required=True, key="cells"
        )
        == "percent"
    )
    st.caption(
        "Rows are what it is, columns what was read. Click a cell (on a phone, tap it twice) or "
        "choose it from the list to see its images."
    )
    if len(exams) == 1:
        left, right = st.columns([6, 5], gap="medium")
        _show_matrix(exams[0], percent, left, right)
        return
    for column, exam in zip(st.columns(2), exams, strict=True):
        _show_matrix(exam, percent, column, column)


def _show_matrix(exam: Exam, percent: bool, place, beside) -> None:
    """The matrix in one place, the images of a cell in another."""
    confusion = exam.evaluated.scores.confusion
    key = f"matrix-{exam.key}-{'percent' if percent else 'images'}"
    with place:
        st.markdown(f"**{exam.title}**")
        show_chart(
            evaluation_charts.confusion_matrix(confusion, percent, is_dark()),
            f"confusion-version-{exam.version.number}",
            partial(evaluation_tables.confusion_rows, confusion),
            f"Confusion matrix with {exam.evaluated.scores.errors:,} errors. The list called Cell "
            "opens its cells, too.",
            key,
            on_select=partial(_open_cell, exam, key),
            selection_mode="points",
        )
    with beside:
        _show_cell(exam, confusion)


def _open_cell(exam: Exam, key: str) -> None:
    """Take over a click on the matrix."""
    points = st.session_state[key].selection.points
    if points:
        st.session_state[f"cell-{exam.key}"] = tuple(points[0]["customdata"])


def _show_cell(exam: Exam, confusion: np.ndarray) -> None:
    """The images of a cell, chosen by a click or, without a mouse, from a list."""
    cells = [(int(i), int(j)) for i, j in np.argwhere(confusion)]
    # errors first, the most frequent on top
    cells.sort(key=lambda c: (c[0] == c[1], -confusion[c]))
    label, answer = st.selectbox(
        "Cell", cells, format_func=partial(_cell_name, confusion), key=f"cell-{exam.key}"
    )
    places = cell(exam.evaluated.predictions, label, answer)
    show_digits(exam, places, f"images-{exam.key}-{label}-{answer}")


def _cell_name(confusion: np.ndarray, place: tuple[int, int]) -> str:
    names, count = class_names(len(confusion)), int(confusion[place])
    what = f"{names[place[0]]} read as {names[place[1]]}"
    return f"{what}: {count:,} image{'s' * (count != 1)}"


def show_mistakes(exams: Sequence[Exam]) -> None:
    """The images that tell most: mistakes, the most certain first, and what was nearly one."""
    chosen = st.segmented_control(
        "Which",
        ("Mistakes, most certain first", "Hardest that were read right"),
        default="Mistakes, most certain first",
        required=True,
        key="gallery-kind",
    )
    for column, exam in zip(st.columns(len(exams)), exams, strict=True):
        with column:
            _show_gallery(exam, wrong=chosen.startswith("Mistakes"))


def _show_gallery(exam: Exam, wrong: bool) -> None:
    places = (mistakes if wrong else hardest)(exam.evaluated.predictions)
    kind = "mistakes" if wrong else "hardest"
    st.markdown(
        f"**{exam.title}:** {len(places):,} {'wrong' if wrong else 'right'} "
        f"of {exam.evaluated.scores.images:,}"
    )
    if not len(places):
        st.info("None: all were read right." if wrong else "None was read right.")
        return
    show_digits(exam, places, f"{kind}-{exam.key}")
    offer_csv(
        f"{kind}-version-{exam.version.number}",
        lambda: evaluation_tables.prediction_rows(exam.evaluated, places[:1000]),
        f"{kind}-{exam.key}",
        "The first 1,000, with all probabilities.",
    )
