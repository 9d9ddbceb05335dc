"""Uploaded pictures outlive the uploader, which forgets them when another page is opened."""

import streamlit as st

from digitlab import images
from digitlab_app.pictures import File

_FORMATS = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "heic", "heif"]
_KEPT = "kept-files"


def upload() -> list[File]:
    """The uploader, and the files that it holds or held when the page was left."""
    files = st.file_uploader(
        "Pictures of digits",
        _FORMATS,
        accept_multiple_files=True,
        key="files",
        max_upload_size=images.MAX_BYTES // 2**20,
        on_change=_put_away,
    )
    if files:
        st.session_state[_KEPT] = files
        return files
    kept = st.session_state.get(_KEPT, [])
    if kept:
        names = ", ".join(file.name for file in kept)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Still here from before: {names}")
            st.button("Put away", key="put-away", on_click=_put_away)
    return kept


def _put_away() -> None:
    """Forget the files; those that the uploader holds are noted anew."""
    st.session_state[_KEPT] = []
