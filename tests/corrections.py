"""Samples to put into a store: real digits of MNIST, real readings of drawings."""

from functools import cache

import cv2
import numpy as np
from handwriting import centred, on_white, written

from digitlab.crops import to_png
from digitlab.datasets import mnist_test
from digitlab.recognizer import champion
from digitlab.samples import Sample


def drawn(label: int, said: int | None = None, session: str = "somebody") -> Sample:
    """A drawing of `label` that the shipped model read, and what the person said it is."""
    image = on_white(centred(written(str(label))))
    reading = champion().recognize(image)
    said = label if said is None else said
    (digit,) = reading.digits
    return Sample.of_digit(image, digit, said, "drawn", reading.version, session, said == label)


def mnist(count: int, start: int = 0) -> list[Sample]:
    """Digits of the MNIST test set, labelled as it says, with a made-up prediction each."""
    ink, labels = _digits()
    rng = np.random.default_rng(start)
    return [_sample(i, ink[i], int(labels[i]), rng) for i in range(start, start + count)]


_digits = cache(mnist_test)


def _sample(index: int, ink: np.ndarray, label: int, rng: np.random.Generator) -> Sample:
    shares = rng.dirichlet(np.full(10, 0.3))
    return Sample(
        crop=to_png(cv2.resize(255 - ink, (112, 112), interpolation=cv2.INTER_CUBIC)),
        ink=ink,
        label=label,
        source=("drawn", "uploaded", "camera", "imported")[index % 4],
        probabilities=tuple(map(float, shares)),
        is_digit=float(rng.uniform()),
        version=str(index % 3 + 1),
        session="somebody",
        state=("pending", "accepted", "rejected")[index % 3],
    )


def same(one: Sample, other: Sample) -> bool:
    """Whether two samples are equal in all but their number, their session and the moment."""
    fields = ("crop", "label", "source", "probabilities", "is_digit", "version", "confirmed")
    return np.array_equal(one.ink, other.ink) and all(
        getattr(one, name) == getattr(other, name) for name in (*fields, "state")
    )
