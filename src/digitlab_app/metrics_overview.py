"""The first part of the Metrics page: how good, how large, how quick, and how it was trained."""

from collections.abc import Sequence
from itertools import chain

import streamlit as st

from digitlab import evaluation_tables
from digitlab.charts import learning_curves
from digitlab.comparison import pair
from digitlab.database import Database
from digitlab.evaluating import CORRECTIONS, MNIST
from digitlab.versions import Version
from digitlab_app.metrics_charts import offer_csv, show_chart
from digitlab_app.metrics_exam import Exam, about, kept_exam, known_to


def show_overview(db: Database, exams: Sequence[Exam]) -> None:
    """The figures of each version, and the scores of each digit."""
    facts = [{**_quality(exam), **_origin(db, exam)} for exam in exams]
    names = list(dict.fromkeys(chain(*facts)))
    head = "| |" + "".join(f" {exam.title} |" for exam in exams)
    rows = [f"| {n} |" + "".join(f" {own.get(n, 'not known')} |" for own in facts) for n in names]
    first, *places = st.columns(2) if len(exams) == 1 else (st.container(), *st.columns(2))
    with first:
        for exam in exams:
            _say_what_was_learnt(db, exam)
        st.markdown("\n".join([head, "|---" * (len(exams) + 1) + "|", *rows]))
        if len(exams) == 2:
            st.markdown(_paired_words(*exams))
    for place, exam in zip(places, exams, strict=True):
        with place:
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
    offer_csv(f"digits-version-{exam.version.number}", lambda: rows, f"classes-{exam.key}")


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
