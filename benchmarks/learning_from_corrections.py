"""Measures learning from corrections on writers whom the starting model has never seen.

    digitlab train --data mnist.npz --epochs 6 --precision mixed_bfloat16 --out start
    python benchmarks/learning_from_corrections.py --start start --strokes unipen_strokes.jsonl.gz

The starting model knows MNIST alone, so every site of the strokes is held out. Each writer's
drawings are parted in two halves. The model reads one half; of what it reads wrong, 10, 50 or 200
are corrected and learnt by `adaptation.fine_tune`, as the Retrain page does it. Then it reads the
other half and the MNIST test set. Each drawing is rendered with two pens: most of them are read
right, and 200 that are not have to be found. Drawings whose label the shipped model doubts are left
out: about 4 % of the labels are wrong. Prints a Markdown table with mean and spread over the seeds.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlab import comparison, datasets, judging, retraining, training
from digitlab.adaptation import Settings, fine_tune
from digitlab.corpus import doubtful
from digitlab.frame import to_frame
from digitlab.hands import Drawing, load_drawings
from digitlab.recognizer import Recognizer, champion
from digitlab.samples import Corrections
from digitlab.synthesis import render

PENS = (6.0, 14.0)  # pixels, of a drawing 150 pixels high
SIZES = (10, 50, 200)  # corrections


@dataclass(frozen=True)
class Half:
    """Ink (n, 28, 28) uint8 of half of the drawings, and labels (n,) int64."""

    ink: np.ndarray
    labels: np.ndarray


def main() -> None:
    """Learn from corrections of every size, with every seed, and print the table."""
    arguments = _arguments()
    start = Recognizer.load(arguments.start)
    network = training.load(arguments.start / "model.keras")
    test = datasets.mnist_test()
    mnist = judging.test_logits(start, lambda share: None)[:, :10].argmax(1) == test.labels
    drawings = _readable(load_drawings(arguments.strokes))
    rows = {size: [] for size in SIZES}
    for seed in range(arguments.seeds):
        taught, other = _halves(drawings, seed)
        wrong = np.flatnonzero(_read(start, taught.ink) != taught.labels)
        wrong = np.random.default_rng([seed, 9]).permutation(wrong)
        errors = int((_read(start, other.ink) != other.labels).sum())
        print(f"seed {seed}: {len(wrong)} wrong of {len(taught.labels)}, ", end="")
        print(f"{errors} of {len(other.labels)} in the other half", flush=True)
        for size in SIZES:
            chosen = wrong[:size]
            corrections = Corrections(
                taught.ink[chosen], taught.labels[chosen], chosen, chosen.astype("U64")
            )
            began = time.monotonic()
            seconds = arguments.seconds or retraining.budget(size)
            found = fine_tune(network, corrections, Settings(seed=seed, seconds=seconds))
            after = judging.calibrated_like(start, training.to_tflite(found.network))
            spent = time.monotonic() - began
            left = int((_read(after, other.ink) != other.labels).sum())
            now = judging.test_logits(after, lambda share: None)[:, :10].argmax(1) == test.labels
            row = {
                "corrections": len(chosen),
                "left": left / errors,
                "before": errors,
                "after": left,
                "mnist": 100 * float(now.mean() - mnist.mean()),
                "seconds": spent,
                "step": found.step,
            }
            rows[size].append(row)
            print(f"  {row}", flush=True)
    _print(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--start", type=Path, required=True, help="folder of the starting model")
    parser.add_argument("--strokes", type=Path, required=True, help="gzipped drawings")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, help="of training, for every size")
    return parser.parse_args()


def _readable(drawings: list[Drawing]) -> list[Drawing]:
    reader = champion()
    wrong = doubtful(drawings, lambda ink: reader.classify(ink).probabilities, least=0.1)
    print(f"{int(wrong.sum())} of {len(drawings)} drawings left out for a doubtful label")
    return [drawing for drawing, w in zip(drawings, wrong, strict=True) if not w]


def _halves(drawings: list[Drawing], seed: int) -> tuple[Half, Half]:
    """Each writer's drawings, one half to correct and one to measure on."""
    rng = np.random.default_rng([seed, 8])
    writers: dict[str, list[Drawing]] = {}
    for drawing in drawings:
        writers.setdefault(f"{drawing.source}/{drawing.page}", []).append(drawing)
    parts: tuple[list, list] = ([], [])
    for own in writers.values():
        for place, index in enumerate(rng.permutation(len(own))):
            parts[place % 2].append(own[index])
    return _rendered(parts[0], rng), _rendered(parts[1], rng)


def _rendered(drawings: list[Drawing], rng: np.random.Generator) -> Half:
    ink, labels = [], []
    for drawing in drawings:
        for pen in PENS:
            canvas = render(drawing, rng, 150.0, pen)
            ink.append(to_frame(canvas.astype(np.float32) / 255, canvas > 100))
            labels.append(int(drawing.label))
    return Half(np.stack(ink), np.array(labels, np.int64))


def _read(reader: Recognizer, ink: np.ndarray) -> np.ndarray:
    return comparison.answers(reader.classify(ink))


def _print(rows: dict[int, list[dict]]) -> None:
    print("\n| corrections | errors left, share of those before | MNIST test, points | time, s |")
    print("| --- | --- | --- | --- |")
    for found in rows.values():
        sizes = sorted({row["corrections"] for row in found})
        cells = [_spread(found, key) for key in ("left", "mnist", "seconds")]
        print(f"| {' to '.join(map(str, sizes))} | {' | '.join(cells)} |")


def _spread(found: list[dict], key: str) -> str:
    values = [row[key] for row in found]
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.2f} ± {spread:.2f}"


if __name__ == "__main__":
    main()
