"""The Corrections page, run by Streamlit's own test harness on a real store."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corrections import drawn, mnist, same
from streamlit.testing.v1 import AppTest

from digitlab import samples
from digitlab.database import connect
from digitlab.samples import MOST_WRONG, Filter, check
from digitlab.transfer import export, import_file
from digitlab_app import store
from digitlab_app.corrections_actions import act
from digitlab_app.corrections_filter import apply_choice
from digitlab_app.corrections_gallery import SIDE, card
from digitlab_app.corrections_transfer import prepare, summary
from digitlab_app.corrections_view import INK, PER_PAGE, View, facet_counts

ROOT = Path(__file__).resolve().parents[1]
PAGE = "pages/corrections.py"


@pytest.fixture
def db(tmp_path, monkeypatch):
    """The store that the page under test uses, with nothing in it."""
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    db = connect()
    yield db
    db.close()


def opened(view: View | None = None, way: str = "Review") -> AppTest:
    """The page after its first run, as somebody sees it who has set it up like `view`."""
    page = AppTest.from_file(str(ROOT / PAGE), default_timeout=60)
    page.session_state["corrections-way"] = way
    if view is not None:
        page.session_state["corrections"] = view
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def sent(page: AppTest, component: str) -> dict:
    """What a component's browser part was given."""
    (found,) = [
        part.proto
        for part in page.get("bidi_component")
        if part.proto.component_name == f"digitlab_corrections_{component}"
    ]
    return json.loads(found.json)


def cards(page: AppTest) -> list[dict]:
    return sent(page, "gallery")["samples"]


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.text]
    return "\n".join(part.value for part in parts)


def state(db, wanted) -> list[tuple]:
    return [(sample.label, sample.state) for sample in samples.get(db, wanted)]


def file_of(db, form: str, wanted: Filter = samples.EVERYTHING) -> bytes:
    file = io.BytesIO()
    export(db, file, form, wanted)
    return file.getvalue()


def test_empty_store_says_where_corrections_come_from_and_offers_the_import(db):
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    page.switch_page(PAGE)
    run(page)
    assert "No corrections yet" in words(page)
    assert "Recognise page" in words(page)
    assert len(page.file_uploader) == 1
    assert not page.tabs


def test_card_shows_label_reading_state_source_version_and_time(db):
    change = samples.add(db, drawn(4, said=9))
    (found,) = cards(opened())
    assert (found["id"], found["label"], found["state"]) == (change.id, 9, "pending")
    assert found["read"].startswith("read as 4, ")
    assert "; 9: under 0.1 %" in found["read"]
    assert not found["right"]
    assert (found["source"], found["version"]) == ("drawn", drawn(4).version)
    assert found["time"] == samples.get(db, [change.id])[0].created.isoformat()
    assert found["picture"].startswith("data:image/")


def test_sample_without_a_reading_says_so():
    sample = replace(mnist(1)[0], probabilities=None, is_digit=None, version=None)
    added = replace(sample, id=1, state="pending", created=samples._now())
    assert card(added)["read"] == "not read by a model"
    assert card(added)["right"]


def test_large_crop_travels_small_and_the_ink_can_be_seen_instead(db):
    large = replace(drawn(4), crop=samples.to_png(np.zeros((500, 400), np.uint8)))
    (sample,) = samples.get(db, samples.add(db, large).ids)
    shown = card(sample)["picture"]
    assert len(shown) < SIDE * SIDE / 10
    assert card(sample, INK)["picture"] != shown
    assert cards(opened(View(picture=INK)))[0]["picture"] == card(sample, INK)["picture"]


def test_no_more_than_a_page_is_loaded(db):
    samples.add_all(db, mnist(PER_PAGE + 5))
    page = opened()
    first = [found["id"] for found in cards(page)]
    assert len(first) == PER_PAGE
    assert sent(page, "gallery")["total"] == PER_PAGE + 5
    page.pagination[0].set_value(2)
    run(page)
    second = [found["id"] for found in cards(page)]
    assert len(second) == 5
    assert not set(first) & set(second)
    assert "49 to 53 of 53 samples" in words(page)


def test_page_that_is_gone_gives_way_to_the_last_one(db):
    samples.add_all(db, mnist(PER_PAGE + 1))
    page = opened(View(number=2))
    (last,) = cards(page)
    act(db, page.session_state["corrections"], request("delete", last["id"]))
    run(page)
    assert len(cards(page)) == PER_PAGE
    assert page.session_state["corrections"].number == 1
    assert not page.pagination


def test_late_word_of_an_earlier_pager_is_not_heard():
    view = View(number=3)
    view.turn_to(4, view.pager)
    assert view.number == 4
    before = view.pager
    view.order(MOST_WRONG)
    view.turn_to(4, before)
    assert view.number == 1


def test_most_wrong_first(db):
    samples.add_all(db, mnist(30))
    losses = [
        s.loss for s in samples.get(db, [c["id"] for c in cards(opened(View(sort=MOST_WRONG)))])
    ]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1]


def test_filter_limits_the_gallery_and_counts_what_each_choice_would_show(db):
    many = mnist(60)
    samples.add_all(db, many)
    page = opened(View(wanted=Filter(states=("accepted",))))
    accepted = [sample for sample in many if sample.state == "accepted"]
    assert len(cards(page)) == len(accepted)
    facets = {facet["part"]: facet["choices"] for facet in sent(page, "filter")["facets"]}
    counted = {choice["value"]: choice["count"] for choice in facets["labels"]}
    assert counted == {n: sum(s.label == n for s in accepted) for n in range(11)}
    states = {choice["value"]: choice["count"] for choice in facets["states"]}
    assert states == {"pending": 20, "accepted": 20, "rejected": 20}
    assert [c["value"] for c in facets["states"] if c["chosen"]] == ["accepted"]
    assert sent(page, "filter")["wanted"] == 1


def test_choices_of_several_parts_are_counted_each_without_itself(db):
    many = mnist(60)
    samples.add_all(db, many)
    wanted = Filter(labels=(7,), sources=("drawn",))
    found = facet_counts(db, wanted, {"labels": "label", "sources": "source"})
    assert found["sources"].get("camera", 0) == sum(
        sample.label == 7 and sample.source == "camera" for sample in many
    )
    assert found["labels"][7] == found["all"]["all"]


def test_browser_s_choice_becomes_the_filter_and_starts_at_the_first_page():
    view = View(number=3)
    apply_choice(view, {"part": "labels", "values": [3, 10]})
    apply_choice(view, {"part": "confirmed", "values": [False]})
    assert view.wanted == Filter(labels=(3, 10), confirmed=False)
    assert view.number == 1
    apply_choice(view, {"part": "confirmed", "values": []})
    assert view.wanted == Filter(labels=(3, 10))
    apply_choice(view, {"part": "", "values": []})
    assert view.wanted == samples.EVERYTHING


def test_filter_that_nothing_matches_says_so(db):
    samples.add(db, drawn(4))
    page = opened(View(wanted=Filter(labels=(5,))))
    assert "No sample matches" in words(page)


def test_filter_and_order_survive_a_look_at_another_page(db):
    samples.add_all(db, mnist(30))
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    run(page.switch_page(PAGE))
    apply_choice(page.session_state["corrections"], {"part": "labels", "values": [7]})
    page.button_group(key="corrections-sort").set_value(MOST_WRONG)
    run(page)
    before = cards(page)
    assert {found["label"] for found in before} == {7}
    run(page.switch_page("pages/recognize.py"))
    run(page.switch_page(PAGE))
    assert cards(page) == before
    assert page.button_group(key="corrections-sort").value == MOST_WRONG


def request(action: str, *ids: int, every: bool = False, **more) -> dict:
    """What the gallery sends."""
    return {"do": action, "ids": list(ids), "every": every} | more


@pytest.mark.parametrize(
    ("action", "after", "said"),
    [
        ({"do": "accepted"}, (4, "accepted"), "1 sample accepted."),
        ({"do": "rejected"}, (4, "rejected"), "1 sample rejected."),
        ({"do": "relabel", "label": 9}, (9, "pending"), "1 sample is labelled 9 now."),
        ({"do": "relabel", "label": 10}, (10, "pending"), "1 sample is not a digit now."),
        ({"do": "delete"}, None, "1 sample deleted."),
    ],
)
def test_action_is_done_told_and_undone(db, action, after, said):
    kept = samples.add(db, drawn(4)).id
    view = View()
    act(db, view, request("", kept) | action)
    assert state(db, [kept]) == ([after] if after else [])
    assert view.done.text == said
    act(db, view, request("undo"))
    assert state(db, [kept]) == [(4, "pending")]
    assert view.done.text == "Undone: 1 sample as before."
    assert view.done.change is None


def test_all_that_match_means_those_on_other_pages_too(db):
    many = mnist(PER_PAGE * 2)
    samples.add_all(db, many)
    view = View(wanted=Filter(states=("pending",)))
    act(db, view, request("accepted", every=True))
    counts = samples.counts(db)["state"]
    pending = sum(sample.state == "pending" for sample in many)
    assert counts == {"accepted": pending + 32, "rejected": 32}
    act(db, view, request("undo"))
    assert samples.counts(db)["state"] == {"pending": 32, "accepted": 32, "rejected": 32}


def test_undo_leaves_alone_what_was_changed_again_since(db):
    one, other = samples.add_all(db, mnist(2)).ids
    view = View()
    act(db, view, request("accepted", one, other))
    samples.relabel(db, [one], 3)
    act(db, view, request("undo"))
    assert state(db, [one]) == [(3, "accepted")]
    assert view.done.text.startswith("Undone: 1 sample as before. 1 more had been changed")


def test_undo_stays_in_sight_until_the_next_action(db):
    kept, _ = samples.add_all(db, [drawn(4), drawn(7)]).ids
    page = opened(View(wanted=Filter(labels=(4,))))
    view = page.session_state["corrections"]
    act(db, view, request("accepted", kept))
    for number in (1, 2):
        run(page)
        told = sent(page, "gallery")
        assert (told["done"], told["undoable"]) == ("1 sample accepted.", True), number
    act(db, view, request("delete", kept))
    run(page)
    assert "1 sample deleted." in words(page)
    page.button(key="corrections-undo").click()
    run(page)
    assert sent(page, "gallery")["done"] == "Undone: 1 sample as before."


def test_refused_action_is_explained_and_the_one_before_can_still_be_undone(db):
    kept = samples.add(db, drawn(4)).id
    page = opened()
    view = page.session_state["corrections"]
    act(db, view, request("accepted", kept))
    act(db, view, request("relabel", kept, label=12))
    run(page)
    assert "12 is no label" in page.error[0].value
    assert sent(page, "gallery")["undoable"]
    assert state(db, [kept]) == [(4, "accepted")]


def test_action_on_what_somebody_else_deleted_changes_nothing_and_says_so(db):
    kept = samples.add(db, drawn(4)).id
    samples.remove(db, [kept])
    view = View()
    act(db, view, request("accepted", kept))
    assert view.done.text == "Nothing was changed: somebody else has deleted what was chosen."


def upload(page: AppTest, name: str, data: bytes) -> AppTest:
    page.file_uploader[0].set_value((name, data, "application/octet-stream"))
    run(page)
    page.button(key="corrections-add").click()
    return run(page)


def test_exported_zip_is_taken_in_again_told_and_undone(db, tmp_path):
    many = mnist(12)
    samples.add_all(db, many)
    file = file_of(db, "zip")
    samples.remove(db, samples.ids(db)[:7])
    page = upload(opened(way="Import"), "ours.zip", file)
    assert "0 samples added, 7 changed, 5 known already." in words(page)
    stored = sorted(samples.each(db), key=lambda sample: sample.id)
    assert all(same(one, other) for one, other in zip(many, stored, strict=True))
    page.button(key="corrections-undo").click()
    run(page)
    assert samples.page(db).total == 5


def test_first_import_fills_the_empty_page(db, tmp_path):
    other = connect(f"sqlite:///{tmp_path}/other.db")
    samples.add_all(other, mnist(5))
    file = file_of(other, "csv")
    other.close()
    # The start page is needed for the link of the empty page.
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    upload(run(page.switch_page(PAGE)), "mnist.csv", file)
    assert len(cards(page)) == 5
    assert sent(page, "gallery")["done"].startswith("5 samples added, 0 changed")
    assert all(found["version"] for found in cards(page)), "the champion should have read them"


def test_broken_file_is_explained_and_changes_nothing(db):
    samples.add(db, drawn(4))
    page = upload(opened(way="Import"), "broken.zip", file_of(db, "zip")[:200])
    assert "Nothing was taken in" in page.error[0].value
    assert samples.page(db).total == 1


def test_import_names_pictures_without_ink(db):
    blank = samples.to_png(np.full((40, 40), 255, np.uint8))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("3/blank.png", blank)
        archive.writestr("4/four.png", drawn(4).crop)
    done = import_file(db, file)
    assert summary(done) == (
        "1 sample added, 0 changed, 0 known already, 1 left out for having no ink: 3/blank.png."
    )


@pytest.mark.parametrize("form", ["zip", "npz", "csv"])
def test_prepared_file_says_how_many_samples_it_holds_and_holds_them(db, form):
    samples.add_all(db, mnist(30))
    wanted = Filter(states=("accepted",))
    ready = prepare(db, form, wanted)
    assert (ready.count, ready.name) == (10, f"digitlab_10_samples.{form}")
    page = opened(View(wanted=wanted), way="Export")
    assert not page.get("download_button"), "nothing is made before it is asked for"
    page.radio(key="corrections-form").set_value(form)
    page.button(key="corrections-prepare").click()
    run(page)
    (offered,) = page.get("download_button")
    assert offered.proto.label.startswith("Download 10 samples (")
    other = connect(f"sqlite:///{store.database_url()[10:]}.other")
    assert import_file(other, io.BytesIO(ready.data)).added == 10
    other.close()


def test_prepared_file_goes_with_the_next_change(db):
    kept = samples.add(db, drawn(4)).id
    page = opened(way="Export")
    page.button(key="corrections-prepare").click()
    run(page)
    assert page.get("download_button")
    act(db, page.session_state["corrections"], request("relabel", kept, label=9))
    run(page)
    assert not page.get("download_button")


def test_store_that_can_t_be_opened_is_explained_and_not_tried_again_at_once(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")
    monkeypatch.setenv("DIGITLAB_HOME", str(home))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    page = opened()
    assert "The store can't be opened" in page.error[0].value
    home.unlink()
    run(page)
    assert "The store can't be opened" in page.error[0].value
    monkeypatch.setattr(store, "RETRY_SECONDS", 0.0)
    store._door.clear()
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    run(page.switch_page(PAGE))
    assert "No corrections yet" in words(page)


def test_session_is_named_at_random_and_stays_so_for_its_samples():
    def script():
        import streamlit as st

        from digitlab_app.store import session_id

        st.write(session_id())

    def name(page: AppTest) -> str:
        return run(page).markdown[0].value

    one, other = AppTest.from_function(script), AppTest.from_function(script)
    check(replace(mnist(1)[0], session=name(one)))
    assert name(one) == name(one)
    assert name(one) != name(other)
