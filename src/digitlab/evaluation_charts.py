"""Plotly figures of an evaluation: confusion, reliability, coverage, robustness."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from digitlab.charts import ACCENT, GREY
from digitlab.evaluating import Curve
from digitlab.evaluation import (
    CERTAIN,
    Coverage,
    Reliability,
    readable,
    row_shares,
    wilson_interval,
)

ERROR = "#d6621e"
COLOURS = (ACCENT, ERROR)  # of the first and the second version
_GRID = "rgba(128, 128, 128, 0.25)"
_GROUNDS = {False: "#ffffff", True: "#11161c"}  # as in .streamlit/config.toml
_WORDS = {False: "#17202a", True: "#e8edf2"}
_STRONG = 0.55  # from this strength of a colour, white letters can be read on it


def on_ground(figure: go.Figure, dark: bool) -> None:
    """Give a figure an opaque ground, so that its picture can be read wherever it is put."""
    figure.update_layout(
        plot_bgcolor=_GROUNDS[dark],
        paper_bgcolor=_GROUNDS[dark],
        font_color=_WORDS[dark],
        modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": GREY, "activecolor": ACCENT},
    )


def class_names(classes: int) -> list[str]:
    """What answers are called: 0 to 9, and "none" for what is no digit."""
    return [str(c) if c < 10 else "none" for c in range(classes)]


def confusion_matrix(confusion: np.ndarray, percent: bool, dark: bool = False) -> go.Figure:
    """Labels against answers; the diagonal in the accent, errors in another colour.

    Each cell that has images is a point that can be clicked; its customdata is label and answer.

    Parameters
    ----------
    confusion : (c, c) int, rows are labels and columns are answers.
    percent : write shares of each label instead of counts.
    """
    names = class_names(len(confusion))
    shares = row_shares(confusion)
    right = np.eye(len(confusion), dtype=bool)
    largest = max(1, int(np.where(right, 0, confusion).max()))
    # A single error has to be seen beside a thousand right answers.
    strength = np.where(right, 0.25 + 0.6 * shares, 0.15 + 0.7 * np.sqrt(confusion / largest))
    words = [
        [_cell_words(n, s, percent) for n, s in zip(*rows, strict=True)]
        for rows in zip(confusion, shares, strict=True)
    ]
    figure = go.Figure()
    for colour, own in ((ACCENT, right), (ERROR, ~right)):
        for strong in (False, True):
            chosen = own & (confusion > 0) & ((strength >= _STRONG) == strong)
            ink = "#ffffff" if strong else _WORDS[dark]
            figure.add_trace(_cells(names, strength, words, chosen, colour, ink))
    figure.add_trace(_cell_points(names, confusion, shares))
    _framed(figure, 450, "read as", "is")
    figure.update_layout(hoverdistance=40, clickmode="event+select", showlegend=False)
    figure.update_xaxes(type="category", categoryarray=names, side="top", showgrid=False)
    figure.update_yaxes(
        type="category", categoryarray=names, range=[len(names) - 0.5, -0.5], showgrid=False
    )
    return figure


def _cell_words(count: int, share: float, percent: bool) -> str:
    if not count:
        return ""
    if not percent:
        return str(count)
    return f"{100 * share:.1f}" if share < 0.9995 or share == 1 else "99.9"


def _cells(names, strength, words, chosen, colour: str, ink: str) -> go.Heatmap:
    """Coloured cells with letters in them; the others are left out."""
    return go.Heatmap(
        x=names,
        y=names,
        z=np.where(chosen, strength, np.nan),
        zmin=0,
        zmax=1,
        colorscale=[[0, _faded(colour, 0)], [1, colour]],
        showscale=False,
        xgap=2,
        ygap=2,
        text=[
            [w if c else "" for w, c in zip(*rows, strict=True)]
            for rows in zip(words, chosen, strict=True)
        ],
        texttemplate="%{text}",
        textfont={"color": ink, "size": 11},
        hoverinfo="skip",
    )


def _cell_points(names, confusion: np.ndarray, shares: np.ndarray) -> go.Scatter:
    """An invisible point in each cell with images: heat maps can't be clicked, points can."""
    places = np.argwhere(confusion)
    return go.Scatter(
        x=[names[answer] for _, answer in places],
        y=[names[label] for label, _ in places],
        customdata=places.tolist(),
        text=[
            f"{confusion[i, j]:,} of {confusion[i].sum():,} ({shares[i, j]:.2%})" for i, j in places
        ],
        mode="markers",
        marker={"symbol": "square-open", "size": 30, "opacity": 0, "line_width": 3, "color": GREY},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{y} read as %{x}: %{text}<extra></extra>",
    )


def reliability_diagram(found: Mapping[str, Reliability]) -> go.Figure:
    """Share right against confidence; the diagonal is confidence that keeps its word.

    Parameters
    ----------
    found : by the name of the version, one or two.
    """
    figure = go.Figure(_diagonal())
    for (name, diagram), colour in zip(found.items(), COLOURS, strict=False):
        full = np.flatnonzero(diagram.counts)
        share = diagram.right[full]
        limits = np.array(
            [
                wilson_interval(round(s * n), n)
                for s, n in zip(share, diagram.counts[full], strict=True)
            ]
        ).reshape(-1, 2)
        figure.add_trace(
            go.Scatter(
                x=100 * diagram.confidence[full],
                y=100 * share,
                error_y={
                    "array": 100 * (limits[:, 1] - share),
                    "arrayminus": 100 * (share - limits[:, 0]),
                    "width": 2,
                    "thickness": 1,
                },
                name=name,
                mode="markers",
                marker={
                    "color": colour,
                    "size": [6 + 3 * math.log10(n) for n in diagram.counts[full]],
                },
                text=[f"{n:,} answers" for n in diagram.counts[full]],
                hovertemplate="confidence %{x:.1f} %: %{y:.1f} % right, %{text}",
            )
        )
    _framed(figure, 330, "confidence", "right")
    figure.update_xaxes(range=[-3, 103], ticksuffix=" %")
    figure.update_yaxes(range=[-3, 103], ticksuffix=" %")
    return figure


def _diagonal() -> go.Scatter:
    line = {"color": GREY, "dash": "dot", "width": 1}
    return go.Scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="keeps its word", line=line, hoverinfo="skip"
    )


def coverage_chart(found: Mapping[str, Coverage]) -> go.Figure:
    """Accuracy of what is read against the share that is read, the surest first.

    Parameters
    ----------
    found : by the name of the version, one or two.
    """
    figure = go.Figure()
    for (name, curve), colour in zip(found.items(), COLOURS, strict=False):
        shown = _thinned(len(curve.coverage))
        figure.add_trace(
            go.Scatter(
                x=100 * curve.coverage[shown],
                y=100 * curve.accuracy[shown],
                customdata=100 * curve.threshold[shown],
                name=name,
                mode="lines",
                line={"color": colour, "shape": "hv"},
                hovertemplate="%{x:.2f} % read, %{y:.3f} % of it right<br>"
                "confidence of at least %{customdata:.2f} %",
            )
        )
        share, _ = readable(curve)
        if share:
            figure.add_vline(100 * share, line={"color": colour, "dash": "dot", "width": 1})
    figure.add_hline(100 * CERTAIN, line={"color": GREY, "dash": "dot", "width": 1})
    _framed(figure, 330, "share that is read", "right")
    lowest = min(float(curve.accuracy.min()) for curve in found.values())
    figure.update_xaxes(range=[0, 101], ticksuffix=" %")
    figure.update_yaxes(range=[100 * lowest - 0.1, 100.05], ticksuffix=" %")
    return figure


def _thinned(count: int, most: int = 1000) -> np.ndarray:
    """Places to draw of a curve of many points: the last ones, where it moves, are all kept."""
    early = np.linspace(0, count - 1, most, dtype=int) if count > 2 * most else np.arange(count)
    return np.unique(np.concatenate([early, np.arange(max(0, count - most), count)]))


def robustness_chart(found: Mapping[str, Sequence[Curve]], columns: int) -> go.Figure:
    """A small chart for each change: accuracy against strength, prepared and straight.

    Parameters
    ----------
    found : by the name of the version, one or two.
    columns : charts side by side.
    """
    first = next(iter(found.values()))
    rows = -(-len(first) // columns)
    figure = make_subplots(
        rows,
        columns,
        # The axis has a unit of its own in each chart; below the title it never meets the ticks.
        subplot_titles=[
            f"{curve.name.capitalize()}<br><sup>{curve.unit.split(',')[0]}</sup>" for curve in first
        ],
        shared_yaxes=True,
        vertical_spacing=0.38 / rows,
        horizontal_spacing=0.03,
    )
    for (name, curves), colour in zip(found.items(), COLOURS, strict=False):
        for place, curve in enumerate(curves):
            for trace in _robustness_lines(curve, name, colour, first=not place):
                figure.add_trace(trace, place // columns + 1, place % columns + 1)
    _framed(figure, 90 + 200 * rows)
    percents = {"tickvals": [0, 50, 100], "ticktext": ["0 %", "50 %", "100 %"]}
    figure.update_yaxes(range=[-4, 104], **percents)
    figure.update_xaxes(automargin=False)
    figure.update_annotations(font_size=14)
    figure.update_layout(legend={"y": 1 + 0.3 / rows}, margin={"t": 110, "b": 24})
    return figure


def _robustness_lines(curve: Curve, name: str, colour: str, first: bool) -> list[go.Scatter]:
    ways = (("with our preprocessing", curve.prepared, "solid"), ("without", curve.straight, "dot"))
    return [
        go.Scatter(
            x=curve.strengths,
            y=100 * right / curve.images,
            name=f"{name}, {way}",
            legendgroup=f"{name}, {way}",
            showlegend=first,
            mode="lines+markers",
            marker_size=5,
            line={"color": colour, "dash": dash},
            hovertemplate=f"%{{x}} {curve.unit}: %{{y:.1f}} % right<extra>{name}, {way}</extra>",
        )
        for way, right, dash in ways
    ]


def _framed(figure: go.Figure, height: int, x: str = "", y: str = "") -> None:
    """Room for the tool bar, a legend above, axes that no finger drags."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 8, "t": 60, "b": 4},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font_size": 13},
        dragmode=False,
    )
    axes = {"fixedrange": True, "gridcolor": _GRID, "zeroline": False, "automargin": True}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    if x:
        figure.update_layout(xaxis_title=x, yaxis_title=y)


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
