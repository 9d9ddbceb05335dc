"""Example pictures as thumbnails to click on; a component of its own, as st.image can't be."""

import base64
from collections.abc import Callable
from functools import cache

import cv2
import streamlit as st

from digitlab_app.examples import EXAMPLES, Example

_HEIGHT = 152  # pixels, twice what is shown, for screens with finer pixels

_STYLE = """
ul { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
button {
  display: block; padding: 0; overflow: hidden; cursor: pointer; font: inherit;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
img { display: block; height: 76px; margin: 0 auto; }
span { display: block; padding: 0.3rem 0.4rem; font-size: 0.8rem; white-space: nowrap; }
"""

_SCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  const entries = data.pictures.map(({ id, caption, url }) => {
    const entry = document.createElement("li");
    const button = entry.appendChild(document.createElement("button"));
    const picture = button.appendChild(document.createElement("img"));
    button.type = "button";
    picture.src = url;
    picture.alt = "";
    button.appendChild(document.createElement("span")).textContent = caption;
    button.onclick = () => setTriggerValue("chosen", id);
    return entry;
  });
  parentElement.querySelector("ul").replaceChildren(...entries);
}
"""

_component = st.components.v2.component(
    "digitlab_gallery", html='<ul aria-label="Examples"></ul>', css=_STYLE, js=_SCRIPT
)


def show_gallery(on_choice: Callable[[Example], None], key: str) -> None:
    """The examples; a click on one calls `on_choice` with it."""

    def choose() -> None:
        chosen = st.session_state[key]["chosen"]
        on_choice(next(example for example in EXAMPLES if example.file == chosen))

    _component(key=key, data={"pictures": _entries()}, on_chosen_change=choose)


@cache
def _entries() -> list[dict[str, str]]:
    return [{"id": e.file, "caption": e.caption, "url": _data_url(e)} for e in EXAMPLES]


def _data_url(example: Example) -> str:
    """A small copy of the picture that can travel within the page."""
    image = cv2.imread(str(example.path))
    factor = _HEIGHT / image.shape[0]
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return f"data:image/jpeg;base64,{base64.b64encode(packed).decode()}"
