"""The parts of the Metrics page about trust: calibration, coverage, robustness."""

from collections.abc import Sequence
from itertools import chain

import streamlit as st

from digitlab import evaluating, evaluation_charts, evaluation_tables, jobs
from digitlab.database import Database
from digitlab.evaluating import EACH, ROBUSTNESS
from digitlab.evaluation import (
    coverage_curve,
    expected_calibration_error,
    readable,
    reliability,
)
from digitlab.evaluation_tables import share
from digitlab.versions import Version
from digitlab_app.metrics_charts import show_chart
from digitlab_app.metrics_exam import Exam
from digitlab_app.metrics_job import evaluate, see_to, watch_evaluation
from digitlab_app.room import available_width

ROBUSTNESS_TIME = "about three minutes, longer on a busy machine"


def show_calibration(exams: Sequence[Exam]) -> None:
    """Whether confidence keeps its word, and what could be read without a second look."""
    answers = {
        e.title: (e.evaluated.predictions.confidence, e.evaluated.predictions.right) for e in exams
    }
    left, right = st.columns(2)
    with left:
        st.markdown("**Does confidence keep its word?**")
        _show_reliability({name: reliability(*own) for name, own in answers.items()}, exams)
        for name, own in answers.items():
            error = share(expected_calibration_error(*own))
            st.markdown(f"{name}: expected calibration error **{error}**")
    with right:
        st.markdown("**What can be read without a second look?**")
        curves = {name: coverage_curve(*own) for name, own in answers.items()}
        _show_coverage(curves, exams)
        for name, curve in curves.items():
            part, threshold = readable(curve)
            words = f"**{share(part)}** can be read at 99.9 % accuracy"
            where = f", from a confidence of {share(threshold)}" if part else ""
            st.markdown(f"{name}: {words} if the rest may be “not sure”{where}.")


def _show_reliability(found: dict, exams: Sequence[Exam]) -> None:
    show_chart(
        evaluation_charts.reliability_diagram(found),
        "reliability",
        lambda: chain(*(evaluation_tables.reliability_rows(n, d) for n, d in found.items())),
        "Share of right answers in each range of confidence, against the diagonal.",
        f"reliability-{_keys(exams)}",
    )
    st.caption(
        "The share that was right in 15 ranges of confidence, with its 95 % interval. On the "
        "dotted line, 80 % sure is right 80 times in 100. Larger dots hold more answers."
    )


def _show_coverage(curves: dict, exams: Sequence[Exam]) -> None:
    show_chart(
        evaluation_charts.coverage_chart(curves),
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
            evaluation_charts.robustness_chart(found, columns),
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
        watch_evaluation(db, job.id)
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
