"""The model in the forms that other programs load, each measured as the file that it is."""

import streamlit as st

from digitlab import export, versions
from digitlab.database import Database
from digitlab.errors import DigitLabError
from digitlab_app.export_cards import show_companions, show_formats
from digitlab_app.export_job import see_to
from digitlab_app.store import open_store


def choose_version(db: Database) -> int:
    """Which version to take along; the champion unless somebody chooses."""
    found = versions.listed(db)
    numbers = [version.number for version in found]
    champion = next((v.number for v in found if v.champion), numbers[0])

    def name(number: int) -> str:
        return f"Version {number}, the champion" if number == champion else f"Version {number}"

    place = numbers.index(champion)
    return st.selectbox("Version", numbers, place, name, key="export-version", width=260)


def show_version(db: Database) -> None:
    """One version of the store, with what is missing of it."""
    number = choose_version(db)
    exports = export.of_store(db, number)
    show_companions(exports)
    see_to(db, number, exports)
    show_formats(exports)


def show_shipped() -> None:
    """Without a store: what came with the program."""
    exports = export.of_folder()
    show_companions(exports)
    show_formats(exports)


st.subheader("Take the model along", anchor=False)
store = open_store()
try:
    if store is None:
        show_shipped()
    else:
        show_version(store)
except DigitLabError as error:
    st.error(str(error))
