"""The first page: draw, upload or photograph digits, and see what was read and how."""

import streamlit as st

from digitlab.database import Database
from digitlab.errors import ModelError
from digitlab.versions import champion_recognizer
from digitlab_app.canvas import draw
from digitlab_app.examples import EXAMPLES, Example
from digitlab_app.feedback import Subject
from digitlab_app.gallery import show_gallery
from digitlab_app.pictures import read_drawing
from digitlab_app.reading import show_pictures, show_reading
from digitlab_app.store import open_store
from digitlab_app.uploads import has_photo, take_photo, upload

DRAW, UPLOAD, CAMERA, TRY = WAYS = ("Draw", "Upload", "Camera", "Examples")
SOURCES = {UPLOAD: "uploaded", CAMERA: "camera", TRY: "uploaded"}
EMPTY = {
    DRAW: "**Nothing drawn yet.** Write with a mouse, a pen or a finger. The answer appears here "
    "each time you lift it.",
    UPLOAD: "**No picture yet.** Drop photos or scans of handwritten digits on the left, or browse "
    "for them. Several at once are fine.",
    CAMERA: "**No photo yet.** Fill the frame with the digits, in even light. The browser allows "
    "its camera only over HTTPS or on localhost.",
    TRY: "**No example chosen yet.**",
}


def try_example(example: Example) -> None:
    """Open the examples with one of them chosen."""
    st.session_state["way"], st.session_state["example"] = TRY, example


def choose_pictures(way: str) -> list:
    """The widget of one way to hand in pictures, and the files that it holds."""
    if way == UPLOAD:
        return upload()
    if way == CAMERA:
        return take_photo()
    example = st.pills("Examples", EXAMPLES, format_func=lambda e: e.caption, key="example")
    return [example] if example else []


def show_nothing(way: str) -> None:
    """What to do where there is no answer yet, and examples to try."""
    st.markdown(EMPTY[way])
    st.caption("Or try one of these:")
    show_gallery(try_example, key=f"gallery-{way}")


@st.fragment
def show_page(db: Database | None) -> None:
    """Everything that changes with an answer; a fragment, so that the rest need not run again."""
    reader = champion_recognizer(db)  # asked for each time: another one may have been promoted
    left, right = st.columns([5, 6], gap="medium")
    last = st.session_state.get("last-way")
    if "way" not in st.session_state and (last == UPLOAD or (last == CAMERA and has_photo())):
        st.session_state["way"] = last  # back from another page; no camera starts unasked
    tabs = dict(zip(WAYS, left.tabs(WAYS, key="way", on_change="rerun"), strict=True))
    way = st.session_state["last-way"] = next(name for name, tab in tabs.items() if tab.open)
    with tabs[DRAW]:  # always on the page, so that a drawing survives a look at another tab
        drawing = draw()
    with tabs[UPLOAD]:  # likewise, for the files
        files = choose_pictures(UPLOAD)
    if way in (CAMERA, TRY):
        with tabs[way]:
            files = choose_pictures(way)
    if way == DRAW and drawing is not None:
        about = db and Subject(db, "drawn", lambda: drawing, keys=True)
        show_reading(reader, about, read_drawing(reader, drawing), right, "drawing")
    elif way != DRAW and files:
        show_pictures(reader, db, SOURCES[way], files, tabs[way], right)
    else:
        with right:
            show_nothing(way)


st.subheader("Read handwritten digits", anchor=False)
try:
    show_page(open_store())
except ModelError as error:
    st.error(f"The model can't be loaded: {error}")
