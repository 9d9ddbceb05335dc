"""Digits as cards: the image, what it is, what was read, and all probabilities."""

import base64
from html import escape

import numpy as np
import streamlit as st

from digitlab.crops import to_png
from digitlab.evaluation_charts import class_names
from digitlab_app.metrics_exam import Exam

PER_STEP = 24  # cards shown at first, and more of them with each click

_CARDS = """
<style>
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr));
  gap: 0.75rem; margin: 0; padding: 0 !important; list-style: none; }
.digits li { margin: 0; padding: 0; }
.digits figure { margin: 0; max-width: 128px; }
.digits img { width: 100%; image-rendering: pixelated; display: block;
  border-radius: 6px; border: 1px solid rgba(128, 128, 128, 0.4); }
.digits figcaption { font-size: 0.85rem; line-height: 1.3; margin-top: 2px; }
.bars { display: flex; height: 24px; margin-top: 4px; }
.bars span { flex: 1; display: flex; align-items: flex-end; padding: 0 1px; }
.bars i { flex: 1; background: #8a93a0; }
.bars i.read { background: #257bd6; }
</style>
"""


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
            f"Show more: {len(places) - count:,} left",
            on_click=st.session_state.update,
            args=({counter: count + PER_STEP},),
            key=f"{key}-more",
        )


def _card(exam: Exam, place: int, ink: np.ndarray | None) -> str:
    p = exam.evaluated.predictions
    names = class_names(p.classes)
    label, answer = names[p.labels[place]], names[p.answers[place]]
    best = [i for i in np.argsort(-p.chances[place])[:3] if p.chances[place, i] >= 0.0005]
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
    for name, chance in zip(names, chances, strict=True):
        kind = ' class="read"' if name == answer else ""
        height = max(3.0, 100 * float(chance))
        bars.append(
            f'<span title="{name}: {_percent(float(chance))}">'
            f'<i{kind} style="height:{height:.0f}%"></i></span>'
        )
    return f'<div class="bars" aria-hidden="true">{"".join(bars)}</div>'


def _percent(value: float) -> str:
    """A probability in few signs; one that rounds to certainty says that it is not quite."""
    if 0.9995 <= value < 1:
        return "99.9+\u00a0%"
    return f"{100 * value:.1f}\u00a0%"
