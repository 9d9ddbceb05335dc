"""Plotly figures, all in one style: one accent, the rest grey, legible on light and on dark."""

from collections.abc import Sequence

import plotly.graph_objects as go

ACCENT = "#257bd6"
GREY = "#9aa3af"
_FAINT = "rgba(128, 128, 128, 0.25)"  # a grid that shows on white and on black
_LEAST_LABEL = 0.005  # a share below this rounds to nothing: its bar is left without a number


def probability_bars(probabilities: Sequence[float], winner: int) -> go.Figure:
    """Ten probabilities as bars that never change place, order or scale.

    Parameters
    ----------
    probabilities : of 0 to 9, ten numbers between 0 and 1.
    winner : the digit whose bar takes the accent.
    """
    percents = [100 * share for share in probabilities]
    bars = go.Bar(
        x=[str(digit) for digit in range(10)],
        y=percents,
        marker_color=[ACCENT if digit == winner else GREY for digit in range(10)],
        text=[f"{p:.0f}" if p >= 100 * _LEAST_LABEL else "" for p in percents],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
    )
    return _styled(go.Figure(bars))


def _styled(figure: go.Figure, height: int = 210) -> go.Figure:
    """Fixed axes from 0 to 100 %, no margins to speak of, nothing that a finger could drag."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 4, "t": 18, "b": 4},
        bargap=0.25,
        showlegend=False,
        dragmode=False,
        plot_bgcolor="rgba(0, 0, 0, 0)",
        paper_bgcolor="rgba(0, 0, 0, 0)",
    )
    figure.update_xaxes(type="category", fixedrange=True, tickfont_size=15, showgrid=False)
    figure.update_yaxes(
        range=[0, 100],
        fixedrange=True,
        tickvals=[0, 50, 100],
        ticktext=["0 %", "50 %", "100 %"],
        gridcolor=_FAINT,
        zeroline=False,
        automargin=True,
    )
    return figure
