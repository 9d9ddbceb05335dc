"""The Retrain page, run by Streamlit's own test harness on a real store."""

from pathlib import Path

import pytest
from corrections import mnist
from streamlit.testing.v1 import AppTest

from digitlab import jobs, samples, versions
from digitlab.database import connect, sqlite_url
from digitlab.held_back import LEAST
from digitlab.recognizer import SHIPPED
from digitlab.versions import NewVersion

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def db(tmp_path, monkeypatch):
    """The store that the page uses, with the shipped model in it."""
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    db = connect(sqlite_url(tmp_path / "digitlab.db"))
    versions.ensure_shipped(db)
    yield db
    db.close()


def opened() -> AppTest:
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120).run()
    page.switch_page("pages/retrain.py").run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.success]
    return "\n".join(part.value for part in parts)


def button(page: AppTest, label: str):
    (found,) = (b for b in page.button if b.label == label)
    return found


def accept(db, count: int) -> None:
    change = samples.add_all(db, mnist(count))
    samples.set_state(db, change.ids, "accepted")


def store_another(db) -> int:
    """The shipped model once more, as somebody imports it."""
    shipped = versions.get(db, 1)
    return versions.store(
        db, NewVersion("imported", (SHIPPED / "model.tflite").read_bytes(), shipped.metrics)
    )


def test_without_corrections_it_says_what_to_do_and_can_not_be_started(db):
    page = opened()
    assert f"{LEAST} accepted corrections are needed, and there are 0" in words(page)
    assert button(page, "Start retraining").disabled


def test_with_enough_corrections_it_can_be_started(db):
    accept(db, LEAST)
    page = opened()
    assert f"{LEAST} accepted" in words(page)
    assert not button(page, "Start retraining").disabled


def test_job_at_work_shows_progress_and_can_be_cancelled(db):
    accept(db, LEAST)
    page = opened()
    button(page, "Start retraining").click().run()
    job = jobs.latest(db, "retrain")
    assert job.settings["method"] == "fine-tune"
    button(page, "Cancel").click().run()
    while jobs.get(db, job.id).active:
        pass
    assert jobs.get(db, job.id).state == "cancelled"
    assert "was cancelled" in words(opened())


def test_failed_job_says_why_and_that_nothing_changed(db):
    accept(db, LEAST)
    id = jobs.start(db, "retrain", {"method": "fine-tune", "seconds": 1}).id
    jobs.finish(db, id, jobs.FAILED, error="The disk is full.")
    page = opened()
    assert "The disk is full." in words(page)
    assert "The champion serves on" in words(page)


def test_version_is_promoted_and_rolled_back(db):
    number = store_another(db)
    page = opened()
    button(page, "Promote it").click().run()
    assert versions.champion_number(db) == number
    assert f"Version {number} is the champion now" in words(page)
    button(page, "Roll back to version 1").click().run()
    assert versions.champion_number(db) == 1


def test_discarded_version_can_be_taken_back(db):
    number = store_another(db)
    versions.discard(db, number)
    page = opened()
    button(page, "Take it back").click().run()
    assert versions.get(db, number).discarded is None


def test_two_versions_that_read_the_same_have_no_changes(db):
    store_another(db)
    page = opened()
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert "0 went from wrong to right, 0 from right to wrong" in words(page)
    table = page.table[0].value
    errors = f"{versions.get(db, 1).metrics['mnist_test']['errors']}"
    row = table[table.iloc[:, 0] == "MNIST test, errors"].iloc[0].tolist()
    assert row[1:] == [errors, errors, "none"]
