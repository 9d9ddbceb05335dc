import io
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from corrections import drawn, mnist, same
from databases import at_once, process
from PIL import Image
from sqlalchemy import text, update

from digitlab import crops, samples, schema
from digitlab.database import connect
from digitlab.errors import DataError, DigitLabError
from digitlab.samples import MOST_WRONG, NOT_A_DIGIT, Filter, Sample

SAVE = """
import sys
from corrections import drawn
from digitlab import samples
from digitlab.database import connect
db = connect(sys.argv[1])
sample = drawn(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
print(samples.add(db, sample).id, flush=True)
"""


@pytest.fixture
def twenty(database):
    """A store with twenty samples, numbered from the oldest."""
    return samples.add_all(database, mnist(20)).ids


def test_sample_comes_back_as_it_was_given(database):
    given = drawn(7, said=1)
    (found,) = samples.get(database, [samples.add(database, given).id])
    assert same(found, replace(given, state="pending"))
    assert found.session == "somebody"
    assert found.created.utcoffset() == timedelta(0)


def test_crop_shows_the_digit_with_a_margin():
    image = np.full((100, 200, 3), 255, np.uint8)
    image[40:80, 120:150] = 10
    crop = crops.crop_around(image, (120, 40, 30, 40))
    assert crop.shape == (52, 42, 3)
    assert (crop[6:46, 6:36] == 10).all()


def test_crop_keeps_nothing_but_pixels(database):
    tagged = Image.fromarray(np.full((40, 40, 3), 200, np.uint8))
    exif = Image.Exif()
    exif[0x010F] = "A camera with a name"
    file = io.BytesIO()
    tagged.save(file, "PNG", exif=exif)
    assert b"A camera" in file.getvalue()
    given = replace(drawn(3), crop=file.getvalue())
    (found,) = samples.get(database, [samples.add(database, given).id])
    assert b"A camera" not in found.crop
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(found.crop)).convert("RGB")), tagged)


def test_large_crop_is_made_smaller(database):
    noise = np.random.default_rng(0).integers(0, 256, (900, 1500, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    first = samples.add(database, replace(drawn(3), crop=file.getvalue()))
    (found,) = samples.get(database, [first.id])
    assert Image.open(io.BytesIO(found.crop)).size == (512, 307)
    # What was made smaller is still the same sample, sent large or sent back small.
    assert samples.add(database, replace(drawn(3), crop=file.getvalue())).id == first.id
    assert samples.add(database, replace(drawn(3), crop=found.crop)).id == first.id


def test_same_crop_twice_is_one_sample_with_the_latest_label(database):
    first = samples.add(database, drawn(4))
    second = samples.add(database, drawn(4, said=9))
    assert second.id == first.id
    (found,) = samples.page(database).samples
    assert found.label == 9
    assert found.loss == pytest.approx(drawn(4, said=9).loss)


def test_packing_of_the_same_pixels_does_not_make_another_sample(database):
    given = drawn(4)
    file = io.BytesIO()
    Image.open(io.BytesIO(given.crop)).convert("RGB").save(file, "PNG", compress_level=1)
    assert file.getvalue() != given.crop
    first = samples.add(database, given)
    assert samples.add(database, replace(given, crop=file.getvalue())).id == first.id


def test_another_label_for_an_accepted_sample_waits_for_review(database):
    change = samples.add(database, drawn(4))
    samples.set_state(database, change.ids, "accepted")
    samples.add(database, drawn(4))
    assert samples.get(database, change.ids)[0].state == "accepted"
    samples.add(database, drawn(4, said=9))
    assert samples.get(database, change.ids)[0].state == "pending"


def test_same_crop_from_several_processes_at_once_is_one_sample(empty_url):
    connect(empty_url).close()
    assert len(set(at_once(SAVE, empty_url, "5", processes=3))) == 1
    db = connect(empty_url)
    assert samples.page(db).total == 1
    db.close()


def test_saved_sample_survives_the_kill_of_its_process(empty_url):
    connect(empty_url).close()
    saver = process(SAVE, empty_url, "8")
    assert saver.stdout.readline() == "ready\n"
    saver.stdin.write("go\n")
    saver.stdin.flush()
    number = int(saver.stdout.readline())  # it has only just been told that it is saved
    saver.kill()
    assert saver.wait() == -9
    saver.communicate()
    db = connect(empty_url)
    (found,) = samples.get(db, [number])
    assert same(found, replace(drawn(8), state="pending"))
    db.close()


def test_added_sample_can_be_taken_back(database):
    change = samples.add(database, drawn(2))
    assert samples.undo(database, change) == 1
    assert samples.page(database).total == 0
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM samples")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM pictures")).scalar() == 0
    assert samples.undo(database, change) == 0


def test_taking_back_the_second_answer_leaves_the_first(database):
    samples.add(database, drawn(4, session="first"))
    change = samples.add(database, drawn(4, said=9, session="second"))
    assert samples.undo(database, change) == 1
    (found,) = samples.page(database).samples
    assert (found.label, found.session, found.confirmed) == (4, "first", True)


def test_undo_leaves_alone_what_somebody_changed_since(database):
    change = samples.add(database, drawn(4))
    samples.set_state(database, change.ids, "accepted")
    assert samples.undo(database, change) == 0
    assert samples.page(database).total == 1


def test_answers_are_counted_and_uncounted(database):
    wrong = samples.add(database, drawn(1, said=7))
    samples.add(database, drawn(2))
    samples.count_feedback(database, "1", right=True)
    samples.count_feedback(database, "2", right=False)
    assert samples.feedback_counts(database) == {
        "1": {"right": 2, "wrong": 1},
        "2": {"right": 0, "wrong": 1},
    }
    samples.undo(database, wrong)
    samples.count_feedback(database, "1", right=True, times=-1)
    assert samples.feedback_counts(database)["1"] == {"right": 1, "wrong": 0}


def test_changed_mind_counts_once(database):
    samples.add(database, drawn(1))
    change = samples.add(database, drawn(1, said=7))
    assert samples.feedback_counts(database) == {"1": {"right": 0, "wrong": 1}}
    samples.undo(database, change)
    assert samples.feedback_counts(database) == {"1": {"right": 1, "wrong": 0}}


def test_imported_samples_are_not_counted_as_answers(database, twenty):
    assert samples.feedback_counts(database) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 11}, "11 is no label"),
        ({"label": -1}, "no label"),
        ({"source": "stolen"}, "'stolen' is no source"),
        ({"state": "lost"}, "'lost' is no state"),
        ({"ink": np.zeros((28, 27), np.uint8)}, "28x28"),
        ({"ink": np.zeros((28, 28), np.float32)}, "28x28"),
        ({"probabilities": (0.5,) * 9}, "ten numbers"),
        ({"probabilities": (math.nan,) * 10}, "ten numbers"),
        ({"is_digit": 1.5}, "ten numbers"),
        ({"version": "<script>"}, "no name"),
        ({"crop": b"not a picture"}, "picture"),
        ({"crop": drawn(5).crop[:200] + drawn(5).crop[-12:]}, "damaged"),
    ],
)
def test_sample_that_is_not_in_order_is_refused(database, changes, message):
    good, bad = drawn(3), replace(drawn(5), **changes)
    with pytest.raises(DigitLabError, match=message):
        samples.add_all(database, [good, bad])
    assert samples.page(database).total == 0


def test_loss_is_high_where_the_model_was_sure_and_wrong():
    shares = (0.01,) * 3 + (0.91,) + (0.01,) * 6
    sample = Sample(b"", np.zeros((28, 28), np.uint8), 3, "drawn", shares, 0.5)
    assert sample.loss == pytest.approx(-math.log(0.91 * 0.5))
    assert replace(sample, label=5).loss == pytest.approx(-math.log(0.01 * 0.5))
    assert replace(sample, label=NOT_A_DIGIT).loss == pytest.approx(-math.log(0.5))
    assert replace(sample, probabilities=None).loss == 0


def test_prediction_is_no_digit_where_that_is_likeliest():
    shares = (0.1,) * 10
    sample = Sample(b"", np.zeros((28, 28), np.uint8), 3, "drawn", shares, 0.5)
    assert sample.predicted == NOT_A_DIGIT
    assert replace(sample, is_digit=1.0).predicted == 0
    assert replace(sample, probabilities=None).predicted is None


def test_pages_follow_each_other_without_gap_or_overlap(database, twenty):
    found = [
        sample.id
        for offset in (0, 8, 16)
        for sample in samples.page(database, offset=offset, limit=8).samples
    ]
    assert found == sorted(twenty, reverse=True)
    assert samples.page(database, limit=3).total == 20


def test_most_wrong_come_first(database, twenty):
    losses = [s.loss for s in samples.page(database, sort=MOST_WRONG, limit=20).samples]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == 20


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (Filter(labels=(1, 7)), lambda s: s.label in (1, 7)),
        (Filter(predicted=(3, NOT_A_DIGIT)), lambda s: s.predicted in (3, NOT_A_DIGIT)),
        (Filter(states=("accepted",)), lambda s: s.state == "accepted"),
        (Filter(sources=("camera", "drawn")), lambda s: s.source in ("camera", "drawn")),
        (Filter(versions=("2",)), lambda s: s.version == "2"),
        (Filter(confirmed=True), lambda s: s.confirmed),
        (
            Filter(states=("pending",), versions=("1", "2"), sources=("drawn",)),
            lambda s: s.state == "pending" and s.version in "12" and s.source == "drawn",
        ),
    ],
)
def test_filter_shows_what_it_says(database, wanted, holds):
    samples.add_all(database, [*mnist(30), replace(drawn(3), state="pending")])
    everything = samples.page(database, limit=100).samples
    expected = {s.id for s in everything if holds(s)}
    assert 0 < len(expected) < 31
    page = samples.page(database, wanted, limit=100)
    assert {s.id for s in page.samples} == expected
    assert page.total == len(expected)
    assert set(samples.ids(database, wanted)) == expected
    assert {s.id for s in samples.each(database, wanted)} == expected
    assert samples.counts(database, wanted)["all"] == {"all": len(expected)}


def test_counts_say_how_many_there_are_of_each(database, twenty):
    counts = samples.counts(database)
    assert counts["state"] == {"pending": 7, "accepted": 7, "rejected": 6}
    assert counts["source"] == {"drawn": 5, "uploaded": 5, "camera": 5, "imported": 5}
    assert sum(counts["label"].values()) == 20
    assert samples.counts(database, Filter(states=("rejected",)))["state"] == {"rejected": 6}


def test_relabelling_several_and_taking_it_back(database, twenty):
    before = samples.get(database, twenty)
    change = samples.relabel(database, twenty[:5], NOT_A_DIGIT)
    changed = samples.get(database, twenty[:5])
    assert {s.label for s in changed} == {NOT_A_DIGIT}
    assert [s.loss for s in changed] == pytest.approx(
        [-math.log(1 - s.is_digit) for s in before[:5]]
    )
    by_loss = samples.page(database, sort=MOST_WRONG, limit=20).samples
    assert [s.loss for s in by_loss] == sorted((s.loss for s in by_loss), reverse=True)
    assert samples.undo(database, change) == 5
    assert all(map(same, samples.get(database, twenty), before))


def test_deleted_samples_are_nowhere_until_taken_back(database, twenty):
    change = samples.remove(database, twenty[:6])
    assert samples.page(database).total == 14
    assert len(samples.ids(database)) == len(list(samples.each(database))) == 14
    assert samples.counts(database)["all"]["all"] == 14
    assert not set(samples.accepted(database).ids) & set(twenty[:6])
    assert samples.undo(database, change) == 6
    assert samples.page(database).total == 20


def test_samples_deleted_a_day_ago_are_gone_for_good(database, twenty):
    change = samples.remove(database, twenty[:2])
    long_ago = change.stamp - timedelta(days=1, minutes=1)
    with database.writing() as connection:
        first = update(schema.samples).where(schema.samples.c.id == twenty[0])
        connection.execute(first.values(deleted=long_ago))
    samples.remove(database, twenty[2:3])
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM pictures")).scalar() == 19
    assert samples.undo(database, change) == 1


def test_deleted_crop_that_is_sent_again_is_back(database):
    change = samples.add(database, drawn(6))
    samples.remove(database, change.ids)
    assert samples.add(database, drawn(6)).id == change.id
    assert samples.page(database).total == 1


def test_whole_filter_can_be_accepted_at_once(database):
    many = samples.add_all(database, mnist(1200)).ids  # more than one statement takes
    change = samples.set_state(database, many, "accepted")
    assert samples.counts(database)["state"] == {"accepted": 1200}
    assert samples.undo(database, change) == 1200
    assert samples.counts(database)["state"] == {"pending": 400, "accepted": 400, "rejected": 400}


def test_accepted_samples_come_as_arrays(database, twenty):
    corrections = samples.accepted(database)
    expected = [s for s in samples.get(database, twenty) if s.state == "accepted"]
    assert corrections.ink.shape == (7, 28, 28)
    assert corrections.ink.dtype == np.uint8
    assert np.array_equal(corrections.ink, [s.ink for s in expected])
    assert corrections.labels.tolist() == [s.label for s in expected]
    assert corrections.ids.tolist() == [s.id for s in expected]
    part = corrections[corrections.labels < 5]
    assert (part.labels < 5).all()
    assert len(part) == len(part.digests) == len(part.ink)


def test_nothing_accepted_gives_empty_arrays(database):
    corrections = samples.accepted(database)
    assert corrections.ink.shape == (0, 28, 28)
    assert len(corrections) == 0


@pytest.mark.parametrize("change", [samples.relabel, samples.set_state])
def test_unknown_label_or_state_is_refused(database, twenty, change):
    with pytest.raises(DataError):
        change(database, twenty, 12 if change is samples.relabel else "lost")


def test_changing_samples_that_are_gone_does_nothing(database, twenty):
    samples.remove(database, twenty[:1])
    assert samples.set_state(database, [twenty[0], 10**6], "accepted").ids == ()
