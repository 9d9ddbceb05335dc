"""The router: what the pages are called and where they lie."""

from pathlib import Path

import streamlit as st

# A named icon would be fetched from elsewhere by every browser.
ICON = Path(__file__).parent / "src" / "digitlab_app" / "icon.png"

st.set_page_config(page_title="Digit Lab", page_icon=str(ICON), layout="wide")

st.navigation(
    [
        st.Page("pages/recognize.py", title="Recognise", icon=":material/draw:", default=True),
        st.Page("pages/corrections.py", title="Corrections", icon=":material/rate_review:"),
        st.Page("pages/retrain.py", title="Retrain", icon=":material/school:"),
        st.Page("pages/metrics.py", title="Metrics", icon=":material/monitoring:"),
        st.Page("pages/experiments.py", title="Experiments", icon=":material/science:"),
        st.Page("pages/export.py", title="Export", icon=":material/download:"),
    ],
    position="top",
).run()
