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


def learning_curves(rows: Sequence[dict]) -> tuple[go.Figure, go.Figure]:
    """Loss and accuracy of a training, a figure each.

    Parameters
    ----------
    rows : of a history: "step" or "epoch", "loss", and what was measured beside it.
    """
    x = "step" if "step" in rows[0] else "epoch"
    losses = {"learning": "loss", "held back": "held_back_loss", "validation": "val_loss"}
    shares = {
        "held back": "held_back_right",
        "rehearsal": "rehearsal_right",
        "learning": "accuracy",
        "validation": "val_accuracy",
    }
    return _curves(rows, x, losses, "Loss", 1, ""), _curves(rows, x, shares, "Right", 100, " %")


def _curves(rows, x: str, names: dict[str, str], title: str, factor: float, unit: str) -> go.Figure:
    """A line for each measure that the rows have."""
    figure = go.Figure()
    colours = iter((ACCENT, "#d6621e", GREY))
    for name, key in names.items():
        # before the first step nothing has been learnt: there is no loss of learning yet
        points = [r for r in rows if key in r and not (key == "loss" and not r[x])]
        if points:
            line = go.Scatter(
                x=[r[x] for r in points],
                y=[factor * r[key] for r in points],
                name=name,
                mode="lines+markers",
                line_color=next(colours),
                hovertemplate=f"{x} %{{x}}: %{{y:.3g}}{unit}<extra>{name}</extra>",
            )
            figure.add_trace(line)
    _framed(figure, title, x)
    figure.update_yaxes(ticksuffix=unit)
    return figure


DIGIT_COLOURS = (
    *("#257bd6", "#d6621e", "#2a9d5c", "#c23b4b", "#7d5bc2"),
    *("#8c6239", "#d65fa8", "#7a828e", "#a3a11f", "#19a8b8"),
)
"""One for each digit, told apart on white and on black."""


def digit_map(positions, labels, place: tuple[float, float]) -> go.Figure:
    """Digits as dots, coloured by their label, and a cross for a new one.

    Parameters
    ----------
    positions : (n, 2) float.
    labels : (n,) int, 0 to 9.
    place : of the new one.
    """
    figure = go.Figure()
    for digit, colour in enumerate(DIGIT_COLOURS):
        own = positions[labels == digit]
        figure.add_trace(
            go.Scattergl(
                x=own[:, 0],
                y=own[:, 1],
                name=str(digit),
                mode="markers",
                marker={"size": 4, "color": colour, "opacity": 0.7},
                hoverinfo="name",
            )
        )
    cross = {"size": 18, "color": "black", "symbol": "x", "line": {"color": "white", "width": 2}}
    figure.add_trace(
        # Scattergl, too: what is drawn as SVG lies under all that is not.
        go.Scattergl(x=[place[0]], y=[place[1]], mode="markers", marker=cross, name="yours")
    )
    _framed(figure, "", "")
    figure.update_layout(height=380, margin_t=40, legend_itemsizing="constant")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure


def errors_by_digit(rows: Sequence[dict], versions: Sequence[int]) -> go.Figure:
    """Errors for each digit before and after, as pairs of bars.

    Parameters
    ----------
    rows : "digit", "images", and how many were right "before" and "after".
    versions : the numbers of the two.
    """
    figure = go.Figure()
    digits = [str(row["digit"]) for row in rows]
    for number, key, colour in zip(versions, ("before", "after"), (GREY, ACCENT), strict=True):
        errors = [row["images"] - row[key] for row in rows]
        figure.add_trace(
            go.Bar(
                x=digits,
                y=errors,
                name=f"version {number}",
                marker_color=colour,
                text=errors,
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{x}: %{y} errors<extra></extra>",
            )
        )
    _framed(figure, "Errors on the MNIST test set", "digit")
    figure.update_xaxes(type="category")
    return figure


def _framed(figure: go.Figure, title: str, x: str) -> None:
    """A title, a legend below it, axes that fit and that no finger drags."""
    figure.update_layout(
        title={"text": title, "font_size": 15, "x": 0, "xref": "paper"},
        height=270,
        margin={"l": 4, "r": 4, "t": 64, "b": 4},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        dragmode=False,
        plot_bgcolor="rgba(0, 0, 0, 0)",
        paper_bgcolor="rgba(0, 0, 0, 0)",
    )
    figure.update_xaxes(title=x, fixedrange=True, showgrid=False, automargin=True)
    figure.update_yaxes(fixedrange=True, gridcolor=_FAINT, zeroline=False, automargin=True)
