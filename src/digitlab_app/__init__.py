"""What the pages are made of: the parts of the dashboard that several pages can use."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

if PagesManager.uses_pages_directory:
    # Somebody opened another page than the first before anybody opened the first. Streamlit then
    # takes the folder `pages` for its old kind of navigation, until the router has run once.
    PagesManager.uses_pages_directory = False
    st.rerun()
