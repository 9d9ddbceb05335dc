"""The evaluation of a version: what is predicted, what is kept, and what a cancelled one leaves."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from corrections import mnist

from digitlab import degradation, evaluating, jobs, samples, versions
from digitlab.database import connect
from digitlab.datasets import mnist_test
from digitlab.degradation import CHANGES, as_ink, as_page
from digitlab.errors import Cancelled, DataError, ModelError
from digitlab.evaluating import CORRECTIONS, MNIST, ROBUSTNESS
from digitlab.recognizer import champion
from digitlab.samples import NOT_A_DIGIT

FEW = 400
SHIFT, NOISE = (c for c in CHANGES if c.name in ("shift", "noise"))
TWO = (replace(SHIFT, strengths=(2, 9)), replace(NOISE, strengths=(20,)))


class Listener:
    """Takes a job's reports; raises at one of them as if somebody cancelled."""

    def __init__(self, cancel_at: float = 2.0):
        self.shares, self.lines, self._cancel_at = [], [], cancel_at

    def stage(self, name, share, **numbers):
        self.shares.append(share)
        if share >= self._cancel_at:
            raise Cancelled("It was cancelled.")

    def log(self, line):
        self.lines.append(line)


@pytest.fixture
def few(monkeypatch):
    """The first digits of the MNIST test set in the place of all, to be quick."""
    digits = mnist_test()
    part = digits._replace(ink=digits.ink[:FEW], labels=digits.labels[:FEW])
    monkeypatch.setattr(evaluating, "mnist_digits", lambda: part)
    monkeypatch.setattr(evaluating, "TIMED", 5)
    monkeypatch.setattr(evaluating, "EACH", 1)
    monkeypatch.setattr(evaluating, "CHANGES", TWO)
    return part


@pytest.fixture
def store(tmp_path, migrated_file, bare_model):
    """A store with the shipped model in it, not yet evaluated."""
    shutil.copy(migrated_file, tmp_path / "digitlab.db")
    db = connect(f"sqlite:///{tmp_path}/digitlab.db")
    versions.ensure_shipped(db, bare_model)
    yield db
    db.close()


def evaluate(db, *sets: str, cancel_at: float = 2.0) -> Listener:
    listener = Listener(cancel_at)
    evaluating.run(db, listener, {"versions": [1], "sets": list(sets)})
    return listener


def accept(db, count: int, label: int | None = None):
    """Accepted corrections: digits of MNIST, with their label or with another one."""
    many = [replace(sample, state="accepted") for sample in mnist(count)]
    if label is not None:
        many = [replace(sample, label=label) for sample in many]
    return samples.add_all(db, many).ids


def test_evaluation_is_what_the_version_answers(store, few):
    evaluate(store, MNIST)
    kept = evaluating.load(store, versions.get(store, 1), MNIST)
    beliefs = champion().classify(few.ink)
    assert (kept.predictions.answers == beliefs.probabilities.argmax(1)).all()
    assert np.allclose(kept.predictions.confidence, beliefs.confidence, atol=1e-6)
    wrong = int((beliefs.probabilities.argmax(1) != few.labels).sum())
    assert (kept.scores.images, kept.scores.errors) == (FEW, wrong)
    assert kept.milliseconds.shape == (5,)
    assert (kept.milliseconds > 0).all()


def test_what_is_kept_is_not_computed_again(store, few):
    assert not evaluating.is_current(store, 1, MNIST)
    evaluate(store, MNIST)
    assert evaluating.is_current(store, 1, MNIST)
    assert evaluate(store, MNIST).lines == []


def test_logits_that_training_kept_are_used(store, few):
    logits = np.zeros((FEW, 11), np.float32)
    logits[:, 7] = 9
    versions.save_evaluation(store, 1, MNIST, {"logits": logits})
    version = versions.get(store, 1)
    assert evaluating.load(store, version, MNIST) is None
    evaluate(store, MNIST)
    sevens = int((few.labels == 7).sum())
    assert evaluating.load(store, version, MNIST).scores.right == sevens


def test_cancelled_evaluation_leaves_nothing_half_stored(store, few):
    for share in (0.0, 0.3, 0.6):
        with pytest.raises(Cancelled):
            evaluate(store, MNIST, cancel_at=share)
        assert versions.evaluation(store, 1, MNIST) is None
    for share in (0.0, 0.7):
        with pytest.raises(Cancelled):
            evaluate(store, ROBUSTNESS, cancel_at=share)
        assert versions.evaluation(store, 1, ROBUSTNESS) is None


def test_set_that_was_done_before_the_cancellation_is_kept_whole(store, few):
    with pytest.raises(Cancelled):
        evaluate(store, MNIST, ROBUSTNESS, cancel_at=0.5)
    assert evaluating.is_current(store, 1, MNIST)
    assert versions.evaluation(store, 1, ROBUSTNESS) is None


def test_progress_rises_from_nothing_to_all(store, few):
    accept(store, 4)
    shares = evaluate(store, MNIST, CORRECTIONS, ROBUSTNESS).shares
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_corrections_are_evaluated_with_their_labels_and_ids(store):
    ids = accept(store, 8)
    evaluate(store, CORRECTIONS)
    kept = evaluating.load(store, versions.get(store, 1), CORRECTIONS)
    assert tuple(kept.ids) == ids
    assert kept.predictions.labels.tolist() == mnist_test().labels[:8].tolist()
    assert kept.scores.images == 8


def test_what_is_no_digit_is_a_class_among_the_corrections(store):
    accept(store, 3, label=NOT_A_DIGIT)
    evaluate(store, CORRECTIONS)
    kept = evaluating.load(store, versions.get(store, 1), CORRECTIONS)
    assert kept.scores.confusion.shape == (11, 11)
    assert kept.scores.errors == 3  # they are digits in truth


@pytest.mark.parametrize("change", ["accepted", "rejected", "relabelled"])
def test_changed_corrections_make_their_evaluation_stale(store, change):
    ids = accept(store, 6)
    evaluate(store, CORRECTIONS)
    assert evaluating.is_current(store, 1, CORRECTIONS)
    if change == "accepted":
        accept(store, 7)
    elif change == "rejected":
        samples.set_state(store, ids[:1], "rejected")
    else:
        samples.relabel(store, ids[:1], 9)
    assert not evaluating.is_current(store, 1, CORRECTIONS)
    evaluate(store, CORRECTIONS)
    assert evaluating.is_current(store, 1, CORRECTIONS)


def test_without_corrections_there_is_nothing_to_do(store):
    assert evaluating.is_current(store, 1, CORRECTIONS)
    assert evaluate(store, CORRECTIONS).lines == []


def test_unknown_set_and_version_are_said(store):
    with pytest.raises(DataError, match="no set 'letters'"):
        evaluate(store, "letters")
    with pytest.raises(ModelError, match="no version 9"):
        evaluating.run(store, Listener(), {"versions": [9], "sets": [MNIST]})


def test_job_evaluates_in_a_process_of_its_own(database, monkeypatch):
    versions.ensure_shipped(database)
    accept(database, 5)
    job = jobs.start(database, "evaluate", {"versions": [1], "sets": [CORRECTIONS]})
    while job.active:
        job = jobs.get(database, job.id)
    assert (job.state, job.error) == (jobs.DONE, None)
    assert evaluating.is_current(database, 1, CORRECTIONS)


def test_robustness_has_a_curve_for_each_change_through_the_unchanged(store, few):
    assert evaluating.curves(store, 1) == []
    evaluate(store, ROBUSTNESS)
    shift, noise = evaluating.curves(store, 1)
    assert (shift.name, shift.images, noise.name) == ("shift", 10, "noise")
    assert shift.strengths.tolist() == [0, 2, 9]
    assert noise.strengths.tolist() == [0, 20]
    for curve in (shift, noise):
        assert min(curve.prepared[0], curve.straight[0]) >= 9  # nothing is changed there
        assert curve.prepared[-1] > curve.straight[-1]  # out of the frame, or under the grain


def test_digits_for_robustness_are_the_first_of_each():
    labels = mnist_test().labels
    places = evaluating.robustness_places(labels)
    assert np.bincount(labels[places]).tolist() == [evaluating.EACH] * 10
    assert places.tolist() == sorted(set(places.tolist()))
    assert (labels[: places[-1]] == labels[places[-1]]).sum() == evaluating.EACH - 1


def test_page_shrunk_again_is_nearly_the_same_ink():
    ink = mnist_test().ink[:50]
    back = np.stack([as_ink(as_page(piece)) for piece in ink]).astype(int)
    assert np.abs(back - ink).mean() < 6


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_each_change_changes_more_the_stronger_it_is(change):
    page = as_page(mnist_test().ink[3])

    def difference(strength: float) -> float:
        changed = change.apply(page, strength, np.random.default_rng(1))
        assert changed.shape == page.shape
        assert changed.dtype == np.uint8
        return float(np.abs(changed.astype(int) - page).mean())

    assert difference(change.neutral) == 0
    below = [difference(s) for s in change.strengths if s < change.neutral]
    above = [difference(s) for s in change.strengths if s > change.neutral]
    assert below == sorted(below, reverse=True)
    assert above == sorted(above)
    assert len(set(below + above)) > 2
    assert min(below + above) > 0


def test_positive_rotation_is_clockwise_and_the_digit_stays_in_the_middle():
    page = np.full((degradation.PAGE, degradation.PAGE), 255, np.uint8)
    page[40:60, 108:116] = 0  # above the middle
    turn = next(change for change in CHANGES if change.name == "rotation")
    turned = turn.apply(page, 45, np.random.default_rng(0))
    rows, columns = np.nonzero(turned < 128)
    assert columns.mean() > degradation.PAGE / 2 + 20
    assert rows.mean() < degradation.PAGE / 2
