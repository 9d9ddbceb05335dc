"""Makes the pictures in docs/screenshots from the running app.

    python scripts/make_screenshots.py

Starts a server with an empty store, draws, uploads and looks at it in light and in dark, on a
laptop and on a phone.
"""

import socket
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from app_in_browser import launch, open_page, start_server  # noqa: E402

TARGET = ROOT / "docs" / "screenshots"
ANSWER = "[data-testid=stHtml] [role=status]"
SIZES = {1280: 860, 390: 844}
SEVEN = ([(0.2, 0.25), (0.46, 0.22), (0.3, 0.78)], [(0.28, 0.45), (0.46, 0.43)])
FOUR = ([(0.66, 0.22), (0.56, 0.52), (0.85, 0.52)], [(0.78, 0.28), (0.75, 0.82)])


def main() -> None:
    """Write every picture."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as store, sync_playwright() as playwright:
        server = start_server(port, store)
        try:
            for width, height in SIZES.items():
                for scheme in ("light", "dark"):
                    _look(playwright, port, width, height, scheme)
        finally:
            server.terminate()
            server.wait(20)


def _look(playwright, port: int, width: int, height: int, scheme: str) -> None:
    browser = launch(playwright)
    viewport = {"width": width, "height": height}
    page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
    open_page(page, f"http://127.0.0.1:{port}")
    _draw(page)
    _shoot(page, f"recognise-{width}-{scheme}")
    page.get_by_role("tab", name="Upload").click()
    file = ROOT / "examples" / "boxes_of_a_form.jpg"
    page.locator("input[type=file]").first.set_input_files(str(file))
    page.locator(ANSWER).filter(has_text="310726").wait_for()
    page.mouse.move(1, 1)
    _shoot(page, f"upload-{width}-{scheme}")
    browser.close()


def _draw(page: Page) -> None:
    page.wait_for_timeout(1500)  # until fonts and charts are in place
    box = page.locator("canvas.upper-canvas").bounding_box()
    for path in (*SEVEN, *FOUR):
        spots = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
        page.mouse.move(*spots[0])
        page.mouse.down()
        for spot in spots[1:]:
            page.mouse.move(*spot, steps=10)
        page.mouse.up()
    page.locator(ANSWER).filter(has_text="74").wait_for()
    page.mouse.move(1, 1)


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)
    page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main()
