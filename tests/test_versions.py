import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from corrections import drawn, mnist
from databases import at_once
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError

from digitlab import evaluating, samples, schema, versions
from digitlab.database import connect
from digitlab.datasets import mnist_test
from digitlab.errors import ModelError
from digitlab.recognizer import SHIPPED, Recognizer, champion
from digitlab.versions import EVALUATIONS, KERAS, NewVersion

METRICS = json.loads((SHIPPED / "metrics.json").read_text())
MODEL = (SHIPPED / "model.tflite").read_bytes()
NEW = NewVersion("fine-tuned", MODEL, METRICS, parent=1)

PROMOTE = """
import sys
from digitlab import versions
from digitlab.database import connect
db = connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(versions.promote(db, int(sys.argv[2]), "another process").after)
"""

ENSURE = """
import sys
from digitlab import versions
from digitlab.database import connect
db = connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(versions.ensure_shipped(db))
"""


@pytest.fixture
def filled(database):
    """A store with the shipped model in it, as version 1."""
    assert versions.ensure_shipped(database) == 1
    return database


@pytest.fixture
def newer_release(tmp_path):
    """The model folder of a later release of the program, which reads otherwise."""
    folder = tmp_path / "newer"
    shutil.copytree(SHIPPED, folder)
    temperature = METRICS["calibration"]["temperature"] + 0.1
    metrics = METRICS | {"calibration": METRICS["calibration"] | {"temperature": temperature}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


def test_shipped_model_is_version_1_and_champion(filled):
    assert versions.champion_number(filled) == 1
    (only,) = versions.listed(filled)
    assert (only.number, only.kind, only.parent, only.champion) == (1, "shipped", None, True)
    assert only.metrics == METRICS
    assert versions.file(filled, 1) == MODEL


def test_second_start_stores_nothing(filled):
    assert versions.ensure_shipped(filled) == 1
    assert len(versions.listed(filled)) == 1
    assert len(versions.promotion_history(filled)) == 1


def test_servers_that_start_together_store_the_shipped_model_once(empty_url):
    assert at_once(ENSURE, empty_url, processes=3) == ["1"] * 3
    db = connect(empty_url)
    assert len(versions.listed(db)) == 1
    db.close()


def test_what_the_shipped_model_was_seen_to_answer_comes_with_it(filled, newer_release):
    """But not where the folder's model is another one by now."""
    shipped = [path.stem.replace("_", " ") for path in (SHIPPED / EVALUATIONS).iterdir()]
    assert sorted(shipped) == ["mnist test", "robustness"]
    assert all(evaluating.is_current(filled, 1, name) for name in shipped)
    kept = versions.evaluation(filled, 1, "mnist test")
    digits = mnist_test()
    answers = champion().logits(digits.ink[:100])
    assert np.allclose(kept["logits"][:100], answers, atol=1e-4)
    newer = versions.ensure_shipped(filled, newer_release)
    assert versions.evaluation(filled, newer, "mnist test") is None


def test_newer_shipped_model_takes_over_from_a_shipped_one(filled, newer_release):
    assert versions.ensure_shipped(filled, newer_release) == 2
    assert versions.champion_number(filled) == 2
    assert versions.roll_back(filled).after == 1
    # The next start does not undo what a person chose.
    assert versions.ensure_shipped(filled, newer_release) == 2
    assert versions.champion_number(filled) == 1


def test_newer_shipped_model_does_not_replace_one_that_people_trained(filled, newer_release):
    trained = versions.store(filled, NEW)
    versions.promote(filled, trained)
    assert versions.ensure_shipped(filled, newer_release) == 3
    assert versions.champion_number(filled) == trained


def test_damaged_shipped_model_is_reported(database, tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    (tmp_path / "model.tflite").write_bytes(MODEL[:1000])
    with pytest.raises(ModelError):
        versions.ensure_shipped(database, tmp_path)
    assert versions.listed(database) == []


def test_version_comes_back_as_it_was_stored(filled):
    ids = samples.add_all(filled, mnist(12)).ids
    samples.set_state(filled, ids, "accepted")
    used = samples.accepted(filled)
    probabilities = np.random.default_rng(0).random((12, 10), np.float32)
    number = versions.store(
        filled,
        replace(
            NEW,
            keras=b"keras file",
            settings={"steps": 120},
            history={"loss": [0.5, 0.25]},
            card="# Card",
            samples={"learn": used[:8], "held back": used[8:]},
            evaluations={"mnist test": {"probabilities": probabilities}},
        ),
    )
    found = versions.get(filled, number)
    assert (found.number, found.kind, found.parent, found.champion) == (2, "fine-tuned", 1, False)
    assert (found.settings, found.history) == ({"steps": 120}, {"loss": [0.5, 0.25]})
    assert found.card == "# Card"
    assert versions.file(filled, number, KERAS) == b"keras file"
    kept = versions.evaluation(filled, number, "mnist test")["probabilities"]
    assert np.array_equal(kept, probabilities)
    # What it learnt from stays known, whatever becomes of the samples.
    samples.relabel(filled, ids, 3)
    samples.remove(filled, ids)
    learnt = versions.samples_of(filled, number)
    assert learnt["learn"] == dict(zip(used.digests[:8], used.labels[:8], strict=True))
    assert len(learnt["held back"]) == 4


def test_evaluation_can_be_added_and_replaced(filled):
    assert versions.evaluation(filled, 1, "corrections") is None
    versions.save_evaluation(filled, 1, "corrections", {"right": np.array([1, 0])})
    versions.save_evaluation(filled, 1, "corrections", {"right": np.array([1, 1])})
    assert versions.evaluation(filled, 1, "corrections")["right"].tolist() == [1, 1]


@pytest.mark.parametrize(
    "change",
    [
        update(schema.versions).values(card="another"),
        update(schema.versions).values(metrics={}),
        delete(schema.versions),
        update(schema.version_files).values(data=b"another model"),
        delete(schema.version_files),
    ],
)
def test_database_itself_keeps_a_version_from_being_changed(filled, change):
    with pytest.raises(IntegrityError, match="written once"), filled.writing() as connection:
        connection.execute(change)
    assert versions.file(filled, 1) == MODEL


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tflite": b"no model"}, "no model that Digit Lab can run"),
        ({"tflite": MODEL[:5000]}, "no model that Digit Lab can run"),
        ({"metrics": {}}, "calibration"),
        ({"metrics": {"calibration": {"warmth": 3}}}, "calibration"),
        ({"kind": "stolen"}, "no kind"),
    ],
)
def test_version_that_would_not_run_is_not_stored(filled, changes, message):
    with pytest.raises(ModelError, match=message):
        versions.store(filled, replace(NEW, **changes))
    assert len(versions.listed(filled)) == 1


def test_promotion_and_roll_back_move_the_champion(filled):
    for _ in range(3):
        versions.store(filled, NEW)
    assert versions.previous_champion(filled) is None
    versions.promote(filled, 2, "one")
    versions.promote(filled, 4, "two")
    assert versions.previous_champion(filled) == 2
    assert versions.roll_back(filled, "three").after == 2
    versions.promote(filled, 3, "four")
    moves = [(p.before, p.after, p.kind) for p in versions.promotion_history(filled)]
    assert moves == [
        (2, 3, "promotion"),
        (4, 2, "roll back"),
        (2, 4, "promotion"),
        (1, 2, "promotion"),
        (None, 1, "promotion"),
    ]
    assert versions.roll_back(filled).after == 2
    assert versions.roll_back(filled).after == 1
    with pytest.raises(ModelError, match="no earlier champion"):
        versions.roll_back(filled)
    assert versions.champion_number(filled) == 1


def test_promoting_the_champion_again_is_no_move(filled):
    versions.promote(filled, 1)
    assert len(versions.promotion_history(filled)) == 1
    assert versions.previous_champion(filled) is None


def test_version_that_is_missing_or_discarded_can_not_be_promoted(filled):
    with pytest.raises(ModelError, match="no version 7"):
        versions.promote(filled, 7)
    number = versions.store(filled, NEW)
    versions.discard(filled, number)
    with pytest.raises(ModelError, match="discarded"):
        versions.promote(filled, number)
    versions.discard(filled, number, discarded=False)
    assert versions.promote(filled, number).after == number


def test_discarded_versions_are_listed_only_if_asked_for(filled):
    number = versions.store(filled, NEW)
    versions.discard(filled, number)
    assert [v.number for v in versions.listed(filled)] == [1]
    assert [v.number for v in versions.listed(filled, discarded=True)] == [2, 1]


def test_champion_can_not_be_discarded(filled):
    with pytest.raises(ModelError, match="champion"):
        versions.discard(filled, 1)
    with pytest.raises(ModelError, match="no version 7"):
        versions.discard(filled, 7)


def test_discarded_version_is_no_place_to_roll_back_to(filled):
    for _ in range(2):
        versions.store(filled, NEW)
    versions.promote(filled, 2)
    versions.promote(filled, 3)
    versions.discard(filled, 2)
    assert versions.previous_champion(filled) == 1
    assert versions.roll_back(filled).after == 1
    assert versions.previous_champion(filled) is None


def test_stored_version_reads_like_the_file_it_came_from(filled):
    ink = mnist_test().ink[:20]
    stored, shipped = versions.load_recognizer(filled, 1), Recognizer.load()
    assert np.array_equal(stored.classify(ink).probabilities, shipped.classify(ink).probabilities)
    assert stored.calibration == shipped.calibration
    assert stored.version == "1"


def test_first_use_of_the_champion_stores_the_shipped_model(database):
    assert versions.champion_recognizer(database).version == "1"
    assert versions.champion_number(database) == 1


def test_champion_is_kept_between_calls(filled):
    assert versions.champion_recognizer(filled) is versions.champion_recognizer(filled)


def test_own_promotion_is_noticed_at_once(filled):
    versions.champion_recognizer(filled)
    versions.promote(filled, versions.store(filled, NEW))
    assert versions.champion_recognizer(filled).version == "2"
    versions.roll_back(filled)
    assert versions.champion_recognizer(filled).version == "1"


def test_promotion_by_another_process_fails_no_prediction(filled, monkeypatch):
    monkeypatch.setattr(versions, "LOOK_SECONDS", 0.05)
    number = versions.store(filled, NEW)
    sample = drawn(5)
    swapped = threading.Event()

    def predict(index: int) -> tuple[str, int]:
        if index == 50:
            at_once(PROMOTE, filled.url, str(number), processes=1)
        recognizer = versions.champion_recognizer(filled)
        label = int(recognizer.classify(sample.ink[None]).probabilities.argmax())
        if recognizer.version == str(number):
            swapped.set()
        return recognizer.version, label

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(predict, range(200)))
        while not swapped.is_set():  # the promotion may take longer than 200 predictions
            answers += pool.map(predict, range(51, 60))
    assert {label for _, label in answers} == {sample.predicted}
    assert {version for version, _ in answers} == {"1", str(number)}


def test_recognition_goes_on_when_the_database_goes_away(postgresql, migrated):
    url = postgresql.create(migrated)
    db = connect(url)
    versions.ensure_shipped(db)
    versions.promote(db, versions.store(db, NEW))
    assert versions.champion_recognizer(db).version == "2"
    postgresql.drop(url)
    versions.look_again(db)
    assert versions.champion_recognizer(db).version == "2"
    db.close()


def test_recognition_works_with_the_shipped_model_without_a_database(postgresql, migrated):
    url = postgresql.create(migrated)
    db = connect(url)
    postgresql.drop(url)
    for without in (db, None):
        recognizer = versions.champion_recognizer(without)
        assert recognizer.classify(drawn(5).ink[None]).probabilities.argmax() == 5
    db.close()


def stored_files(db) -> int:
    with db.reading() as connection:
        return connection.execute(text("SELECT count(*) FROM version_files")).scalar()


def test_version_is_stored_whole_or_not_at_all(filled):
    before = stored_files(filled)
    samples.set_state(filled, samples.add_all(filled, mnist(2)).ids, "accepted")
    twice = samples.accepted(filled)[[0, 0]]  # refused by the database, after the files went in
    with pytest.raises(IntegrityError):
        versions.store(filled, replace(NEW, samples={"learn": twice}))
    assert [v.number for v in versions.listed(filled)] == [1]
    assert stored_files(filled) == before
