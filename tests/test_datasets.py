"""The data that comes with the program: complete, balanced, and kept apart."""

import numpy as np
import pytest

from digitlab import datasets
from digitlab.errors import DataError


def test_test_set_is_mnists_own_in_its_own_order():
    ink, labels = datasets.mnist_test()
    assert ink.shape == (10_000, 28, 28)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize("count", [10, 500, 13_500])
def test_rehearsal_set_is_balanced_however_much_of_it_is_taken(count):
    labels = datasets.rehearsal().labels[:count]
    assert np.bincount(labels, minlength=10).tolist() == [count // 10] * 10


def test_rehearsal_set_has_nothing_of_validation_or_test():
    with np.load(datasets.FOLDER / "rehearsal.npz") as stored:
        index = stored["index"]
    learn, validate = datasets.split()
    assert len(np.unique(index)) == len(index)
    assert np.isin(index, learn).all()
    assert not np.isin(index, validate).any()
    seen = {ink.tobytes() for ink in datasets.mnist_test().ink}
    assert not any(ink.tobytes() in seen for ink in datasets.rehearsal().ink)


def test_files_are_small_together():
    sizes = [
        (datasets.FOLDER / f"{name}.npz").stat().st_size for name in ("mnist_test", "rehearsal")
    ]
    assert sum(sizes) < 4_000_000


def test_split_parts_all_images_in_the_same_way_each_time():
    learn, validate = datasets.split(1000, 150)
    assert (len(learn), len(validate)) == (850, 150)
    assert sorted([*learn, *validate]) == list(range(1000))
    assert np.array_equal(learn, datasets.split(1000, 150)[0])


def test_a_tenth_is_to_validate_on_unless_told():
    for count in (60_000, 500):
        assert [len(part) for part in datasets.split(count)] == [count * 0.9, count * 0.1]


@pytest.fixture
def small_mnist(tmp_path):
    """MNIST's file as Keras ships it, of what is here: some thousands of images."""
    ink, labels = datasets.rehearsal()
    test = datasets.mnist_test()
    path = tmp_path / "mnist.npz"
    arrays = {"x_train": ink[:9000], "y_train": labels[:9000]}
    np.savez(path, **arrays, x_test=test.ink[:50], y_test=test.labels[:50])
    return path


def test_local_file_is_read_without_fetching(small_mnist):
    mnist = datasets.load_mnist(small_mnist)
    assert mnist.train_ink.shape == (9000, 28, 28)
    assert np.array_equal(mnist.test_labels, datasets.mnist_test().labels[:50])


def test_data_files_are_made_again_byte_for_byte(small_mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "REHEARSAL_EACH", 200)
    for folder in ("one", "two"):
        datasets.write_data_files(small_mnist, tmp_path / folder)
    for name in ("mnist_test.npz", "rehearsal.npz"):
        one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert one == two
    found = datasets.rehearsal(tmp_path / "one")
    assert np.bincount(found.labels).tolist() == [200] * 10
    assert np.array_equal(datasets.mnist_test(tmp_path / "one").ink, datasets.mnist_test().ink[:50])


def test_too_few_images_for_a_balanced_set_are_refused(small_mnist, tmp_path):
    with pytest.raises(DataError, match="too few"):
        datasets.write_data_files(small_mnist, tmp_path)


INK, LABELS = np.zeros((5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)
WRONG = {
    "other keys": {"ink": INK, "labels": LABELS},
    "other size": {"x": INK[:, :20], "y": LABELS},
    "floats": {"x": INK / 255, "y": LABELS},
    "label of 10": {"x": INK, "y": LABELS + 6},
    "a label too few": {"x": INK, "y": LABELS[:4]},
    "objects": {"x": np.array([None] * 5), "y": LABELS},
}


@pytest.mark.parametrize("arrays", WRONG.values(), ids=WRONG)
def test_file_that_holds_no_digits_is_named(tmp_path, arrays):
    np.savez(tmp_path / "mnist_test.npz", **arrays)
    with pytest.raises(DataError, match=r"mnist_test\.npz"):
        datasets.mnist_test(tmp_path)


def test_missing_truncated_and_foreign_files_are_named(tmp_path):
    whole = (datasets.FOLDER / "rehearsal.npz").read_bytes()
    for content in (None, b"", b"text", whole[:5000], whole[:1_000_000]):
        if content is not None:
            (tmp_path / "rehearsal.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"rehearsal\.npz"):
            datasets.rehearsal(tmp_path)


def test_damaged_pixels_are_noticed(tmp_path):
    content = bytearray((datasets.FOLDER / "mnist_test.npz").read_bytes())
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "mnist_test.npz").write_bytes(content)
    with pytest.raises(DataError):
        datasets.mnist_test(tmp_path)
