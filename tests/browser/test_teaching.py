"""The whole story of teaching, as a person lives it: wrong, corrected, retrained, promoted."""

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import DESKTOP, opened, served
from corrections import mnist
from pen import draw, expect_answer, on_canvas
from playwright.sync_api import Page, expect

from digitlab import samples, versions
from digitlab.database import connect, sqlite_url

LONG = 240_000  # milliseconds that a retraining may take on a busy machine


@pytest.fixture
def server(tmp_path):
    """An app of its own, since these tests change who serves, or end it."""
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def person(browser, server):
    """A fresh session on it."""
    page = opened(browser, server.address, viewport=DESKTOP)
    yield page
    page.context.close()


def store(home: Path):
    return connect(sqlite_url(home / "digitlab.db"))


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def say(page: Page, label: str) -> None:
    question = page.get_by_role("group", name=re.compile(r"^Is .* right\?$"))
    question.get_by_role("button", name=label).click()


def expect_thanks(page: Page, text: str) -> None:
    expect(page.get_by_text(text)).to_be_visible()


def test_answer_is_corrected_by_one_click_and_that_can_be_taken_back(person, server):
    draw(person, "7")
    expect_answer(person, "7")
    say(person, "Wrong, it is 1")
    expect_thanks(person, "kept as 1")
    question = person.get_by_role("group", name="Is this right?")
    expect(question).to_be_hidden()  # it stays for a moment: that one is answered
    db = store(server.home)
    (sample,) = samples.page(db).samples
    assert (sample.label, sample.probabilities.index(max(sample.probabilities))) == (1, 7)
    assert (sample.source, sample.state, sample.confirmed) == ("drawn", "pending", False)
    person.get_by_role("button", name="Take it back").click()
    expect(question).to_be_visible()
    assert samples.page(db).total == 0
    assert samples.feedback_counts(db)["1"] == {"right": 0, "wrong": 0}
    db.close()


def test_keyboard_says_right_wrong_and_no_digit(person, server):
    draw(person, "7")
    expect_answer(person, "7")
    db = store(server.home)
    question = person.get_by_role("group", name="Is this right?")
    for key, thanks, label in (
        ("y", "noted as right", 7),
        ("4", "kept as 4", 4),
        ("n", "kept", 10),
    ):
        expect(question.get_by_role("button", name="Right")).to_be_visible()
        person.keyboard.press(key)
        expect_thanks(person, thanks)
        expect(question).to_be_hidden()  # it stays for a moment: that one is answered
        assert [sample.label for sample in samples.page(db).samples] == [label]
        person.get_by_role("button", name="Take it back").click()
    db.close()


def test_double_click_answers_once(person, server):
    draw(person, "7")
    expect_answer(person, "7")
    question = person.get_by_role("group", name="Is this right?")
    question.get_by_role("button", name="Wrong, it is 1").dblclick()
    expect_thanks(person, "kept as 1")
    expect(question).to_be_hidden()
    db = store(server.home)
    assert [sample.label for sample in samples.page(db).samples] == [1]
    person.get_by_role("button", name="Take it back").click()
    expect(question).to_be_visible()
    assert samples.page(db).total == 0
    db.close()


@pytest.mark.parametrize(
    ("said", "thanks", "label"),
    [("It is no digit", "kept as not a digit", 10), ("It is 7", "kept as 7", 7)],
)
def test_refused_answer_has_nothing_to_call_right(person, server, said, thanks, label):
    draw(person, "7", tall=0.5)
    ((x, y),) = on_canvas(person, [(0.3, 0.9)])
    person.mouse.move(x, y)
    person.mouse.down()
    person.mouse.move(x + 6, y + 8, steps=4)
    person.mouse.up()
    expect(person.get_by_text("stands over or under it")).to_be_visible()
    question = person.get_by_role("group", name="What is this?")
    expect(question.get_by_role("button")).to_have_count(11)
    question.get_by_role("button", name=said).click()
    expect_thanks(person, thanks)
    db = store(server.home)
    (sample,) = samples.page(db).samples
    assert (sample.label, sample.confirmed) == (label, True)
    db.close()


def test_digits_of_a_number_are_corrected_one_by_one(person, server):
    draw(person, "17", tall=0.35)
    expect_answer(person, "17")
    for digit in ("1", "7"):
        person.get_by_role("radio", name=digit, exact=True).click()
        say(person, f"Right, it is {digit}")
        expect_thanks(person, f"noted as right, {digit}")
    db = store(server.home)
    assert sorted(sample.label for sample in samples.page(db).samples) == [1, 7]
    db.close()


def test_sample_survives_the_kill_of_the_server(person, server):
    draw(person, "7")
    expect_answer(person, "7")
    say(person, "Wrong, it is 2")
    expect_thanks(person, "kept as 2")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    db = store(server.home)
    assert [sample.label for sample in samples.page(db).samples] == [2]
    db.close()


def test_page_that_is_not_the_first_can_be_opened_first(browser, server):
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(f"{server.address}/retrain")
    expect(page.get_by_text("accepted corrections are needed")).to_be_visible()
    expect(page.get_by_role("link", name="Recognise", exact=True).first).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
    context.close()


@pytest.mark.training
@pytest.mark.timeout(600)
def test_wrong_answer_is_taught_promoted_and_rolled_back(person, server):
    db = store(server.home)
    before = samples.add_all(db, mnist(40))  # a third of them accepted, as if by others
    draw(person, "7")
    expect_answer(person, "7")
    say(person, "Wrong, it is 1")
    expect_thanks(person, "kept as 1")

    go(person, "Corrections")
    card = person.locator("li.card").first
    expect(card).to_contain_text("1")
    card.get_by_role("button", name="Accept").click()
    (mine,) = set(samples.ids(db)) - set(before.ids)
    expect(card).to_contain_text("accepted")
    assert samples.get(db, [mine])[0].state == "accepted"

    go(person, "Retrain")
    expect(person.get_by_text("14 accepted")).to_be_visible()
    person.get_by_role("button", name="Start retraining").click()
    expect(person.get_by_role("button", name="Cancel")).to_be_visible()
    go(person, "Recognise")  # the job goes on, and the page answers meanwhile
    expect_answer(person, "7")
    go(person, "Retrain")
    expect(person.get_by_text("Candidate: version 2")).to_be_visible(timeout=LONG)
    person.get_by_role("button", name="Promote version 2").click()
    expect(person.get_by_text("Version 2 is the champion now")).to_be_visible()
    assert versions.champion_number(db) == 2

    go(person, "Recognise")
    expect(person.get_by_text("by model version 2")).to_be_visible()
    person.get_by_role("button", name="Clear").click()
    expect(person.get_by_text("Nothing drawn yet")).to_be_visible()
    draw(person, "4")
    expect_answer(person, "4")
    go(person, "Retrain")
    person.get_by_role("button", name="Roll back to version 1").click()
    expect(person.get_by_text("Version 1 is the champion again")).to_be_visible()
    go(person, "Recognise")
    expect(person.get_by_text("by model version 1")).to_be_visible()
    db.close()
