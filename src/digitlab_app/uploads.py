"""Pictures handed in outlive the widgets, which forget them when another page or tab is opened."""

from functools import partial

import streamlit as st

from digitlab import images
from digitlab_app.pictures import File

_FORMATS = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "heic", "heif"]
_FILES, _PHOTO = "kept-files", "kept-photo"


def upload() -> list[File]:
    """The uploader, and the files that it holds or held when the page was left."""
    files = st.file_uploader(
        "Pictures of digits",
        _FORMATS,
        accept_multiple_files=True,
        key="files",
        max_upload_size=images.MAX_BYTES // 2**20,
        on_change=partial(_put_away, _FILES),
    )
    kept = _kept(_FILES, files)
    if kept and not files:
        _offer(
            _FILES, "Still here from before: " + ", ".join(file.name for file in kept), "Put away"
        )
    return kept


def take_photo() -> list[File]:
    """The camera with its photo; or the one it took before its tab was left, the camera off."""
    if has_photo() and st.session_state.get("photo") is None:
        _offer(_PHOTO, "The photo that you took is still here.", "Take another")
        return st.session_state[_PHOTO]
    photo = st.camera_input("Photo of digits", key="photo", on_change=partial(_put_away, _PHOTO))
    return _kept(_PHOTO, [photo] if photo else [])


def has_photo() -> bool:
    """Whether a photo was taken and not put away."""
    return bool(st.session_state.get(_PHOTO))


def _kept(key: str, files: list[File]) -> list[File]:
    """The files that a widget holds or, where it holds none, those that it held before."""
    if files:
        st.session_state[key] = files
    return st.session_state.get(key, [])


def _offer(key: str, note: str, label: str) -> None:
    """A note on files that a widget held before, and a button that puts them away."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(note)
        st.button(label, key=f"put-away-{key}", on_click=_put_away, args=(key,))


def _put_away(key: str) -> None:
    """Forget the files; those that the widget holds are noted anew."""
    st.session_state[key] = []
