"""The job that makes a candidate from the champion and the accepted corrections, and judges it."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab import __version__, comparison, datasets, evaluating, judging, samples, versions
from digitlab.database import Database
from digitlab.held_back import check, part
from digitlab.oddities import oddities
from digitlab.recognizer import Calibration, Recognizer
from digitlab.samples import Corrections
from digitlab.versions import NewVersion

if TYPE_CHECKING:
    import keras

    from digitlab.job_process import Report

FINE_TUNE, SCRATCH = METHODS = ("fine-tune", "scratch")
KINDS = {FINE_TUNE: "fine-tuned", SCRATCH: "scratch"}
CORRECTED = 0.06  # share of an epoch from scratch that repeats corrections
HELD_BACK = 0.25  # share of the corrections that are never learnt
ODDITIES = 6000  # from scratch: pieces, pairs, scribbles and doodles to refuse

_LOADED, _TRAINED, _CONVERTED, _EVALUATED = 0.15, 0.70, 0.80, 0.97  # shares of the whole job


@dataclass(frozen=True)
class Plan:
    """What a person chooses.

    Attributes
    ----------
    method : "fine-tune" goes on from the champion; "scratch" starts anew with all of MNIST.
    seconds : time budget of fine-tuning; None for as much as `budget` gives.
    epochs : passes over MNIST and the corrections, from scratch.
    seed : of everything random.
    data : MNIST as .npz; None fetches it. Only from scratch.
    margin : share by which the candidate may be worse on the MNIST test set.
    """

    method: str = FINE_TUNE
    seconds: float | None = None
    epochs: int = 4
    seed: int = 0
    data: str | None = None
    margin: float = comparison.MARGIN


def budget(corrections: int) -> float:
    """Seconds after which learning so many corrections gained little more, on two cores."""
    return min(70.0, 6.0 + 0.4 * corrections)


@dataclass(frozen=True)
class Candidate:
    """A trained network and how it came about.

    Attributes
    ----------
    learnt, held_back : the corrections it knows, and those it has never seen.
    history, settings : JSON can hold them.
    calibrate : champion, model -> the model, ready to read.
    """

    network: "keras.Model"
    learnt: Corrections
    held_back: Corrections
    history: list[dict]
    settings: dict
    calibrate: Callable[[Recognizer, bytes], Recognizer]


def run(db: Database, report: "Report", settings: dict) -> int:
    """Train, evaluate and store a candidate; the job "retrain".

    Parameters
    ----------
    settings : a `Plan` as a dict.

    Returns
    -------
    The candidate's number. It is not the champion before somebody promotes it.

    Raises
    ------
    DataError if there are too few corrections or MNIST can't be fetched; ModelError if the
    champion can't be trained on; Cancelled.
    """
    plan = Plan(**settings)
    corrections = samples.accepted(db)
    check(corrections)  # before TensorFlow, which takes seconds
    champion = versions.champion_number(db) or versions.ensure_shipped(db)
    report.log(f"{len(corrections)} accepted corrections; champion is version {champion}")
    report.stage("loading TensorFlow", 0.01)
    from digitlab import training

    make = _fine_tuned if plan.method == FINE_TUNE else _from_scratch
    candidate = make(db, report, plan, champion, corrections)
    report.stage("converting the network", _TRAINED)
    model = training.to_tflite(candidate.network)
    report.stage("evaluating", _CONVERTED)
    new = _judged(db, report, plan, champion, candidate, model)
    report.stage("storing the candidate", _EVALUATED)
    number = versions.store(db, new)
    report.log(f"stored as version {number}")
    return number


def _fine_tuned(db: Database, report, plan: Plan, champion: int, corrections) -> Candidate:
    from digitlab import adaptation

    network = _network(db, champion)

    def tell(stage: str, share: float, row: dict) -> None:
        if row["step"] not in told:
            told.add(row["step"])
            report.point(**row)
            report.log(_line(row))
        report.stage(stage, _LOADED + (_TRAINED - _LOADED) * share)

    told: set[int] = set()
    seconds = budget(len(corrections)) if plan.seconds is None else plan.seconds
    settings = adaptation.Settings(plan.seed, seconds, HELD_BACK)
    found = adaptation.fine_tune(network, corrections, settings, tell)
    report.log(f"step {found.step} chosen of {found.history[-1]['step']}")
    if found.step == 0:
        report.log("no step was better on what was held back: the candidate is the champion again")
    kept = {**asdict(settings), "chosen step": found.step}
    return Candidate(
        found.network, found.learnt, found.held_back, found.history, kept, judging.calibrated_like
    )


def _line(row: dict) -> str:
    return (
        f"step {row['step']}: loss {row['loss']:.3f}, held back {row['held_back_loss']:.3f} "
        f"({row['held_back_right']:.0%} right), rehearsal {row['rehearsal_right']:.1%} right"
    )


def _network(db: Database, number: int) -> "keras.Model":
    """The Keras network of a version."""
    from digitlab import training

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / versions.KERAS
        file.write_bytes(versions.file(db, number, versions.KERAS))
        return training.load(file)


def _from_scratch(db: Database, report, plan: Plan, champion: int, corrections) -> Candidate:
    from digitlab import release, training

    learnt, held_back = part(corrections, HELD_BACK, plan.seed)
    report.stage("fetching MNIST", 0.03)
    train, validation = _examples(db, plan, champion, learnt)
    settings = training.Settings(epochs=plan.epochs, seed=plan.seed)

    def watch(share: float) -> None:
        report.stage("training", 0.05 + (_TRAINED - 0.05) * share)

    def tell(row: dict) -> None:
        report.point(**row)

    with tempfile.TemporaryDirectory() as folder:
        network = training.fit(
            train, validation, settings, Path(folder), report.log, watch=watch, follow=tell
        )
        history = training.history(Path(folder))

    def calibrate(_champion: Recognizer, model: bytes) -> Recognizer:
        raw = Recognizer(model, Calibration(), "candidate", threads=2)
        return Recognizer(model, release.calibrate(raw, validation), "candidate", threads=2)

    return Candidate(network, learnt, held_back, history, asdict(settings), calibrate)


def _examples(db: Database, plan: Plan, champion: int, learnt: Corrections):
    """To learn and to validate on: MNIST, the corrections, and what the champion refuses."""
    from digitlab.corpus import NOT_A_DIGIT, Examples

    mnist = datasets.load_mnist(Path(plan.data) if plan.data else None)
    learn, validate = datasets.split(len(mnist.train_labels))

    # Else a few corrections would never be noticed among tens of thousands.
    times = max(1, round(CORRECTED * len(learn) / len(learnt)))
    digits = datasets.Digits(mnist.train_ink[learn], mnist.train_labels[learn])
    odd = oddities(digits, ODDITIES, plan.seed)
    reader = versions.load_recognizer(db, champion, threads=2)
    odd = odd[reader.classify(odd).is_digit < 0.5]  # a piece may be a digit of its own
    others = Examples.of_kind(odd, np.full(len(odd), NOT_A_DIGIT), "scribble")
    again = Examples.of_kind(
        np.repeat(learnt.ink, times, 0), np.repeat(learnt.labels, times), "drawn"
    )
    checked = len(others) // 5
    return (
        Examples.join([Examples.of_kind(*digits, "mnist"), again, others[checked:]]),
        Examples.join(
            [
                Examples.of_kind(mnist.train_ink[validate], mnist.train_labels[validate], "mnist"),
                others[:checked],
            ]
        ),
    )


def _judged(db: Database, report, plan: Plan, parent: int, candidate: Candidate, model: bytes):
    """The candidate with everything that is known about it, ready to be stored."""
    before = versions.load_recognizer(db, parent, threads=2)
    after = candidate.calibrate(before, model)
    halfway = (_CONVERTED + _EVALUATED) / 2

    def marks(reader: Recognizer, start: float, end: float, logits=None) -> judging.Marks:
        def watch(share: float) -> None:
            report.stage("evaluating", start + (end - start) * share)

        return judging.examine(reader, candidate.held_back, watch, logits)

    known = judging.known_logits(db, parent)
    old = marks(before, _CONVERTED, halfway, known)
    if known is None:
        judging.keep_logits(db, parent, old.logits)
    new = marks(after, halfway, _EVALUATED)
    found = judging.compared(old, new, candidate.held_back, plan.margin)
    for rule in found["rules"]:
        report.log(f"{'holds' if rule['holds'] else 'FAILS'}: {rule['name']}. {rule['reason']}")
    metrics = {
        "program": __version__,
        "trained": datetime.now(UTC).date().isoformat(),
        "parameters": int(candidate.network.count_params()),
        "bytes": len(model),
        "calibration": asdict(after.calibration),
        "mnist_test": new.figures,
        "comparison": {"with": parent} | found,
    }
    return NewVersion(
        KINDS[plan.method],
        model,
        metrics,
        keras=_keras_bytes(candidate.network),
        parent=parent,
        settings={"plan": asdict(plan), **candidate.settings},
        history={"rows": candidate.history},
        samples={"learn": candidate.learnt, "held back": candidate.held_back},
        evaluations={evaluating.MNIST: {"logits": new.logits}},
    )


def _keras_bytes(network: "keras.Model") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / versions.KERAS
        network.save(file)
        return file.read_bytes()
