"""How good each version is, and where it fails."""

from collections.abc import Sequence

import streamlit as st

from digitlab.database import Database
from digitlab.errors import DigitLabError
from digitlab.versions import Version
from digitlab_app.metrics_curves import show_calibration, show_robustness
from digitlab_app.metrics_exam import Exam
from digitlab_app.metrics_overview import show_overview, show_training
from digitlab_app.metrics_pictures import show_confusion, show_mistakes
from digitlab_app.metrics_sets import choose_set, choose_versions, exams
from digitlab_app.store import open_store

OVERVIEW, CONFUSION, MISTAKES, CALIBRATION, ROBUSTNESS, TRAINING = PARTS = (
    "Overview",
    "Confusion",
    "Mistakes",
    "Calibration",
    "Robustness",
    "Training",
)


def show_part(db: Database, part: str, found: Sequence[Exam]) -> None:
    """A part that is about predictions."""
    if part == OVERVIEW:
        show_overview(db, found)
    elif part == CONFUSION:
        show_confusion(found)
    elif part == MISTAKES:
        show_mistakes(found)
    else:
        show_calibration(found)


def show_page(db: Database) -> None:
    """The versions and the set to choose, and the part that is open; the others wait."""
    chosen: list[Version] = choose_versions(db)
    name = choose_set()
    tabs = dict(zip(PARTS, st.tabs(PARTS, key="metrics-part", on_change="rerun"), strict=True))
    part = next(part for part, tab in tabs.items() if tab.open)
    with tabs[part]:
        if part == ROBUSTNESS:
            show_robustness(db, chosen)
        elif part == TRAINING:
            show_training(chosen)
        elif found := exams(db, chosen, name):
            show_part(db, part, found)


st.subheader("How good it is, and where it fails", anchor=False)
if (store := open_store()) is not None:
    try:
        show_page(store)
    except DigitLabError as error:
        st.error(str(error))
