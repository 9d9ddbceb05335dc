"""Training the binarization network for real, on a handful of pages."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from handwriting import STROKES

from digitlab.binarization import Binarizer
from digitlab.datasets import mnist_test, rehearsal

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def write_drawings(path, signs: str) -> None:
    """The strokes of `handwriting`, as if two sites had collected them, one held out."""
    lines = [
        json.dumps({"label": sign, "source": source, "page": page, "strokes": STROKES[sign]})
        for sign in signs
        for source in ("aga", "uqb")
        for page in "123"
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a network that has learnt for one epoch."""
    from digitlab import release, training

    folder = tmp_path_factory.mktemp("ink")
    digits, test = rehearsal(), mnist_test()
    file = folder / "mnist.npz"
    parts = {"x_train": digits.ink, "y_train": digits.labels}
    np.savez(file, **parts, x_test=test.ink[:10], y_test=test.labels[:10])
    write_drawings(folder / "strokes.gz", "0123456789")
    write_drawings(folder / "signs.gz", "47")
    settings = training.Settings(epochs=1, batch=8)
    given = file, folder / "strokes.gz", folder / "signs.gz"
    release.train_binarizer(folder / "out", *given, settings, 50, lambda line: None)
    return folder / "out"


def test_trained_network_runs_through_litert(trained):
    network = Binarizer((trained / "ink.tflite").read_bytes())
    ink = network(np.random.default_rng(0).random((60, 90)).astype(np.float32), 0.5, 40)
    assert ink.shape == (60, 90)
    assert 0 <= ink.min() <= ink.max() <= 1


def test_share_of_the_weights_it_began_with_is_kept(training, trained, tmp_path):
    with np.load(trained / "work" / "pages-learn.npz") as stored:
        windows = stored["pages"][:16], stored["truth"][:16]
    settings = training.Settings(epochs=1, batch=8, learning_rate=0.01, averaging=0.0)

    def learnt(kept: float):
        chosen = replace(settings, kept=kept)
        given = windows, windows, chosen, tmp_path / str(kept), 128
        return training.fit_binarizer(*given, start=trained / "ink.keras").get_weights()

    first, new = training.load(trained / "ink.keras").get_weights(), learnt(0.0)
    for before, after, mixed in zip(first, new, learnt(0.5), strict=True):
        assert np.allclose(mixed, (before + after) / 2, atol=1e-3)
    assert np.abs(first[0] - new[0]).max() > 5e-3


def test_card_and_history_say_how_it_was_trained(trained):
    card = (trained / "INK_CARD.md").read_text()
    assert "--pages 50 --epochs 1" in card
    (epoch,) = json.loads((trained / "history.json").read_text())
    assert {"loss", "overlap", "val_overlap"} <= set(epoch)
    assert f"{epoch['val_overlap']:.3f}" in card


def test_card_names_the_network_that_it_began_with(trained):
    from digitlab.training_cards import ink_card

    first = json.loads((trained / "ink_metrics.json").read_text())
    lineage = first["training"] | {"pages": 70, "start": first["training"]}
    card = ink_card(first | {"training": lineage})
    commands = card.split("## Train it again")[1]
    assert commands.index("--pages 50") < commands.index("--out stage1")
    assert commands.index("--pages 70") < commands.index("--start stage1/ink.keras")
    assert commands.count("digitlab train-ink") == 2
    assert "120 synthetic pages" in card
