"""The committed experiments on the page: what was done, the answers, curves, costs, the table."""

from collections.abc import Mapping, Sequence

import streamlit as st

from digitlab.experiment_answers import answers
from digitlab.experiment_charts import COSTS, cost_chart, learning_chart
from digitlab.experiment_grid import (
    ARCHITECTURES,
    FULL,
    OPTIMISERS,
    PLAIN,
    RECIPES,
    REHEARSAL,
    VALIDATION,
)
from digitlab.experiment_results import (
    Result,
    Scale,
    Spread,
    Summary,
    by_scale,
    summaries,
    tried_rates,
)
from digitlab_app.metrics_charts import offer_csv, show_chart

LAYERS, OPTIMISER, PUBLISHED = "Layers", "Optimisers", "Published networks"
_ON_RECIPES = (
    "The published ones learn by their published recipes, which are made for 10 and 30 epochs of "
    "all of MNIST: RMSprop with turned, zoomed and shifted images in batches of 86 for the large "
    "one, Adam in batches of 200 for the small one (its table is published, its dropout of 0.2 is "
    "what most who use it take). Ours learns by its own recipe, but in batches of 32 instead of "
    "128 and without averaging its weights, which takes more steps than there are here."
)
_COMMAND = "digitlab experiment --out experiments/results --jobs -1"
_ON_ALL = f"--data mnist.npz --images {FULL['images']} --epochs {FULL['epochs']}"


def show_results(results: Sequence[Result]) -> None:
    """Everything that was measured; what to do where nothing was."""
    scales = by_scale(results)
    if not scales:
        st.info(
            "**There are no results yet.** The command below makes them; or train one network "
            "here, under *Try one yourself*."
        )
        _show_commands([])
        return
    scale = _chosen(list(scales))
    own = scales[scale]
    found = summaries(own)
    _say_what_was_done(scale, own)
    for words in answers(own):
        st.markdown(words)
    st.subheader("As they learnt", anchor=False)
    _show_curves(found)
    st.subheader("Accuracy and what it costs", anchor=False)
    _show_cost(found)
    _show_table(found)
    _show_rates(results)
    _show_commands(own)


def _chosen(scales: list[Scale]) -> Scale:
    if len(scales) == 1:
        return scales[0]
    return st.selectbox("Learnt from", scales, format_func=_in_words, key="experiments-scale")


def _in_words(scale: Scale) -> str:
    return f"{scale.images:,} images, {scale.epochs} epochs"


def _say_what_was_done(scale: Scale, own: Sequence[Result]) -> None:
    """How much was learnt from, exactly: a subset says nothing about all of MNIST."""
    whose = "that come with the program" if scale.source == REHEARSAL else "of all of MNIST"
    st.caption(
        f"{len(own)} runs, each with the same {scale.images:,} of MNIST's 60,000 training images "
        f"(the first of those {whose}) and {scale.epochs} epochs; {_seeds(own)}. Accuracy is on "
        f"the 10,000 test images, curves are on {VALIDATION[scale.source]:,} other training "
        "images, ± in a table or a chart is the standard deviation over the seeds, in the answers "
        "the standard error of a difference. A small set and few epochs favour what learns "
        "quickly: with all of MNIST everything here reads better, and the order may change."
    )


def _seeds(own: Sequence[Result]) -> str:
    """As in "5 seeds of the small networks, 3 of the others"."""
    small, others = (
        {r.run.seed for r in own if (r.run.architecture in PLAIN) == is_small}
        for is_small in (True, False)
    )
    words = f"{len(small)} seed{'s' * (len(small) != 1)} of the small networks"
    return f"{words}, {len(others)} of the others" if others else words


def _show_curves(found: Sequence[Summary]) -> None:
    has_published = any(s.architecture not in PLAIN for s in found)
    kinds = [LAYERS, OPTIMISER, *([PUBLISHED] if has_published else [])]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Compare", kinds, default=LAYERS, required=True, key="experiments-kind"
        )
        own, name = _lines(kind, found)
    lines = {name(s): s.wrong for s in own}
    show_chart(
        learning_chart(lines),
        "learning_curves",
        lambda: _curve_rows(own),
        f"Share of the validation images read wrong while learning, {len(lines)} lines",
        "experiments-curves",
    )
    note = _ON_RECIPES if kind == PUBLISHED else ""
    st.caption(f"Lines are means over the seeds, bands one standard deviation. {note}")


def _lines(kind: str, found: Sequence[Summary]):
    """The summaries to draw, after what else has to be chosen, and what to call each."""
    if kind == LAYERS:
        recipe = st.selectbox(
            "Trained with", OPTIMISERS, format_func=_recipe_title, key="experiments-with", width=220
        )
        own = [s for s in found if s.architecture in PLAIN and s.recipe == recipe]
        return own, _architecture_name
    if kind == OPTIMISER:
        network = st.selectbox(
            "In a network of",
            PLAIN,
            index=2,
            format_func=_architecture_title,
            key="experiments-in",
            width=220,
        )
        own = [s for s in found if s.architecture == network]
        return sorted(own, key=lambda s: OPTIMISERS.index(s.recipe)), _recipe_name
    return [s for s in found if s.architecture not in PLAIN], _architecture_name


def _recipe_title(name: str) -> str:
    return RECIPES[name].title


def _architecture_title(name: str) -> str:
    return ARCHITECTURES[name].title


def _recipe_name(summary: Summary) -> str:
    return _recipe_title(summary.recipe)


def _architecture_name(summary: Summary) -> str:
    return _architecture_title(summary.architecture)


def _curve_rows(own: Sequence[Summary]) -> list[dict]:
    return [
        {
            "network": _architecture_name(s),
            "training": _recipe_name(s),
            "images seen": seen,
            "wrong": point.mean,
            "standard deviation": point.deviation,
        }
        for s in own
        for seen, point in s.wrong.items()
    ]


def _show_cost(found: Sequence[Summary]) -> None:
    cost = st.segmented_control(
        "Cost", list(COSTS), default=next(iter(COSTS)), required=True, key="experiments-cost"
    )
    show_chart(
        cost_chart(found, cost),
        "accuracy_and_cost",
        lambda: table_rows(found),
        f"Accuracy of {len(found)} networks against {COSTS[cost][1]}",
        "experiments-cost-chart",
    )
    st.caption(
        "A number beside a point is how many layers the network has. Times are of one processor "
        "thread; reading is in batches of 100."
    )


def table_rows(found: Sequence[Summary]) -> list[dict]:
    """The table, the most accurate first; accuracies in percent, times of one thread."""
    return [
        {
            "network": _architecture_name(s),
            "training": _recipe_name(s),
            "accuracy": 100 * s.accuracy.mean,
            "deviation": 100 * s.accuracy.deviation if s.seeds > 1 else None,
            "parameters": s.parameters,
            "train": s.train_seconds.mean,
            "predict": s.predict_ms.mean,
            "seeds": s.seeds,
        }
        for s in sorted(found, key=lambda s: -s.accuracy.mean)
    ]


def _show_table(found: Sequence[Summary]) -> None:
    rows, number = table_rows(found), st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        height=min(460, 36 + 35 * len(rows)),
        column_config={
            "network": "Network",
            "training": "Trained with",
            "accuracy": number("Accuracy", format="%.2f %%", help="of the 10,000 test images"),
            "deviation": number("±", format="%.2f", help="standard deviation, in points"),
            "parameters": number("Parameters", format="localized"),
            "train": number("To train", format="%.1f s", help="processor time, one thread"),
            "predict": number("To read", format="%.3f ms", help="a digit, in batches of 100"),
            "seeds": number("Seeds", help="runs that the figures are of"),
        },
        key="experiments-table",
    )
    offer_csv("experiments", lambda: table_rows(found), "experiments-table")


def _show_rates(results: Sequence[Result]) -> None:
    """How the learning rate of each optimiser was come by."""
    if not (tried := tried_rates(results)):
        return
    with st.expander("How the learning rates were chosen"):
        st.markdown(
            "An optimiser is only as good as its learning rate. Each was tried at several, with "
            "three layers and seeds of their own; what read most of the validation images is "
            "what the grid was trained with, at every depth. Other depths might do better at "
            "other rates."
        )
        number = st.column_config.NumberColumn
        st.dataframe(
            _rate_rows(tried),
            hide_index=True,
            height="content",
            column_config={
                "optimiser": "Optimiser",
                "rate": number("Rate", format="%g"),
                "right": number("Right", format="%.1f %%", help="of the validation images"),
                "deviation": number("±", format="%.1f", help="standard deviation, in points"),
                "chosen": "Chosen",
            },
            key="experiments-rates",
        )


def _rate_rows(tried: Mapping[str, Mapping[float, Spread]]) -> list[dict]:
    return [
        {
            "optimiser": _recipe_title(name),
            "rate": rate,
            "right": 100 * found.mean,
            "deviation": 100 * found.deviation,
            "chosen": rate == RECIPES[name].learning_rate,
        }
        for name in OPTIMISERS
        for rate, found in tried.get(name, {}).items()
    ]


def _show_commands(own: Sequence[Result]) -> None:
    """How to make the results again, and larger ones."""
    with st.expander("Run the grid yourself"):
        st.markdown(
            "What is shown here, again from nothing; a grid that was stopped goes on when the "
            "same command is given. `--jobs -1` uses all processors:"
        )
        st.code(_COMMAND.replace("experiments/results", "mine"), language="bash", wrap_lines=True)
        st.markdown(f"On all of MNIST{_hours(own)}:")
        st.code(f"{_COMMAND} {_ON_ALL}", language="bash", wrap_lines=True)
        st.markdown(
            'On several machines, with Dask (`pip install -e ".[cluster]"`) or Ray '
            '(`pip install -e ".[ray]"`):'
        )
        address = "--backend dask --scheduler tcp://HOST:8786"
        st.code(f"{_COMMAND} {_ON_ALL} {address}", language="bash", wrap_lines=True)


def _hours(own: Sequence[Result]) -> str:
    """How long the grid takes on all of MNIST, at the pace of what was done."""
    full = FULL["images"] * FULL["epochs"]
    seconds = sum(r.train_seconds * full / (r.run.images * r.run.epochs) for r in own)
    if seconds < 3600:
        return ""
    return f", which is about {seconds / 3600:.0f} hours of work for one processor core"
