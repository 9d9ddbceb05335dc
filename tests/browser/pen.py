"""A hand that writes on the canvas: mouse or finger, along the strokes of `handwriting`."""

import re
import time
from itertools import pairwise
from math import hypot

from handwriting import STROKES
from playwright.sync_api import Locator, Page, expect

AT_REST = ("data-test-script-state", "notRunning")
ANSWER = "[data-testid=stHtml] [role=status]"


def paths(text: str, tall: float = 0.5, left: float = 0.15, top: float = 0.25, gap: float = 0.12):
    """The strokes of `text`, in shares of the canvas."""
    for sign in text:
        strokes = STROKES[sign]
        low = min(x for path in strokes for x, _ in path)
        high = max(x for path in strokes for x, _ in path)
        for path in strokes:
            yield [(left + (x - low) * tall, top + y * tall) for x, y in path]
        left += (high - low) * tall + gap


def settled(canvas: Locator) -> dict:
    """Where a canvas is, once it has stopped moving: its width follows the room that it finds."""
    before, box = None, None
    deadline = time.monotonic() + 30
    while box is None or box != before:
        assert time.monotonic() < deadline, "the canvas does not come to rest"
        canvas.page.wait_for_timeout(150)
        before, box = box, canvas.bounding_box() if canvas.count() == 1 else None
    return box


def in_view(canvas: Locator) -> dict:
    """Where a canvas is, once all of it is in the window and nothing above it grows any more."""
    page = canvas.page
    deadline = time.monotonic() + 60
    before, box = None, settled(canvas)
    while box != before or box["y"] < 0 or _bottom(box) > page.viewport_size["height"] + 1:
        assert time.monotonic() < deadline, f"the canvas does not stay in the window: {box}"
        canvas.scroll_into_view_if_needed()
        page.wait_for_timeout(600)  # a slow machine has not yet begun to make room for it
        at_rest(page)
        before, box = box, settled(canvas)
    return box


def at_rest(page: Page) -> None:
    """Wait until no script runs: until then, things move and those of the last run still stand."""
    expect(page.get_by_test_id("stApp")).to_have_attribute(*AT_REST)


def _bottom(box: dict) -> float:
    return box["y"] + box["height"]


def on_canvas(page: Page, path) -> list[tuple[float, float]]:
    """A path in pixels of the window."""
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_have_count(1)  # a cleared sheet goes a moment after the new one came
    box = settled(canvas)
    return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]


def draw(page: Page, text: str, **place) -> None:
    """Write with the mouse."""
    for path in paths(text, **place):
        first, *rest = on_canvas(page, path)
        page.mouse.move(*first)
        page.mouse.down()
        for point in rest:
            page.mouse.move(*point, steps=3)
        page.mouse.up()


def touch(page: Page, text: str, **place) -> None:
    """Write with a finger."""
    finger = page.context.new_cdp_session(page)

    def send(kind: str, points: list) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    for path in paths(text, **place):
        first, *rest = on_canvas(page, path)
        send("touchStart", [first])
        for point in _smoothly([first, *rest]):
            send("touchMove", [point])
        send("touchEnd", [])


def _smoothly(path: list[tuple[float, float]], step: float = 6.0):
    """Points along a path, `step` pixels apart, as a screen reports a finger."""
    for (x, y), (to_x, to_y) in pairwise(path):
        count = max(1, round(hypot(to_x - x, to_y - y) / step))
        for i in range(1, count + 1):
            yield x + (to_x - x) * i / count, y + (to_y - y) * i / count


# True once one film has shown light and dark for two seconds. Streamlit asks for a second film as
# soon as it knows how wide to show it, a second after the first; a photo of neither is blank.
_FILMED = """() => {
    const film = document.querySelector("[data-testid=stCameraInput] video");
    const frame = new OffscreenCanvas(64, 48).getContext("2d");
    if (film?.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) frame.drawImage(film, 0, 0, 64, 48);
    const greens = frame.getImageData(0, 0, 64, 48).data.filter((_, i) => i % 4 === 1);
    const seen = Math.max(...greens) - Math.min(...greens) > 60;
    if (!seen || window.film !== film.srcObject) {
        [window.film, window.since] = [film?.srcObject, performance.now()];
    }
    return seen && performance.now() - window.since > 2000;
}"""


def take_photo(page: Page) -> None:
    """Press the camera's button once its picture stands, as a person waits to see it."""
    page.wait_for_function(_FILMED)
    page.get_by_role("button", name="Take Photo").click()


def expect_answer(page: Page, text: str) -> None:
    """Wait until the page says `text`, one line of digits each."""
    lines = r"\s*".join(map(re.escape, text.split("\n")))
    expect(page.locator(ANSWER).first).to_have_text(re.compile(rf"^\s*{lines}\s*$"))
    at_rest(page)
