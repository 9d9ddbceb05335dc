"""Measures how long the reasons for an answer take, each and together.

    python benchmarks/explanations.py

On 100 digits of the MNIST test set with the shipped model, without TensorFlow. Prints a Markdown
table with the median and the 95th percentile; the limit that we set ourselves is 300 ms for all.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from digitlab import datasets, explain
from digitlab.explain import Atlas
from digitlab.recognizer import champion

DIGITS = 100


def main() -> None:
    """Time every explanation on every digit and print the table."""
    reader, atlas = champion(), Atlas.load()
    ink = datasets.mnist_test().ink[:DIGITS]

    def alike(picture: np.ndarray) -> None:
        embedding = reader.classify(picture[None]).embedding[0]
        atlas.neighbours(embedding)
        atlas.place(embedding)

    parts = {
        "which ink decided": lambda picture: explain.saliency(reader, picture),
        "similar digits and the map": alike,
        "what each stage sees": lambda picture: explain.stages(reader, picture),
    }
    spent = {name: _times(part, ink) for name, part in parts.items()}
    spent["all together"] = [sum(each) for each in zip(*spent.values(), strict=True)]
    assert "tensorflow" not in sys.modules
    print("| what | p50, ms | p95, ms |\n| --- | ---: | ---: |")
    for name, times in spent.items():
        high = statistics.quantiles(times, n=20)[-1]
        print(f"| {name} | {statistics.median(times):.0f} | {high:.0f} |")


def _times(part: Callable, ink: np.ndarray) -> list[float]:
    """Milliseconds for each digit; the first one, which loads things, is done before."""
    part(ink[0])
    times = []
    for picture in ink:
        began = time.perf_counter()
        part(picture)
        times.append(1000 * (time.perf_counter() - began))
    return times


if __name__ == "__main__":
    main()
