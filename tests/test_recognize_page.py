"""The Recognise page, run by Streamlit's own test harness."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, placed, written
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)


def opened(picture: np.ndarray | None = None) -> AppTest:
    """The page after its first run, with `picture` on the canvas."""
    page = AppTest.from_file(str(ROOT / "pages" / "recognize.py"), default_timeout=60)
    if picture is not None:
        packed = base64.b64encode(cv2.imencode(".png", picture)[1]).decode()
        drawing = {"raw": {"objects": [{}]}, "data": f"data:image/png;base64,{packed}"}
        page.session_state["canvas-0"] = {"drawing": drawing}
    page.run()
    assert not page.exception
    return page


def answer(page: AppTest) -> str:
    """All that stands in large letters, without the markup."""
    return " ".join(part.proto.body for part in page.get("html"))


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error]
    return "\n".join(part.value for part in parts)


def row(text: str) -> np.ndarray:
    ink = written(text, 90, 9)
    return placed(ink, (280, max(280, ink.shape[1] + 40)), 20, 95)


def test_empty_sheet_says_what_to_do():
    page = opened()
    assert "Nothing drawn yet" in words(page)
    assert answer(page) == ""


def test_blank_canvas_is_no_answer():
    page = opened(np.full((280, 280, 3), 255, np.uint8))
    assert "Nothing drawn yet" in words(page)


def test_drawn_digit_is_answered_with_words_chart_and_steps():
    page = opened(on_white(centred(written("4"))))
    assert ">4</div>" in answer(page)
    assert "sure" in words(page).lower()
    assert len(page.get("plotly_chart")) == 1
    assert [s.value for s in page.subheader] == ["Read handwritten digits", "How it was read"]
    assert "What the model saw" in words(page)


def test_number_offers_each_digit():
    page = opened(on_white(row("2704")))
    assert ">2704</div>" in answer(page)
    (choice,) = page.button_group
    assert list(choice.options) == ["2", "7", "0", "4"]
    choice.set_value(1).run()
    assert not page.exception
    assert "2nd digit" in words(page)


def test_each_of_equal_digits_and_lines_can_be_chosen():
    canvas = np.zeros((400, 620), np.uint8)
    for top in (40, 220):
        canvas |= placed(written("7274", 90, 9), canvas.shape, 40, top)
    page = opened(on_white(canvas))
    for line in (0, 1):
        page.button_group[0].set_value(line).run()
        for digit, place in ((0, "1st"), (2, "3rd")):
            page.button_group[1].set_value(digit).run()
            assert f"{place} digit in line {line + 1}" in words(page)


def test_several_lines_are_chosen_from_before_their_digits():
    canvas = np.zeros((560, 620), np.uint8)
    for top, line in ((40, "2704"), (220, "361"), (400, "5")):
        canvas |= placed(written(line, 90, 9), canvas.shape, 40, top)
    page = opened(on_white(canvas))
    lines, digits = page.button_group
    assert list(lines.options) == ["2704", "361", "5"]
    lines.set_value(1).run()
    digits = page.button_group[1]
    assert list(digits.options) == ["3", "6", "1"]
    digits.set_value(2).run()
    assert "3rd digit in line 2" in words(page)
    page.button_group[0].set_value(2).run()
    assert not page.exception
    assert len(page.button_group) == 1  # nothing to choose in a line of one digit
    assert "1st digit in line 3" in words(page)


def test_scribble_is_not_called_sure():
    rng = np.random.default_rng(4)
    canvas = np.zeros((280, 280), np.uint8)
    path = rng.integers(30, 250, (40, 1, 2)).astype(np.int32)
    cv2.polylines(canvas, [path], False, 255, 6)
    page = opened(on_white(canvas))
    assert "?" in answer(page)
    assert "may not be" in words(page) or "Not sure" in words(page)


def uploaded(*files: tuple[str, bytes]) -> AppTest:
    page = opened()
    page.file_uploader[0].set_value([(name, data, "image/png") for name, data in files])
    page.session_state["way"] = "Upload"
    page.run()
    assert not page.exception
    return page


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def test_uploaded_photo_is_read():
    page = uploaded(("photo.png", png(photographed(row("18")))))
    assert ">18</div>" in answer(page)


def hints(page) -> list[str]:
    """What says that the picture may have to be turned."""
    return [caption.value for caption in page.caption if "on its side" in caption.value]


def test_sideways_picture_is_turned_until_it_is_read():
    page = uploaded(("photo.png", png(np.rot90(photographed(row("27"))))))
    assert ">27</div>" not in answer(page)
    assert hints(page)
    (turn,) = (button for button in page.button if button.label == "Turn")
    turn.click().run()
    assert not page.exception
    assert ">27</div>" in answer(page)
    assert not hints(page)
    for _ in range(4):
        next(button for button in page.button if button.label == "Turn").click().run()
    assert ">27</div>" in answer(page)


def test_way_that_reads_is_offered_and_turns_the_picture_when_chosen():
    page = uploaded(("photo.png", png(np.rot90(photographed(row("27"))))))
    way = next(button for button in page.button if button.label == "Turn to the right: 27")
    way.click().run()
    assert not page.exception
    assert ">27</div>" in answer(page)
    assert not any(button.label.startswith("Turn to") for button in page.button)


def test_folded_pictures_say_whether_they_are_read_refused_or_empty():
    blank = np.full((90, 90), 255, np.uint8)
    dash = cv2.line(blank.copy(), (10, 45), (80, 45), 0, 6)
    page = uploaded(*((f"{name}.png", png(ink)) for name, ink in (("no", blank), ("it", dash))))
    labels = [folded.label for folded in page.expander if ".png" in folded.label]
    assert labels[0] == "no.png: no digits found"
    assert labels[1].startswith("it.png: ")
    assert labels[1].endswith("?")


def test_unreadable_upload_says_why_and_the_others_are_read():
    good = png(photographed(row("18")))
    page = uploaded(("good.png", good), ("bad.png", b"no picture at all"))
    labels = [folded.label for folded in page.expander if ".png" in folded.label]
    assert labels == ["good.png: 18", "bad.png: could not be read"]


def test_single_unreadable_upload_shows_its_error():
    page = uploaded(("bad.png", b"no picture at all"))
    assert "bad.png" in page.error[0].value
    assert "could not be read" in page.error[0].value


def test_empty_photo_finds_no_digits():
    page = uploaded(("paper.png", png(photographed(np.zeros((200, 300), np.uint8)))))
    assert "No digits found" in words(page)


def test_reasons_are_shown_when_they_are_asked_for():
    page = opened(on_white(centred(written("4"))))
    assert "Which ink decided" not in words(page)
    page.session_state["drawing-why"] = True
    page.run()
    assert not page.exception
    for part in ("Which ink decided", "most similar training digits", "What the network sees"):
        assert part in words(page)
