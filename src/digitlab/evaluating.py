"""A version's evaluation: computed once, in a process of its own, and kept with the version.

What is kept are predictions, and the scores that scikit-learn makes of them; whatever else is
shown of them is quick to work out by `evaluation`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from digitlab import evaluation, samples, versions
from digitlab.database import Database
from digitlab.datasets import Digits, mnist_test
from digitlab.degradation import CHANGES, Change, as_ink, as_page
from digitlab.errors import DataError
from digitlab.evaluation import Predictions, Scores
from digitlab.recognizer import Calibration, Recognizer, beliefs_from
from digitlab.samples import Corrections, Filter
from digitlab.versions import Version

if TYPE_CHECKING:
    from digitlab.job_process import Report

MNIST, CORRECTIONS, ROBUSTNESS = SETS = ("mnist test", "corrections", "robustness")
"""What a version can be evaluated on, by the names under which that is kept."""

FORM = 1  # of what is kept; another one is computed anew
EACH = 20  # of each digit, for robustness
TIMED = 300  # digits that are read one by one to see how long one takes
NO_DIGIT = -1  # stands for an answer that is not exactly one digit
_PART = 250  # digits between two reports
_COST = {MNIST: 10.0, CORRECTIONS: 2.0, ROBUSTNESS: 190.0}  # seconds, roughly, for the progress
_SCORE = "score "

Tell = Callable[[int, int], None]
"""Gets how many are done, and of how many; what it raises stops the work."""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What is kept of a version on a set of digits.

    Attributes
    ----------
    predictions : of each image, in the order of the set.
    scores : the standard ones.
    milliseconds : (m,) float32, how long each of some digits took, one by one; may be empty.
    ids, digests : (n,) of the corrections, to find their pictures again; empty for MNIST.
    """

    predictions: Predictions
    scores: Scores
    milliseconds: np.ndarray
    ids: np.ndarray
    digests: np.ndarray


@dataclass(frozen=True, eq=False)
class Curve:
    """How many are still read right, the more a picture is changed.

    Attributes
    ----------
    name, unit : of the change, and of its strength.
    strengths : (k,) float64, rising, the one that changes nothing among them.
    prepared, straight : (k,) int64, how many of `images` are right with all of our
        preprocessing, and straight into the network.
    images : how many there were.
    """

    name: str
    unit: str
    strengths: np.ndarray
    prepared: np.ndarray
    straight: np.ndarray
    images: int


def run(db: Database, report: "Report", settings: Mapping) -> None:
    """The job: evaluate versions on sets, and keep each as soon as it is whole.

    Parameters
    ----------
    settings : "versions", their numbers; "sets", of SETS. What is kept already is left out.

    Raises
    ------
    DataError for an unknown set; ModelError for an unknown version; Cancelled, and then the set
    that was being worked on is as it was before.
    """
    parts = [(name, number) for name in settings["sets"] for number in settings["versions"]]
    unknown = {name for name, _ in parts} - set(SETS)
    if unknown:
        raise DataError(f"There is no set {min(unknown)!r} to evaluate on: use {', '.join(SETS)}.")
    parts = [(name, number) for name, number in parts if not is_current(db, number, name)]
    whole = sum(_COST[name] for name, _ in parts)
    spent = 0.0
    for name, number in parts:

        def tell(done: int, total: int, name=name, number=number, before=spent) -> None:
            share = (before + _COST[name] * done / max(1, total)) / whole
            report.stage(f"version {number} on {DESCRIBED[name]}", share, version=number, set=name)

        tell(0, 1)
        versions.save_evaluation(db, number, name, _EVALUATE[name](db, number, tell))
        report.log(f"version {number} on {DESCRIBED[name]}: done")
        spent += _COST[name]
    report.stage("done", 1.0)


DESCRIBED = {
    MNIST: "the MNIST test set",
    CORRECTIONS: "the accepted corrections",
    ROBUSTNESS: "changed pictures",
}


def is_current(db: Database, number: int, name: str) -> bool:
    """Whether a version's evaluation on a set is kept and still true. Raises StoreError.

    Corrections may have been accepted, rejected or relabelled since.
    """
    kept = _kept(db, number, name)
    if kept is None:
        return name == CORRECTIONS and not samples.ids(db, _ACCEPTED)
    if name != CORRECTIONS:
        return True
    counts = samples.counts(db, _ACCEPTED)["label"]
    labels, times = np.unique(kept["labels"], return_counts=True)
    same = set(kept["ids"].tolist()) == set(samples.ids(db, _ACCEPTED))
    return same and counts == dict(zip(labels.tolist(), times.tolist(), strict=True))


_ACCEPTED = Filter(states=("accepted",))


def load(db: Database, version: Version, name: str) -> Evaluated | None:
    """What is kept of a version on MNIST or CORRECTIONS; None if nothing is. Raises StoreError."""
    kept = _kept(db, version.number, name)
    if kept is None:
        return None
    calibration = Calibration(**version.metrics["calibration"])
    labels = mnist_digits().labels if name == MNIST else kept["labels"]
    return Evaluated(
        _predictions(labels, kept["logits"], calibration),
        _unpacked(kept),
        kept.get("milliseconds", np.empty(0, np.float32)),
        kept.get("ids", np.empty(0, np.int64)),
        kept.get("digests", np.empty(0, "U64")),
    )


def evaluate(recognizer: Recognizer, digits: Digits | Corrections, tell: Tell) -> Evaluated:
    """Predictions and scores of a recogniser on any labelled ink, without keeping them."""
    logits = read(recognizer, digits.ink, tell)
    predictions = _predictions(digits.labels, logits, recognizer.calibration)
    none = np.empty(0)
    return Evaluated(predictions, evaluation.score(predictions), none, none, none)


def curves(db: Database, number: int) -> list[Curve]:
    """A version's robustness, one curve for each change; empty if it was not measured yet."""
    kept = _kept(db, number, ROBUSTNESS)
    if kept is None:
        return []
    labels = mnist_digits().labels[kept["places"]].astype(int)
    return [_curve(kept, labels, change) for change in CHANGES]


@cache
def mnist_digits() -> Digits:
    """MNIST's test set, read once in a process."""
    return mnist_test()


def robustness_places(labels: np.ndarray) -> np.ndarray:
    """Places of the first EACH of every digit among `labels`, in order: (200,) int64."""
    return np.sort(np.concatenate([np.flatnonzero(labels == d)[:EACH] for d in range(10)]))


def _kept(db: Database, number: int, name: str) -> dict[str, np.ndarray] | None:
    """The arrays of an evaluation that is whole and in today's form; logits alone are not."""
    kept = versions.evaluation(db, number, name)
    return kept if kept is not None and kept.get("form") == FORM else None


def _predictions(labels: np.ndarray, logits: np.ndarray, calibration: Calibration) -> Predictions:
    beliefs = beliefs_from(logits, np.empty(0), calibration.temperature, calibration.others)
    return Predictions(np.asarray(labels, np.int64), beliefs)


def _on_mnist(db: Database, number: int, tell: Tell) -> dict[str, np.ndarray]:
    before = versions.evaluation(db, number, MNIST) or {}  # training keeps its logits
    recognizer = versions.load_recognizer(db, number)
    return before | on_mnist(recognizer, tell, before.get("logits"))


def on_mnist(
    recognizer: Recognizer, tell: Tell, logits: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """What is kept of a recogniser on the MNIST test set; `logits` where they are known."""
    digits = mnist_digits()
    if logits is None or logits.shape != (len(digits.labels), 11):
        logits = read(recognizer, digits.ink, tell)
    predictions = _predictions(digits.labels, logits, recognizer.calibration)
    timed = milliseconds(recognizer, digits.ink[:TIMED])
    tell(1, 1)
    return {"logits": logits, "milliseconds": timed} | _packed(evaluation.score(predictions))


def _on_corrections(db: Database, number: int, tell: Tell) -> dict[str, np.ndarray]:
    found = samples.accepted(db)
    recognizer = versions.load_recognizer(db, number)
    logits = read(recognizer, found.ink, tell)
    predictions = _predictions(found.labels, logits, recognizer.calibration)
    known = {"labels": found.labels, "ids": found.ids, "digests": found.digests}
    return {"logits": logits} | known | _packed(evaluation.score(predictions))


def read(recognizer: Recognizer, ink: np.ndarray, tell: Tell) -> np.ndarray:
    """A recogniser's raw scores, (n, 11) float32, for `ink` (n, 28, 28) uint8."""
    parts = []
    for start in range(0, len(ink), _PART):
        tell(start, len(ink))
        parts.append(recognizer.logits(ink[start : start + _PART]))
    tell(len(ink), len(ink))
    return np.concatenate(parts)


def milliseconds(recognizer: Recognizer, ink: np.ndarray) -> np.ndarray:
    """How long each digit takes from its ink to probabilities, one by one."""
    recognizer.classify(ink[:1])  # the first call makes ready
    spent = []
    for piece in ink:
        began = time.perf_counter()
        recognizer.classify(piece[None])
        spent.append((time.perf_counter() - began) * 1000)
    return np.array(spent, np.float32)


def _on_changed(db: Database, number: int, tell: Tell) -> dict[str, np.ndarray]:
    return on_changed(versions.load_recognizer(db, number), tell)


def on_changed(recognizer: Recognizer, tell: Tell) -> dict[str, np.ndarray]:
    """What is read in changed pictures, (strengths, images) int8 for each change and way."""
    digits = mnist_digits()
    places = robustness_places(digits.labels)
    pages = [as_page(ink) for ink in digits.ink[places]]
    steps = [(change, strength) for change in CHANGES for strength in change.strengths]
    rows = [_read_pages(recognizer, pages, lambda: tell(0, len(steps) + 1))]
    for done, (change, strength) in enumerate(steps, 1):
        changed = [_changed(page, change, strength, i) for i, page in enumerate(pages)]
        rows.append(_read_pages(recognizer, changed, lambda done=done: tell(done, len(steps) + 1)))
    return {
        "change": np.array(["", *(change.name for change, _ in steps)]),
        "strength": np.array([0.0, *(strength for _, strength in steps)]),
        "prepared": np.array([prepared for prepared, _ in rows], np.int8),
        "straight": np.array([straight for _, straight in rows], np.int8),
        "places": places,
        "form": np.array(FORM),
    }


def _changed(page: np.ndarray, change: Change, strength: float, number: int) -> np.ndarray:
    """A page, changed in the same random direction at every strength."""
    return change.apply(page, strength, np.random.default_rng([2026, number]))


def _read_pages(
    recognizer: Recognizer, pages: list[np.ndarray], tell: Callable[[], None]
) -> tuple[list[int], np.ndarray]:
    """What is read in each page with all of our preprocessing, and straight by the network."""
    prepared = []
    for page in pages:
        tell()
        text = recognizer.recognize(page).text
        prepared.append(int(text) if len(text) == 1 else NO_DIGIT)
    straight = recognizer.classify(np.stack([as_ink(page) for page in pages]))
    return prepared, straight.probabilities.argmax(1)


def _curve(kept: dict[str, np.ndarray], labels: np.ndarray, change: Change) -> Curve:
    """One change's rows and the unchanged one, by strength."""
    own = np.flatnonzero((kept["change"] == change.name) | (kept["change"] == ""))
    strengths = np.where(kept["change"][own] == "", change.neutral, kept["strength"][own])
    order = own[np.argsort(strengths)]
    return Curve(
        change.name,
        change.unit,
        np.sort(strengths),
        (kept["prepared"][order] == labels).sum(1),
        (kept["straight"][order] == labels).sum(1),
        len(labels),
    )


def _packed(scores: Scores) -> dict[str, np.ndarray]:
    """Scores as arrays to keep, with the form that says what is kept."""
    own = {_SCORE + f.name: np.asarray(getattr(scores, f.name)) for f in fields(Scores)}
    return own | {"form": np.array(FORM)}


def _unpacked(kept: Mapping[str, np.ndarray]) -> Scores:
    values = {f.name: kept[_SCORE + f.name] for f in fields(Scores)}
    return Scores(**{name: v if v.ndim else v.item() for name, v in values.items()})


_EVALUATE = {MNIST: _on_mnist, CORRECTIONS: _on_corrections, ROBUSTNESS: _on_changed}
