"""Which versions are looked at, and on which set: MNIST, the corrections, or a person's own."""

import io
from collections.abc import Sequence

import numpy as np
import streamlit as st

from digitlab import evaluating, transfer, versions
from digitlab.database import Database
from digitlab.datasets import Digits
from digitlab.errors import DataError, ImageError
from digitlab.evaluating import CORRECTIONS, MNIST
from digitlab.samples import Filter, counts
from digitlab.versions import Version
from digitlab_app.metrics_exam import UPLOAD, Exam, kept_exam
from digitlab_app.metrics_job import see_to

NAMES = {MNIST: "MNIST test set", CORRECTIONS: "Accepted corrections", UPLOAD: "Your own digits"}
_FILE = "metrics-file"
_KEPT = "metrics-upload"


def choose_versions(db: Database) -> list[Version]:
    """One version, or two to be seen side by side."""
    known = {version.number: version for version in versions.listed(db, discarded=True)}
    champion = next((v.number for v in known.values() if v.champion), next(iter(known)))
    with st.container(horizontal=True):
        first = st.selectbox(
            "Version",
            list(known),
            index=list(known).index(champion),
            format_func=lambda number: _describe(known[number]),
            key="metrics-version",
            width=260,
        )
        others = [0, *(number for number in known if number != first)]
        second = st.selectbox(
            "Side by side with",
            others,
            format_func=lambda number: "no other" if not number else _describe(known[number]),
            key="metrics-other",
            disabled=len(others) == 1,
            help="Retraining makes other versions." if len(others) == 1 else None,
            width=260,
        )
    return [known[first], *([known[second]] if second else [])]


def _describe(version: Version) -> str:
    state = ", champion" if version.champion else ", discarded" if version.discarded else ""
    return f"{version.number} ({version.kind}{state})"


def choose_set() -> str:
    """MNIST, CORRECTIONS or UPLOAD, with the place for a person's file."""
    name = st.segmented_control(
        "Judged on", NAMES, default=MNIST, required=True, format_func=NAMES.get, key="metrics-set"
    )
    if name == UPLOAD:
        st.file_uploader(
            "Digits with their labels",
            ["zip", "npz", "csv"],
            key=_FILE,
            help="A ZIP with one folder for each digit (0 to 9, and not_a_digit), or MNIST's npz "
            "or CSV form. Nothing of it is kept.",
        )
    return name


def exams(db: Database, chosen: Sequence[Version], name: str) -> list[Exam]:
    """The versions on the set; empty after showing why there is nothing to see yet."""
    if name == UPLOAD:
        return _on_upload(db, chosen)
    if name == CORRECTIONS and not counts(db, Filter(states=("accepted",)))["all"]["all"]:
        st.info(
            "**There are no accepted corrections yet.** Say under answers on the Recognise page "
            "what is wrong, then accept it on the Corrections page."
        )
        return []
    found = [kept_exam(db, version, name) for version in chosen]
    missing = [v.number for v, exam in zip(chosen, found, strict=True) if exam is None]
    if not missing:
        return found
    st.markdown(f"**Reading the set with version {missing[0]}.** This takes a few seconds, once.")
    see_to(db, missing, name)
    return []


def _on_upload(db: Database, chosen: Sequence[Version]) -> list[Exam]:
    file = st.session_state.get(_FILE)
    if file is None:
        st.info(
            "**No file yet.** Hand in a ZIP of pictures in folders named 0 to 9, one digit in "
            "each, or an .npz file with x (n, 28, 28) and y (n,)."
        )
        return []
    try:
        return [_on_file(file, db, version) for version in chosen]
    except (DataError, ImageError) as error:
        st.error(f"**{file.name} can't be used.** {error}")
        return []


def _on_file(file, db: Database, version: Version) -> Exam:
    """Read and evaluated once in a session, with a bar meanwhile."""
    kept = st.session_state.get(_KEPT)
    if kept is None or kept["file"] != file.file_id:
        digits, skipped = _digits_of(file)
        kept = {"file": file.file_id, "digits": digits, "skipped": skipped}
        st.session_state[_KEPT] = kept
    if version.number not in kept:
        bar = st.empty()
        kept[version.number] = evaluating.evaluate(
            versions.load_recognizer(db, version.number),
            kept["digits"],
            lambda done, total: bar.progress(done / total, f"Reading {done:,} of {total:,}"),
        )
        bar.empty()
    if kept["skipped"]:
        names = ", ".join(kept["skipped"][:3]) + (" …" if len(kept["skipped"]) > 3 else "")
        st.warning(f"{len(kept['skipped'])} pictures without ink were left out: {names}")
    ink = kept["digits"].ink
    return Exam(version, UPLOAD, kept[version.number], lambda places: [ink[i] for i in places])


def _digits_of(file) -> tuple[Digits, tuple[str, ...]]:
    bar = st.empty()
    found, skipped = transfer.read_file(
        io.BytesIO(file.getvalue()),
        lambda done, total: bar.progress(done / total, f"Opening {done:,} of {total:,}"),
    )
    bar.empty()
    ink = np.stack([sample.ink for sample in found])
    return Digits(ink, np.array([sample.label for sample in found], np.int64)), skipped
