"""From data to a model version: every step of training the model that ships, resumable."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from digitlab import (
    __version__,
    corpus,
    explain,
    pages_corpus,
    quickdraw,
    strings_corpus,
    training,
)
from digitlab.binarization import TILE
from digitlab.corpus import NOT_A_DIGIT, Examples
from digitlab.datasets import load_mnist, mnist_test, split
from digitlab.hands import Drawing, load_drawings
from digitlab.recognizer import SHIPPED, Calibration, Recognizer, beliefs_from
from digitlab.training_cards import ink_card, model_card, strings_card

CLEANING_EPOCHS = 3
CLEANING_PICTURES = 5000
VALIDATION_PICTURES = 2000
VALIDATION_PAGES = 0.04  # as a share of the pages to learn from
REFUSED = {"mnist": 0.008, "drawn": 0.02}
"""Share of the validation digits that are read right and may yet be refused; the other signs
refused follow from it. Of the drawn ones, two in five stand in rows."""
SURE, FAIRLY_SURE = 0.997, 0.97
"""Shares right of validation drawings in whose answer is as much trust. "Sure" promises 99.5 %, to
people who write otherwise, too."""
OTHERS = 0.05  # of what people hand in is no digit
WORST_LOSS = 3.0  # a wrong label tells nothing of how sure to be
VALIDATION_STRIPS = 0.025  # as a share of the strips to learn from

Tell = Callable[[str], None]


def train_version(
    out: Path,
    data: Path | None,
    strokes: Path | None,
    signs: Path | None,
    settings: training.Settings,
    pictures: int,
    tell: Tell = print,
    start: Path | None = None,
    doodles: Path | None = None,
    average_with: Sequence[Path] = (),
) -> None:
    """Train, calibrate, measure and write a version folder.

    Parameters
    ----------
    out : the folder; what a stopped run left in it is used again.
    data : MNIST as .npz; None fetches it with Keras' loader.
    strokes, signs : gzipped files of drawings of digits and of letters and symbols; without
        them the network learns from MNIST alone.
    pictures : drawings and synthetic photographs to make, about this many of each.
    tell : gets lines of progress.
    start : a .keras file whose weights to begin with; None begins from scratch.
    doodles : the folder of Quick, Draw!'s doodles, as `quickdraw.load` reads it, to learn too.
    average_with : .keras files of other trainings with the same start; the weights that come out
        are the mean of all (Wortsman et al. 2022, "Model soups").

    Raises
    ------
    DataError if a file is missing or damaged.
    ModelError if one of `average_with` is no network, or one of another architecture.
    """
    others = [training.weights_of(file, settings.architecture) for file in average_with]
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    ink, labels, _, _ = load_mnist(data)
    learn, validate = split(len(labels))
    mnist_part = {
        name: Examples.of_kind(ink[index], labels[index], "mnist")
        for name, index in (("learn", learn), ("validate", validate))
    }
    made = _made(work, mnist_part, (strokes, signs, doodles), settings, pictures, tell, start)
    tell(f"training on {len(mnist_part['learn'])} MNIST and {len(made['learn'])} made examples")
    both = {part: Examples.join([mnist_part[part], made[part]]) for part in mnist_part}
    network = training.fit(both["learn"], both["validate"], settings, out, tell, start)
    network.set_weights(training.mean([network.get_weights(), *others]))
    network.save(out / "model.keras")
    (out / "model.tflite").write_bytes(training.to_tflite(network))
    metrics = _measure(out, both["validate"], network.count_params())
    metrics["training"] = {
        "settings": asdict(settings),
        "pictures": pictures,
        "doodles": doodles is not None,
        "start": _training_of(start) if start else None,
        "averaged_with": [_training_of(file) for file in average_with],
    }
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    (out / "MODEL_CARD.md").write_text(model_card(metrics), encoding="utf-8")
    tell("drawing the map of digits")
    explain.make_atlas(Recognizer.load(out, threads=2)).save(out / explain.FILE.name)
    tell(f"MNIST test {metrics['mnist_test']['accuracy']:.2%}; written to {out}")


def train_binarizer(
    out: Path,
    data: Path | None,
    strokes: Path,
    signs: Path,
    settings: training.Settings,
    pages: int,
    tell: Tell = print,
    start: Path | None = None,
) -> None:
    """Train the network that tells handwriting from lines, print and paper; write ink.tflite.

    Parameters
    ----------
    out : the folder; what a stopped run left in it is used again.
    data, strokes, signs : as in `train_version`.
    pages : synthetic pages to make.
    tell : gets lines of progress.
    start : a .keras file whose weights to begin with; None begins from scratch.

    Raises
    ------
    DataError if a file is missing or damaged.
    """
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    drawings = [corpus.parted(load_drawings(file)) for file in (strokes, signs)]
    amounts = pages, round(pages * VALIDATION_PAGES)
    seeds = 70 + 100 * settings.seed, 60  # a run that starts from another's network sees new pages
    windows = _stored(work, data, drawings, amounts, seeds, pages_corpus.make, "pages", tell)
    network = training.fit_binarizer(*windows, settings, out, TILE, tell, start)
    own = {"overlap": training.history(out)[-1]["val_overlap"], "windows": len(windows[1][0])}
    lineage = {"settings": asdict(settings), "pages": pages}
    _write(out, network, "ink", own, lineage, start, ink_card, tell)


def train_string_reader(
    out: Path,
    data: Path | None,
    strokes: Path,
    signs: Path,
    settings: training.Settings,
    strips: int,
    tell: Tell = print,
    start: Path | None = None,
    doodles: Path | None = None,
) -> None:
    """Train the network that reads digits that touch together; write strings.tflite.

    Parameters
    ----------
    out : the folder; what a stopped run left in it is used again.
    data, strokes, signs : as in `train_version`; strokes whose label the shipped version does not
        believe are left out.
    strips : to make.
    tell : gets lines of progress.
    start : a .keras file whose weights to begin with; None begins from scratch.
    doodles : as in `train_version`.

    Raises
    ------
    DataError if a file is missing or damaged.
    """
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    own, held = corpus.parted(load_drawings(strokes))
    own = _cleaned(work / "doubtful.json", own, SHIPPED / "model.keras", tell)
    amounts = strips, max(1, round(strips * VALIDATION_STRIPS))
    seeds = 90 + 100 * settings.seed, 80  # a run that starts from another's sees new strips
    make = strings_corpus.make
    drawings = (own, held), corpus.parted(load_drawings(signs)), _people_s_doodles(doodles)
    parts = _stored(work, data, drawings, amounts, seeds, make, "strips", tell)
    network = training.fit_string_reader(*parts, settings, out, tell, start)
    likelihood = training.history(out)[-1]["val_likelihood"]
    measured = {"likelihood": likelihood, "strips": len(parts[1][0])}
    lineage = {"settings": asdict(settings), "strips": strips, "doodles": doodles is not None}
    _write(out, network, "strings", measured, lineage, start, strings_card, tell)


def _stored(
    work: Path, data: Path | None, drawings, amounts, seeds, make: Callable, kind: str, tell: Tell
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Inputs and truths to learn from and to validate on, of a stopped run or newly made.

    Parameters
    ----------
    drawings : of each kind, those to learn from and those to validate on.
    amounts, seeds : to learn from, and to validate on.
    make : amount, seed, drawings of each kind, ink, labels -> inputs and truths.
    kind : what the inputs are called.
    """
    ink, labels, _, _ = load_mnist(data)
    parts = []
    for place, index in enumerate(split(len(labels))):
        name = ("learn", "validate")[place]
        file = work / f"{kind}-{name}.npz"
        if not file.exists():
            tell(f"making {kind} to {name} on")
            groups = [group[place] for group in drawings]
            made = make(amounts[place], seeds[place], *groups, ink[index], labels[index])
            part = file.with_suffix(".part.npz")  # a stopped run leaves no half of it
            np.savez_compressed(part, **{kind: made[0], "truth": made[1]})
            part.replace(file)
        with np.load(file) as stored:
            parts.append((stored[kind], stored["truth"]))
    return parts


def _write(
    out: Path, network, name: str, measured: dict, lineage: dict, start, card, tell: Tell
) -> None:
    """The files of a network that is no version: .keras, .tflite, its metrics and its card.

    Parameters
    ----------
    name : of the network's files.
    measured, lineage : figures of its own, and how it was trained.
    card : makes Markdown of all the figures.
    """
    network.save(out / f"{name}.keras")
    model = training.to_tflite(network)
    (out / f"{name}.tflite").write_bytes(model)
    file = f"{name}_metrics.json"
    metrics = {
        "program": __version__,
        "trained": datetime.now(UTC).date().isoformat(),
        "parameters": network.count_params(),
        "bytes": len(model),
        **measured,
        "training": lineage | {"start": _training_of(start, file) if start else None},
    }
    (out / file).write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    (out / f"{name.upper()}_CARD.md").write_text(card(metrics), encoding="utf-8")
    tell(f"{network.count_params():,} parameters, written to {out}")


def _made(work: Path, mnist, files, settings, pictures: int, tell: Tell, start) -> dict:
    """Examples made from drawings, to learn from and to validate on; none without drawings.

    Parameters
    ----------
    files : of strokes, of signs and of doodles, as in `train_version`.
    """
    strokes, signs, doodles = files
    empty = mnist["learn"][:0]
    if strokes is None or signs is None:
        return {"learn": empty, "validate": empty}
    digits, others = load_drawings(strokes), load_drawings(signs)
    known, unseen = _people_s_doodles(doodles)
    held = (
        [d for d in digits if corpus.is_held_out(d)],
        [d for d in others if corpus.is_held_out(d)],
    )
    own = [d for d in digits if not corpus.is_held_out(d)]
    rest = [d for d in others if not corpus.is_held_out(d)]
    validation = _cached(
        work / "validation.npz",
        held,
        mnist["validate"],
        VALIDATION_PICTURES,
        50,
        tell,
        held_out=True,
        doodles=unseen,
    )
    first = start or _first(work, (own, rest), mnist["learn"], validation, settings, tell)
    own = _cleaned(work / "doubtful.json", own, first, tell)
    seed = 10 + 100 * settings.seed  # a run that starts from another one's network sees new ones
    file = work / "examples.npz"
    learn = _cached(file, (own, rest), mnist["learn"], pictures, seed, tell, doodles=known)
    return {"learn": learn, "validate": validation}


def _people_s_doodles(folder: Path | None) -> list[np.ndarray | None]:
    """Ink to learn from and to validate on, (n, 28, 28) uint8 each; None without a folder."""
    if folder is None:
        return [None, None]
    return [part.ink for part in quickdraw.load(folder).parted()]


def _cached(
    file: Path,
    drawings,
    mnist: Examples,
    pictures: int,
    seed: int,
    tell: Tell,
    held_out: bool = False,
    doodles: np.ndarray | None = None,
) -> Examples:
    """Examples of an earlier, stopped run, or new ones; the last two as in `corpus.build`."""
    if not file.exists():
        tell(f"making {file.stem} from about {pictures} drawings and as many photographs")
        which = {"held_out": held_out, "doodles": doodles}
        made = corpus.build(*drawings, mnist.ink, mnist.labels, pictures, seed, **which)
        made.save(file)
    return Examples.load(file)


def _first(work: Path, drawings, mnist: Examples, validation, settings, tell: Tell) -> Path:
    """The .keras file of a first, short training, which finds wrong labels."""
    file = work / "first" / "model.keras"
    if not file.exists():
        made = _cached(work / "first.npz", drawings, mnist, CLEANING_PICTURES, 30, tell)
        short = replace(settings, epochs=CLEANING_EPOCHS, averaging=0.99)
        tell("first training, to find wrong labels")
        training.fit(Examples.join([mnist, made]), validation, short, file.parent, tell).save(file)
    return file


def _cleaned(file: Path, own: list[Drawing], first: Path, tell: Tell) -> list[Drawing]:
    """The drawings whose label a network that is there already believes."""
    if not file.exists():
        reader = Recognizer(training.to_tflite(training.load(first)), Calibration())
        wrong = corpus.doubtful(own, lambda ink: reader.classify(ink).probabilities)
        file.write_text(json.dumps(np.flatnonzero(wrong).tolist()))
    doubtful = set(json.loads(file.read_text()))
    tell(f"{len(doubtful)} of {len(own)} drawings left out for a doubtful label")
    return [d for i, d in enumerate(own) if i not in doubtful]


def _measure(out: Path, validation: Examples, parameters: int) -> dict:
    """Calibration chosen on validation data, then figures on validation and MNIST test."""
    model = (out / "model.tflite").read_bytes()
    raw = Recognizer(model, Calibration())
    calibration = calibrate(raw, validation)
    reader = Recognizer(model, calibration)
    ink, labels = mnist_test()
    beliefs = reader.classify(ink)
    right = beliefs.probabilities.argmax(1) == labels
    return {
        "version": "1",
        "program": __version__,
        "trained": datetime.now(UTC).date().isoformat(),
        "parameters": parameters,
        "bytes": len(model),
        "calibration": asdict(calibration),
        "mnist_test": {
            "accuracy": float(right.mean()),
            "errors": int((~right).sum()),
            "images": len(labels),
            "refused": float((beliefs.confidence < calibration.accept).mean()),
        },
        "validation": {
            str(kind): _by_kind(reader, validation[validation.kinds == kind])
            for kind in np.unique(validation.kinds)
        },
    }


def _by_kind(reader: Recognizer, part: Examples) -> dict:
    """Accuracy on digits, and what is refused of digits and of other signs."""
    beliefs = reader.classify(part.ink)
    refused = beliefs.confidence < reader.calibration.accept
    digits = part.labels != NOT_A_DIGIT
    found: dict = {"digits": int(digits.sum()), "others": int((~digits).sum())}
    if digits.any():
        right = beliefs.probabilities.argmax(1) == part.labels
        found |= {"accuracy": float(right[digits].mean())}
        found |= {"digits_refused": float(refused[digits].mean())}
    if not digits.all():
        found |= {"others_refused": float(refused[~digits].mean())}
    return found


def calibrate(reader: Recognizer, validation: Examples) -> Calibration:
    """Temperature, prior and thresholds from validation examples that nothing was learnt from.

    Temperature and prior minimise the negative log likelihood (Guo et al. 2017, "On calibration
    of modern neural networks") of single digits and, with a weight of OTHERS, of other signs.
    `accept` refuses as many digits that are read right as REFUSED allows. Of the drawn digits above
    `sure`, SURE are right, of those above `fairly_sure`, FAIRLY_SURE; wrong labels count as wrong.
    """
    part = validation[np.isin(validation.kinds, [*REFUSED, *corpus.OTHER_SIGNS])]
    logits = reader.logits(part.ink)
    temperature, shift = _likeliest(logits, part.labels)
    digits = part.labels != NOT_A_DIGIT
    beliefs = beliefs_from(logits[digits], logits[digits, :0], temperature, shift)
    kinds, confidence = part.kinds[digits], beliefs.confidence
    right = beliefs.probabilities.argmax(1) == part.labels[digits]
    accepts = [
        float(np.quantile(confidence[right & (kinds == kind)], share))
        for kind, share in REFUSED.items()
        if (right & (kinds == kind)).any()
    ]
    accept = min(accepts, default=1.0)  # a network that reads nothing right accepts nothing
    drawn = kinds != "mnist" if (kinds != "mnist").any() else kinds == "mnist"
    confidence, right = confidence[drawn], right[drawn]
    shares = SURE, FAIRLY_SURE
    sure, fairly = (max(accept, _threshold(confidence, right, share)) for share in shares)
    return Calibration(temperature, shift, accept, sure, fairly)


def _likeliest(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Temperature and shift of "not a digit" under which the labels are likeliest."""
    digits = labels != NOT_A_DIGIT
    weights = np.where(digits, (1 - OTHERS) / digits.sum(), OTHERS / max(1, (~digits).sum()))
    grid = [(float(t), float(o)) for t in np.geomspace(0.3, 3.0, 40) for o in np.arange(-4, 0.5)]
    return min(grid, key=lambda choice: float(_loss(logits, labels, *choice) @ weights))


def _loss(logits: np.ndarray, labels: np.ndarray, temperature: float, others: float) -> np.ndarray:
    """Negative log likelihood of each label, bounded, since some labels are wrong."""
    scaled = logits / temperature
    scaled[:, NOT_A_DIGIT] += others
    scaled -= scaled.max(1, keepdims=True)
    chosen = scaled[np.arange(len(labels)), labels]
    return np.minimum(np.log(np.exp(scaled).sum(1)) - chosen, WORST_LOSS)


def _threshold(confidence: np.ndarray, right: np.ndarray, wanted: float) -> float:
    """The least confidence above which at least `wanted` of the answers are right."""
    order = np.argsort(-confidence)
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share >= wanted)
    return float(confidence[order[enough[-1]]]) if enough.size else 1.0


def _training_of(network: Path, file: str = "metrics.json") -> dict:
    """How the version was trained whose .keras file this is; {} if nothing beside it says so."""
    path = network.with_name(file)
    return json.loads(path.read_text("utf-8")).get("training", {}) if path.exists() else {}
