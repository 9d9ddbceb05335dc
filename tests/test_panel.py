"""Pictures within pages: digits that a program shows, canvases, photographs between bars."""

import cv2
import numpy as np
import pytest
from handwriting import on_white, photographed, placed, written

from digitlab.datasets import mnist_test
from digitlab.panel import find_panels
from digitlab.paper import read_paper
from digitlab.recognizer import champion

DARK, LIGHT = 20, 250


def read(picture: np.ndarray) -> str:
    return champion().recognize(picture).text


def canvas(text: str, dark: bool, side: int = 280) -> np.ndarray:
    """A number in the middle of a square, light on dark or dark on light."""
    ink = written(text, side * 0.5 / max(1, len(text) ** 0.5), side // 20)
    page = placed(ink, (side, side), (side - ink.shape[1]) // 2, (side - ink.shape[0]) // 2)
    return page if dark else 255 - page


def shown(picture: np.ndarray, page: int, shape=(640, 480), left=60, top=80, title="Draw a digit"):
    """A picture on a page of a program, with a title over it and buttons' words under it."""
    screen = np.full(shape, page, np.uint8)
    bottom = top + picture.shape[0]
    screen[top:bottom, left : left + picture.shape[1]] = picture
    ink = 255 - page
    cv2.putText(screen, title, (left, top - 20), 0, 0.8, ink, 2, cv2.LINE_AA)
    cv2.putText(screen, "Clear   Undo", (left, bottom + 34), 0, 0.8, ink, 2, cv2.LINE_AA)
    return screen


def saved(picture: np.ndarray, quality: int = 75) -> np.ndarray:
    """`picture` as JPEG leaves it."""
    return cv2.imdecode(cv2.imencode(".jpg", picture, [1, quality])[1], cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("page", [LIGHT, DARK])
@pytest.mark.parametrize("text", ["1", "4", "0", "8", "36"])
def test_canvas_of_the_other_grey_is_read_alone(text, page):
    assert read(shown(canvas(text, page == LIGHT), page)) == text


def test_canvas_is_found_to_a_few_pixels():
    panels = find_panels(shown(canvas("4", True), LIGHT))
    assert panels.box == pytest.approx((60, 80, 340, 360), abs=8)
    assert panels.mask.all()


def test_boxes_of_digits_lie_where_they_are_on_the_page():
    (alone,) = champion().recognize(canvas("4", True)).digits
    (digit,) = champion().recognize(shown(canvas("4", True), LIGHT)).digits
    x, y, w, h = alone.box
    assert digit.box == pytest.approx((x + 60, y + 80, w, h), abs=3)


@pytest.mark.parametrize("quality", [None, 75])
def test_enlarged_digit_in_a_figure_with_ticks_is_read(quality):
    ink, labels = mnist_test()
    for i in range(8):
        figure = np.full((480, 640), 255, np.uint8)
        figure[58:428, 143:513] = cv2.resize(ink[i], (370, 370), interpolation=cv2.INTER_NEAREST)
        for place in range(150, 510, 66):
            cv2.line(figure, (place, 428), (place, 433), 0, 1)
            cv2.putText(figure, str(place // 30), (place - 5, 448), 0, 0.4, 0, 1, cv2.LINE_AA)
        picture = figure if quality is None else saved(figure, quality)
        assert read(picture) == str(labels[i])


def test_several_panels_are_lines_of_digits():
    ink, labels = mnist_test()
    figure = np.full((300, 620), 255, np.uint8)
    for i in range(8):
        top, left = 40 + i // 4 * 130, 30 + i % 4 * 145
        digit = cv2.resize(ink[i], (110, 110), interpolation=cv2.INTER_NEAREST)
        figure[top : top + 110, left : left + 110] = digit
        cv2.putText(figure, f"Label: {i}", (left + 20, top - 7), 0, 0.4, 0, 1, cv2.LINE_AA)
    rows = ["".join(map(str, row)) for row in labels[:8].reshape(2, 4)]
    assert read(figure) == "\n".join(rows)


@pytest.mark.parametrize("quality", [None, 70])
@pytest.mark.parametrize("bars", [0, 255])
def test_photograph_between_bars_is_read(bars, quality):
    photo = photographed(placed(written("4072", 90, 8), (260, 540), 60, 80))
    screen = np.full((1100, 540, 3), bars, np.uint8)
    screen[420:680] = photo
    assert read(screen if quality is None else saved(screen, quality)) == "4072"


def test_frame_around_a_digit_is_no_panel():
    for thick in (2, 12, 30):
        page = placed(written("7", 120, 12), (400, 400), 160, 140)
        cv2.rectangle(page, (80, 80), (320, 320), 255, thick)
        assert find_panels(255 - page) is None


@pytest.mark.parametrize("shade", [235, 215])
def test_shaded_rows_of_a_table_belong_to_the_page(shade):
    page = np.full((400, 500), 255, np.uint8)
    page[100:250] = shade
    assert find_panels(page) is None
    page[100:250, 100:400] = shade
    page[100:250, :100] = page[100:250, 400:] = 255
    assert find_panels(page) is None


def test_bars_and_buttons_of_a_program_are_no_panels():
    page = 255 - placed(written("7", 200, 16), (780, 360), 110, 240)
    page[:90] = 40
    page[660:740, 20:340] = 60
    assert find_panels(page) is None
    assert read(page) == "7"


def test_panel_without_ink_leaves_the_page_as_it_is():
    page = on_white(placed(written("5", 160, 14), (400, 600), 60, 120))
    page[120:280, 350:550] = 90
    assert read(page)[0] == "5"


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (64, 64)])
def test_blank_pictures_of_any_shape_have_no_panels(shape):
    assert find_panels(np.full(shape, 255, np.uint8)) is None
    assert find_panels(np.zeros(shape, np.uint8)) is None
    assert not read_paper(np.zeros((*shape, 3), np.uint8)).alone


def test_soft_shadow_of_a_canvas_is_left_out():
    page = np.full((640, 480), 255.0)
    cast = np.zeros_like(page)
    cast[110:390, 100:380] = 1
    page *= 1 - 0.35 * cv2.GaussianBlur(cast, (0, 0), 14)
    page[100:380, 100:380] = canvas("4", True)
    assert read(np.rint(page).astype(np.uint8)) == "4"


@pytest.mark.parametrize("brightest", [230, 265])
def test_of_photographs_side_by_side_none_is_left_out(brightest):
    """One that is overexposed runs into the page; another has less light than the first."""
    page = np.full((300, 560, 3), 255, np.uint8)
    light = np.linspace(0.7, 1, 240) * brightest
    ink = placed(written("7", 120, 10), (240, 240), 80, 60)[..., None] / 255
    bright = (light[None, :, None] * (1 - 0.7 * ink)).clip(0, 255).astype(np.uint8)
    page[30:270, 30:270] = bright
    page[30:270, 290:530] = photographed(placed(written("4", 120, 10), (240, 240), 80, 60))
    assert read(page) == "74"


def test_large_writing_on_the_page_is_read_with_what_stands_in_a_panel():
    page = on_white(placed(written("7", 200, 18), (400, 640), 60, 90))
    assert read(page) == "7"
    page[100:300, 320:600] = 60
    cv2.line(page, (400, 150), (500, 250), (255, 255, 255), 12)
    assert read(page)[0] == "7"
