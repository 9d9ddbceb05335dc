"""A job at work, as a person sees it: how far it is, how long it takes, and a way to stop it."""

from collections.abc import Callable

import streamlit as st

from digitlab import jobs
from digitlab.database import Database
from digitlab.jobs import Job


@st.fragment(run_every=1.0)
def watch(
    db: Database,
    id: int,
    about: str = "",
    kept: str | None = None,
    more: Callable[[Job], None] | None = None,
) -> None:
    """The job, renewed every second; the whole page runs anew when it has ended.

    Parameters
    ----------
    about : to be said before its stage.
    kept : what cancelling does not lose.
    more : shows what else there is of it.
    """
    job = jobs.get(db, id)
    if not job.active:
        st.rerun()
    share = min(1.0, max(0.0, job.progress.get("share", 0.0)))
    st.progress(share, text=in_words(job, about))
    st.button(
        "Cancelling …" if job.cancelling else "Cancel",
        disabled=job.cancelling,
        on_click=jobs.cancel,
        args=(db, id),
        key=f"cancel-{id}",
        help=kept,
    )
    if more is not None:
        more(job)


def in_words(job: Job, about: str = "") -> str:
    """As in "Training: 12 s so far, about 30 s left"."""
    stage = f"{about} {job.progress.get('stage', 'starting')}".strip()
    left = job.seconds_left
    rest = f", about {max(1, left):.0f} s left" if left is not None else ""
    return f"{stage[:1].upper()}{stage[1:]}: {job.progress.get('seconds', 0):.0f} s so far{rest}"
