"""A chart with its picture and its numbers to take away."""

from collections.abc import Callable, Iterable, Mapping

# Streamlit imports it when a table is first shown; Plotly, in another session's thread at that
# moment, would trip over the half of it that is there.
import pandas  # noqa: F401
import plotly.graph_objects as go
import streamlit as st

from digitlab.evaluation_charts import on_ground
from digitlab.evaluation_tables import to_csv

Rows = Callable[[], Iterable[Mapping]]
"""Gives the rows of a table, when they are asked for."""


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def show_chart(
    figure: go.Figure,
    name: str,
    rows: Rows,
    alt: str,
    key: str,
    **more,
):
    """A chart that can be taken away as a picture (its tool bar) and as numbers (CSV).

    Parameters
    ----------
    name : of the files.
    more : to `st.plotly_chart`.
    """
    config = {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
    on_ground(figure, is_dark())
    event = st.plotly_chart(figure, key=key, config=config, alt=alt, **more)
    offer_csv(name, rows, key)
    return event


def offer_csv(name: str, rows: Rows, key: str, note: str | None = None) -> None:
    """A quiet button that downloads a table."""
    st.download_button(
        "Numbers as CSV",
        lambda: to_csv(rows()),
        f"{name}.csv",
        "text/csv",
        key=f"{key}-csv",
        help=note,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
