"""How many layers, which optimiser: networks compared, and one to try oneself."""

import streamlit as st

from digitlab.errors import DataError, StoreError
from digitlab.experiment_results import Result, load
from digitlab_app.experiments_live import show_live
from digitlab_app.experiments_results import show_results
from digitlab_app.store import open_store


def loaded() -> list[Result] | None:
    """The committed results; None, after saying why, if one of them can't be read."""
    try:
        return load()
    except DataError as error:
        st.error(f"**The results can't be shown.** {error}")
        return None


st.subheader("How many layers, which optimiser?", anchor=False)
results = loaded()
if results is not None:
    show_results(results)

st.subheader("Try one yourself", anchor=False)
if (store := open_store()) is not None:
    try:
        show_live(store, results or [])
    except (DataError, StoreError) as error:
        st.error(str(error))
