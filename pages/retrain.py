"""Teach the model: start a retraining, watch it learn, judge the candidate, promote or go back."""

import streamlit as st

from digitlab import jobs, samples, versions
from digitlab.database import Database
from digitlab.errors import ModelError, StoreError
from digitlab.held_back import LEAST
from digitlab.judging import Match, match
from digitlab.versions import Version
from digitlab_app.retrain_candidate import show_changes, show_digits, show_figures, show_rules
from digitlab_app.retrain_job import show_curves, show_end, show_log, show_start, watch_retraining
from digitlab_app.retrain_versions import show_decision, show_done, show_versions
from digitlab_app.store import open_store


def show_state(db: Database) -> int:
    """Which version serves and what there is to learn; how many corrections are accepted."""
    champion = versions.get(db, versions.champion_number(db) or versions.ensure_shipped(db))
    states = samples.counts(db)["state"]
    accepted, pending = states.get("accepted", 0), states.get("pending", 0)
    st.markdown(
        f"Champion: **version {champion.number}**. Corrections: **{accepted:,} accepted**, "
        f"{pending:,} waiting for review."
    )
    if accepted < LEAST:
        st.info(
            f"**{LEAST} accepted corrections are needed, and there are {accepted}.** Say under "
            "answers on the Recognise page what is wrong, then accept it on the Corrections page."
        )
        with st.container(horizontal=True):
            st.page_link("pages/recognize.py", label="Recognise", icon=":material/draw:")
            st.page_link("pages/corrections.py", label="Corrections", icon=":material/rate_review:")
    return accepted


def candidate_of(db: Database, job: jobs.Job | None) -> Version | None:
    """What the last retraining made, as long as nobody has decided about it."""
    if job is None or job.result is None:
        return None
    version = versions.get(db, job.result)
    decided = any(p.after == version.number for p in versions.promotion_history(db))
    return None if decided or version.discarded else version


def show_candidate(db: Database, job: jobs.Job, candidate: Version) -> None:
    """Before and after, the gate, and the decision."""
    st.subheader(f"Candidate: version {candidate.number}", anchor=False)
    found = compared(db, candidate.parent, candidate.number)
    show_rules(found)
    show_decision(db, candidate, found.judged["recommended"])
    show_match(db, found)
    show_curves(job)
    show_log(job)


def show_match(db: Database, found: Match) -> None:
    """Two versions side by side."""
    show_figures(found)
    show_changes(db, found)
    show_digits(found)


def compared(db: Database, before: int, after: int) -> Match:
    """The comparison, with a bar while a version that was never measured reads the test set."""
    with st.empty():
        return match(db, before, after, lambda share: st.progress(share, "Reading the test set"))


def show_comparison(db: Database) -> None:
    """Any two versions, chosen by hand."""
    numbers = [version.number for version in versions.listed(db, discarded=True)]
    if len(numbers) < 2:
        st.caption("There is one version so far. Retraining makes others.")
        return
    with st.container(horizontal=True):
        newer = st.selectbox("Version", numbers, key="compare-after", width=140)
        others = [number for number in numbers if number != newer]
        older = st.selectbox("compared with", others, key="compare-before", width=140)
    show_match(db, compared(db, older, newer))


def show_page(db: Database) -> None:
    """Everything, from top to bottom."""
    accepted, job = show_state(db), jobs.latest(db, "retrain")
    show_done()
    if job is not None and job.active:
        watch_retraining(db, job.id)
        return
    if (candidate := candidate_of(db, job)) is not None:
        show_candidate(db, job, candidate)
    elif job is not None:
        show_end(job)
    st.subheader("Start a retraining", anchor=False)
    show_start(db, accepted)
    st.subheader("Versions", anchor=False)
    show_versions(db)
    if st.toggle("Compare two versions"):
        show_comparison(db)


st.subheader("Retrain the model", anchor=False)
if (store := open_store()) is not None:
    try:
        show_page(store)
    except (ModelError, StoreError) as error:
        st.error(str(error))
