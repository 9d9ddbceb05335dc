"""A candidate before its judges: the same images for it and the champion, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from digitlab import comparison, datasets, evaluating, versions
from digitlab.comparison import Paired
from digitlab.database import Database
from digitlab.evaluation import expected_calibration_error
from digitlab.oddities import oddities
from digitlab.recognizer import Calibration, Recognizer, beliefs_from
from digitlab.samples import Corrections
from digitlab.versions import Version

ODDITIES = 600  # pieces, pairs, scribbles and doodles on which refusing is watched
_ODDITIES_SEED = 99
_TIMED = 200  # single digits whose reading is timed

Watch = Callable[[float], None]


@dataclass(frozen=True)
class Marks:
    """How a version did.

    Attributes
    ----------
    logits : (10000, 11) float32, of the MNIST test set.
    test : (10000,) int, the digit it answered to each of it.
    held_back : (n,) int, its answers to the corrections held back, NOT_A_DIGIT among them.
    refused : share of the oddities that it refused.
    figures : accuracy, errors, images, refused (shares), calibration error and milliseconds a
        digit (p50, one thread), of the test set.
    """

    logits: np.ndarray
    test: np.ndarray
    held_back: np.ndarray
    refused: float
    figures: dict


def test_logits(reader: Recognizer, watch: Watch) -> np.ndarray:
    """A version's raw scores for the MNIST test set, (10000, 11) float32; `watch` as below."""
    ink = datasets.mnist_test().ink
    return evaluating.read(reader, ink, lambda done, images: watch(done / images))


def examine(
    reader: Recognizer, held_back: Corrections, watch: Watch, logits: np.ndarray | None = None
) -> Marks:
    """Let a version read the test set, the corrections held back and the oddities.

    Parameters
    ----------
    watch : gets the share done, 0 to 1; may raise to stop.
    logits : of the test set, where they are known already.
    """
    test = datasets.mnist_test()
    if logits is None:
        logits = test_logits(reader, watch)
    read, figures = _read(logits, reader.calibration, test.labels)
    odd = reader.classify(watched_oddities())
    figures["milliseconds"] = float(np.median(evaluating.milliseconds(reader, test.ink[:_TIMED])))
    return Marks(
        logits,
        read,
        comparison.answers(reader.classify(held_back.ink)),
        float((odd.confidence < reader.calibration.accept).mean()),
        figures,
    )


@dataclass(frozen=True)
class Match:
    """Two versions side by side on the MNIST test set.

    Attributes
    ----------
    versions : the older and the newer.
    test : how they compare there.
    answers : (10000,) int of each.
    figures : accuracy, errors, images, refused, calibration_error, bytes and, where it was
        measured, milliseconds of each.
    by_digit : rows of "digit", "images", "before" and "after".
    judged : what was kept of the comparison when the newer was made from the older, else None.
    """

    versions: tuple[Version, Version]
    test: Paired
    answers: tuple[np.ndarray, np.ndarray]
    figures: tuple[dict, dict]
    by_digit: list[dict]
    judged: dict | None


def match(db: Database, before: int, after: int, watch: Watch = lambda share: None) -> Match:
    """Compare any two versions; what is not known of one yet is computed, and kept.

    Raises
    ------
    ModelError if there is no such version; StoreError.
    """
    both = tuple(versions.get(db, number) for number in (before, after))
    judged = both[1].metrics.get("comparison")
    judged = judged if judged and judged["with"] == before else None
    labels = datasets.mnist_test().labels
    answers, figures = [], []
    for place, version in enumerate(both):
        logits = known_logits(db, version.number)
        if logits is None:
            reader = versions.load_recognizer(db, version.number, threads=2)
            logits = test_logits(reader, lambda share, place=place: watch((place + share) / 2))
            keep_logits(db, version.number, logits)
        read, found = _read(logits, Calibration(**version.metrics["calibration"]), labels)
        measured = judged["figures"][place] if judged else version.metrics["mnist_test"]
        answers.append(read)
        figures.append({**measured, **found, "bytes": version.metrics.get("bytes")})
    return Match(
        both,
        comparison.pair(*answers, labels),
        tuple(answers),
        tuple(figures),
        comparison.by_digit(*answers, labels),
        judged,
    )


def known_logits(db: Database, number: int) -> np.ndarray | None:
    """A version's raw scores for the MNIST test set, if they were computed before."""
    kept = versions.evaluation(db, number, evaluating.MNIST)
    return kept["logits"] if kept else None


def keep_logits(db: Database, number: int, logits: np.ndarray) -> None:
    """Keep a version's raw scores for the MNIST test set."""
    versions.save_evaluation(db, number, evaluating.MNIST, {"logits": logits})


def _read(logits: np.ndarray, chosen: Calibration, labels: np.ndarray) -> tuple[np.ndarray, dict]:
    """Answers (n,) and figures from raw scores (n, 11) of digits with these labels."""
    beliefs = beliefs_from(logits, logits[:, :0], chosen.temperature, chosen.others)
    read = beliefs.probabilities.argmax(1)
    right = read == labels
    return read, {
        "accuracy": float(right.mean()),
        "errors": int((~right).sum()),
        "images": len(right),
        "refused": float((beliefs.confidence < chosen.accept).mean()),
        "calibration_error": expected_calibration_error(beliefs.confidence, right),
    }


def watched_oddities() -> np.ndarray:
    """The signs on which refusing is watched, always the same, (n, 28, 28) uint8."""
    return oddities(datasets.rehearsal(), ODDITIES, _ODDITIES_SEED)


def compared(before: Marks, after: Marks, held_back: Corrections, margin: float) -> dict:
    """What is kept of the comparison with a version: pairs, figures, rules; JSON can hold it."""
    labels = datasets.mnist_test().labels
    test = comparison.pair(before.test, after.test, labels)
    held = comparison.pair(before.held_back, after.held_back, held_back.labels)
    lucky = comparison.luck(after.held_back, held_back.labels)
    rules = comparison.judge(held, lucky, test, (before.refused, after.refused), margin)
    return {
        "mnist_test": comparison.as_json(test),
        "held_back": comparison.as_json(held),
        "held_back_ids": held_back.ids.tolist(),
        "held_back_answers": [before.held_back.tolist(), after.held_back.tolist()],
        "figures": [before.figures, after.figures],
        "refused": [before.refused, after.refused],
        "rules": [comparison.as_json(rule) for rule in rules],
        "recommended": comparison.recommended(rules),
    }


def calibrated_like(before: Recognizer, model: bytes) -> Recognizer:
    """A model with the calibration of the version that it came from.

    Fine-tuning may stretch the logits; the temperature follows, so that confidence keeps its
    scale: measured by the median lead of the best over the second answer to rehearsal digits.
    """
    ink = datasets.rehearsal().ink[-1000:]
    after = Recognizer(model, before.calibration, "candidate", threads=2)
    leads = [_lead(reader.logits(ink)) for reader in (before, after)]
    temperature = before.calibration.temperature * leads[1] / leads[0]
    calibration = replace(before.calibration, temperature=temperature)
    return Recognizer(model, calibration, "candidate", threads=2)


def _lead(logits: np.ndarray) -> float:
    ordered = np.sort(logits, axis=1)
    return float(np.median(ordered[:, -1] - ordered[:, -2]))
