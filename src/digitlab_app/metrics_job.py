"""Evaluations in the background: started where one is missing, watched, cancelled."""

from collections.abc import Sequence

import streamlit as st

from digitlab import jobs
from digitlab.database import Database
from digitlab.errors import BusyError, StoreError
from digitlab.jobs import Job
from digitlab_app.job_watch import watch

_ERROR = "metrics-error"


def evaluate(db: Database, numbers: Sequence[int], name: str) -> None:
    """Start the evaluation of versions on a set; if that fails, the next run says why."""
    try:
        jobs.start(db, "evaluate", {"versions": list(numbers), "sets": [name]})
    except (BusyError, StoreError, OSError) as error:
        st.session_state[_ERROR] = str(error)


def see_to(db: Database, numbers: Sequence[int], name: str, alone: bool = True) -> None:
    """Where an evaluation is missing: start it, or show how far it is, or what became of it.

    Parameters
    ----------
    numbers : the versions that have none.
    alone : start it without being asked, and offer to start it again.
    """
    job = jobs.latest(db, "evaluate")
    if job is not None and job.active:
        if name not in job.settings.get("sets", ()):
            st.caption("Another evaluation is at work first.")
        watch_evaluation(db, job.id)
        return
    if not _say_what_went_wrong(job, numbers, name):
        if alone:
            evaluate(db, numbers, name)
            st.rerun()
    elif alone:
        st.button(
            "Evaluate again",
            icon=":material/refresh:",
            on_click=evaluate,
            args=(db, numbers, name),
            key=f"again-{name}",
        )


def _say_what_went_wrong(job: Job | None, numbers: Sequence[int], name: str) -> bool:
    """Whether something did: the start, or the last job about this. Not tried again unasked."""
    if said := st.session_state.pop(_ERROR, None):
        st.error(f"**The evaluation can't be started.** {said}")
    elif not _ended_badly(job, numbers, name):
        return False
    elif job.state == jobs.CANCELLED:
        st.info("**It was cancelled** before it was done, and nothing of it was kept.")
    else:
        st.error(f"**The evaluation failed.** {job.error}")
    return True


def _ended_badly(job: Job | None, numbers: Sequence[int], name: str) -> bool:
    """Whether the last job was about this, and failed or was cancelled."""
    if job is None or job.state not in (jobs.FAILED, jobs.CANCELLED):
        return False
    asked = set(job.settings.get("versions", ()))
    return name in job.settings.get("sets", ()) and bool(asked & set(numbers))


def watch_evaluation(db: Database, id: int) -> None:
    """An evaluation at work."""
    watch(db, id, "evaluating", "What was evaluated before stays.")
