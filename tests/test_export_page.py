"""The Export page, run by Streamlit's own test harness on a real store."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from digitlab import export, jobs, versions
from digitlab.database import connect
from digitlab.export_formats import FORMATS
from digitlab.recognizer import SHIPPED

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def db(tmp_path, monkeypatch):
    """The store that the page under test uses, with the shipped version in it."""
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    db = connect()
    versions.ensure_shipped(db)
    yield db
    db.close()


@pytest.fixture
def new_version(db):
    """The number of a version that nothing has been exported of."""
    metrics = json.loads((SHIPPED / "metrics.json").read_text())
    metrics["calibration"]["temperature"] = 0.5
    model, keras = ((SHIPPED / f"model.{end}").read_bytes() for end in ("tflite", "keras"))
    return versions.store(db, versions.NewVersion("fine-tuned", model, metrics, keras=keras))


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def opened(number: int | None = None) -> AppTest:
    """The page after its first run, with a version chosen."""
    page = AppTest.from_file(str(ROOT / "pages/export.py"), default_timeout=60)
    if number is not None:
        page.session_state["export-version"] = number
    return run(page)


def downloads(page: AppTest) -> dict[str, bool]:
    """Whether each file that is offered can be had at once."""
    return {part.proto.label: not part.proto.disabled for part in page.get("download_button")}


def words(page: AppTest) -> str:
    return "\n".join(part.value for part in [*page.markdown, *page.caption, *page.error])


def test_every_format_of_the_shipped_version_is_one_click_away(db):
    page = opened()
    files = [form.file for form in FORMATS.values()]
    assert downloads(page) == dict.fromkeys(["digitlab.json", "MODEL_CARD.md", *files], True)
    assert not page.button
    assert jobs.latest(db, "export") is None


def test_the_figures_are_those_that_were_measured(db):
    said = words(opened())
    for measured in export.of_folder().measured.values():
        assert f"**{100 * measured.accuracy:.2f} %** right, {measured.errors} errors" in said
        assert measured.runtime in said
    assert "Not measured yet" not in said


def test_each_format_comes_with_the_code_that_loads_it(db):
    page = opened()
    assert [code.value for code in page.code] == [
        f.code.rstrip() for f in FORMATS.values() if f.code
    ]
    assert "index.html" in words(page)


def test_tensorflow_js_is_not_offered_and_the_page_says_what_to_use(db):
    assert "TensorFlow.js** is not offered" in words(opened())


def test_the_champion_is_chosen_to_begin_with(db, new_version):
    versions.promote(db, new_version)
    assert opened().selectbox(key="export-version").value == new_version


def test_of_a_new_version_what_is_missing_can_be_made(db, new_version):
    page = opened(new_version)
    ready = [file for file, there in downloads(page).items() if there]
    assert ready == ["digitlab.json", "MODEL_CARD.md", "model.keras", "model_float16.tflite"]
    assert f"{len(FORMATS)} formats of version {new_version}" in words(page)
    assert [button.label for button in page.button] == ["Make all formats"]


def test_making_them_runs_as_a_job_that_can_be_cancelled(db, new_version):
    page = opened(new_version)
    page.button[0].click()
    run(page)
    job = jobs.latest(db, "export")
    assert job.settings == {"version": new_version, "format": "all"}
    assert [button.label for button in page.button] == ["Cancel"]
    page.button[0].click()
    run(page)
    while (job := jobs.get(db, job.id)).active:
        time.sleep(0.1)
    assert job.state == jobs.CANCELLED
    assert [button.label for button in run(page).button] == ["Make all formats"]


def test_a_store_that_can_not_be_opened_leaves_the_shipped_version(tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITLAB_DATABASE_URL", f"sqlite:////proc/{tmp_path.name}/no.db")
    page = opened()
    assert "can't be opened" in words(page)
    assert all(downloads(page).values())
    assert not page.selectbox


def test_showing_exports_never_loads_what_converts(db):
    code = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("pages/export.py", default_timeout=60).run()
assert page.get("download_button") and not page.exception
loaded = {name.split(".")[0] for name in sys.modules}
heavy = loaded & {"tensorflow", "keras", "onnx", "onnxruntime"}
assert not heavy, f"loaded: {heavy}"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
