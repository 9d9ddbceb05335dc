"""One table of how good and how fast a model is, on what ships with the program and on any set.

Printed by `digitlab benchmark`, and written as Markdown and as JSON.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from digitlab import __version__, quickdraw
from digitlab.corpus import enlarge_mnist, is_held_out, scribble
from digitlab.datasets import Digits, mnist_test
from digitlab.doodles import doodle
from digitlab.errors import DataError, ImageError
from digitlab.evaluation import expected_calibration_error, wilson_interval
from digitlab.hands import DIGIT_LIKE, load_drawings
from digitlab.images import decode
from digitlab.reading import Reading
from digitlab.recognizer import Recognizer
from digitlab.scenery import scenery
from digitlab.synthesis import Scene, Writing, photograph, render, write_row

SEED = 2026
CANVAS = 280  # pixels, a side of the page's canvas
PAGES_SEED = 7  # the same pages, however many kinds of paper there are
BLOCKS = 5  # each speed is measured so often, since other programs disturb a machine

PAPERS = {
    "plain paper": Scene(),
    "ruled paper": Scene(ruled=1.0),
    "underlined": Scene(underlined=1.0),
    "squared paper": Scene(squared=1.0),
    "boxes of a form": Scene(boxed=1.0),
    "patterned paper": Scene(security=1.0),
    "fold, pen, finger, holes, glare, desk": Scene(
        folded=0.4, pen=0.3, finger=0.3, holes=0.3, glare=0.3, desk=0.5
    ),
    "combs and trays of a form": Scene(celled=1.0),
}
"""What numbers made of MNIST's test digits are written on."""

PAGES = ("plain paper", "ruled paper", "squared paper")
"""What whole pages of them are written on, in turn."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How much to measure: pictures of each kind, and calls in one block of a speed."""

    ink: int = 10_000
    drawings: int = 500
    numbers: int = 100
    pages: int = 60
    others: int = 200
    calls: int = 300
    readings: int = 40


@dataclass(frozen=True)
class Score:
    """How pictures of digits were read.

    Attributes
    ----------
    name : of the set.
    pictures : how many there were.
    right : how many were read right, the whole string.
    interval : 95 % interval of the share that is right.
    refused : how many had a digit that was not accepted, or none.
    calibration_error : expected, of the whole string, in 15 bins of equal width.
    p50, p95 : milliseconds from bytes to reading; None where single pictures were not timed.
    misses : file, label and what was read, of each that was read wrong.
    """

    name: str
    pictures: int
    right: int
    interval: tuple[float, float]
    refused: int
    calibration_error: float
    p50: float | None
    p95: float | None
    misses: tuple[dict, ...]


@dataclass(frozen=True)
class Refusal:
    """How many of the pictures without a digit were refused: no digit in them was accepted."""

    name: str
    pictures: int
    refused: int
    interval: tuple[float, float]


@dataclass(frozen=True)
class Speed:
    """Milliseconds a call: medians over the blocks, and the blocks' least and greatest median."""

    name: str
    calls: int
    p50: float
    p95: float
    least: float
    greatest: float


@dataclass(frozen=True)
class Report:
    """Everything that was measured, with what it was measured on."""

    date: str
    program: str
    model: str
    machine: str
    bytes: int
    parameters: int | None
    memory: int | None
    scores: tuple[Score, ...]
    refusals: tuple[Refusal, ...]
    speeds: tuple[Speed, ...]


def run(
    recognizer: Recognizer,
    folder: Path,
    sets: list[tuple[str, Path]],
    signs: Path | None = None,
    tell: Tell = print,
    plan: Plan | None = None,
) -> Report:
    """Measure a model.

    Parameters
    ----------
    recognizer, folder : the model, and where its files are.
    sets : name and folder of pictures called {label}_{anything}, label being all their digits.
    signs : gzipped drawings of letters and symbols that should be refused.
    tell : gets a line when a part begins.

    Raises
    ------
    DataError if a set has no labelled picture or a file is damaged.
    """
    plan, digits = plan or Plan(), mnist_test()
    given = [(name, _given_set(pictures)) for name, pictures in sets if labelled(pictures)]
    for _ in range(10):
        recognizer.recognize(_on_canvas(digits.ink[0], CANVAS // 2))
    memory = resident_bytes()
    tell("speed")
    speeds = tuple(_speeds(recognizer, digits, plan))
    tell("MNIST test")
    scores = [score_ink("MNIST test, 28x28", recognizer, digits, plan.ink)]
    for name, pictures in [*_made_sets(digits, plan), *given]:
        tell(name)
        scores.append(score(name, recognizer, pictures))
    refusals = []
    for name, images in _others(signs, plan):
        tell(name)
        refusals.append(_refusal(name, recognizer, images))
    return Report(
        date=datetime.now(UTC).date().isoformat(),
        program=__version__,
        model=recognizer.version,
        machine=f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}",
        bytes=(folder / "model.tflite").stat().st_size,
        parameters=_parameters(folder),
        memory=memory,
        scores=tuple(scores),
        refusals=tuple(refusals),
        speeds=speeds,
    )


def _parameters(folder: Path) -> int | None:
    stored = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return stored.get("parameters")


def resident_bytes() -> int | None:
    """Memory that this process holds now, in bytes; None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


# Sets of digits ---------------------------------------------------------------------------------

Picture = tuple[str, str, bytes]
"""File, label, content."""


def labelled(folder: Path) -> list[tuple[Path, str]]:
    """The files called {label}_{anything} in a folder and those below it, with their labels.

    Raises DataError if there are none.
    """
    named = [path for path in sorted(folder.rglob("*_*")) if path.is_file()]
    found = [(path, path.name.split("_")[0]) for path in named]
    files = [(path, label) for path, label in found if label.isdecimal() and label.isascii()]
    if not files:
        raise DataError(f"{folder} holds no file called LABEL_ANYTHING, as in 407_1.png")
    return files


def _given_set(folder: Path) -> Iterator[Picture]:
    for path, label in labelled(folder):
        yield path.relative_to(folder).as_posix(), label, path.read_bytes()


def score(name: str, recognizer: Recognizer, pictures: Iterator[Picture]) -> Score:
    """Read every picture of a set and compare it with its label."""
    times, trust, correct, refused, misses = [], [], [], 0, []
    for file, label, content in pictures:
        began = time.perf_counter()
        text, confidence, accepted = _answer(recognizer, content)
        times.append((time.perf_counter() - began) * 1000)
        trust.append(confidence)
        correct.append(text == label)
        refused += not accepted
        if text != label:
            misses.append({"file": file, "label": label, "read": text})
    return Score(
        name=name,
        pictures=len(times),
        right=sum(correct),
        interval=wilson_interval(sum(correct), len(times)),
        refused=refused,
        calibration_error=expected_calibration_error(trust, correct),
        p50=float(np.percentile(times, 50)),
        p95=float(np.percentile(times, 95)),
        misses=tuple(misses),
    )


def _answer(recognizer: Recognizer, content: bytes) -> tuple[str, float, bool]:
    """What was read, the confidence that all of it is right, and whether all was accepted."""
    try:
        reading = recognizer.recognize(decode(content))
    except ImageError as error:
        return f"unreadable: {error}", 0.0, False
    if not reading.digits:
        return "", 0.0, False
    confidence = float(np.prod([digit.confidence for digit in reading.digits]))
    accepted = all(digit.accepted for digit in reading.digits)
    return reading.text.replace("\n", ""), confidence, accepted


def score_ink(name: str, recognizer: Recognizer, digits: Digits, count: int) -> Score:
    """The first `count` of ready-made 28x28 inks, through LiteRT as shipped."""
    ink, labels = digits.ink[:count], digits.labels[:count]
    beliefs = recognizer.classify(ink)
    answers = beliefs.probabilities.argmax(1)
    correct = answers == labels
    return Score(
        name=name,
        pictures=len(labels),
        right=int(correct.sum()),
        interval=wilson_interval(int(correct.sum()), len(labels)),
        refused=int((beliefs.confidence < recognizer.calibration.accept).sum()),
        calibration_error=expected_calibration_error(beliefs.confidence, correct),
        p50=None,
        p95=None,
        misses=tuple(
            {"file": f"test image {i}", "label": str(labels[i]), "read": str(answers[i])}
            for i in np.flatnonzero(~correct)
        ),
    )


def _made_sets(digits: Digits, plan: Plan) -> Iterator[tuple[str, Iterator[Picture]]]:
    """Pictures made of MNIST's test digits: on a canvas, and numbers on synthetic paper."""
    yield "MNIST test, drawn on a canvas", _canvases(digits, plan.drawings)
    for seed, (name, scene) in enumerate(PAPERS.items()):
        yield f"numbers, {name}", _numbers(digits, scene, plan.numbers, seed)
    yield "pages of three to six lines", _pages(digits, plan.pages)


def _canvases(digits: Digits, count: int) -> Iterator[Picture]:
    rng = np.random.default_rng(SEED)
    for i in range(count):
        canvas = _on_canvas(digits.ink[i], int(rng.integers(60, 241)))
        yield f"canvas {i}", str(digits.labels[i]), _png(canvas)


def _numbers(digits: Digits, scene: Scene, count: int, seed: int) -> Iterator[Picture]:
    """Synthetic photographs of one to six digits of MNIST's test set."""
    rng = np.random.default_rng([SEED, seed])
    for i in range(count):
        chosen = rng.integers(0, len(digits.labels), int(rng.integers(1, 7)))
        signs = _mnist_signs(digits, chosen, rng.uniform(28, 100))
        writing = write_row(signs, rng, (0.08, 0.5))
        yield f"photo {i}", "".join(writing.labels), _png(photograph(writing, rng, scene))


def _mnist_signs(digits: Digits, chosen, tall: float) -> list[tuple[str, np.ndarray]]:
    """Label and ink of the `chosen` ones (indices), `tall` pixels high."""
    return [(str(digits.labels[k]), enlarge_mnist(digits.ink[k], tall)) for k in chosen]


def _pages(digits: Digits, count: int) -> Iterator[Picture]:
    """Synthetic photographs of pages: lines of one to eight digits, every digit to be right."""
    rng = np.random.default_rng([SEED, PAGES_SEED])
    for i in range(count):
        tall, most = rng.uniform(28, 60), int(rng.choice([1, 4, 8]))
        lines = []
        for _ in range(int(rng.integers(3, 7))):
            chosen = rng.integers(0, len(digits.labels), int(rng.integers(1, most + 1)))
            lines.append(write_row(_mnist_signs(digits, chosen, tall), rng, (0.08, 0.6)))
        writing = _stacked(lines, round(rng.uniform(0.0, 0.3) * tall))
        page = photograph(writing, rng, PAPERS[PAGES[i % len(PAGES)]])
        yield f"page {i}", "".join(writing.labels), _png(page)


def _stacked(lines: list[Writing], apart: int) -> Writing:
    """Lines of writing below each other, their margins and `apart` pixels between them."""
    width = max(line.ink.shape[1] for line in lines)
    ink, boxes, top = [], [], 0
    for line in lines:
        ink.append(np.pad(line.ink, ((0, apart), (0, width - line.ink.shape[1]))))
        boxes.append(np.add(line.boxes, (0, top, 0, 0)))
        top += len(ink[-1])
    labels = tuple(label for line in lines for label in line.labels)
    return Writing(np.vstack(ink), labels, np.concatenate(boxes))


def _on_canvas(ink: np.ndarray, tall: int) -> np.ndarray:
    """MNIST's ink drawn dark on white in the middle of a canvas, (280, 280) uint8."""
    return pasted(enlarge_mnist(ink, tall))


def pasted(ink: np.ndarray) -> np.ndarray:
    """Ink (h, w) uint8, dark on white in the middle of a canvas, (280, 280) uint8.

    What does not fit is cut off at the right and below.
    """
    ink = ink[:CANVAS, :CANVAS]
    canvas = np.full((CANVAS, CANVAS), 255, np.uint8)
    top, left = ((CANVAS - side) // 2 for side in ink.shape)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink
    return canvas


def _png(image: np.ndarray) -> bytes:
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", pixels)[1].tobytes()


# What is no digit -------------------------------------------------------------------------------


def _others(signs: Path | None, plan: Plan) -> Iterator[tuple[str, Iterator[np.ndarray]]]:
    """Kinds of pictures without a digit."""
    for kind, make in (
        ("blank paper", _blank),
        ("noise", _noise),
        ("textures", _texture),
        ("things in a photograph", scenery),
        ("scribbles", scribble),
        ("doodles of unseen kinds", _doodle),
    ):
        rng = np.random.default_rng([SEED, len(kind)])
        yield kind, (make(rng) for _ in range(plan.others))
    yield "people's doodles of unseen kinds", _people_s_doodles(plan.others)
    if signs is not None:
        for kind, letters in (("letters", True), ("symbols, punctuation", False)):
            yield kind, _signs(signs, letters, plan.others)


def _blank(rng: np.random.Generator) -> np.ndarray:
    """Paper with nothing on it, lit from one side, (280, 280) uint8."""
    slope = np.linspace(0, rng.uniform(0, 70), CANVAS)[:, None] * np.ones(CANVAS)
    paper = rng.uniform(150, 250) - slope + rng.normal(0, rng.uniform(0, 3), slope.shape)
    return np.rint(paper.clip(0, 255)).astype(np.uint8)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Grains of one size and strength, (280, 280) uint8."""
    side = CANVAS // int(rng.integers(1, 9))
    grain = rng.normal(0, rng.uniform(10, 60), (side, side)).astype(np.float32)
    large = cv2.resize(grain, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    return (large + 150).clip(0, 255).astype(np.uint8)


def _texture(rng: np.random.Generator) -> np.ndarray:
    """Waves in two directions, as in cloth and wood, (280, 280) uint8."""
    y, x = np.mgrid[0:CANVAS, 0:CANVAS]
    image = np.full((CANVAS, CANVAS), 150.0)
    for _ in range(2):
        angle, length = rng.uniform(0, np.pi), rng.uniform(6, 60)
        bend = rng.uniform(0, 8) * np.sin((x + y) / rng.uniform(20, 80))
        along = x * np.cos(angle) + y * np.sin(angle) + bend
        image += rng.uniform(10, 50) * np.sin(along * 2 * np.pi / length)
    return np.rint((image + rng.normal(0, 4, image.shape)).clip(0, 255)).astype(np.uint8)


def _doodle(rng: np.random.Generator) -> np.ndarray:
    """A little drawing of a kind that training never saw, on a canvas, (280, 280) uint8."""
    ink = render(doodle(rng, held_out=True), rng, rng.uniform(80, 230), rng.uniform(5, 20))
    return pasted(ink)


def _people_s_doodles(count: int) -> Iterator[np.ndarray]:
    """Quick, Draw!'s, on canvases, (280, 280) uint8."""
    rng = np.random.default_rng(SEED)
    for ink in quickdraw.sample().ink[:count]:
        yield pasted(quickdraw.enlarged(ink, rng, rng.uniform(80, 230)))


def _signs(signs: Path, letters: bool, count: int) -> Iterator[np.ndarray]:
    """Letters, or other signs, of held-out writers, but for those that look like a digit."""
    drawings = [d for d in load_drawings(signs) if d.label.isalpha() == letters]
    held_out = [d for d in drawings if is_held_out(d) and d.label not in DIGIT_LIKE]
    if not held_out:
        raise DataError(f"{signs} holds no sign of a held-out writer")
    rng = np.random.default_rng(SEED)
    for i in rng.permutation(len(held_out))[:count]:
        ink = render(held_out[i], rng, rng.uniform(60, 200), rng.uniform(5, 22))
        yield pasted(ink)


def _refusal(name: str, recognizer: Recognizer, images: Iterator[np.ndarray]) -> Refusal:
    readings: Iterator[Reading] = map(recognizer.recognize, images)
    refused = [not any(digit.accepted for digit in reading.digits) for reading in readings]
    return Refusal(name, len(refused), sum(refused), wilson_interval(sum(refused), len(refused)))


# Speed ------------------------------------------------------------------------------------------


def _speeds(recognizer: Recognizer, digits: Digits, plan: Plan) -> Iterator[Speed]:
    drawings = [_png(_on_canvas(ink, 180)) for ink in digits.ink[: plan.readings]]
    yield _timed(
        "28x28 to probabilities, one thread",
        lambda i: recognizer.classify(digits.ink[i : i + 1]),
        plan.calls,
    )
    yield _timed(
        f"a drawing of {CANVAS}x{CANVAS}, bytes to reading",
        lambda i: recognizer.recognize(decode(drawings[i])),
        len(drawings),
    )
    photo = _large_photo(digits)
    yield _timed(
        "a photograph of 12 megapixels, pixels to reading", lambda i: recognizer.recognize(photo), 1
    )


def _large_photo(digits: Digits) -> np.ndarray:
    """A photographed number, (3000, 4000, 3) uint8."""
    rng = np.random.default_rng(SEED)
    signs = [(str(digits.labels[k]), enlarge_mnist(digits.ink[k], 100)) for k in range(4)]
    photo = photograph(write_row(signs, rng, (0.1, 0.4)), rng, Scene(shadow=1.0, blur=0.0))
    return cv2.resize(photo, (4000, 3000), interpolation=cv2.INTER_LINEAR)


def _timed(name: str, call: Callable[[int], object], calls: int) -> Speed:
    """Milliseconds of single calls, in BLOCKS blocks that show how steady the machine is."""
    call(0)
    blocks = []
    for _ in range(BLOCKS):
        times = []
        for i in range(calls):
            began = time.perf_counter()
            call(i)
            times.append((time.perf_counter() - began) * 1000)
        blocks.append(np.percentile(times, [50, 95]))
    p50, p95 = np.median(blocks, 0)
    medians = [block[0] for block in blocks]
    return Speed(name, calls * BLOCKS, *map(float, (p50, p95, min(medians), max(medians))))


# The table --------------------------------------------------------------------------------------

COLUMNS = "what | n | wrong | right | 95 % interval | refused | calibration error | p50 ms | p95 ms"
HEADER = tuple(COLUMNS.split(" | "))


def _rows(report: Report) -> list[list[str]]:
    """The cells of every row; one that says nothing is empty."""
    rows = [*map(_score_row, report.scores), *map(_refusal_row, report.refusals)]
    rows += map(_speed_row, report.speeds)
    return [[row.get(column, "") for column in HEADER] for row in rows]


def _score_row(score: Score) -> dict[str, str]:
    return {
        "what": score.name,
        "n": str(score.pictures),
        "wrong": str(score.pictures - score.right),
        "right": _percent(score.right, score.pictures),
        "95 % interval": _range(score.interval),
        "refused": _percent(score.refused, score.pictures),
        "calibration error": f"{100 * score.calibration_error:.2f} %",
        "p50 ms": _milliseconds(score.p50),
        "p95 ms": _milliseconds(score.p95),
    }


def _refusal_row(refusal: Refusal) -> dict[str, str]:
    return {
        "what": f"no digit: {refusal.name}",
        "n": str(refusal.pictures),
        "95 % interval": _range(refusal.interval),
        "refused": _percent(refusal.refused, refusal.pictures),
    }


def _speed_row(speed: Speed) -> dict[str, str]:
    spread = f"({_milliseconds(speed.least)} to {_milliseconds(speed.greatest)})"
    return {
        "what": speed.name,
        "n": str(speed.calls),
        "p50 ms": f"{_milliseconds(speed.p50)} {spread}",
        "p95 ms": _milliseconds(speed.p95),
    }


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else ""


def _range(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _heading(report: Report) -> str:
    size = f"{report.bytes:,} bytes"
    if report.parameters is not None:
        size = f"{report.parameters:,} parameters, {size}"
    memory = f"{report.memory / 2**20:.0f} MiB" if report.memory else "an unknown amount of memory"
    return (
        f"Model version {report.model} ({size}), Digit Lab {report.program}, {report.date}. "
        f"{report.machine}; the process held {memory} after ten readings."
    )


NOTES = (
    "Right: the whole string. Refused: for digits, one of them was not accepted or none was "
    "found; where there is no digit, none was accepted. The interval is Wilson's, of the share "
    "right or, without digits, refused. Calibration error: expected, of the whole string, 15 bins "
    f"of equal width. Speeds: medians over {BLOCKS} blocks, with the least and greatest block."
)


def as_text(report: Report) -> str:
    """The table for a terminal."""
    rows = [HEADER, *_rows(report)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([_heading(report), "", *lines, "", NOTES])


def as_markdown(report: Report) -> str:
    """The table as a Markdown document."""
    rows = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *_rows(report)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"# Benchmark\n\n{_heading(report)}\n\n{table}\n\n{NOTES}\n"


def write(report: Report, path: Path) -> tuple[Path, Path]:
    """Write the Markdown to `path` and everything, every miss included, to a JSON beside it."""
    beside = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_markdown(report), encoding="utf-8")
    beside.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return path, beside
