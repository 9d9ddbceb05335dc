"""A small experiment of the visitor's own: chosen, started, watched, and held beside the others."""

from collections.abc import Sequence

import streamlit as st

from digitlab import jobs
from digitlab.database import Database
from digitlab.errors import BusyError, StoreError
from digitlab.experiment_answers import percent
from digitlab.experiment_charts import learning_chart
from digitlab.experiment_grid import (
    ARCHITECTURES,
    LIVE_EPOCHS,
    LIVE_IMAGES,
    OPTIMISERS,
    PUBLISHED,
    RECIPES,
    planned,
)
from digitlab.experiment_results import Result, Summary, by_scale, parsed, summaries
from digitlab.jobs import Job
from digitlab_app.job_watch import watch
from digitlab_app.metrics_charts import is_dark, show_chart

_ERROR = "experiments-error"
_START_UP = 15  # seconds for TensorFlow to come up and for the test set to be read


def show_live(db: Database, results: Sequence[Result]) -> None:
    """What is at work, or the choices; and the last one that was done."""
    job = jobs.latest(db, "experiment")
    if job is not None and job.active:
        st.markdown(f"At work: {_about(job.settings)}.")
        watch(db, job.id, more=lambda job: _show_curve(job, results))
        return
    if message := st.session_state.pop(_ERROR, None):
        st.error(message)
    _show_choices(db, results)
    if job is not None:
        _show_end(job, results)


def _show_choices(db: Database, results: Sequence[Result]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = st.selectbox(
            "Network",
            ARCHITECTURES,
            index=2,
            format_func=lambda name: ARCHITECTURES[name].title,
            key="experiment-network",
            width=200,
        )
        recipe = st.selectbox(
            "Trained with",
            [*OPTIMISERS, *(own for name, own in PUBLISHED if name == network)],
            index=2,
            format_func=lambda name: RECIPES[name].title,
            key="experiment-recipe",
            width=220,
        )
        images = st.slider(
            "Images", *LIVE_IMAGES, 2000, 500, "%d images", key="experiment-images", width=220
        )
        epochs = st.slider("Epochs", 1, LIVE_EPOCHS, 5, key="experiment-epochs", width=180)
        seed = st.number_input("Seed", 0, 9999, 0, key="experiment-seed", width=110)
    settings = {
        "architecture": network,
        "recipe": recipe,
        "seed": int(seed),
        "images": images,
        "epochs": epochs,
    }
    st.caption(f"{ARCHITECTURES[network].note.capitalize()}. {_wait(settings, results)}")
    st.button(
        "Start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(db, settings),
        key="experiment-start",
    )


def _wait(settings: dict, results: Sequence[Result]) -> str:
    """How long it will take, by how long the same network took before."""
    own = [r for r in results if r.run.architecture == settings["architecture"]]
    if not own:
        return "Takes TensorFlow, and half a minute or more."
    pace = min(r.train_seconds / (r.run.images * r.run.epochs) for r in own)
    read = min(r.predict_ms for r in own) * 10  # seconds for the 10,000 of the test set
    seconds = _START_UP + read + pace * settings["images"] * settings["epochs"]
    return f"Takes about {_rounded(seconds)} on an idle machine."


def _rounded(seconds: float) -> str:
    return f"{round(seconds, -1):.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _start(db: Database, settings: dict) -> None:
    try:
        jobs.start(db, "experiment", settings)
    except (BusyError, StoreError, OSError) as error:
        st.session_state[_ERROR] = f"**The experiment can't start.** {error}"


def _about(settings: dict) -> str:
    """As in "3 layers, Adam, 2,000 images, 5 epochs, seed 0"."""
    epochs = settings["epochs"]
    return (
        f"{ARCHITECTURES[settings['architecture']].title}, {RECIPES[settings['recipe']].title}, "
        f"{settings['images']:,} images, {epochs} epoch{'s' * (epochs != 1)}, "
        f"seed {settings['seed']}"
    )


def _show_end(job: Job, results: Sequence[Result]) -> None:
    """How the last experiment ended, with its curve as far as it came."""
    if job.state == jobs.FAILED:
        st.error(f"**The last experiment failed.** {job.error}")
    elif job.state == jobs.CANCELLED:
        st.info("The last experiment was cancelled.")
    elif "found" in job.progress:
        run = parsed(planned(**job.settings), job.progress["found"])
        beside = _like(job.settings, results)
        st.markdown(
            f"**The last experiment: {percent(run.accuracy)}** of the test set. "
            f"{_about(job.settings)}; {run.train_seconds:.1f} s to train, "
            f"{run.predict_ms:.3f} ms a digit." + (_comparison(beside) if beside else "")
        )
    _show_curve(job, results)


def _comparison(beside: Summary) -> str:
    doubt = f" ± {100 * beside.accuracy.deviation:.2f}" if beside.seeds > 1 else ""
    return (
        " The committed runs of the same network and training read "
        f"{100 * beside.accuracy.mean:.2f}{doubt} % after {max(beside.wrong):,} images seen."
    )


def _like(settings: dict, results: Sequence[Result]) -> Summary | None:
    """The committed runs, of the largest scale, of the same network and recipe."""
    for own in by_scale(results).values():
        for summary in summaries(own):
            if (summary.architecture, summary.recipe) == (
                settings["architecture"],
                settings["recipe"],
            ):
                return summary
    return None


def _show_curve(job: Job, results: Sequence[Result]) -> None:
    """The curve so far, beside the committed one; nothing before the first epoch is over."""
    rows = job.progress.get("curve", [])
    if not rows:
        return
    beside = _like(job.settings, results)
    lines = {"the committed runs": beside.wrong} if beside else {}
    show_chart(
        learning_chart(lines, rows, is_dark()),
        "live_experiment",
        lambda: rows,
        f"Share of the validation images read wrong in the live run, {len(rows)} epochs",
        "experiment-live",
    )
