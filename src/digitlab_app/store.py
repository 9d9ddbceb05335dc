"""The one store of the running app, for all of its pages; and a visitor's random name."""

import secrets
import threading
import time
from contextlib import suppress

import streamlit as st

from digitlab.database import Database, connect, database_url
from digitlab.errors import ModelError, StoreError
from digitlab.versions import ensure_shipped

RETRY_SECONDS = 10.0  # so long a failure is shown again without another attempt


def open_store() -> Database | None:
    """The store that all sessions share, or None after saying on the page why there is none."""
    try:
        return _door(database_url(_url_of_secrets())).open()
    except StoreError as error:
        st.error(
            f"**The store can't be opened, so nothing can be kept or looked up.** {error} "
            f"Then reload the page; it tries again after {RETRY_SECONDS:.0f} seconds."
        )
        return None


def session_id() -> str:
    """An anonymous name of this session, random and forgotten with it."""
    return st.session_state.setdefault("session id", secrets.token_hex(8))


class _Door:
    """One attempt at a time to open a store, and what came of the last one."""

    def __init__(self, url: str):
        self._url = url
        self._lock = threading.Lock()
        self._db: Database | None = None
        self._error: StoreError | None = None
        self._again = 0.0  # when the next attempt may be made, by time.monotonic

    def open(self) -> Database:
        """The open store. Raises StoreError, at once if an attempt failed a moment ago."""
        with self._lock:
            if self._db is None:
                self._try()
            return self._db

    def _try(self) -> None:
        if self._error is not None and time.monotonic() < self._again:
            raise StoreError(str(self._error))
        try:
            db = connect(self._url)
            with suppress(ModelError):  # a page that needs the model says so
                ensure_shipped(db)
            self._db, self._error = db, None
        except StoreError as error:
            self._error, self._again = error, time.monotonic() + RETRY_SECONDS
            raise


@st.cache_resource(show_spinner=False)
def _door(url: str) -> _Door:
    return _Door(url)


def _url_of_secrets() -> str | None:
    """The url under [connections.digitlab] of Streamlit's secrets, wherever they lie."""
    try:
        return st.secrets["connections"]["digitlab"]["url"]
    except (KeyError, TypeError, FileNotFoundError):  # also of a file that can't be parsed
        return None
