"""The one wrapper around the drawing canvas: draw, undo, and a clear that really clears."""

from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from digitlab_app.room import available_width

INK, PAPER = "#15181d", "#ffffff"
LEAST, MOST = 240, 400  # pixels of the canvas' side
PENS, PEN = (6, 36), 18  # pixels: thinnest and thickest, and to begin with


@dataclass
class Sheet:
    """A sheet of paper that outlives the widget: what is on it, and which widget shows it.

    Attributes
    ----------
    number : of the widget; another one is a fresh sheet.
    strokes : what is drawn, as the canvas describes it.
    start : what the widget was given to begin with.
    picture : (h, w, 4) uint8, or None as long as nothing has been drawn.
    """

    number: int = 0
    strokes: list = field(default_factory=list)
    start: dict = field(default_factory=lambda: {"objects": []})
    picture: np.ndarray | None = None
    _sent: list | None = None

    @property
    def key(self) -> str:
        """The widget's key."""
        return f"canvas-{self.number}"

    def receive(self, strokes: list, picture: np.ndarray) -> None:
        """Take over what the browser sent, unless it is what it sent before."""
        if strokes != self._sent or self.picture is None:
            self._sent = self.strokes = strokes
            self.picture = picture

    def clear(self) -> None:
        """Begin a fresh sheet: only another key forgets the strokes in the browser, too."""
        self.__dict__.update(Sheet(self.number + 1).__dict__)

    def undo(self) -> None:
        """Take the last stroke back; the browser then sends what is left."""
        if len(self.strokes) <= 1:
            self.clear()
            return
        self.strokes = self.strokes[:-1]
        # the canvas loads a start only if it differs from the one before, hence the count
        self.start = {"objects": self.strokes, "undone": self.start.get("undone", 0) + 1}


def draw() -> np.ndarray | None:
    """The canvas with its controls; the drawing as (h, w, 4) uint8, None if the sheet is blank."""
    sheet = st.session_state.setdefault("sheet", Sheet())
    with st.container(gap="xsmall"):
        st.caption("Write a digit, or several side by side.")
        side = available_width(LEAST, MOST, key="canvas-room")
    _show(sheet, side, st.session_state.get("pen", PEN))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Undo", key="undo", on_click=sheet.undo, disabled=not sheet.strokes)
        st.button("Clear", key="clear", on_click=sheet.clear)
        st.slider(
            "Pen width", *PENS, PEN, 2, "Pen %d", key="pen", label_visibility="collapsed", width=150
        )
    return None if _is_blank(sheet.picture) else sheet.picture


def _show(sheet: Sheet, side: int, pen: int) -> None:
    """Put the canvas on the page and note on the sheet what has been drawn."""
    if sheet.key not in st.session_state:  # new in this browser, or back from another page
        sheet.start = {"objects": sheet.strokes}
    result = st_canvas(
        stroke_width=pen,
        stroke_color=INK,
        background_color=PAPER,
        initial_drawing=sheet.start,
        width=side,
        height=side,
        return_image_data=True,
        key=sheet.key,
    )
    if result.image_data is not None:
        sheet.receive(result.json_data["objects"], result.image_data)


def _is_blank(picture: np.ndarray | None) -> bool:
    return picture is None or bool((picture == picture[0, 0]).all())
