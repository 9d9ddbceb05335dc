"""The running app and a real browser, started once for all tests in this folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
START = 90  # seconds that a server may take on a busy machine
WAIT = 30_000  # milliseconds that an answer may take there


def pytest_collection_modifyitems(items):
    """All tests of this folder are browser tests."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass(frozen=True)
class Server:
    """A running app: its address, its process, and the folder of its store."""

    address: str
    process: subprocess.Popen
    home: Path


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """The app on a free port, with its store in `folder`/store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DIGITLAB_HOME": str(folder / "store")}
    environment.pop("DIGITLAB_DATABASE_URL", None)
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
                *("--server.headless=true", "--server.fileWatcherType=none"),
                *("--server.address=127.0.0.1", f"--server.port={port}"),
            ],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server, folder / "server.log")
        yield Server(f"http://127.0.0.1:{port}", server, folder / "store")
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Where the app answers: a server of its own, with a store of its own."""
    with served(tmp_path_factory.mktemp("server")) as server:
        yield server.address


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"no answer in {START} s: {log.read_text()}")


@pytest.fixture(scope="session")
def chromium():
    """Starts a headless Chromium with more flags: DIGITLAB_BROWSER, or one that is installed."""
    named = [os.environ.get("DIGITLAB_BROWSER") or "", *NAMES]
    paths = [path for name in named if name and (path := shutil.which(name))]
    assert paths, "these tests need a Chromium: install one, or name it in DIGITLAB_BROWSER"
    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        yield lambda *more: launch(executable_path=paths[0], args=[*FLAGS, *more])


@pytest.fixture(scope="session")
def browser(chromium):
    """A headless Chromium."""
    browser = chromium()
    yield browser
    browser.close()


def opened(browser: Browser, address: str, **options) -> Page:
    context = browser.new_context(**options)
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(address)
    page.locator("canvas.upper-canvas").wait_for()
    return page


@pytest.fixture
def page(browser, address):
    """The first page in a fresh session on a laptop."""
    page = opened(browser, address, viewport=DESKTOP)
    yield page
    page.context.close()


@pytest.fixture
def phone(browser, address):
    """The first page in a fresh session on a phone."""
    page = opened(browser, address, viewport=PHONE, has_touch=True, is_mobile=True)
    yield page
    page.context.close()


@pytest.fixture
def filmed(chromium, address, tmp_path):
    """Opens the first page in a browser whose camera films a picture (h, w, 3) uint8."""
    browsers = []

    def open_page(picture: np.ndarray) -> Page:
        film = tmp_path / "film.mjpeg"
        film.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes() * 2)
        browsers.append(chromium(*CAMERA, f"--use-file-for-fake-video-capture={film}"))
        return opened(browsers[-1], address, viewport=DESKTOP)

    yield open_page
    for browser in browsers:
        browser.close()
