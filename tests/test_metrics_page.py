"""The Metrics page, run by Streamlit's own test harness on a store with known answers."""

import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from corrections import mnist
from handwriting import centred, on_white, written
from streamlit.testing.v1 import AppTest

from digitlab import evaluating, evaluation_tables, jobs, samples, versions
from digitlab.database import connect
from digitlab.datasets import mnist_test
from digitlab.degradation import CHANGES
from digitlab.evaluating import CORRECTIONS, EACH, MNIST, ROBUSTNESS
from digitlab.recognizer import SHIPPED
from digitlab.versions import NewVersion

ROOT = Path(__file__).resolve().parents[1]
MODEL = (SHIPPED / "model.tflite").read_bytes()
METRICS = json.loads((SHIPPED / "metrics.json").read_text())


LIGHT = """
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("pages/metrics.py", default_timeout=60).run()
assert not page.exception, page.exception
assert "Brier score" in " ".join(part.value for part in page.markdown)
heavy = {name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras", "sklearn", "scipy"}
assert not heavy, f"loaded: {heavy}"
"""


@pytest.fixture
def store(tmp_path, monkeypatch, bare_model):
    """The store that the page opens, with the shipped model in it, not yet evaluated."""
    monkeypatch.setenv("DIGITLAB_HOME", str(tmp_path))
    monkeypatch.delenv("DIGITLAB_DATABASE_URL", raising=False)
    db = connect(f"sqlite:///{tmp_path}/digitlab.db")
    versions.ensure_shipped(db, bare_model)
    yield db
    db.close()


def answering(wrong: dict[int, int]) -> np.ndarray:
    """Logits that answer the MNIST test set right but for these places."""
    labels = mnist_test().labels.copy()
    labels[list(wrong)] = list(wrong.values())
    logits = np.zeros((len(labels), 11), np.float32)
    logits[np.arange(len(labels)), labels] = 9
    return logits


class Silence:
    """Takes the reports of a job."""

    def stage(self, *what, **numbers):
        pass

    def log(self, line):
        pass


def evaluated(db, number: int, wrong: dict[int, int]) -> None:
    """A version's evaluation on MNIST, with errors that are known."""
    versions.save_evaluation(db, number, MNIST, {"logits": answering(wrong)})
    evaluating.run(db, Silence(), {"versions": [number], "sets": [MNIST]})


def second_version(db) -> int:
    rows = [{"step": i, "loss": 1.0, "held_back_right": 0.5} for i in range(3)]
    new = NewVersion("fine-tuned", MODEL, METRICS, parent=1, history={"rows": rows})
    return versions.store(db, new)


def opened(part: str = "Overview", name: str = MNIST, **state) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "metrics.py"), default_timeout=60)
    page.session_state["metrics-part"] = part
    page.session_state["metrics-set"] = name
    for key, value in state.items():
        page.session_state[key.replace("_", "-")] = value
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error, *page.warning]
    return "\n".join(part.value for part in parts)


def pictures(page: AppTest) -> str:
    return " ".join(part.proto.body for part in page.get("html"))


def test_first_visit_starts_the_evaluation_and_says_how_far_it_is(store):
    page = opened()
    job = jobs.latest(store, "evaluate")
    assert job.settings == {"versions": [1], "sets": [MNIST]}
    assert "Reading the set with version 1" in words(page)
    assert [b.label for b in page.button] == ["Cancel"]
    page.button[0].click().run()
    while job.active:
        job = jobs.get(store, job.id)
    assert job.state == jobs.CANCELLED
    assert versions.evaluation(store, 1, MNIST) is None
    page.run()  # what was cancelled is not started again unasked
    assert "It was cancelled" in words(page)
    assert [b.label for b in page.button] == ["Evaluate again"]
    assert len(jobs.listed(store, "evaluate")) == 1


def test_overview_says_what_was_computed(store):
    evaluated(store, 1, {5: 8, 6: 1})
    text = words(opened())
    assert "| Accuracy | 99.98 % (95 % interval 99.93 % to 99.99 %) |" in text
    assert "| Errors | 2 of 10,000 |" in text
    assert f"| Parameters | {METRICS['parameters']:,} |" in text
    assert f"| File | {len(MODEL) / 1000:,.0f} kB |" in text
    assert "| Time per digit |" in text
    card = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")
    (made,) = re.findall(r"about ([\d,]+) drawings", card)
    assert f"| MNIST and {made} drawings, each as strokes and as a photograph |" in text


def test_two_versions_are_paired_side_by_side(store):
    number = second_version(store)
    evaluated(store, 1, {5: 8, 6: 1})
    evaluated(store, number, {6: 1, 7: 2, 8: 2})
    page = opened(metrics_version=1, metrics_other=number)
    text = words(page)
    assert "| | Version 1 | Version 2 |" in text
    assert "| Errors | 2 of 10,000 | 3 of 10,000 |" in text
    assert "right on **1** that version 1 gets wrong, and wrong on **2**" in text
    assert len(page.dataframe) == 2


def test_cell_of_the_confusion_matrix_opens_its_images(store):
    evaluated(store, 1, {5: 8, 14: 8, 6: 1})  # images 5 and 14 are ones, image 6 is a four
    page = opened("Confusion")
    (box,) = [b for b in page.selectbox if b.label == "Cell"]
    assert box.value == (1, 8)  # the most frequent error comes first
    assert pictures(page).count("<li") == 2
    assert 'data-place="5"' in pictures(page)
    assert 'data-place="14"' in pictures(page)
    box.set_value((4, 1)).run()
    assert "4 read as 1" in pictures(page)
    assert pictures(page).count("<li") == 1


def test_large_cell_shows_more_on_request(store):
    evaluated(store, 1, {5: 8})
    page = opened("Confusion")
    (box,) = [b for b in page.selectbox if b.label == "Cell"]
    box.set_value((0, 0)).run()
    assert pictures(page).count("<li") == 24
    (more,) = [b for b in page.button if b.label == "Show more: 956 left"]
    more.click().run()
    assert pictures(page).count("<li") == 48


def test_mistakes_and_the_hardest_are_shown(store):
    evaluated(store, 1, {5: 8, 6: 1})
    page = opened("Mistakes")
    assert "2 wrong of 10,000" in words(page)
    assert pictures(page).count("<li") == 2
    page.session_state["gallery-kind"] = "Hardest that were read right"
    page.run()
    assert "9,998 right of 10,000" in words(page)


def test_calibration_says_what_can_be_read_without_a_second_look(store):
    evaluated(store, 1, {5: 8, 6: 1})
    page = opened("Calibration")
    assert "**100.00 %** can be read at 99.9 % accuracy" in words(page)
    assert len(page.get("plotly_chart")) == 2


def test_robustness_is_offered_and_shown_once_measured(store):
    page = opened("Robustness")
    assert "Not measured yet for version 1" in words(page)
    assert [b.label for b in page.button] == ["Measure robustness"]
    steps = [(c.name, s) for c in CHANGES for s in c.strengths]
    places = evaluating.robustness_places(mnist_test().labels)
    answers = np.tile(mnist_test().labels[places], (len(steps) + 1, 1)).astype(np.int8)
    kept = {
        "change": np.array(["", *(name for name, _ in steps)]),
        "strength": np.array([0.0, *(strength for _, strength in steps)]),
        "prepared": answers,
        "straight": answers,
        "places": places,
        "form": np.array(evaluating.FORM),
    }
    versions.save_evaluation(store, 1, ROBUSTNESS, kept)
    page = opened("Robustness")
    assert f"{10 * EACH} digits" in words(page)
    assert len(page.get("plotly_chart")) == 1
    assert not page.button


def test_failed_evaluation_is_said_and_can_be_started_again(store):
    failed = jobs.start(store, "evaluate", {"versions": [1], "sets": [MNIST]})
    jobs.finish(store, failed.id, jobs.FAILED, error="The disk is full.")
    page = opened()
    assert "The evaluation failed.** The disk is full." in words(page)
    assert [b.label for b in page.button] == ["Evaluate again"]
    page.button[0].click().run()
    again = jobs.latest(store, "evaluate")
    assert again.id > failed.id
    jobs.cancel(store, again.id)
    while again.active:
        again = jobs.get(store, again.id)


def test_training_curves_come_from_the_history(store):
    number = second_version(store)
    page = opened("Training", metrics_version=number)
    assert len(page.get("plotly_chart")) == 2
    shipped = versions.get(store, 1)
    rows = json.loads((SHIPPED / "history.json").read_text())
    assert evaluation_tables.history(shipped) == rows
    assert len(opened("Training", metrics_version=1).get("plotly_chart")) == 2


def test_without_corrections_the_page_says_how_to_get_them(store):
    page = opened(name=CORRECTIONS)
    assert "There are no accepted corrections yet" in words(page)
    assert jobs.latest(store, "evaluate") is None


def test_corrections_that_a_version_learnt_are_told_apart(store):
    many = [replace(sample, state="accepted") for sample in mnist(10)]
    samples.add_all(store, many)
    parts = {"learn": samples.accepted(store)[:6], "held back": samples.accepted(store)[6:]}
    new = NewVersion("fine-tuned", MODEL, METRICS, parent=1, samples=parts)
    number = versions.store(store, new)
    evaluating.run(store, Silence(), {"versions": [number], "sets": [CORRECTIONS]})
    text = words(opened(name=CORRECTIONS, metrics_version=number))
    assert "has learnt from 6 of these 10 corrections. Of the 4 others" in text
    assert "6 corrections, going on from version 1" in text


def test_own_zip_is_read_and_judged(store):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for digit in "0147":
            picture = cv2.imencode(".png", on_white(centred(written(digit))))[1].tobytes()
            archive.writestr(f"{digit}/a.png", picture)
        archive.writestr("3/wrong.png", picture)  # a 7 in the wrong folder
    page = opened(name="upload")
    assert "No file yet" in words(page)
    page.file_uploader[0].upload("mine.zip", file.getvalue()).run()
    assert not page.exception
    assert "| Errors | 1 of 5 |" in words(page)


def test_own_file_that_is_none_is_named(store):
    page = opened(name="upload")
    page.file_uploader[0].upload("mine.npz", b"PK\x03\x04 no archive").run()
    assert not page.exception
    assert "mine.npz can't be used" in words(page)


def test_csv_holds_every_number_of_a_table(store):
    rows = [{"a": 1, "b": 0.1}, {"a": 2, "c": None}]
    assert evaluation_tables.to_csv(rows).decode().splitlines() == ["a,b,c", "1,0.1,", "2,,"]
    evaluated(store, 1, {5: 8})
    found = evaluating.load(store, versions.get(store, 1), MNIST)
    cells = evaluation_tables.confusion_rows(found.scores.confusion)
    assert sum(row["images"] for row in cells) == 10_000
    (error,) = [row for row in cells if row["images"] and row["is"] != row["read as"]]
    assert (error["is"], error["read as"], error["images"]) == ("1", "8", 1)
    (row,) = evaluation_tables.prediction_rows(found, [5])
    assert (row["image"], row["is"], row["read as"]) == (5, "1", "8")
    assert sum(v for k, v in row.items() if k.startswith("probability")) == pytest.approx(1)


def test_page_of_a_kept_evaluation_loads_nothing_heavy(store):
    evaluated(store, 1, {5: 8})
    command = [sys.executable, "-c", LIGHT]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
