"""The parts of the Metrics page, each about one version or two side by side."""

from collections.abc import Sequence
from functools import partial
from itertools import chain

import numpy as np
import streamlit as st

from digitlab import evaluating, evaluation_charts, evaluation_tables, jobs
from digitlab.charts import learning_curves
from digitlab.comparison import pair
from digitlab.database import Database
from digitlab.evaluating import CORRECTIONS, EACH, MNIST, ROBUSTNESS
from digitlab.evaluation import (
    cell,
    coverage_curve,
    expected_calibration_error,
    hardest,
    mistakes,
    readable,
    reliability,
)
from digitlab.evaluation_charts import class_names
from digitlab.evaluation_tables import share
from digitlab.versions import Version
from digitlab_app.metrics_charts import is_dark, show_chart, show_digits
from digitlab_app.metrics_exam import Exam, about, kept_exam, known_to
from digitlab_app.metrics_job import evaluate, see_to, watch
from digitlab_app.room import available_width

ROBUSTNESS_TIME = "two to four minutes on two idle processors"


def show_overview(db: Database, exams: Sequence[Exam]) -> None:
    """The figures of each version, and the scores of each digit."""
    facts = [{**_quality(exam), **_origin(db, exam)} for exam in exams]
    names = list(dict.fromkeys(chain(*facts)))
    head = "| |" + "".join(f" {exam.title} |" for exam in exams)
    rows = [f"| {n} |" + "".join(f" {own.get(n, 'not known')} |" for own in facts) for n in names]
    st.markdown("\n".join([head, "|---" * (len(exams) + 1) + "|", *rows]))
    if len(exams) == 2:
        st.markdown(_paired_words(*exams))
    for exam in exams:
        _say_what_was_learnt(db, exam)
    st.subheader("Each digit", anchor=False)
    for column, exam in zip(st.columns(len(exams)), exams, strict=True):
        with column:
            _show_classes(exam)


def _quality(exam: Exam) -> dict[str, str]:
    return evaluation_tables.quality(exam.version, exam.evaluated)


def _origin(db: Database, exam: Exam) -> dict[str, str]:
    version = exam.version
    size, used = about(db, (db.url, version.created), version.number)
    learnt = len(used["learn"]) if "learn" in used else None
    timed = exam.evaluated.milliseconds
    if not len(timed) and (on_mnist := kept_exam(db, version, MNIST)):
        timed = on_mnist.evaluated.milliseconds
    return evaluation_tables.origin(version, size, timed, learnt)


def _paired_words(one: Exam, other: Exam) -> str:
    """The two on the same images: what differs, and whether that may be chance."""
    first, second = one.evaluated.predictions, other.evaluated.predictions
    found = pair(first.answers, second.answers, first.labels)
    return (
        f"On the same {found.images:,} images, {other.title.lower()} is right on "
        f"**{len(found.gained)}** that {one.title.lower()} gets wrong, and wrong on "
        f"**{len(found.lost)}** that it gets right (McNemar's exact test: p = {found.p_value:.2g})."
    )


def _say_what_was_learnt(db: Database, exam: Exam) -> None:
    """Corrections that a version has learnt from say little about it."""
    if exam.name != CORRECTIONS or not (learnt := known_to(db, exam)).any():
        return
    right = exam.evaluated.predictions.right[~learnt]
    st.info(
        f"{exam.title} has learnt from {learnt.sum():,} of these {len(learnt):,} corrections. Of "
        f"the {len(right):,} others it reads {right.sum():,} right."
    )


def _show_classes(exam: Exam) -> None:
    rows = evaluation_tables.per_class(exam.evaluated)
    number = st.column_config.NumberColumn
    st.dataframe(
        [row for row in rows if row["images"] or row["precision"] is not None],
        hide_index=True,
        height="content",
        column_config={
            "digit": exam.title,
            **{name: number(format="%.2f %%") for name in ("precision", "recall", "F1")},
        },
        alt=f"Precision, recall and F1 of each digit, {exam.title}",
    )
    st.download_button(
        "Numbers as CSV",
        partial(evaluation_tables.to_csv, rows),
        f"digits-version-{exam.version.number}.csv",
        "text/csv",
        key=f"classes-{exam.key}-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def show_confusion(exams: Sequence[Exam]) -> None:
    """What is read as what; a click on a cell opens its images."""
    percent = (
        st.segmented_control(
            "In each cell", ("images", "percent"), default="images", required=True, key="cells"
        )
        == "percent"
    )
    st.caption("Rows are what it is, columns what was read. Click a cell to see its images.")
    for column, exam in zip(st.columns(len(exams)), exams, strict=True):
        with column:
            _show_matrix(exam, percent)


def _show_matrix(exam: Exam, percent: bool) -> None:
    confusion = exam.evaluated.scores.confusion
    st.markdown(f"**{exam.title}**")
    key = f"matrix-{exam.key}-{'percent' if percent else 'images'}"
    show_chart(
        evaluation_charts.confusion_matrix(confusion, percent, is_dark()),
        f"confusion-version-{exam.version.number}",
        partial(evaluation_tables.confusion_rows, confusion),
        f"Confusion matrix: {exam.evaluated.scores.errors} errors. The list below opens its cells.",
        key,
        on_select=partial(_open_cell, exam, key),
        selection_mode="points",
    )
    _show_cell(exam, confusion)


def _open_cell(exam: Exam, key: str) -> None:
    """Take over a click on the matrix."""
    points = st.session_state[key].selection.points
    if points:
        st.session_state[f"cell-{exam.key}"] = tuple(points[0]["customdata"])


def _show_cell(exam: Exam, confusion: np.ndarray) -> None:
    """The images of a cell, chosen by a click or, without a mouse, from a list."""
    names = class_names(len(confusion))
    cells = [(int(i), int(j)) for i, j in np.argwhere(confusion)]
    # errors first, the most frequent on top
    cells.sort(key=lambda c: (c[0] == c[1], -confusion[c]))
    label, answer = st.selectbox(
        "Cell",
        cells,
        format_func=lambda c: (
            f"{names[c[0]]} read as {names[c[1]]}: {confusion[c]:,} "
            f"image{'s' * (confusion[c] != 1)}"
        ),
        key=f"cell-{exam.key}",
    )
    places = cell(exam.evaluated.predictions, label, answer)
    show_digits(exam, places, f"cell-{exam.key}-{label}-{answer}")


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
        st.success("None: all were read right." if wrong else "None was read right.")
        return
    show_digits(exam, places, f"{kind}-{exam.key}")
    st.download_button(
        "Numbers as CSV",
        lambda: evaluation_tables.to_csv(
            evaluation_tables.prediction_rows(exam.evaluated, places[:1000])
        ),
        f"{kind}-version-{exam.version.number}.csv",
        "text/csv",
        key=f"{kind}-{exam.key}-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The first 1,000, with all probabilities.",
    )


def show_calibration(exams: Sequence[Exam]) -> None:
    """Whether confidence keeps its word, and what could be read without a second look."""
    answers = {
        e.title: (e.evaluated.predictions.confidence, e.evaluated.predictions.right) for e in exams
    }
    left, right = st.columns(2)
    with left:
        st.subheader("Does confidence keep its word?", anchor=False)
        _show_reliability({name: reliability(*own) for name, own in answers.items()}, exams)
        for name, own in answers.items():
            error = share(expected_calibration_error(*own))
            st.markdown(f"{name}: expected calibration error **{error}**")
    with right:
        st.subheader("What can be read alone?", anchor=False)
        curves = {name: coverage_curve(*own) for name, own in answers.items()}
        _show_coverage(curves, exams)
        for name, curve in curves.items():
            part, threshold = readable(curve)
            words = f"**{share(part)}** can be read at 99.9 % accuracy"
            where = f", from a confidence of {share(threshold)}" if part else ""
            st.markdown(f"{name}: {words} if the rest may be “not sure”{where}.")


def _show_reliability(found: dict, exams: Sequence[Exam]) -> None:
    show_chart(
        evaluation_charts.reliability_diagram(found, is_dark()),
        "reliability",
        lambda: chain(*(evaluation_tables.reliability_rows(n, d) for n, d in found.items())),
        "Share of right answers in each range of confidence, against the diagonal.",
        f"reliability-{_keys(exams)}",
    )
    st.caption(
        "In 15 ranges of confidence, the share that was right. On the dotted line, 80 % sure is "
        "right 80 times in 100. Larger dots hold more answers."
    )


def _show_coverage(curves: dict, exams: Sequence[Exam]) -> None:
    show_chart(
        evaluation_charts.coverage_chart(curves, is_dark()),
        "coverage",
        lambda: chain(*(evaluation_tables.coverage_rows(n, c) for n, c in curves.items())),
        "Accuracy of the answers that are read, against the share that is read.",
        f"coverage-{_keys(exams)}",
    )
    st.caption("The surest answers first. The dotted lines are 99.9 % right, and how far it goes.")


def _keys(exams: Sequence[Exam]) -> str:
    return "-".join(exam.key for exam in exams)


def show_robustness(db: Database, chosen: Sequence[Version]) -> None:
    """How much a picture may be changed; measured when somebody asks, as it takes minutes."""
    st.caption(
        f"{10 * EACH} digits of the MNIST test set, the first {EACH} of each, put on a page four "
        "times as large and changed there. With our preprocessing, that page is read as a photo "
        "is; without, its middle is shrunk to 28x28 and goes straight into the network."
    )
    found = {f"Version {v.number}": evaluating.curves(db, v.number) for v in chosen}
    missing = [v.number for v in chosen if not found[f"Version {v.number}"]]
    if missing:
        _offer_robustness(db, missing)
    if found := {name: curves for name, curves in found.items() if curves}:
        columns = 4 if available_width(320, 900, "metrics-room") > 700 else 2
        show_chart(
            evaluation_charts.robustness_chart(found, columns, is_dark()),
            "robustness",
            lambda: chain(*(evaluation_tables.robustness_rows(n, c) for n, c in found.items())),
            "Accuracy under rotation, shift, scale, stroke width, blur, noise, contrast and uneven "
            "light, each at several strengths. The CSV file holds the numbers.",
            f"robustness-{'-'.join(found)}-{columns}",
        )


def _offer_robustness(db: Database, missing: list[int]) -> None:
    names = " and ".join(f"version {number}" for number in missing)
    job = jobs.latest(db, "evaluate")
    if job is not None and job.active:
        watch(db, job.id)
        return
    see_to(db, missing, ROBUSTNESS, alone=False)
    st.markdown(f"**Not measured yet for {names}.** It takes {ROBUSTNESS_TIME}, and is kept.")
    st.button(
        "Measure robustness",
        type="primary",
        icon=":material/blur_on:",
        on_click=evaluate,
        args=(db, missing, ROBUSTNESS),
    )


def show_training(chosen: Sequence[Version]) -> None:
    """How each version learnt, and its card."""
    for column, version in zip(st.columns(len(chosen)), chosen, strict=True):
        with column:
            st.markdown(f"**Version {version.number}**")
            _show_curves(version, evaluation_tables.history(version))
            if version.card:
                with st.expander("Model card"):
                    st.markdown(
                        version.card.replace("\n# ", "\n#### ").replace("\n## ", "\n##### ")
                    )


def _show_curves(version: Version, rows: list[dict]) -> None:
    if not rows:
        st.info("How this version was trained was not kept.")
        return
    figures = learning_curves(rows)
    for part, figure in zip(st.columns(2), figures, strict=True):
        name = str(figure.layout.title.text).lower()
        with part:
            show_chart(
                figure,
                f"training-{name}-version-{version.number}",
                lambda: rows,
                f"{name} while version {version.number} was trained",
                f"training-{name}-{version.number}",
            )
