"""Chooses which samples are shown: checkboxes with how many each would show, and the order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from digitlab.database import Database
from digitlab.sample import LABELS, SOURCES, STATES
from digitlab.samples import EVERYTHING, SORTS, Filter
from digitlab_app.corrections_view import PICTURES, View, facet_counts, named


@dataclass(frozen=True)
class Facet:
    """One group of choices.

    Attributes
    ----------
    part : field of `Filter`.
    counted : its name in `samples.counts`.
    title : what stands before the choices.
    values : those that are always shown; more if samples have others.
    words : how a value is written.
    """

    part: str
    counted: str
    title: str
    values: tuple = ()
    words: Callable[[Any], str] = str


FACETS = (
    Facet("states", "state", "State", STATES),
    Facet("sources", "source", "Source", SOURCES),
    Facet("versions", "version", "Read by", words=lambda name: f"version {name}"),
    Facet("labels", "label", "It is", LABELS, named),
    Facet(
        "confirmed",
        "confirmed",
        "Answer",
        (True, False),
        lambda right: "called right" if right else "corrected or imported",
    ),
    Facet("predicted", "predicted", "Read as", LABELS, named),
)

_HTML = """
<details>
  <summary><span class="title">Filter</span><span class="on"></span></summary>
  <div class="groups"></div>
  <button type="button" class="clear">Show all</button>
</details>
"""

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "digitlab_corrections_filter",
    html=_HTML,
    css=(_HERE / "corrections_filter.css").read_text("utf-8"),
    js=(_HERE / "corrections_filter.js").read_text("utf-8"),
)


def show_filter(db: Database, view: View, key: str = "corrections-filter") -> int:
    """The choices, with what each would show; how many samples match now. Raises StoreError."""
    counts = facet_counts(db, view.wanted, {facet.part: facet.counted for facet in FACETS})
    data = {
        "facets": [_described(facet, counts[facet.part], view.wanted) for facet in FACETS],
        "wanted": sum(len(_chosen(facet, view.wanted)) for facet in FACETS),
    }
    _component(
        key=key,
        data=data,
        on_chosen_change=lambda: apply_choice(view, st.session_state[key]["chosen"]),
    )
    return counts["all"]["all"]


def show_order(view: View) -> None:
    """The order, and whether pictures are shown as they were written or as the model saw them."""

    def take_over() -> None:
        view.order(st.session_state["corrections-sort"])
        view.picture = st.session_state["corrections-picture"]

    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, key, options, chosen, words in (
            ("Order", "corrections-sort", SORTS, view.sort, "{} first"),
            ("Picture", "corrections-picture", PICTURES, view.picture, "{}"),
        ):
            st.segmented_control(
                label,
                options,
                required=True,
                default=chosen,
                format_func=words.format,
                key=key,
                on_change=take_over,
            )


def apply_choice(view: View, message: Mapping) -> None:
    """Take over which values of one part of the filter are checked; of no part, show all."""
    part, values = message["part"], tuple(message["values"])
    if part == "confirmed":
        view.choose(confirmed=values[0] if values else None)
    elif part in [facet.part for facet in FACETS]:
        view.choose(**{part: values})
    else:
        view.choose(**vars(EVERYTHING))


def _values(facet: Facet, counts: Mapping, wanted: Filter) -> tuple:
    """The facet's own values, and others that samples have or that are chosen."""
    others = {*counts, *_chosen(facet, wanted)} - {*facet.values, None}
    return (*facet.values, *sorted(others, key=_in_order))


def _in_order(name: str) -> tuple:
    """Version 10 after version 9."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)


def _chosen(facet: Facet, wanted: Filter) -> tuple:
    values = getattr(wanted, facet.part)
    if facet.part == "confirmed":
        return () if values is None else (values,)
    return values


def _described(facet: Facet, counts: Mapping, wanted: Filter) -> dict:
    """A facet as the browser gets it."""
    chosen = _chosen(facet, wanted)
    choices = [
        {
            "value": value,
            "text": facet.words(value),
            "count": counts.get(value, 0),
            "chosen": value in chosen,
        }
        for value in _values(facet, counts, wanted)
    ]
    return {"part": facet.part, "title": facet.title, "choices": choices}
