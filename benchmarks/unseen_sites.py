"""Measures tablet drawings of sites that a training has not seen, leaving out each site in turn.

    python benchmarks/unseen_sites.py --data mnist.npz --strokes unipen_strokes.jsonl.gz

The shipped model has seen five of the six sites; only the sixth tells how it reads strangers. Here
a network learns from a third of MNIST and the drawings of five sites, for far shorter than the
shipped one, and reads the sixth, in each of the six ways; beside it, the shipped model. Labels are
as they came, about 4 % wrong or unreadable. Prints a Markdown table with mean and spread over the
sites.
"""

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitlab import corpus, training
from digitlab.corpus import Examples
from digitlab.datasets import load_mnist, split
from digitlab.hands import Drawing, load_drawings
from digitlab.recognizer import Calibration, Recognizer, champion
from digitlab.synthesis import render, write_row

PICTURES = 3000  # drawings to learn from, of five sites
MNIST = 18_000  # images beside them
SETTINGS = training.Settings(epochs=5, averaging=0.99)


def main() -> None:
    """Train and measure six times, and print the table."""
    arguments = _arguments()
    ink, labels, _, _ = load_mnist(arguments.data)
    mnist = [Examples.of_kind(ink[p], labels[p], "mnist") for p in split(len(labels))]
    drawings = load_drawings(arguments.strokes)
    rows = []
    for site in sorted({drawing.source for drawing in drawings}):
        unseen = [drawing for drawing in drawings if drawing.source == site]
        others = [drawing for drawing in drawings if drawing.source != site]
        taught = _taught(others, mnist, arguments)
        shares = [_right(reader, unseen) for reader in (taught, champion())]
        rows.append(shares)
        print(
            f"| {site} | {len(unseen):,} | {' | '.join(f'{s:.1%}' for s in shares)} |", flush=True
        )
    spread = [
        f"{statistics.mean(s):.1%} ± {statistics.stdev(s):.1%}" for s in zip(*rows, strict=True)
    ]
    print(f"| mean and spread | | {' | '.join(spread)} |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="mnist.npz (fetched with Keras' loader)")
    parser.add_argument("--strokes", type=Path, required=True, help="gzipped drawings")
    parser.add_argument("--precision", default="float32", help="as of digitlab train")
    return parser.parse_args()


def _taught(drawings: list[Drawing], mnist: list[Examples], arguments) -> Recognizer:
    """What a short training on MNIST and on some sites' drawings makes."""
    learn, validate = mnist
    made = corpus.make(corpus.drawn, PICTURES, 7, drawings, learn.ink, learn.labels)
    settings = replace(SETTINGS, precision=arguments.precision)
    with tempfile.TemporaryDirectory() as folder:
        network = training.fit(
            Examples.join([learn[:MNIST], made]), validate, settings, Path(folder)
        )
    return Recognizer(training.to_tflite(network), Calibration())


def _right(reader: Recognizer, drawings: list[Drawing]) -> float:
    """Share of drawings, each on a canvas with a pen of its own, that are read as labelled."""
    rng = np.random.default_rng(11)
    right = 0
    for drawing in drawings:
        tall = rng.uniform(80, 200)
        ink = render(drawing, rng, tall, rng.uniform(4, 0.14 * tall))
        canvas = write_row([(drawing.label, ink)], rng, (0, 0)).ink
        right += reader.recognize(255 - canvas).text == drawing.label
    return right / len(drawings)


if __name__ == "__main__":
    main()
