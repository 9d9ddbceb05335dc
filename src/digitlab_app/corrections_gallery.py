"""Samples as cards to choose, judge and relabel; choosing costs no visit to the server."""

import base64
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from digitlab import images
from digitlab.crops import to_png
from digitlab.overlay import on_white
from digitlab.sample import LABELS, Sample
from digitlab.wording import percent
from digitlab_app.corrections_view import CROP, INK, View, named

SIDE = 192  # pixels of a picture's longer side, twice what is shown, for finer screens

_HTML = """
<div class="bar" role="region" aria-label="What to do with samples">
  <p class="hint">Click pictures to choose several, or judge each by its own buttons<span
    class="keys"> or keys: A accept, R reject, Del delete, 0 to 9 and N relabel</span>.</p>
  <div class="choose">
    <label class="page"><input type="checkbox"> All on this page</label>
    <button type="button" class="every"></button>
    <span class="count" role="status"></span>
  </div>
  <div class="panel">
    <p class="news"><span class="done" role="status"></span>
      <button type="button" class="undo">Undo</button></p>
    <div class="tools"></div>
  </div>
</div>
<ul class="cards" aria-label="Samples"></ul>
"""

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "digitlab_corrections_gallery",
    html=_HTML,
    css=(_HERE / "corrections_gallery.css").read_text("utf-8"),
    js=(_HERE / "corrections_gallery.js").read_text("utf-8"),
)


def show_cards(
    shown: tuple[Sample, ...],
    total: int,
    view: View,
    on_action: Callable[[Mapping], None],
    key: str = "corrections-gallery",
) -> None:
    """A page of samples, with what can be done to one, to those chosen, or to all that match.

    Parameters
    ----------
    total : how many match in all.
    on_action : gets {"do": "accepted", "rejected", "pending", "delete", "relabel" or "undo",
        "ids": of the samples, "every": whether all that match are meant, "label": if relabelled}.
    """
    data = {
        "samples": [card(sample, view.picture) for sample in shown],
        "total": total,
        "done": view.done.text if view.done else "",
        "undoable": bool(view.done and view.done.change),
        "labels": [{"value": label, "text": named(label)} for label in LABELS],
        "pixelated": view.picture == INK,
        # What was chosen is forgotten when other samples are shown.
        "scope": f"{view.wanted} {view.sort} {view.number}",
        "actions": view.actions,
    }
    _component(
        key=key, data=data, on_action_change=lambda: on_action(st.session_state[key]["action"])
    )


def card(sample: Sample, picture: str = CROP) -> dict:
    """What the browser gets to know about a sample: all that a card shows, and no more."""
    return {
        "id": sample.id,
        "picture": _ink_url(sample.ink.tobytes()) if picture == INK else _crop_url(sample.crop),
        "label": sample.label,
        "read": _read_as(sample),
        "right": sample.predicted is None or sample.predicted == sample.label,
        "state": sample.state,
        "source": sample.source,
        "version": sample.version,
        "time": sample.created.isoformat(),
    }


def _read_as(sample: Sample) -> str:
    """What the model made of it, and what it gave the label where that is another."""
    if sample.predicted is None:
        return "not read by a model"
    chance = 1 - sample.is_digit if sample.predicted not in range(10) else sample.confidence
    words = f"read as {named(sample.predicted)}, {percent(chance)}"
    if sample.predicted == sample.label:
        return words
    return f"{words}; {named(sample.label)}: {percent(math.exp(-sample.loss))}"


@st.cache_data(max_entries=1000, show_spinner=False)
def _crop_url(png: bytes) -> str:
    """A crop, no larger than it is looked at."""
    if max(int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) <= SIDE:
        return _data_url("png", png)
    image = cv2.cvtColor(on_white(images.decode(png)), cv2.COLOR_RGB2BGR)
    scale = SIDE / max(image.shape)
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return _data_url("jpeg", packed.tobytes())


def _ink_url(ink: bytes) -> str:
    """The 28x28 pixels as the model saw them, light on dark."""
    return _data_url("png", to_png(np.frombuffer(ink, np.uint8).reshape(28, 28)))


def _data_url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
