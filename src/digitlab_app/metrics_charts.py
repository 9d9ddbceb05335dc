"""A chart with its picture and its numbers to take away, and digits as cards."""

import base64
from collections.abc import Callable, Iterable, Mapping
from html import escape

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from digitlab.crops import to_png
from digitlab.evaluation_charts import class_names
from digitlab.evaluation_tables import to_csv
from digitlab_app.metrics_exam import Exam

PER_STEP = 24  # cards shown at first, and more of them with each click

_CARDS = """
<style>
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(108px, 1fr));
  gap: 0.75rem; margin: 0; padding: 0; list-style: none; }
.digits li { margin: 0; }
.digits figure { margin: 0; }
.digits img { width: 100%; max-width: 128px; image-rendering: pixelated; display: block;
  border-radius: 6px; border: 1px solid rgba(128, 128, 128, 0.4); }
.digits svg { width: 100%; max-width: 128px; height: 26px; display: block; margin-top: 4px; }
.digits figcaption { font-size: 0.85rem; line-height: 1.3; margin-top: 2px; }
</style>
"""


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show_chart(
    figure: go.Figure,
    name: str,
    rows: Callable[[], Iterable[Mapping]],
    alt: str,
    key: str,
    **more,
):
    """A chart that can be taken away as a picture (its tool bar) and as numbers (CSV).

    Parameters
    ----------
    name : of the files.
    rows : gives the numbers, when they are asked for.
    more : to `st.plotly_chart`.
    """
    config = {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
    event = st.plotly_chart(figure, key=key, config=config, alt=alt, **more)
    st.download_button(
        "Numbers as CSV",
        lambda: to_csv(rows()),
        f"{name}.csv",
        "text/csv",
        key=f"{key}-csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
    return event


def show_digits(exam: Exam, places: np.ndarray, key: str) -> None:
    """Some of the images, with what they are, what was read, and all probabilities."""
    counter = f"{key}-shown"
    count = st.session_state.get(counter, PER_STEP)
    shown = places[:count]
    cards = "".join(
        _card(exam, int(place), ink) for place, ink in zip(shown, exam.ink(shown), strict=True)
    )
    st.html(f'{_CARDS}<ul class="digits">{cards}</ul>')
    if len(places) > count:
        st.button(
            f"Show {min(PER_STEP, len(places) - count)} more of {len(places) - count:,}",
            on_click=st.session_state.update,
            args=({counter: count + PER_STEP},),
            key=f"{key}-more",
        )


def _card(exam: Exam, place: int, ink: np.ndarray | None) -> str:
    p = exam.evaluated.predictions
    names = class_names(p.classes)
    label, answer = names[p.labels[place]], names[p.answers[place]]
    best = np.argsort(-p.chances[place])[:3]
    ranking = ", ".join(f"{names[i]}: {_percent(p.chances[place, i])}" for i in best)
    words = f"{label} read as {answer}" if label != answer else f"{label}, read right"
    number = f"number {exam.evaluated.ids[place]}" if len(exam.evaluated.ids) else f"image {place}"
    picture = "deleted meanwhile"
    if ink is not None:
        data = base64.b64encode(to_png(255 - ink)).decode()
        picture = f'<img src="data:image/png;base64,{data}" alt="{escape(words)}, {number}">'
    sure = _percent(float(p.confidence[place]))
    return (
        f'<li data-place="{place}"><figure>{picture}{_bars(p.chances[place], names, answer)}'
        f"<figcaption><b>{escape(words)}</b>, {sure} sure<br>{ranking}</figcaption></figure></li>"
    )


def _bars(chances: np.ndarray, names: list[str], answer: str) -> str:
    """All probabilities as small bars in a fixed order; a mouse over one says its number."""
    bars = []
    for i, (name, chance) in enumerate(zip(names, chances, strict=True)):
        height = max(0.6, 20 * float(chance))
        colour = "#257bd6" if name == answer else "#8a93a0"
        bars.append(
            f'<g><title>{name}: {_percent(float(chance))}</title><rect x="{10 * i}" y="0" '
            f'width="10" height="20" fill="transparent"/><rect x="{10 * i + 1}" '
            f'y="{20 - height:.2f}" width="8" height="{height:.2f}" fill="{colour}"/></g>'
        )
    return (
        f'<svg viewBox="0 0 {10 * len(names)} 20" preserveAspectRatio="none" role="img" '
        f'aria-label="probabilities of {names[0]} to {names[-1]}">{"".join(bars)}</svg>'
    )


def _percent(value: float) -> str:
    if 0 < value < 0.0005 or 0.9995 <= value < 1:
        return f"{100 * value:.3g} %" if value < 0.5 else "over 99.9 %"
    return f"{100 * value:.1f} %"
