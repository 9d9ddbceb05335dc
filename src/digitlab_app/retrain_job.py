"""Starting a retraining, and watching it: progress, curves, log, cancel."""

import streamlit as st

from digitlab import jobs, retraining
from digitlab.charts import learning_curves
from digitlab.database import Database
from digitlab.errors import BusyError, StoreError
from digitlab.held_back import LEAST
from digitlab.jobs import Job
from digitlab_app.job_watch import watch

METHODS = {
    retraining.FINE_TUNE: "Go on from the champion",
    retraining.SCRATCH: "From scratch",
}
HELP = {
    retraining.FINE_TUNE: "Learns the accepted corrections while it rehearses what it knew. "
    "Takes half a minute to two minutes.",
    retraining.SCRATCH: "Forgets everything and learns all of MNIST and the corrections anew. It "
    "fetches MNIST (11 MB) and takes two to six minutes an epoch. What the champion learnt from "
    "other drawings and photographs is lost.",
}
_ERROR = "retrain-error"
_SHOWN_LINES = 12


def show_start(db: Database, accepted: int) -> None:
    """The choices, and the button; why not, where it can't be started yet."""
    method = st.segmented_control(
        "How",
        METHODS,
        default=retraining.FINE_TUNE,
        required=True,
        format_func=METHODS.get,
        key="retrain-method",
    )
    st.caption(HELP[method])
    settings = {"method": method}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if method == retraining.FINE_TUNE:
            settings["seconds"] = float(
                st.slider(
                    "Time for learning, at most",
                    *(5, 180, 5 * round(retraining.budget(accepted) / 5), 5),
                    format="%d s",
                    width=260,
                )
            )
        else:
            settings["epochs"] = st.slider("Epochs", 1, 20, 4, width=260)
        settings["seed"] = st.number_input(
            "Seed",
            0,
            9999,
            0,
            width=110,
            help="The same seed, samples and number of steps learn the same way.",
        )
    st.button(
        "Start retraining",
        type="primary",
        icon=":material/school:",
        disabled=accepted < LEAST,
        on_click=_start,
        args=(db, settings),
    )
    if message := st.session_state.pop(_ERROR, None):
        st.error(message)


def _start(db: Database, settings: dict) -> None:
    try:
        jobs.start(db, "retrain", settings)
    except (BusyError, StoreError, OSError) as error:
        st.session_state[_ERROR] = str(error)


def watch_retraining(db: Database, id: int) -> None:
    """A retraining at work, with its curves and its log."""
    watch(db, id, "", "The champion goes on as it is.", _show_more)


def _show_more(job: Job) -> None:
    show_curves(job)
    show_log(job)


def show_curves(job: Job) -> None:
    """Loss and accuracy as they were learnt, where there are two points at least."""
    rows = job.progress.get("curve", [])
    if len(rows) < 2:
        return
    left, right = st.columns(2)
    for column, figure in zip((left, right), learning_curves(rows), strict=True):
        column.plotly_chart(
            figure, key=f"job-{figure.layout.title.text}", config={"displayModeBar": False}
        )


def show_log(job: Job) -> None:
    """The job's own lines, folded away."""
    if job.log:
        with st.expander("Log"):
            st.code("\n".join(job.log.split("\n")[-_SHOWN_LINES:]), language=None)


def show_end(job: Job) -> None:
    """How the last job ended, if it made no candidate."""
    if job.state == jobs.FAILED:
        st.error(f"**The last retraining failed.** {job.error} The champion serves on.")
        show_log(job)
    elif job.state == jobs.CANCELLED:
        st.info("The last retraining was cancelled. Nothing was changed.")
