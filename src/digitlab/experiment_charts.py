"""Plotly figures of the experiments: curves with their spread, accuracy against cost."""

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10

import plotly.graph_objects as go

from digitlab.charts import DIGIT_COLOURS, GREY
from digitlab.experiment_grid import ARCHITECTURES, OPTIMISERS, PLAIN, RECIPES
from digitlab.experiment_results import Spread, Summary

_GRID = "rgba(128, 128, 128, 0.25)"
_SHARES = (
    0.5,
    1,
    1.5,
    2,
    3,
    4,
    5,
    7,
    10,
    15,
    20,
    30,
    50,
    100,
)  # percent, where the axis has numbers
_LEAST = 1e-4  # a share of none can't be drawn on this axis
_INK = {False: "#17202a", True: "#e8edf2"}  # letters on light and on dark
_BESIDE = ("middle right", "top center", "middle left", "bottom center")  # numbers, by optimiser
_SYMBOLS = ("circle", "square", "diamond", "cross", "star")

COSTS: dict[str, tuple[Callable[[Summary], float], str]] = {
    "Time to train": (lambda s: s.train_seconds.mean, "processor seconds to train"),
    "Time to read": (lambda s: s.predict_ms.mean, "processor milliseconds a digit"),
    "Parameters": (lambda s: s.parameters, "parameters"),
}
"""What accuracy can be drawn against, and the words at the axis."""


def name_of(summary: Summary) -> str:
    """As in "3 layers, Adam"."""
    return f"{ARCHITECTURES[summary.architecture].title}, {RECIPES[summary.recipe].title}"


def learning_chart(
    lines: Mapping[str, Mapping[int, Spread]],
    yours: Sequence[Mapping] = (),
    dark: bool = False,
) -> go.Figure:
    """Share of the validation images read wrong against images learnt from, with its spread.

    Parameters
    ----------
    lines : by name; each by images seen, as `experiment_results.wrong_by_seen` gives it.
    yours : the rows of a live run's curve, drawn as a dotted line of its own.
    """
    figure = go.Figure()
    for (name, points), colour in zip(lines.items(), DIGIT_COLOURS, strict=False):
        for trace in _line_with_band(name, points, colour):
            figure.add_trace(trace)
    if yours:
        figure.add_trace(_yours(yours, dark))
    _framed(figure, 360, "training images seen", "validation images read wrong")
    figure.update_yaxes(type="log", tickvals=_SHARES, ticktext=[f"{s:g} %" for s in _SHARES])
    figure.update_xaxes(rangemode="tozero", separatethousands=True)
    return figure


def _line_with_band(name: str, points: Mapping[int, Spread], colour: str) -> list[go.Scatter]:
    seen = list(points)
    low, middle, high = (
        [100 * max(_LEAST, p.mean + sign * p.deviation) for p in points.values()]
        for sign in (-1, 0, 1)
    )
    band = go.Scatter(
        x=[*seen, *reversed(seen)],
        y=[*high, *reversed(low)],
        mode="lines",
        fill="toself",
        fillcolor=_faded(colour, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
    )
    line = go.Scatter(
        x=seen,
        y=middle,
        customdata=[100 * p.deviation for p in points.values()],
        name=name,
        legendgroup=name,
        mode="lines+markers",
        marker_size=5,
        line={"color": colour, "width": 2},
        hovertemplate="%{x:,} images seen: %{y:.1f} ± %{customdata:.1f} % wrong"
        f"<extra>{name}</extra>",
    )
    return [band, line]


def _yours(rows: Sequence[Mapping], dark: bool) -> go.Scatter:
    return go.Scatter(
        x=[row["seen"] for row in rows],
        y=[100 * max(_LEAST, 1 - row["val_accuracy"]) for row in rows],
        name="the live run",
        mode="lines+markers",
        marker={"size": 8, "color": _INK[dark]},
        line={"color": _INK[dark], "width": 3, "dash": "dot"},
        hovertemplate="%{x:,} images seen: %{y:.1f} % wrong<extra>the live run</extra>",
    )


def cost_chart(found: Sequence[Summary], cost: str) -> go.Figure:
    """Accuracy on the test set against what it costs, a point for each network and recipe.

    Parameters
    ----------
    cost : one of COSTS; its axis is logarithmic.
    """
    figure = go.Figure()
    for name, colour, place in zip(OPTIMISERS, DIGIT_COLOURS, _BESIDE, strict=False):
        own = [s for s in found if s.recipe == name and s.architecture in PLAIN]
        if own:
            numbers = [str(ARCHITECTURES[s.architecture].layers) for s in own]
            points = _points(own, cost, RECIPES[name].title, colour, "circle", numbers)
            figure.add_trace(points.update(textposition=place))
    others = [s for s in found if s.architecture not in PLAIN]
    for s, symbol in zip(others, _SYMBOLS[1:], strict=False):
        title = ARCHITECTURES[s.architecture].title
        figure.add_trace(_points([s], cost, title, GREY, symbol, [""]))
    _framed(figure, 400, COSTS[cost][1], "test set read")
    figure.update_xaxes(type="log", **_ticks([COSTS[cost][0](s) for s in found]))
    figure.update_yaxes(ticksuffix=" %")
    return figure


def _ticks(values: Sequence[float]) -> dict:
    """One, two and five of each power of ten around the values, written out."""
    if not values:
        return {}
    powers = range(floor(log10(min(values))), floor(log10(max(values))) + 1)
    ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}


def _points(
    own: Sequence[Summary], cost: str, name: str, colour: str, symbol: str, numbers: list[str]
) -> go.Scatter:
    return go.Scatter(
        x=[COSTS[cost][0](s) for s in own],
        y=[100 * s.accuracy.mean for s in own],
        error_y={
            "array": [100 * s.accuracy.deviation for s in own],
            "thickness": 1,
            "width": 3,
            "color": colour,
        },
        text=numbers,
        customdata=[[name_of(s), 100 * s.accuracy.deviation, s.seeds] for s in own],
        name=name,
        mode="markers+text",
        marker={"size": 9, "color": colour, "symbol": symbol},
        hovertemplate="%{customdata[0]}: %{y:.2f} ± %{customdata[1]:.2f} %, "
        "%{customdata[2]} seeds, %{x:.3g}<extra></extra>",
    )


def _framed(figure: go.Figure, height: int, x: str, y: str) -> None:
    """A legend above, axes that no finger drags."""
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 8, "t": 60, "b": 4},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font_size": 13},
        dragmode=False,
        xaxis_title=x,
        yaxis_title=y,
    )
    axes = {"fixedrange": True, "gridcolor": _GRID, "zeroline": False, "automargin": True}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
