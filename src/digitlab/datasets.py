"""MNIST, and the two parts of it that the repository carries: the test set and a rehearsal set."""

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.errors import DataError

FOLDER = Path(__file__).resolve().parents[2] / "data"
"""Where the committed files lie."""

REHEARSAL_EACH = 1350  # images of each digit: what fits under 4 MB beside the test set
CLASSES = 10

DAMAGE = OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error
"""What reading a damaged file raises."""


class Mnist(NamedTuple):
    """MNIST whole: ink (n, 28, 28) uint8, 0 is paper and 255 is ink; labels (n,) uint8."""

    train_ink: np.ndarray
    train_labels: np.ndarray
    test_ink: np.ndarray
    test_labels: np.ndarray


class Digits(NamedTuple):
    """Ink (n, 28, 28) uint8, 0 is paper and 255 is ink; labels (n,) uint8, 0 to 9."""

    ink: np.ndarray
    labels: np.ndarray


def load_mnist(path: Path | None = None) -> Mnist:
    """All of MNIST, from a local .npz file with Keras' four arrays or by Keras' own loader.

    Raises
    ------
    DataError if the file is missing or damaged, or if it can't be fetched.
    """
    if path is None:
        (train_ink, train_labels), (test_ink, test_labels) = _fetch()
        return Mnist(train_ink, train_labels, test_ink, test_labels)
    return Mnist(*_stored(path, "x_train", "y_train"), *_stored(path, "x_test", "y_test"))


def mnist_test(folder: Path = FOLDER) -> Digits:
    """MNIST's 10,000 test images. Raises DataError if the file is missing or damaged."""
    return _stored(folder / "mnist_test.npz", "x", "y")


def rehearsal(folder: Path = FOLDER) -> Digits:
    """Some thousands of MNIST's training images, as many of each digit, for fine-tuning.

    The digits take turns, so that the first n are as balanced as n allows. None is in the
    validation part of `split`. Raises DataError if the file is missing or damaged.
    """
    return _stored(folder / "rehearsal.npz", "x", "y")


def split(
    count: int = 60_000, validation: int | None = None, seed: int = 7
) -> tuple[np.ndarray, np.ndarray]:
    """Which of `count` training images to learn from and which to validate on, a tenth if not told.

    Returns
    -------
    Two int arrays that share no number: (count - validation,) and (validation,).
    """
    validation = count // 10 if validation is None else validation
    order = np.random.default_rng(seed).permutation(count)
    return order[validation:], order[:validation]


def write_data_files(mnist_path: Path | None, folder: Path = FOLDER) -> None:
    """Make the two committed files again, byte for byte, from the whole of MNIST."""
    mnist = load_mnist(mnist_path)
    chosen = _balanced(mnist.train_labels, split(len(mnist.train_labels))[0])
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "mnist_test.npz", x=mnist.test_ink, y=mnist.test_labels.astype(np.uint8)
    )
    np.savez_compressed(
        folder / "rehearsal.npz",
        x=mnist.train_ink[chosen],
        y=mnist.train_labels[chosen].astype(np.uint8),
        index=chosen.astype(np.uint16),  # which of the 60,000, so that the choice can be checked
    )


def _balanced(labels: np.ndarray, learn: np.ndarray) -> np.ndarray:
    """The first REHEARSAL_EACH of each digit among `learn`, the ten digits taking turns."""
    each = [learn[labels[learn] == digit][:REHEARSAL_EACH] for digit in range(CLASSES)]
    if len({len(part) for part in each}) != 1:
        raise DataError("MNIST holds too few images of some digit to make a balanced set of it")
    return np.stack(each, axis=1).ravel()


def _stored(path: Path, ink_key: str, label_key: str) -> Digits:
    """Ink and labels out of a .npz file, checked to be such."""
    try:
        with np.load(path) as stored:
            digits = Digits(stored[ink_key], stored[label_key])
    except DAMAGE as error:
        raise DataError(f"{path} can't be read as a file of digits: {error}") from error
    fits = digits.ink.dtype == np.uint8 and digits.ink.shape == (len(digits.ink), 28, 28)
    known = digits.labels.shape == (len(digits.ink),) and np.isin(digits.labels, range(10)).all()
    if not fits or not known:
        raise DataError(f"{path} holds no digits of 28x28 bytes with labels from 0 to 9")
    return digits


def _fetch():
    from keras.datasets import mnist  # heavy, and only to train from scratch

    try:
        return mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception when the download fails
        raise DataError(f"MNIST can't be fetched; give a local file instead: {error}") from error
