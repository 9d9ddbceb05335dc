"""Training for real on a few hundred images: progress, files, and going on after a stop."""

import json
import re
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitlab import datasets
from digitlab.corpus import NOT_A_DIGIT, Examples
from digitlab.errors import ModelError
from digitlab.recognizer import SHIPPED, Recognizer

pytestmark = [
    pytest.mark.training,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def examples(kind: str, labels: np.ndarray, first: int = 0) -> Examples:
    ink = datasets.rehearsal().ink[first : first + len(labels)]
    return Examples.of_kind(ink, labels, kind)


def mnist(count: int, first: int = 0) -> Examples:
    return examples("mnist", datasets.rehearsal().labels[first : first + count], first)


# Batches ------------------------------------------------------------------------------------------


def mixture() -> Examples:
    made = examples("drawn", datasets.rehearsal().labels[:150])
    others = examples("drawn", np.full(200, NOT_A_DIGIT))
    signs = examples("sign", np.full(200, NOT_A_DIGIT))
    return Examples.join([mnist(100), made, others, signs])


def test_batches_are_the_same_for_the_same_seed_and_others_each_epoch(training):
    settings = training.Settings(batch=32, seed=5)
    one, two = (training.Batches(mnist(100), settings) for _ in "ab")
    assert len(one) == 3
    for mine, other in zip(one[1], two[1], strict=True):
        assert np.array_equal(mine, other)
    ink, truth = one[0]
    assert ink.shape == (32, 28, 28, 1)
    assert ink.dtype == np.float32
    assert 0 <= ink.min() <= ink.max() <= 1
    assert truth.shape == (32, 11)
    two.begin(1)
    assert not np.array_equal(one[1][0], two[1][0])


def test_epoch_takes_each_kind_in_its_share(training):
    settings = training.Settings(batch=10, made=0.5, others=0.2, signs=0.4)
    batches = training.Batches(mixture(), settings)
    truth = np.concatenate([batches[i][1] for i in range(len(batches))]).argmax(1)
    assert len(truth) == 240  # 100 of MNIST, 50 made, 30 and 60 that are no digit
    assert (truth == NOT_A_DIGIT).sum() == 90


def test_last_epochs_change_ink_less(training):
    settings = training.Settings(epochs=4, batch=50, calm=0.5)
    calm, usual = (training.Batches(mnist(50), s) for s in (settings, replace(settings, calm=0.0)))
    for epoch, same in enumerate([True, True, False, False]):
        for batches in (calm, usual):
            batches.begin(epoch)
        assert np.array_equal(calm[0][0], usual[0][0]) == same


def test_training_can_begin_with_the_weights_of_another(training, tmp_path):
    settings = training.Settings(epochs=1, batch=50, learning_rate=0.0, weight_decay=0.0)
    still = replace(settings, averaging=0.0)
    first = training.fit(mnist(50), mnist(50), still, tmp_path / "first")
    first.save(tmp_path / "first.keras")
    again = training.fit(
        mnist(50), mnist(50), still, tmp_path / "again", start=tmp_path / "first.keras"
    )
    kernels = [n.get_layer("logits").get_weights()[0] for n in (first, again)]
    assert np.allclose(*kernels, atol=1e-6)


def test_share_of_the_weights_it_began_with_is_kept(training, tmp_path):
    settings = training.Settings(epochs=1, batch=50)
    first = training.fit(mnist(50), mnist(50), settings, tmp_path / "first")
    first.save(tmp_path / "first.keras")

    def learnt(kept: float):
        given = mnist(50), mnist(50), replace(settings, kept=kept), tmp_path / str(kept)
        return training.fit(*given, start=tmp_path / "first.keras").get_weights()

    for before, after, mixed in zip(first.get_weights(), learnt(0.0), learnt(0.25), strict=True):
        assert np.allclose(mixed, 0.25 * before + 0.75 * after, atol=1e-5)


def test_nothing_can_be_kept_where_nothing_was(training, tmp_path):
    with pytest.raises(ValueError, match="no weights"):
        training.fit(mnist(50), mnist(50), training.Settings(kept=0.5), tmp_path)


def test_weights_of_another_architecture_are_not_averaged_with(training, tmp_path):
    training.networks.build("compact").save(tmp_path / "compact.keras")
    assert training.weights_of(tmp_path / "compact.keras", "compact")
    training.networks.string_reader().save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"other\.keras holds a network of another architecture"):
        training.weights_of(tmp_path / "other.keras", "compact")


def test_file_that_is_no_network_can_not_be_begun_with(training, tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"broken\.keras"):
        training.load(tmp_path / "broken.keras")


def test_epoch_takes_every_image_of_mnist_once(training):
    still = training.Augmentation(0, 0, 0, 0, 0, 0, 0, 0)
    batches = training.Batches(mnist(100), training.Settings(batch=20, augmentation=still))
    seen = np.concatenate([batches[i][0] for i in range(5)])[..., 0] > 0.5
    assert len({picture.tobytes() for picture in seen}) >= 98  # fainter ink may fall below a half


# fit ----------------------------------------------------------------------------------------------


class StoppedError(Exception):
    """Stands for whatever ends a run."""


def test_stopped_training_goes_on_as_if_it_had_not_been_stopped(training, tmp_path):
    settings = training.Settings(epochs=3, batch=64, averaging=0.9, seed=3)
    data, lines, more = (mnist(256), mnist(64, 1000)), [], []
    whole = training.fit(*data, settings, tmp_path / "whole", lines.append)

    def stop_in_second(line: str) -> None:
        if line.startswith("epoch 2/3"):
            raise StoppedError

    with pytest.raises(StoppedError):
        training.fit(*data, settings, tmp_path / "stopped", stop_in_second)
    resumed = training.fit(*data, settings, tmp_path / "stopped", more.append)
    assert [line.split()[1] for line in lines + more] == ["1/3", "2/3", "3/3", "3/3"]
    right = [float(re.search(r"accuracy ([\d.]+)%", line)[1]) for line in lines]
    assert right[-1] > right[0] + 10
    # Nearly: which places of the embedding are dropped out is drawn anew.
    weights, again = (
        np.concatenate([part.ravel() for part in fit.get_weights()]) for fit in (whole, resumed)
    )
    assert np.abs(weights - again).mean() < 0.01 * np.abs(weights).mean()


# digitlab train -----------------------------------------------------------------------------------

LINE = (
    r"epoch (\d)/2  loss \d+\.\d+  accuracy [\d.]+%  validation [\d.]+%  "
    r"\d+ s, about \d+ min left"
)
FILES = {
    *("model.keras", "model.tflite", "metrics.json", "history.json"),
    *("MODEL_CARD.md", "neighbours.npz"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A version trained in the terminal, killed after an epoch and started again.

    Gives its folder, and what was printed before and after.
    """
    folder = tmp_path_factory.mktemp("train")
    ink, labels = datasets.rehearsal()
    test = datasets.mnist_test()
    parts = {"x_train": ink[:500], "y_train": labels[:500]}  # 50 of them to validate on
    np.savez(folder / "mnist.npz", **parts, x_test=test.ink[:20], y_test=test.labels[:20])
    command = [sys.executable, "-m", "digitlab.cli", "train", "--epochs", "2", "--seed", "4"]
    command += ["--data", str(folder / "mnist.npz"), "--out", str(folder / "version")]
    before = []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as run:
        for line in run.stdout:
            before.append(line)
            if line.startswith("epoch 1/2"):
                run.send_signal(signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return folder / "version", before, done.stdout.splitlines()


def test_each_epoch_has_its_line_of_progress(trained):
    _, before, after = trained
    epochs = [re.fullmatch(LINE, line.strip()) for line in (*before, *after) if "epoch" in line]
    assert all(epochs)
    assert [int(found[1]) for found in epochs] == [1, 2]


def test_killed_training_goes_on_where_it_was(trained):
    folder, _, after = trained
    assert not any(line.startswith("epoch 1/") for line in after)
    history = json.loads((folder / "history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2]
    assert {"loss", "accuracy", "val_accuracy", "seconds"} <= set(history[0])


def test_version_folder_has_its_files_and_nothing_to_resume(trained):
    folder, _, after = trained
    assert {path.name for path in folder.iterdir()} - {"work"} == FILES
    assert "written to" in after[-1]
    assert "mnist test" in after[-1].lower()


def test_trained_version_can_be_loaded_and_is_what_its_metrics_say(trained):
    folder: Path = trained[0]
    reader, metrics = Recognizer.load(folder), json.loads((folder / "metrics.json").read_text())
    assert metrics["bytes"] == (folder / "model.tflite").stat().st_size <= 1_000_000
    assert metrics["parameters"] <= 400_000
    assert metrics["training"]["settings"]["seed"] == 4
    test = datasets.mnist_test()
    right = reader.classify(test.ink[:2000]).probabilities.argmax(1) == test.labels[:2000]
    assert right.mean() == pytest.approx(metrics["mnist_test"]["accuracy"], abs=0.05)
    assert metrics["mnist_test"]["images"] == 10_000
    assert metrics["validation"]["mnist"]["digits"] == 50


def test_card_and_keras_file_belong_to_the_version(trained):
    folder: Path = trained[0]
    metrics = json.loads((folder / "metrics.json").read_text())
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert f"{metrics['parameters']:,} parameters" in card
    assert f"{metrics['mnist_test']['errors']} errors in 10,000" in card
    with zipfile.ZipFile(folder / "model.keras") as stored:
        assert {"config.json", "model.weights.h5"} <= set(stored.namelist())


def test_version_can_be_averaged_with_another(trained, tmp_path):
    """In the terminal, with a learning rate of 0: what is learnt is what it began with."""
    from digitlab.training import load

    folder: Path = trained[0]
    command = [sys.executable, "-m", "digitlab.cli", "train", "--epochs", "1"]
    command += ["--learning-rate", "0", "--data", str(folder.parent / "mnist.npz")]
    command += ["--start", str(folder / "model.keras"), "--out", str(tmp_path)]
    other = SHIPPED / "model.keras"
    command += ["--average-with", str(other), "--average-with", str(other)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    files = folder / "model.keras", other, tmp_path / "model.keras"
    first, second, mean = (load(file).get_layer("logits").get_weights()[0] for file in files)
    assert np.allclose(mean, (first + 2 * second) / 3, atol=1e-6)
    began, joined, lineage = (
        json.loads(file.with_name("metrics.json").read_text())["training"] for file in files
    )
    assert lineage["start"] == began
    assert lineage["averaged_with"] == [joined, joined]
