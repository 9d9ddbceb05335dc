"""How much room the browser has: the canvas has a fixed size in pixels, a phone has not."""

import streamlit as st

_SCRIPT = """
export default function ({ parentElement, data, setStateValue }) {
  const host = parentElement.host ?? parentElement;
  let told = data.width;
  const measure = () => {
    const room = Math.floor(host.getBoundingClientRect().width);
    const width = Math.max(data.least, Math.min(data.most, room));
    if (room > 0 && width !== told) {
      told = width;
      setStateValue("width", width);
    }
  };
  const observer = new ResizeObserver(measure);
  observer.observe(host);
  return () => observer.disconnect();
}
"""

_measure = st.components.v2.component("digitlab_room", js=_SCRIPT, html="<span></span>")


def available_width(least: int, most: int, key: str) -> int:
    """Pixels that an element may be wide where this is called, between `least` and `most`.

    The first run of a session guesses from the kind of device; the page runs once more if the
    guess was wrong.
    """
    guess = least if "Mobi" in (st.context.headers.get("User-Agent") or "") else most
    return _told(least, most, key, guess)


def measured_width(least: int, most: int, key: str) -> int | None:
    """Likewise without a guess: None until the browser has told, for what must not be replaced."""
    return _told(least, most, key, None)


def _told(least: int, most: int, key: str, guess: int | None) -> int | None:
    """What the browser told, or the guess as long as it has not contradicted."""
    width = (st.session_state.get(key) or {}).get("width") or guess
    result = _measure(
        key=key,
        data={"least": least, "most": most, "width": width},
        default={"width": width},
        on_width_change=lambda: None,
        width="stretch",
        height="content",
    )
    return int(result.width) if result.width else width
