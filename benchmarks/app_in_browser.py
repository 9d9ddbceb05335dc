"""Measures the app as a person meets it, in a real headless Chromium.

    python benchmarks/app_in_browser.py

Time from the command to the first page that can be drawn on, from lifting the pen to the changed
answer (p50 and p95; the canvas itself waits 200 ms for another stroke), and the memory of the
serving process after ten answers. Prints a Markdown table.
"""

import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 25
ANSWER = "[data-testid=stHtml] [role=status]"
DIGITS = {"1": [(0.5, 0.2), (0.48, 0.8)], "7": [(0.3, 0.2), (0.65, 0.2), (0.45, 0.8)]}


# The page measures itself: a look from outside comes every half second, after the first ones.
_STOPWATCH = """answer => {
    window.waited = null;
    let lifted = null;
    addEventListener("mouseup", () => { lifted = performance.now(); }, {capture: true, once: true});
    const watch = new MutationObserver(() => {
        if (lifted === null || !document.querySelector(answer)) return;
        watch.disconnect();
        requestAnimationFrame(() => setTimeout(() => {
            window.waited = performance.now() - lifted;  // painted
        }));
    });
    watch.observe(document.body, {childList: true, subtree: true});
}"""


def main() -> None:
    """Start a server, use it, print the table."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as store, sync_playwright() as playwright:
        page = launch(playwright).new_page()
        began = time.perf_counter()
        server = start_server(port, store)
        try:
            open_page(page, f"http://127.0.0.1:{port}")
            first = time.perf_counter() - began
            memory_before = _memory(server)
            waits = [_pen_up_to_answer(page, "17"[i % 2]) for i in range(ROUNDS)]
            _print(first, waits, memory_before, _memory(server))
        finally:
            server.terminate()
            server.wait(20)


def launch(playwright) -> Browser:
    """Chromium, headless: the one that DIGITLAB_BROWSER names, or Debian's."""
    name = os.environ.get("DIGITLAB_BROWSER") or shutil.which("chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=name, args=flags)


def start_server(port: int, store: str) -> subprocess.Popen:
    """The app on a port of this machine, its store in a folder of its own."""
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    environment = {**os.environ, "DIGITLAB_HOME": store}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command + options, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet
    )


def open_page(page: Page, address: str) -> None:
    """Wait for the server, then until the first page can be drawn on."""
    while True:
        try:
            urllib.request.urlopen(address, timeout=1).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    page.goto(address)
    page.locator("canvas.upper-canvas").wait_for(timeout=60_000)


def _pen_up_to_answer(page: Page, digit: str) -> float:
    """Milliseconds from lifting the pen to the answer on the page; the sheet is cleared first."""
    answer = page.locator(ANSWER)
    if answer.count():
        page.get_by_test_id("stButton").get_by_role("button", name="Clear", exact=True).click()
        page.get_by_text("Nothing drawn yet").wait_for()
    time.sleep(1)  # a person's way back to the sheet; the old one goes a moment after the new came
    box = page.locator("canvas.upper-canvas").bounding_box()
    spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in DIGITS[digit]]
    page.mouse.move(*spots[0])
    page.mouse.down()
    for spot in spots[1:]:
        page.mouse.move(*spot, steps=8)
    page.evaluate(_STOPWATCH, ANSWER)
    page.mouse.up()
    return page.wait_for_function("window.waited", timeout=30_000).json_value()


def _memory(server: subprocess.Popen) -> float:
    """Resident memory of the server in MB."""
    return psutil.Process(server.pid).memory_info().rss / 2**20


def _print(first: float, waits: list[float], before: float, after: float) -> None:
    load = os.getloadavg()[0]
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, {ROUNDS} answers\n")
    print("| what | measured |\n| --- | --- |")
    print(f"| command to first page | {first:.1f} s |")
    print(f"| pen up to answer, p50 | {statistics.median(waits):.0f} ms |")
    print(f"| pen up to answer, p95 | {p95:.0f} ms |")
    print(f"| server's memory, first page | {before:.0f} MB |")
    print(f"| server's memory, {ROUNDS} answers later | {after:.0f} MB |")


if __name__ == "__main__":
    main()
