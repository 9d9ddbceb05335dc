"""What people taught: look through it, put it right, take samples out and in."""

from functools import partial

import streamlit as st

from digitlab.database import Database
from digitlab.errors import StoreError
from digitlab.samples import page
from digitlab_app.corrections_actions import act, show_done
from digitlab_app.corrections_filter import show_filter, show_order
from digitlab_app.corrections_gallery import show_cards
from digitlab_app.corrections_transfer import show_export, show_import
from digitlab_app.corrections_view import PER_PAGE, View, current_view, numbered
from digitlab_app.store import open_store

REVIEW, IMPORT, EXPORT = WAYS = ("Review", "Import", "Export")


def show_nothing(db: Database, view: View) -> None:
    """What to do where there are no samples at all."""
    show_done(db, view)
    st.markdown(
        "**No corrections yet.** They come from the Recognise page: under each answer, say whether "
        "it is right or what it really is. Or bring samples along in a file."
    )
    st.page_link("pages/recognize.py", label="Draw a digit", icon=":material/draw:")
    show_import(db, view)


def show_review(db: Database, view: View) -> None:
    """The filter, and a page of what it finds."""
    total = show_filter(db, view)
    if not total:
        show_done(db, view)
        st.info("No sample matches the filter. Show all, or choose less.")
        return
    show_order(view)
    pages = -(-total // PER_PAGE)
    view.number = min(view.number, pages)  # the last page may have gone
    start = (view.number - 1) * PER_PAGE
    found = page(db, view.wanted, view.sort, start, PER_PAGE)
    if view.problem:
        st.error(view.problem)
    show_cards(found.samples, total, view, partial(act, db, view))
    if pages > 1:
        show_pager(view, pages)
    st.caption(f"{start + 1:,} to {start + len(found.samples):,} of {numbered(total)}")


def show_pager(view: View, pages: int) -> None:
    """Turns the pages."""
    pager, key = view.pager, f"corrections-page-{view.pager}"
    st.pagination(
        pages,
        default=view.number,
        key=key,
        on_change=lambda: view.turn_to(st.session_state[key], pager),
    )


def show_all(db: Database) -> None:
    """The three parts of the page, or what to do where there is nothing to show."""
    view = current_view()
    total = page(db, limit=0).total
    if not total:
        show_nothing(db, view)
        return
    tabs = dict(zip(WAYS, st.tabs(WAYS, key="corrections-way", on_change="rerun"), strict=True))
    way = next(name for name, tab in tabs.items() if tab.open)
    with tabs[way]:
        if way == REVIEW:
            show_review(db, view)
        elif way == IMPORT:
            show_done(db, view)
            show_import(db, view)
        else:
            show_export(db, view, page(db, view.wanted, limit=0).total, total)


@st.fragment
def show_page() -> None:
    """A fragment, so that the rest of the app need not run again."""
    db = open_store()
    if db is None:
        return
    try:
        show_all(db)
    except StoreError as error:
        st.error(str(error))


st.subheader("Corrections", anchor=False)
show_page()
