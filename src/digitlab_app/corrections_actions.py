"""What can be done to samples from the page: judge, relabel, delete, and take the last one back."""

from collections.abc import Mapping

import streamlit as st

from digitlab.database import Database
from digitlab.errors import DataError, StoreError
from digitlab.samples import NOT_A_DIGIT, Change, ids, relabel, remove, set_state
from digitlab_app.corrections_view import View, named, numbered

_STATES = {
    "accepted": "accepted",
    "rejected": "rejected",
    "pending": "back to pending",
}


def act(db: Database, view: View, message: Mapping) -> None:
    """Do what the gallery asks for, as `show_cards` describes it; the view notes what was done.

    Where it fails, the view notes why and the action before it can still be undone.
    """
    try:
        if message["do"] == "undo":
            view.take_back(db)
            return
        wanted = ids(db, view.wanted) if message["every"] else tuple(map(int, message["ids"]))
        change, words = _changed(db, wanted, message)
    except (DataError, StoreError) as error:
        view.refuse(str(error))
        return
    if change.ids:
        view.tell(f"{numbered(len(change.ids))} {words}.", change)
    else:
        view.tell("Nothing was changed: somebody else has deleted what was chosen.")


def _changed(db: Database, wanted: tuple[int, ...], message: Mapping) -> tuple[Change, str]:
    """What an action changed, and what became of the samples in words."""
    action = message["do"]
    if action == "delete":
        return remove(db, wanted), "deleted"
    if action == "relabel":
        label = message["label"]
        verb = "is" if len(wanted) == 1 else "are"
        name = named(label) if label == NOT_A_DIGIT else f"labelled {named(label)}"
        return relabel(db, wanted, label), f"{verb} {name} now"
    return set_state(db, wanted, action), _STATES.get(action, action)


def show_done(db: Database, view: View) -> None:
    """The last action and its undo, for where no gallery shows them; and why one failed."""
    if view.done is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(view.done.text, width="content")
            if view.done.change is not None:
                st.button("Undo", key="corrections-undo", on_click=_undo, args=(db, view))
    if view.problem:
        st.error(view.problem)


def _undo(db: Database, view: View) -> None:
    act(db, view, {"do": "undo"})
