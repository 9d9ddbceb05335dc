"""Calibration chosen on validation data, and the card that says what a version can do."""

import json
from dataclasses import asdict

import cv2
import numpy as np
import pytest

from digitlab.corpus import NOT_A_DIGIT, Examples
from digitlab.datasets import mnist_test, rehearsal
from digitlab.recognizer import SHIPPED, Calibration, Recognizer

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def release():
    """The module, imported here because TensorFlow takes seconds."""
    from digitlab import release

    return release


@pytest.fixture(scope="module")
def raw() -> Recognizer:
    """The shipped network without its calibration."""
    return Recognizer((SHIPPED / "model.tflite").read_bytes(), Calibration())


@pytest.fixture(scope="module")
def validation() -> Examples:
    """Digits, the drawn ones with some wrong labels, and other signs."""
    ink, labels = rehearsal()
    kinds = np.where(np.arange(2100) < 1000, "mnist", "drawn")
    labels = labels[:2100].astype(np.int8)
    labels[1000:1020] = (labels[1000:1020] + 1) % 10
    labels[2000:] = NOT_A_DIGIT
    ink = ink[:2100].copy()
    noise = np.random.default_rng(0).permuted(ink[2000:].reshape(100, -1), axis=1)
    ink[2000:] = noise.reshape(100, 28, 28)
    return Examples(ink, labels, kinds)


@pytest.fixture(scope="module")
def calibrated(release, raw, validation) -> Recognizer:
    """The shipped network with a calibration chosen on these examples."""
    return Recognizer(raw._model, release.calibrate(raw, validation))


def test_calibration_refuses_no_more_digits_than_is_allowed(release, calibrated, validation):
    digits = validation[validation.labels != NOT_A_DIGIT]
    beliefs = calibrated.classify(digits.ink)
    refused = beliefs.confidence < calibrated.calibration.accept
    right = beliefs.probabilities.argmax(1) == digits.labels
    shares = {k: refused[right & (digits.kinds == k)].mean() for k in release.REFUSED}
    assert all(shares[kind] <= most + 0.001 for kind, most in release.REFUSED.items())
    assert any(shares[kind] >= most - 0.002 for kind, most in release.REFUSED.items())


def test_what_is_called_sure_is_right_nearly_always(calibrated, validation):
    clean = validation[validation.kinds == "mnist"]
    beliefs, calibration = calibrated.classify(clean.ink), calibrated.calibration
    right = beliefs.probabilities.argmax(1) == clean.labels
    assert right[beliefs.confidence >= calibration.sure].mean() >= 0.995
    assert 0 <= calibration.accept <= calibration.fairly_sure <= calibration.sure <= 1


def test_temperature_makes_an_overconfident_network_modest(release, raw):
    """On digits so tilted that it is often wrong."""
    turn = cv2.getRotationMatrix2D((13.5, 13.5), 35, 1)
    ink, labels = (part[:1000] for part in mnist_test())
    tilted = np.stack([cv2.warpAffine(picture, turn, (28, 28)) for picture in ink])
    hard = Examples(tilted, labels.astype(np.int8), np.full(1000, "drawn"))

    class Loud:
        """The same network, twice as sure of everything."""

        def logits(self, ink):
            return 2 * raw.logits(ink)

    calm, loud = (release.calibrate(reader, hard).temperature for reader in (raw, Loud()))
    assert loud == pytest.approx(2 * calm, rel=0.1)


def test_threshold_is_the_least_that_keeps_its_promise(release):
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([True, True, False, True, True])
    assert release._threshold(confidence, right, 0.8) == 0.5
    assert release._threshold(confidence, right, 0.9) == 0.8
    assert release._threshold(confidence, ~right, 0.9) == 1.0


def test_card_has_the_figures_of_its_metrics():
    from digitlab.training_cards import model_card

    kinds = {
        "mnist": {"digits": 6000, "others": 0, "accuracy": 0.9951, "digits_refused": 0.006},
        "scribble": {"digits": 0, "others": 80, "others_refused": 0.975},
    }
    settings = {"architecture": "compact", "epochs": 24, "seed": 7, "precision": "float32"}
    settings["learning_rate"] = 0.001
    reduced = settings | {"epochs": 3, "precision": "mixed_bfloat16"}
    first = {"settings": reduced, "pictures": 5_000, "start": None}
    changed = settings | {"architecture": "wide", "epochs": 9, "made": 0.6, "kept": 0.5}
    second = {"settings": changed, "pictures": 6_000, "doodles": True, "start": first}
    card = model_card({
        "version": "3", "program": "1.2.3", "trained": "2026-11-21", "parameters": 295_979,
        "bytes": 599_224, "calibration": {"temperature": 0.8, "accept": 0.42},
        "mnist_test": {"accuracy": 0.9968, "errors": 32, "images": 10_000, "refused": 0.0051},
        "validation": kinds,
        "training": {"settings": settings, "pictures": 20_000, "start": second},
    })  # fmt: skip
    for words in (
        "version 3",
        "295,979 parameters",
        "99.68% right, 32 errors in 10,000",
        "0.51% refused",
        "6,000 images of MNIST's training part",
        "| mnist | 6000 | 99.51% | 0.60% | 0 | - |",
        "| scribble | 0 | - | - | 80 | 97.50% |",
        "31,000 drawings",
        "--epochs 24",
        "--seed 7",
        "--learning-rate 0.001",
        "--pictures 5000 --epochs 3",
        "without bfloat16 instructions",
        "--doodles package/src/drawings --pictures 6000",
        "The Quick, Draw! dataset, Google, CC BY 4.0",
        "but for 50 kinds that are\n  kept for validation",
        "and 31 that are drawn like digits",
        "--made 0.6",
        "--kept 0.5",
        "--start stage1/model.keras",
        "--start stage2/model.keras",
        "--out model",
    ):
        assert words in card, words
    places = [card.index(f"--out {folder}") for folder in ("stage1", "stage2", "model")]
    assert places == sorted(places)
    assert card.count("--doodles") == 1
    assert card.count("--architecture compact") == card.count("--architecture") == 2


def test_commands_name_each_training_once_that_another_was_averaged_with():
    from digitlab.training import Settings
    from digitlab.training_cards import _commands

    first = {"settings": asdict(Settings()), "pictures": 5_000, "start": None}
    second = first | {"pictures": 6_000, "start": first}
    last = first | {"pictures": 7_000, "start": first, "averaged_with": [second, {}, first]}
    commands = _commands(last, "model", "train", "pictures", Settings())
    assert commands.count("digitlab train") == 3
    assert "bfloat16" not in commands
    for words in (
        "--start stage1/model.keras --out stage2",
        "--start stage1/model.keras --average-with stage2/model.keras "
        "--average-with stage1/model.keras --out model",
    ):
        assert words in " ".join(commands.replace("\\", "").split())


def test_pictures_that_two_trainings_learnt_from_are_counted_once():
    from digitlab.lineage import total

    first = {"settings": {"seed": 3, "epochs": 5}, "pictures": 5_000}
    again = {"settings": {"seed": 3, "epochs": 2}, "pictures": 5_000, "start": first}
    for seed, pictures, expected in ((4, 5_000, 10_000), (3, 6_000, 11_000), (3, 5_000, 5_000)):
        last = {"settings": {"seed": seed}, "pictures": pictures, "start": again}
        assert total(last, "pictures") == expected


@pytest.mark.parametrize(
    ("kind", "card", "metrics"),
    [
        ("model", "MODEL_CARD.md", "metrics.json"),
        ("ink", "INK_CARD.md", "ink_metrics.json"),
        ("strings", "STRINGS_CARD.md", "strings_metrics.json"),
    ],
)
def test_cards_that_ship_are_those_of_the_metrics_that_ship(kind, card, metrics):
    from digitlab import training_cards

    figures = json.loads((SHIPPED / metrics).read_text("utf-8"))
    made = getattr(training_cards, f"{kind}_card")(figures)
    assert (SHIPPED / card).read_text("utf-8") == made
    assert (SHIPPED / f"{kind}.tflite").stat().st_size == figures["bytes"]
