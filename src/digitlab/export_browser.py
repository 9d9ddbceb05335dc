"""The exported web page, measured in a real browser; for releases, where there is one."""

import base64
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from digitlab.datasets import Digits
from digitlab.errors import ModelError
from digitlab.export_runtimes import TIMED, WARM_UP, Measured
from digitlab.export_web import LITERT, TOP

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AT_ONCE = 250  # digits handed to the page in one call

_READ = """async ([text, count]) => {
  const ink = Uint8Array.from(atob(text), (char) => char.charCodeAt(0)), found = [];
  for (let i = 0; i < count; i++) {
    const scores = await DigitLab.logits(ink.subarray(784 * i, 784 * (i + 1)));
    found.push(scores.indexOf(Math.max(...scores.slice(0, 10))));
  }
  return found;
}"""

_TIME = """async ([text, warm, timed]) => {
  const ink = Uint8Array.from(atob(text), (char) => char.charCodeAt(0)), times = [];
  for (let i = 0; i < warm + timed; i++) {
    const began = performance.now();
    await DigitLab.logits(ink);
    times.push(performance.now() - began);
  }
  return times.slice(warm);
}"""


def find_browser(name: str = "") -> str | None:
    """The path of a Chromium: of that name, or one that is installed; None if there is none."""
    return next(filter(None, (shutil.which(name) for name in [name, *NAMES] if name)), None)


def measure_page(
    file: bytes, digits: Digits, browser: str, tell: Callable[[float], None] = lambda share: None
) -> Measured:
    """What the web page reads in digits, by LiteRT.js in a browser without a network.

    Parameters
    ----------
    file : the ZIP of the page.
    browser : path of a Chromium.
    tell : gets the share done.

    Raises
    ------
    ModelError if the browser can't be driven or the page does not start in it.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise ModelError("playwright is not installed: see requirements-dev.txt") from error
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        zipfile.ZipFile(io.BytesIO(file)).extractall(folder)
        try:
            chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
            page = _opened(chromium, Path(folder, TOP, "index.html"))
            wrong = _answers(page, digits.ink, tell) != digits.labels
            times = page.evaluate(_TIME, [_packed(digits.ink[:1]), WARM_UP, TIMED])
            runtime = f"LiteRT.js {_version()} in Chromium {chromium.version.split('.')[0]}"
            chromium.close()
        except Error as error:
            raise ModelError(f"the web page can't be measured: {error}") from error
    return Measured(
        len(file), int(wrong.sum()), len(wrong), float(np.median(times)), threads=1, runtime=runtime
    )


def _opened(chromium, index: Path):
    context = chromium.new_context()
    context.set_offline(True)
    page = context.new_page()
    page.goto(index.as_uri())
    page.wait_for_selector("body[data-ready]")
    return page


def _answers(page, ink: np.ndarray, tell: Callable[[float], None]) -> np.ndarray:
    found: list[int] = []
    for start in range(0, len(ink), AT_ONCE):
        part = ink[start : start + AT_ONCE]
        found += page.evaluate(_READ, [_packed(part), len(part)])
        tell(len(found) / len(ink))
    return np.array(found)


def _packed(ink: np.ndarray) -> str:
    return base64.b64encode(ink.tobytes()).decode()


def _version() -> str:
    """Of LiteRT.js, from the notice beside it."""
    words = (LITERT / "NOTICE").read_text(encoding="utf-8").split()
    return words[words.index("@litertjs/core") + 1]
