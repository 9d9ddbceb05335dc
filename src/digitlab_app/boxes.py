"""The boxes of a picture put right by hand: add, move and delete, and it is read again at once."""

from functools import lru_cache

import cv2
import streamlit as st
from streamlit_drawable_canvas import CanvasResult, boxes_to_drawing, st_canvas

from digitlab.overlay import on_white
from digitlab.preprocess import Box
from digitlab.recognizer import Recognizer
from digitlab_app.pictures import Exhibit, Picture, exhibit
from digitlab_app.room import measured_width

LINE = "#d6621e"
LEAST, MOST = 280, 700  # pixels of the canvas' width
SMALLEST = 4  # pixels on the screen; a smaller box is a slip of the hand
HELP = (
    "Draw a box around a digit that was missed. To move, resize or delete one, switch on the "
    "pencil in the canvas' tool bar and choose it."
)


def correct_boxes(recognizer: Recognizer, picture: Picture, found: Exhibit, key: str) -> Exhibit:
    """The canvas with the boxes, folded away; what they make of the picture, or `found`."""
    folded = st.expander("Correct the boxes", key=f"{key}-boxes-fold", on_change="rerun")
    state = st.session_state.setdefault(f"{key}-boxes-{picture.id}", {"sheet": 0, "boxes": None})
    if folded.open:
        with folded:
            st.caption(HELP)
            _edit(picture, found, state, f"{key}-{picture.id}")
    if state["boxes"] is None:
        return found
    known = (state["boxes"], recognizer.version)
    if state.get("known") != known:
        read = exhibit(recognizer, picture, state["boxes"])
        state.update(known=known, read=read)
    return state["read"]


def _edit(picture: Picture, found: Exhibit, state: dict, key: str) -> None:
    """Show the canvas; note the boxes once they are not those that were found."""
    width = measured_width(LEAST, MOST, key=f"{key}-room")
    if width is None:
        return  # a canvas of another width would soon replace it, and lose a box begun there
    scale = width / found.size[0]
    sheet = f"{key}-sheet-{state['sheet']}-{width}"
    if sheet not in st.session_state:  # new in this browser, unfolded again, or of another width
        boxes = state["boxes"]
        if boxes is None:
            boxes = [digit.box for digit in found.answer.digits]
        state["start"] = [_on_screen(box, scale) for box in boxes]
    result = st_canvas(
        drawing_mode="labeled_rect",
        initial_drawing=boxes_to_drawing(state["start"], stroke_color=LINE, stroke_width=2),
        stroke_color=LINE,
        stroke_width=2,
        fill_color="rgba(0, 0, 0, 0)",
        background_image=_small(picture, width),
        width=width,
        height=max(1, round(found.size[1] * scale)),
        key=sheet,
    )
    boxes = _in_picture(result, scale)
    if state["boxes"] is not None or boxes != [_in_pixels(box, scale) for box in state["start"]]:
        state["boxes"] = boxes
    st.button("Undo all changes", key=f"{key}-reset", on_click=_reset, args=(state,))


def _reset(state: dict) -> None:
    """Back to the boxes that were found; only another key forgets those in the browser."""
    state["sheet"] += 1
    state["boxes"] = None


def _on_screen(box: Box, scale: float) -> dict[str, float]:
    names = ("left", "top", "width", "height")
    return {name: side * scale for name, side in zip(names, box, strict=True)}


def _in_picture(result: CanvasResult, scale: float) -> list[Box]:
    """The canvas' boxes in pixels of the picture."""
    large = (b for b in result.boxes if min(b["width"], b["height"]) >= SMALLEST)
    return [_in_pixels(box, scale) for box in large]


def _in_pixels(box: dict, scale: float) -> Box:
    return tuple(round(box[name] / scale) for name in ("left", "top", "width", "height"))


@lru_cache(maxsize=8)
def _small(picture: Picture, width: int) -> bytes:
    """The picture as a JPEG no wider than it is shown."""
    image = on_white(picture.pixels())
    size = (width, max(1, round(image.shape[0] * width / image.shape[1])))
    method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_CUBIC
    small = cv2.cvtColor(cv2.resize(image, size, interpolation=method), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
