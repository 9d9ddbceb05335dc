"""Making the exports of a version in the background: started, watched, cancelled."""

import streamlit as st

from digitlab import jobs
from digitlab.database import Database
from digitlab.errors import BusyError, StoreError
from digitlab.export import Exports
from digitlab.jobs import Job
from digitlab_app.job_watch import watch

_ERROR = "export-error"
_WAIT = "one to three minutes"


def see_to(db: Database, number: int, exports: Exports) -> None:
    """Where formats of a version are missing: how far the job is, or a button that starts it."""
    job = jobs.latest(db, "export")
    if job is not None and job.active:
        about = f"Version {job.settings['version']},"
        watch(db, job.id, about, "What was made before stays.")
        return
    if not exports.missing:
        return
    if said := st.session_state.pop(_ERROR, None) or _bad_end(job, number):
        st.error(f"**Not all formats could be made.** {said}")
    count = len(exports.missing)
    st.markdown(
        f"**{count} formats of version {number} have not been made and measured yet.** It takes "
        f"{_WAIT}, in the background: you can leave this page."
    )
    st.button(
        "Make all formats",
        type="primary",
        icon=":material/deployed_code:",
        on_click=_start,
        args=(db, number),
    )


def _start(db: Database, number: int) -> None:
    try:
        jobs.start(db, "export", {"version": number, "format": "all"})
    except (BusyError, StoreError, OSError) as error:
        st.session_state[_ERROR] = str(error)


def _bad_end(job: Job | None, number: int) -> str | None:
    """What went wrong the last time, if it was about this version."""
    if job is None or job.settings.get("version") != number:
        return None
    if job.state == jobs.FAILED:
        return job.error
    failures = [line for line in job.log.split("\n") if "could not be made" in line]
    return " ".join(failures) if job.state == jobs.DONE and failures else None
