"""The Recognise page, used as a person uses it."""

import re

import cv2
import numpy as np
import pytest
from handwriting import photographed, placed, written
from pen import ANSWER, at_rest, draw, expect_answer, in_view, take_photo, touch
from playwright.sync_api import expect


def tab(page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def press(page, name: str) -> None:
    """One of the page's own buttons; the canvas has an "Undo" in its own tool bar, too."""
    page.get_by_test_id("stButton").get_by_role("button", name=name, exact=True).click()


def photo(text: str) -> bytes:
    """A photo-like picture of digits with a shadow across, as JPEG."""
    ink = written(text, 90, 8)
    canvas = placed(ink, (ink.shape[0] + 120, ink.shape[1] + 160), 80, 60)
    shade = np.where(np.arange(canvas.shape[1]) > canvas.shape[1] // 2, 0.6, 1.0)[None, :, None]
    page = photographed(canvas) * cv2.GaussianBlur(shade.repeat(9, 0), (0, 0), 9)[:1, :, None]
    return cv2.imencode(".jpg", np.rint(page).astype(np.uint8))[1].tobytes()


def upload(page, *files: tuple[str, bytes]) -> None:
    tab(page, "Upload")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": n, "mimeType": "image/jpeg", "buffer": data} for n, data in files]
    )


@pytest.mark.parametrize("digit", ["1", "0", "7", "4"])
def test_drawn_digit_is_read_when_the_pen_lifts(page, digit):
    draw(page, digit, left=0.35)
    expect_answer(page, digit)


def test_number_is_read_and_each_digit_has_its_bars(page):
    draw(page, "74")
    expect_answer(page, "74")
    expect(page.get_by_role("radiogroup", name="Which digit")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)


def test_each_of_two_equal_digits_can_be_looked_at(page):
    draw(page, "717", left=0.1, gap=0.1)
    expect_answer(page, "717")
    group = page.get_by_role("radiogroup", name="Which digit")
    for place, words in ((0, "1st digit: "), (2, "3rd digit: ")):
        chip = group.get_by_role("radio").nth(place)
        chip.click()
        expect(page.get_by_text(words)).to_be_visible()
        expect(chip).to_be_checked()
        expect(group.get_by_role("radio", checked=True)).to_have_count(1)


def test_undo_takes_the_last_stroke_back(page):
    draw(page, "7", tall=0.5, left=0.1)
    expect_answer(page, "7")
    draw(page, "1", tall=0.5, left=0.65)
    expect_answer(page, "71")
    press(page, "Undo")
    expect_answer(page, "7")


def test_clear_really_clears(page):
    draw(page, "7", left=0.35)
    expect_answer(page, "7")
    press(page, "Clear")
    expect(page.get_by_text("Nothing drawn yet")).to_be_visible()
    expect(page.locator(ANSWER)).to_have_count(0)
    draw(page, "0", left=0.35)
    expect_answer(page, "0")


def test_drawing_survives_a_look_at_another_tab(page):
    draw(page, "4", left=0.35)
    expect_answer(page, "4")
    tab(page, "Upload")
    expect(page.get_by_text("No picture yet")).to_be_visible()
    tab(page, "Draw")
    expect_answer(page, "4")


def test_photo_of_a_number_is_read(page):
    upload(page, ("number.jpg", photo("4072")))
    expect_answer(page, "4072")


def test_broken_file_is_named_and_the_others_are_read(page):
    upload(page, ("good.jpg", photo("17")), ("broken.jpg", photo("3")[:400]))
    expect(page.get_by_text("good.jpg: 17")).to_be_visible()
    at_rest(page)  # a line that still moves down is missed by the mouse
    page.get_by_text("broken.jpg: could not be read").click()
    alert = page.get_by_role("alert").filter(has_text="broken.jpg")
    expect(alert).to_contain_text("could not be read")


def test_example_is_read_with_one_click(page):
    page.get_by_role("button", name="In shadow").click()
    expect_answer(page, "27385")


def test_phone_has_no_horizontal_scroll(phone):
    draw(phone, "74")
    expect_answer(phone, "74")
    widths = phone.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def test_finger_draws_and_does_not_scroll(phone):
    before = phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    touch(phone, "7", left=0.35)
    expect_answer(phone, "7")
    assert phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == before


def test_nothing_is_written_to_the_browser_s_console(page):
    problems = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    draw(page, "3", left=0.35)
    expect_answer(page, "3")
    assert problems == []


def test_boxes_are_put_right_by_hand(page):
    """A box drawn over a digit that was crossed out of the answer brings another reading."""
    upload(page, ("number.jpg", photo("27")))
    expect_answer(page, "27")
    page.get_by_text("Correct the boxes").click()
    canvas = page.locator("canvas.upper-canvas").locator("visible=true")
    box = in_view(canvas)
    # Around both digits: a third box, whose ink the first two then lose.
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] - 4, steps=10)
    page.mouse.up()
    expect(page.locator(ANSWER).first).to_have_text(re.compile(r"^\d\??$"))
    fold = page.get_by_text("Correct the boxes")
    for _ in range(2):  # folded and unfolded, the canvas has the boxes that were drawn
        fold.click()
        page.wait_for_timeout(1500)
    in_view(canvas)
    expect(page.locator(ANSWER).first).to_have_text(re.compile(r"^\d\??$"))
    page.get_by_role("button", name="Undo all changes").click()
    expect_answer(page, "27")


def test_uploaded_picture_survives_a_look_at_another_page(page):
    upload(page, ("number.jpg", photo("27")))
    expect_answer(page, "27")
    page.get_by_role("link", name="Export", exact=True).click()
    expect(page).to_have_url(re.compile(r"/export$"))
    expect(page.get_by_text("TensorFlow.js").first).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Still here from before: number.jpg")).to_be_visible()
    expect_answer(page, "27")
    press(page, "Put away")
    expect(page.get_by_text("No picture yet")).to_be_visible()


def test_camera_s_photo_survives_a_look_at_another_page(filmed):
    ink = written("35", 160, 14)
    page = filmed(photographed(placed(ink, (480, 640), (640 - ink.shape[1]) // 2, 160)))
    tab(page, "Camera")
    take_photo(page)
    expect_answer(page, "35")
    page.get_by_role("link", name="Export", exact=True).click()
    expect(page).to_have_url(re.compile(r"/export$"))
    expect(page.get_by_text("TensorFlow.js").first).to_be_visible()
    page.go_back()
    expect_answer(page, "35")
    expect(page.get_by_text("The photo that you took is still here.")).to_be_visible()
    expect(page.get_by_test_id("stCameraInput")).to_have_count(0)
    press(page, "Take another")
    expect(page.get_by_text("No photo yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Take Photo")).to_be_visible()
