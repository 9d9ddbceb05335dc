"""The exported web page in a real browser that has no network: drawn on, and read."""

import base64
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import numpy as np
import pytest
from handwriting import STROKES, centred, on_white, written
from pen import paths
from playwright.sync_api import expect

from digitlab import export
from digitlab.reading import REFUSED
from digitlab.recognizer import champion

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SCRIBBLE = [
    [(0.2 + 0.06 * (i % 11), 0.2 + 0.6 * ((i * 7) % 10) / 9) for i in range(40)],
    [(0.8 - 0.05 * (i % 13), 0.25 + 0.55 * ((i * 3) % 8) / 7) for i in range(40)],
]

READ = """async ([text, width, height]) => {
  const rgba = Uint8ClampedArray.from(atob(text), (char) => char.charCodeAt(0));
  const answer = await DigitLab.read(new ImageData(rgba, width, height));
  return answer && { ...answer, ink: Array.from(answer.ink) };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page of the shipped version, unpacked."""
    folder = tmp_path_factory.mktemp("web")
    data = export.of_folder().data("web")
    zipfile.ZipFile(BytesIO(data)).extractall(folder)
    return folder / "digitlab"


@pytest.fixture(scope="module")
def server(folder):
    """Where a plain static file server gives it out."""
    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_):
        """Not to the tests' output."""


@pytest.fixture
def opened(browser):
    """Opens a page in a browser that reaches nothing but that page's own place."""
    contexts = []

    def go(address: str, **options):
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        asked = []
        if address.startswith("file:"):
            context.set_offline(True)
        else:  # offline, a browser does not even reach a server on its own machine
            context.route(lambda url: not url.startswith(address), lambda route: route.abort())
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/index.html")
        page.locator("body[data-ready]").wait_for()
        page.asked = asked
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def reading(browser, folder):
    """A function that has the page read an RGB picture."""
    context = browser.new_context()
    context.set_offline(True)
    page = context.new_page()
    page.goto(f"{folder.as_uri()}/index.html")

    def read(picture: np.ndarray):
        alpha = np.full(picture.shape[:2], 255, np.uint8)
        rgba = base64.b64encode(np.dstack([picture, alpha]).tobytes()).decode()
        return page.evaluate(READ, [rgba, picture.shape[1], picture.shape[0]])

    yield read
    context.close()


def write(page, strokes) -> None:
    """Draw with the mouse; strokes in shares of the canvas."""
    box = page.locator("#canvas").bounding_box()
    for path in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=2)
        page.mouse.up()


def touch(page, strokes) -> None:
    """Draw with a finger."""
    box = page.locator("#canvas").bounding_box()
    finger = page.context.new_cdp_session(page)
    for path in strokes:
        kinds = ["touchStart"] + ["touchMove"] * (len(path) - 1)
        for kind, (x, y) in zip(kinds, path, strict=True):
            place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("way", ["a double click", "a server"])
def test_it_reads_a_drawn_digit_without_a_network(opened, folder, server, way):
    address = server if way == "a server" else folder.as_uri()
    page = opened(address)
    write(page, paths("3", left=0.35))
    expect(page.locator("#digit")).to_have_text("3")
    expect(page.locator("#words")).to_contain_text("ure")
    assert page.asked
    assert all(url.startswith((address, "data:")) for url in page.asked)


def test_a_finger_writes_on_a_phone(opened, folder):
    page = opened(folder.as_uri(), viewport=PHONE, has_touch=True, is_mobile=True)
    touch(page, paths("2", left=0.35))
    expect(page.locator("#digit")).to_have_text("2")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_stroke_can_be_taken_back_and_the_sheet_cleared(opened, folder):
    page = opened(folder.as_uri())
    write(page, paths("1", left=0.45))
    expect(page.locator("#digit")).to_have_text("1")
    write(page, SCRIBBLE)
    expect(page.locator("#digit")).to_have_text("?")
    for _ in SCRIBBLE:
        page.get_by_role("button", name="Undo").click()
    expect(page.locator("#digit")).to_have_text("1")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#digit")).to_be_empty()
    expect(page.locator("#words")).to_contain_text("Nothing written yet")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_scribble_may_not_be_a_digit(opened, folder):
    page = opened(folder.as_uri())
    write(page, SCRIBBLE)
    expect(page.locator("#words")).to_contain_text(REFUSED[1:])


@pytest.mark.parametrize("sign", STROKES)
def test_it_answers_as_the_champion_does(reading, sign):
    for tall, pen in [(60, 3), (120, 12), (200, 30)]:
        picture = on_white(centred(written(sign, tall=tall, pen=pen)))
        said = reading(picture)
        (mine,) = champion().recognize(picture, [(0, 0, 280, 280)]).digits
        assert said["digit"] == mine.label
        assert said["accepted"] == mine.accepted
        assert said["verdict"] == mine.verdict
        assert said["confidence"] == pytest.approx(mine.confidence, abs=0.01)
        ink = np.array(said["ink"]).reshape(28, 28)
        assert np.abs(ink - mine.ink.astype(int)).max() <= 2


def test_white_on_black_reads_the_same(reading):
    picture = on_white(centred(written("4")))
    black, white = reading(picture), reading(255 - picture)
    assert black["digit"] == white["digit"] == 4
    assert np.abs(np.subtract(black["ink"], white["ink"])).max() <= 1


def test_specks_do_not_move_the_digit(reading):
    picture = on_white(centred(written("7")))
    dusty = picture.copy()
    dusty[20:24, 20:24] = 0
    assert reading(dusty)["ink"] == reading(picture)["ink"]


def test_a_blank_sheet_is_not_read(reading):
    assert reading(np.full((280, 280, 3), 255, np.uint8)) is None
