"""Training the string reader for real, on a handful of strips."""

import gzip
import json

import numpy as np
import pytest
from handwriting import STROKES

from digitlab.datasets import mnist_test, rehearsal
from digitlab.touching import StringReader, log_likelihood

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def trained(training, tmp_path_factory):
    """A folder with a network that has learnt for one epoch."""
    from digitlab import release

    folder = tmp_path_factory.mktemp("strings")
    digits, test = rehearsal(), mnist_test()
    parts = {"x_train": digits.ink, "y_train": digits.labels}
    np.savez(folder / "mnist.npz", **parts, x_test=test.ink[:10], y_test=test.labels[:10])
    lines = [
        json.dumps({"label": sign, "source": source, "page": page, "strokes": STROKES[sign]})
        for sign in "0123456789"
        for source in ("aga", "uqb")
        for page in "123"
    ]
    (folder / "strokes.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    signs = [line.replace('"label": "4"', '"label": "A"') for line in lines if '"4"' in line]
    (folder / "signs.gz").write_bytes(gzip.compress("\n".join(signs).encode()))
    settings = training.Settings(epochs=1, batch=16)
    given = folder / "mnist.npz", folder / "strokes.gz", folder / "signs.gz", settings, 200
    release.train_string_reader(folder / "out", *given, lambda line: None)
    return folder / "out"


def test_trained_network_runs_through_litert(trained):
    network = StringReader((trained / "strings.tflite").read_bytes())
    with np.load(trained / "work" / "strips-learn.npz") as stored:
        (columns,) = network(stored["strips"][:1])
    assert columns.shape[1] == 12
    assert np.allclose(np.exp(columns).sum(1), 1)


def test_card_and_history_say_how_it_was_trained(trained):
    card = (trained / "STRINGS_CARD.md").read_text()
    assert "digitlab train-strings --data" in card
    assert "--strips 200 --epochs 1" in card
    assert "--signs unipen_nondigits" in card
    (epoch,) = json.loads((trained / "history.json").read_text())
    assert {"loss", "likelihood", "val_likelihood"} <= set(epoch)


def strips(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Strips of all lengths with any digits, not readable."""
    rng = np.random.default_rng(0)
    made, truth = np.zeros((count, 32, 112), np.uint8), np.full((count, 6), -1, np.int8)
    for picture, row, length in zip(made, truth, rng.integers(10, 108, count), strict=True):
        picture[4:28, 4:length] = rng.integers(1, 255, (24, length - 4))
        digits = rng.integers(0, 10, 1 + length // 25)
        row[: len(digits)] = digits
    return made, truth


def test_batches_hold_strips_that_are_about_as_long_and_the_same_for_the_same_seed(training):
    made = strips(400)
    settings = training.Settings(batch=16, seed=3)
    one, two = (training.Strips(*made, settings) for _ in "ab")
    assert len(one) == 25
    widths = [one[place][0].shape[2] for place in range(25)]
    assert len(set(widths)) > 3
    assert widths[0] < widths[1]  # else Keras takes it that all are as wide as the first
    for mine, other in zip(one[7], two[7], strict=True):
        assert np.array_equal(mine, other)
    two.begin(1)
    assert [two[place][0].shape[2] for place in range(25)] != widths


def test_epoch_takes_every_strip_once(training):
    batches = training.Strips(*strips(160), training.Settings(batch=16))
    seen = sorted(tuple(row) for place in range(10) for row in batches[place][1])
    assert seen == sorted(tuple(row) for row in strips(160)[1].astype(int) + 1)


def test_likelihood_is_that_by_which_strings_are_read(training):
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (3, 12, 11)).astype(np.float32)
    truth = np.array([[3, 1, -1], [7, 7, 7], [0, -1, -1]])
    found = np.array(training.likelihood(truth + 1, logits))
    columns = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for share, row, part in zip(found, truth, columns, strict=True):
        string = tuple(int(digit) for digit in row if digit >= 0)
        assert share == pytest.approx(np.exp(log_likelihood(part, string)), rel=1e-3)


def test_share_of_the_weights_it_began_with_is_kept(training, trained, tmp_path):
    data = strips(48)
    settings = training.Settings(epochs=1, batch=16, kept=1.0)
    given = data, data, settings, tmp_path
    again = training.fit_string_reader(*given, start=trained / "strings.keras")
    first = training.load(trained / "strings.keras")
    for before, after in zip(first.get_weights(), again.get_weights(), strict=True):
        assert np.allclose(before, after, atol=1e-6)
