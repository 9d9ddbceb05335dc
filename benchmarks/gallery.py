"""Measures the Corrections page's questions to a store of 20,000 samples.

    python benchmarks/gallery.py

Each is what a click on the page asks for: counts for the filter, the samples of one page, and the
pictures on it. SQLite in a temporary folder, as a fresh start of the app has it. Prints a Markdown
table with the median and the 95th percentile of REPEATS calls.
"""

import statistics
import tempfile
import time
from collections.abc import Callable

import cv2
import numpy as np

from digitlab import datasets, samples
from digitlab.crops import to_png
from digitlab.database import Database, connect
from digitlab.samples import MOST_WRONG, NEWEST, Filter, Sample

SAMPLES, PER_PAGE, REPEATS = 20_000, 48, 40


def main() -> None:
    """Fill a store, ask it everything and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        db = connect(f"sqlite:///{folder}/digitlab.db")
        began = time.perf_counter()
        samples.add_all(db, _many())
        print(f"{SAMPLES:,} samples stored in {time.perf_counter() - began:.0f} s\n")
        last = SAMPLES // PER_PAGE
        some = Filter(states=("pending",), labels=(3, 7), sources=("drawn",))
        print("| what | p50 | p95 |\n| --- | ---: | ---: |")
        for name, question in {
            "counts for the filter": lambda: samples.counts(db),
            "counts, filtered": lambda: samples.counts(db, some),
            "first page, newest first": lambda: _page(db, Filter(), NEWEST, 1),
            "last page, newest first": lambda: _page(db, Filter(), NEWEST, last),
            "first page, most wrong first": lambda: _page(db, Filter(), MOST_WRONG, 1),
            "a page in the middle, most wrong first": lambda: _page(
                db, Filter(), MOST_WRONG, last // 2
            ),
            "first page, filtered, most wrong first": lambda: _page(db, some, MOST_WRONG, 1),
        }.items():
            print(f"| {name} | {' | '.join(_times(question))} |")
        db.close()


def _page(db: Database, wanted: Filter, order: str, number: int) -> None:
    found = samples.page(db, wanted, order, (number - 1) * PER_PAGE, PER_PAGE)
    assert found.samples


def _times(question: Callable[[], object]) -> tuple[str, str]:
    spent = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        question()
        spent.append(1000 * (time.perf_counter() - began))
    return (
        f"{statistics.median(spent):.0f} ms",
        f"{statistics.quantiles(spent, n=20)[-1]:.0f} ms",
    )


def _many() -> list[Sample]:
    """MNIST's test digits twice, the second time a pixel further left, read by chance."""
    ink, labels = datasets.mnist_test()
    ink = np.concatenate([ink, np.roll(ink, -1, axis=2)])[:SAMPLES]
    labels, rng = np.concatenate([labels, labels]), np.random.default_rng(0)
    return [
        Sample(
            crop=to_png(cv2.resize(255 - picture, (112, 112))),
            ink=picture,
            label=int(labels[i]),
            source=("drawn", "uploaded", "camera", "imported")[i % 4],
            probabilities=tuple(map(float, rng.dirichlet(np.full(10, 0.3)))),
            is_digit=float(rng.uniform()),
            version=str(i % 3 + 1),
            state=("pending", "accepted", "rejected")[i % 3],
        )
        for i, picture in enumerate(ink)
    ]


if __name__ == "__main__":
    main()
