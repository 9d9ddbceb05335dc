"""The versions there are: which serves, promote, roll back, discard and take back, compare."""

from collections.abc import Callable

import streamlit as st

from digitlab import versions
from digitlab.database import Database
from digitlab.errors import ModelError, StoreError
from digitlab.versions import Version

_DONE = "versions-done"
_WORDS = {
    "shipped": "came with the program",
    "fine-tuned": "fine-tuned",
    "scratch": "trained from scratch",
    "imported": "imported",
}


def act(what: Callable, *arguments, done: str) -> None:
    """Do something to a version; say that it is done, or why not, on the next run."""
    try:
        what(*arguments)
        st.session_state[_DONE] = ("success", done)
    except (ModelError, StoreError) as error:
        st.session_state[_DONE] = ("error", str(error))


def show_done() -> None:
    """What came of the last click, once."""
    kind, message = st.session_state.pop(_DONE, (None, ""))
    if kind:
        getattr(st, kind)(message)


def show_decision(db: Database, candidate: Version, recommended: bool) -> None:
    """The buttons under a candidate."""
    number = candidate.number
    with st.container(horizontal=True):
        st.button(
            f"Promote version {number}",
            type="primary" if recommended else "secondary",
            icon=":material/trophy:",
            on_click=act,
            args=(versions.promote, db, number, "the Retrain page"),
            kwargs={"done": f"Version {number} is the champion now, in every session."},
        )
        st.button(
            "Discard it",
            icon=":material/delete:",
            on_click=act,
            args=(versions.discard, db, number),
            kwargs={"done": f"Version {number} was discarded. It can be taken back below."},
        )


def show_versions(db: Database) -> None:
    """All versions as a table, and what can be done with them."""
    found = versions.listed(db, discarded=True)
    st.dataframe(
        [_row(version) for version in found],
        hide_index=True,
        column_config={"MNIST test": st.column_config.NumberColumn(format="%.2f %%")},
    )
    champion = next((v.number for v in found if v.champion), None)
    before = versions.previous_champion(db)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if before is not None:
            st.button(
                f"Roll back to version {before}",
                icon=":material/undo:",
                on_click=act,
                args=(versions.roll_back, db, "the Retrain page"),
                kwargs={"done": f"Version {before} is the champion again."},
            )
        _offer_others(db, [v for v in found if v.number not in (champion, before)])


def _offer_others(db: Database, others: list[Version]) -> None:
    """One of the rest, and what can be done with it."""
    if not others:
        return
    number = st.selectbox(
        "Another version",
        [version.number for version in others],
        format_func=lambda n: f"version {n}",
        key="versions-other",
        width=180,
    )
    chosen = next(version for version in others if version.number == number)
    if chosen.discarded:
        st.button(
            "Take it back",
            on_click=act,
            args=(versions.discard, db, number, False),
            kwargs={"done": f"Version {number} is back."},
        )
        return
    st.button(
        "Promote it",
        on_click=act,
        args=(versions.promote, db, number, "the Retrain page"),
        kwargs={"done": f"Version {number} is the champion now, in every session."},
    )


def _row(version: Version) -> dict:
    accuracy = version.metrics.get("mnist_test", {}).get("accuracy")
    state = "champion" if version.champion else "discarded" if version.discarded else ""
    return {
        "version": version.number,
        "state": state,
        "how": _WORDS[version.kind] + (f" from {version.parent}" if version.parent else ""),
        "MNIST test": None if accuracy is None else 100 * accuracy,
        "made (UTC)": f"{version.created:%Y-%m-%d %H:%M}",
    }
