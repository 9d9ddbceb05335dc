"""The Corrections page, used as a person uses it."""

import io
import re
import zipfile

import pytest
from corrections import drawn, mnist
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete

from digitlab import samples
from digitlab.database import connect, sqlite_url
from digitlab.schema import samples as rows
from digitlab_app.corrections_view import PER_PAGE


@pytest.fixture
def db(address, tmp_path_factory):
    """The server's own store, without samples before and after."""
    home = tmp_path_factory.getbasetemp() / "server0" / "store"
    db = connect(sqlite_url(home / "digitlab.db"))

    def clear() -> None:
        with db.writing("samples") as connection:
            connection.execute(delete(rows))

    clear()
    yield db
    clear()
    db.close()


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()


def opened(page: Page) -> Page:
    """The gallery, with something in it."""
    go(page, "Corrections")
    expect(cards(page).first).to_be_visible()
    return page


def cards(page: Page) -> Locator:
    return page.locator("li.card")


def labels(page: Page) -> Locator:
    return page.locator("li.card .head .label")


def told(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def act(page: Page, name: str) -> None:
    """One of the buttons for what is chosen."""
    page.locator(".tools").get_by_role("button", name=name).click()


def undo(page: Page) -> None:
    page.get_by_role("button", name="Undo", exact=True).click()


def choose(page: Page, *numbers: int) -> None:
    for number in numbers:
        cards(page).nth(number).get_by_role("checkbox").check()


def filter_by(page: Page, choice: str) -> None:
    # The box lies invisibly over the whole of its label, where a person clicks.
    page.get_by_role("checkbox", name=choice).click()


def states(db) -> dict:
    return samples.counts(db)["state"]


def test_sample_is_judged_with_one_click_and_that_undone(page, db):
    kept = samples.add(db, drawn(4)).id
    opened(page)
    page.get_by_role("button", name=f"Accept sample {kept}").click()
    told(page, "1 sample accepted.")
    assert states(db) == {"accepted": 1}
    undo(page)
    told(page, "Undone")
    assert states(db) == {"pending": 1}


def test_label_is_put_right(page, db):
    kept = samples.add(db, drawn(4)).id
    opened(page)
    page.get_by_role("button", name=f"Relabel sample {kept}").click()
    page.get_by_role("button", name=f"Sample {kept} is not a digit").click()
    told(page, "1 sample is not a digit now.")
    expect(labels(page)).to_have_text("not a digit")
    assert samples.get(db, [kept])[0].label == 10


def test_several_are_relabelled_at_once_and_that_undone(page, db):
    samples.add_all(db, mnist(6))
    before = labels(opened(page)).all_inner_texts()
    choose(page, 0, 2, 5)
    expect(page.get_by_role("status").filter(has_text="3 chosen")).to_be_visible()
    act(page, "Those chosen are 8")
    told(page, "3 samples are labelled 8 now.")
    after = ["8" if place in (0, 2, 5) else label for place, label in enumerate(before)]
    expect(labels(page)).to_have_text(after)
    expect(page.get_by_role("status").filter(has_text="none chosen")).to_be_visible()
    undo(page)
    expect(labels(page)).to_have_text(before)


def test_all_of_all_pages_are_deleted_and_come_back(page, db):
    samples.add_all(db, mnist(PER_PAGE + 3))
    opened(page)
    page.get_by_label("All on this page").check()
    expect(page.get_by_role("status").filter(has_text=f"{PER_PAGE} chosen")).to_be_visible()
    page.get_by_role("button", name=f"Choose all {PER_PAGE + 3}").click()
    act(page, "Delete")
    expect(page.get_by_text("No corrections yet")).to_be_visible()
    expect(page.get_by_text(f"{PER_PAGE + 3} samples deleted.")).to_be_visible()
    undo(page)
    expect(cards(page)).to_have_count(PER_PAGE)
    assert samples.page(db).total == PER_PAGE + 3


def test_keys_judge_and_relabel_and_the_focus_stays(page, db):
    samples.add_all(db, mnist(3))
    opened(page)
    first, second = (cards(page).nth(number).get_by_role("checkbox") for number in (0, 1))
    first.focus()
    page.keyboard.press("8")
    told(page, "labelled 8")
    expect(labels(page).first).to_have_text("8")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    page.keyboard.press("Space")
    expect(second).to_be_checked()
    page.keyboard.press("Delete")
    told(page, "1 sample deleted.")
    expect(cards(page)).to_have_count(2)
    expect(second).to_be_focused()


def test_filter_shows_what_it_counts_and_survives_another_page(page, db):
    samples.add_all(db, mnist(60))
    opened(page)
    count = samples.counts(db)["label"][7]
    filter_by(page, f"It is: 7, {count}")
    expect(cards(page)).to_have_count(count)
    expect(labels(page)).to_have_text(["7"] * count)
    go(page, "Recognise")
    expect(page.get_by_text("Read handwritten digits")).to_be_visible()
    go(page, "Corrections")
    expect(cards(page)).to_have_count(count)
    expect(page.get_by_role("checkbox", name="It is: 7,")).to_be_checked()
    page.get_by_role("button", name="Show all").click()
    expect(cards(page)).to_have_count(PER_PAGE)


def test_what_was_chosen_is_forgotten_when_the_filter_changes(page, db):
    samples.add_all(db, mnist(12))
    opened(page)
    choose(page, 0, 1)
    filter_by(page, "State: pending")
    expect(cards(page)).to_have_count(4)
    expect(page.get_by_role("status").filter(has_text="none chosen")).to_be_visible()
    expect(page.locator("li.card input:checked")).to_have_count(0)


def test_next_page_begins_at_its_top(page, db):
    samples.add_all(db, mnist(PER_PAGE * 2))
    opened(page)
    page.get_by_role("button", name=re.compile("page 2|^2$", re.I)).click()
    expect(page.get_by_text(f"{PER_PAGE + 1} to {PER_PAGE * 2} of")).to_be_attached()
    expect(cards(page).first).to_be_in_viewport()


def test_file_is_downloaded_and_taken_in_again(page, db, tmp_path):
    samples.add_all(db, mnist(7))
    opened(page)
    page.get_by_role("tab", name="Export").click()
    page.get_by_role("button", name="Prepare the file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 7 samples").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert len(zipfile.ZipFile(file).namelist()) == 7 + 2
    samples.remove(db, samples.ids(db))
    page.get_by_role("tab", name="Import").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Add its samples").click()
    expect(page.get_by_text("0 samples added, 7 changed, 0 known already.")).to_be_visible()
    assert samples.page(db).total == 7


def test_hostile_file_is_refused_with_the_reason(page, db):
    go(page, "Corrections")
    expect(page.get_by_text("No corrections yet")).to_be_visible()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../3/evil.png", drawn(3).crop)
    upload = {"name": "evil.zip", "mimeType": "application/zip", "buffer": file.getvalue()}
    page.locator("input[type=file]").set_input_files(upload)
    page.get_by_role("button", name="Add its samples").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was taken in")
    assert samples.page(db).total == 0


def test_phone_has_everything_within_its_width(phone, db, address):
    samples.add_all(db, mnist(12))
    phone.goto(f"{address}/corrections")
    expect(cards(phone)).to_have_count(12)
    cards(phone).last.scroll_into_view_if_needed()
    choose(phone, 11)
    accept = phone.locator(".tools").get_by_role("button", name="Accept")
    expect(accept).to_be_in_viewport(ratio=1)
    accept.tap()
    expect(phone.get_by_role("button", name="Undo", exact=True)).to_be_in_viewport(ratio=1)
    widths = phone.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
