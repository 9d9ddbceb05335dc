"""The formats of a version, each with its figures, its download and the code that loads it."""

from functools import partial

import streamlit as st

from digitlab.export import Exports
from digitlab.export_formats import CARD, FORMATS, NO_TFJS, SHEET, Format
from digitlab.export_runtimes import Measured

_MIME = {".json": "application/json", ".zip": "application/zip", ".md": "text/markdown"}


def show_companions(exports: Exports) -> None:
    """What goes with every format: the calibration and the model card."""
    st.markdown(
        "Every model takes 28x28 ink and gives eleven scores: ten digits, and “not a digit”. "
        f"**{SHEET}** says how to feed it and, with its calibration, how far to trust the answer. "
        "Take it along with any format; the SavedModel and the web page have it inside."
    )
    with st.container(horizontal=True):
        _download(SHEET, exports.source.sheet_file, key="sheet")
        _download(CARD, exports.source.card.encode(), key="card")


def show_formats(exports: Exports) -> None:
    """A card for each format, and what to use for the one that is not offered."""
    for name, form in FORMATS.items():
        with st.container(border=True, gap="small"):
            _show_format(exports, name, form)
    st.markdown(NO_TFJS)
    if exports.measured:
        st.caption(
            "Right answers: on MNIST's 10,000 test digits, by the file itself in the program that "
            "is named. Time: one digit, the median of 200, with one processor thread."
        )


def _show_format(exports: Exports, name: str, form: Format) -> None:
    about, figures, take = st.columns([5, 4, 3], gap="medium", vertical_alignment="center")
    about.markdown(f"**{form.title}**  \n:small[:gray[{form.use}]]")
    figures.markdown(_figures(exports.measured.get(name)))
    with take, st.container(gap="xsmall"):
        _download(
            form.file,
            partial(exports.data, name),
            key=name,
            disabled=not exports.has(name),
            width="stretch",
        )
        with st.popover("How to load it", width="stretch", key=f"code-{name}"):
            if form.code:
                st.code(form.code, language="python")
            else:
                st.markdown(form.steps)


def _figures(measured: Measured | None) -> str:
    if measured is None:
        return ":gray[Not measured yet]"
    return (
        f"**{100 * measured.accuracy:.2f} %** right, {measured.errors} errors  \n"
        f"**{_size(measured.bytes)}** · **{_time(measured.milliseconds)}** a digit  \n"
        f":small[:gray[{measured.runtime}{_threads(measured)}]]"
    )


def _threads(measured: Measured) -> str:
    return "" if measured.threads == 1 else ", as many threads as it chose"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds >= 1 else f"{milliseconds:.2f} ms"


def _download(file: str, data, key: str, **options) -> None:
    st.download_button(
        file,
        data,
        file,
        _MIME.get(file[file.rindex(".") :], "application/octet-stream"),
        key=f"export-{key}",
        on_click="ignore",
        icon=":material/download:",
        **options,
    )
