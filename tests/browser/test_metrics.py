"""The Metrics page, used as a person uses it."""

import base64
import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from digitlab.datasets import mnist_test
from digitlab.recognizer import champion

EVALUATION = 120_000  # milliseconds that the first evaluation may take on a busy machine

# Where a cell of the matrix is on the screen: the last trace holds a point for each cell.
PLOTS = "[...document.querySelectorAll('.js-plotly-plot')]"
CELLS = """
chart => {
  const points = chart.data.at(-1).customdata;
  const { xaxis, yaxis } = chart._fullLayout;
  const box = chart.getBoundingClientRect();
  return points.map(([label, answer]) => ({
    label, answer,
    x: box.left + xaxis._offset + xaxis.d2p(String(answer)),
    y: box.top + yaxis._offset + yaxis.d2p(String(label)),
  }));
}
"""


@pytest.fixture
def metrics(page):
    """The page, with the evaluation of the shipped version done."""
    return _at_metrics(page)


@pytest.fixture
def small(phone):
    """The same on a phone."""
    return _at_metrics(phone)


def _at_metrics(page):
    page.goto(page.url.rstrip("/") + "/metrics")
    expect(page.get_by_text("Brier score")).to_be_visible(timeout=EVALUATION)
    return page


def tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def cells(page) -> list[dict]:
    """Errors and right answers of the matrix, with their places on the screen."""
    chart = page.locator(".js-plotly-plot")
    chart.locator(".scatterlayer .point").first.wait_for(state="attached")
    chart.scroll_into_view_if_needed()
    return chart.evaluate(CELLS)


def cards(page, words: str) -> list[tuple[int, np.ndarray]]:
    """Place in the test set and pixels of each card, once all say `words`."""
    shown = page.locator("ul.digits li")
    expect(shown.first.locator("b")).to_have_text(words)
    found = []
    for card in shown.all():
        expect(card.locator("b")).to_have_text(words)
        data = card.locator("img").get_attribute("src").partition(",")[2]
        packed = np.frombuffer(base64.b64decode(data), np.uint8)
        pixels = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
        found.append((int(card.get_attribute("data-place")), pixels))
    return found


def test_click_on_a_cell_opens_the_very_images_behind_it(metrics):
    tab(metrics, "Confusion")
    errors = [cell for cell in cells(metrics) if cell["label"] != cell["answer"]]
    cell = errors[-1]  # the first in the list is open already
    metrics.mouse.click(cell["x"], cell["y"])
    label, answer = cell["label"], cell["answer"]
    found = cards(metrics, f"{label} read as {answer}")
    digits = mnist_test()
    chosen = metrics.get_by_role("combobox", name=re.compile("Cell"))
    name = re.compile(rf"{label} read as {answer}: {len(found)} image")
    expect(chosen.or_(metrics.get_by_text(name)).first).to_be_visible()
    for place, pixels in found:
        assert digits.labels[place] == label
        assert (pixels == 255 - digits.ink[place]).all()
    read = champion().classify(digits.ink[[place for place, _ in found]])
    assert set(read.probabilities.argmax(1).tolist()) == {answer}


def test_click_on_the_diagonal_opens_what_was_read_right(metrics):
    tab(metrics, "Confusion")
    (cell,) = [c for c in cells(metrics) if c["label"] == c["answer"] == 3]
    metrics.mouse.click(cell["x"], cell["y"])
    found = cards(metrics, "3, read right")
    assert len(found) == 24
    assert {int(mnist_test().labels[place]) for place, _ in found} == {3}


def test_matrix_is_switched_to_percent(metrics):
    tab(metrics, "Confusion")
    cells(metrics)
    texts = "charts => charts[0]?.data.slice(0, 4).flatMap(trace => trace.text).flat().join(' ')"
    chart = metrics.locator(".js-plotly-plot")
    assert re.search(r"\b9\d\d\b", chart.evaluate_all(texts))
    metrics.get_by_role("radio", name="percent").click()
    metrics.wait_for_function(f"/\\b(99|100)\\.\\d\\b/.test(({texts})({PLOTS}))")


def test_picture_and_numbers_of_a_chart_can_be_taken_away(metrics):
    tab(metrics, "Calibration")
    metrics.locator(".js-plotly-plot .main-svg").first.wait_for()
    with metrics.expect_download() as picture:
        metrics.locator(".modebar-btn").first.click()
    assert picture.value.suggested_filename == "reliability.png"
    packed = np.frombuffer(picture.value.path().read_bytes(), np.uint8)
    assert cv2.imdecode(packed, cv2.IMREAD_COLOR).std() > 5
    with metrics.expect_download() as numbers:
        metrics.get_by_role("button", name="Numbers as CSV").first.click()
    assert numbers.value.suggested_filename == "reliability.csv"
    lines = numbers.value.path().read_text().splitlines()
    assert lines[0] == "version,from,to,answers,confidence,right"
    assert sum(int(line.split(",")[3]) for line in lines[1:]) == 10_000


def test_phone_has_no_horizontal_scroll(small):
    for name in ("Overview", "Confusion", "Mistakes"):
        tab(small, name)
        expect(small.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        small.get_by_role("button", name="Numbers as CSV").first.wait_for()
        widths = small.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1]


def test_finger_opens_a_cell(small):
    tab(small, "Confusion")
    (cell,) = [c for c in cells(small) if c["label"] == c["answer"] == 5]
    for _ in range(2):  # the first tap only points at it
        small.touchscreen.tap(cell["x"], cell["y"])
        small.wait_for_timeout(700)  # two in quick succession would be a double click
    assert len(cards(small, "5, read right")) == 24


def test_nothing_is_written_to_the_browser_s_console(metrics):
    problems, home = [], metrics.url.removesuffix("/metrics")

    def note(message) -> None:
        # the browser fetches the tab's icon from elsewhere, which needs a network
        if message.type == "error" and message.location["url"].startswith(home):
            problems.append(message.text)

    metrics.on("console", note)
    metrics.on("pageerror", lambda error: problems.append(str(error)))
    tab(metrics, "Confusion")
    cell = cells(metrics)[0]
    metrics.mouse.click(cell["x"], cell["y"])
    cards(metrics, "0, read right")
    tab(metrics, "Mistakes")
    expect(metrics.get_by_text(re.compile("wrong of 10,000"))).to_be_visible()
    assert problems == []
