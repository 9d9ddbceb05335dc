"""The router: what the pages are called and where they lie."""

import streamlit as st

st.set_page_config(page_title="Digit Lab", page_icon=":material/draw:", layout="wide")

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
