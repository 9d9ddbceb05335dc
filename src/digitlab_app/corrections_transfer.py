"""Samples from a file and into one, with a bar that shows how far it is."""

import io
from collections.abc import Callable

import numpy as np
import streamlit as st

from digitlab.database import Database
from digitlab.errors import DigitLabError
from digitlab.recognizer import Beliefs, Recognizer
from digitlab.samples import EVERYTHING, Filter
from digitlab.transfer import Imported, export, import_file
from digitlab.versions import champion_recognizer
from digitlab_app.corrections_view import Prepared, View, numbered

FORMS = {
    "zip": "ZIP: a PNG of each in one folder per digit, and a table",
    "npz": "npz: x and y as MNIST has them, 28x28",
    "csv": "CSV: 785 columns as MNIST has them, the label first",
}
_TYPES = {"zip": "application/zip", "npz": "application/octet-stream", "csv": "text/csv"}
_MOST_NAMES = 5  # of pictures without ink that are named


def show_import(db: Database, view: View) -> None:
    """Takes a file of samples in, all of it or nothing."""
    st.markdown(
        "A file that was exported here, a ZIP of pictures of one digit each in folders `0` to `9` "
        "and `not_a_digit`, or MNIST's own npz or CSV. All of it is taken in, or nothing if it is "
        "not in order."
    )
    most = st.get_option("server.maxUploadSize")
    file = st.file_uploader(
        "File of samples", list(FORMS), key=f"corrections-upload-{view.uploads}", width=620
    )
    st.caption(
        f"Up to {most} MB here. A larger one from a terminal: `digitlab corrections import FILE`."
    )
    place = st.container()
    if file is None or not place.button("Add its samples", type="primary", key="corrections-add"):
        return
    with _Bar(place, "Reading the file") as bar:
        try:
            done = import_file(db, file, _Told(champion_recognizer(db), bar), bar.tell)
        except DigitLabError as error:
            place.error(f"**Nothing was taken in.** {error}")
            return
    view.tell(summary(done), done.change if done.change.created or done.change.before else None)
    view.uploads += 1
    st.rerun()


def summary(done: Imported) -> str:
    """What an import did, in a line."""
    known = f"{done.unchanged:,} known already"
    text = f"{numbered(done.added)} added, {done.updated:,} changed, {known}"
    if done.skipped:
        named = ", ".join(done.skipped[:_MOST_NAMES])
        more = len(done.skipped) - _MOST_NAMES
        rest = f" and {more:,} more" if more > 0 else ""
        text += f", {len(done.skipped):,} left out for having no ink: {named}{rest}"
    return f"{text}."


def show_export(db: Database, view: View, matching: int, total: int) -> None:
    """Makes a file on demand; what is offered for download says how many samples it holds."""
    form = st.radio("Form", list(FORMS), format_func=FORMS.get, key="corrections-form")
    wanted = _scope(view, matching, total)
    if view.prepared and (view.prepared.form, view.prepared.wanted) != (form, wanted):
        view.prepared = None
    place = st.container()
    if place.button("Prepare the file", key="corrections-prepare"):
        with _Bar(place, "Writing the file") as bar:
            try:
                view.prepared = prepare(db, form, wanted, bar.tell)
            except DigitLabError as error:
                place.error(str(error))
                return
    if view.prepared:
        ready = view.prepared
        size = len(ready.data) / 1e6
        place.download_button(
            f"Download {numbered(ready.count)} ({size:,.1f} MB)",
            ready.data,
            ready.name,
            _TYPES[form],
            key="corrections-download",
            on_click="ignore",
            type="primary",
            icon=":material/download:",
        )


def _scope(view: View, matching: int, total: int) -> Filter:
    """Which samples to write: all, or those that the filter shows."""
    if view.wanted == EVERYTHING:
        st.write(f"All {numbered(total)}. To write a part of them, choose it with the filter.")
        return EVERYTHING
    words = {True: f"the {matching:,} that match the filter", False: f"all {total:,}"}
    part = st.radio("Samples", list(words), format_func=words.get, key="corrections-scope")
    return view.wanted if part else EVERYTHING


def prepare(
    db: Database, form: str, wanted: Filter, tell: Callable[[int, int], None] | None = None
) -> Prepared:
    """A file of samples for download. Raises DataError if there are none, StoreError."""
    file = io.BytesIO()
    count = export(db, file, form, wanted, tell)
    return Prepared(f"digitlab_{count}_samples.{form}", file.getvalue(), count, form, wanted)


class _Told:
    """A recogniser that says how many digits it has read, since that takes the most time."""

    def __init__(self, recognizer: Recognizer, bar: "_Bar"):
        self._recognizer, self._bar, self._count = recognizer, bar, 0
        self.version = recognizer.version

    def classify(self, ink: np.ndarray) -> Beliefs:
        """As the recogniser's."""
        beliefs = self._recognizer.classify(ink)
        self._count += len(ink)
        self._bar.say(f"{self._count:,} read by the model; all are stored at the end")
        return beliefs


class _Bar:
    """A progress bar for the time of a block."""

    def __init__(self, place, text: str):
        self._bar, self._text, self._share = place.progress(0.0, text), text, 0.0

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.empty()

    def tell(self, done: int, total: int) -> None:
        """Show how many are done, and of how many."""
        self._share = done / max(total, 1)
        self.say(f"{self._text}: {done:,} of {total:,}")

    def say(self, text: str) -> None:
        """Show something else that goes on."""
        self._bar.progress(self._share, text)
