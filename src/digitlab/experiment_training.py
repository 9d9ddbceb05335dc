"""One run of an experiment: build, train, measure. TensorFlow is imported here, nowhere earlier."""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

import keras
import numpy as np
import tensorflow as tf

from digitlab import __version__, architectures
from digitlab.augment import Augmentation, Augmenter
from digitlab.datasets import Digits
from digitlab.experiment_grid import RECIPES, Recipe, Run
from digitlab.experiments import Sets

AUGMENTATIONS = {
    "published": Augmentation(
        shift=2.8, rotation=10, scale=0.1, shear=0, elastic=0, thickness=0, blur=0, neighbour=0
    ),
    "ours": Augmentation(),
}
_READ_AT_ONCE = 100  # digits of a batch when the test set is read
_WARM_UP = 0.05  # share of the steps of a cycle


class Batches(keras.utils.PyDataset):
    """Shuffled batches, augmented where the recipe says so; drawn from run and epoch alone."""

    def __init__(self, digits: Digits, run: Run, outputs: int):
        super().__init__()
        self._digits, self._run, self._epoch = digits, run, -1
        self._truth = keras.utils.to_categorical(digits.labels, outputs)
        kind = RECIPES[run.recipe].augmentation
        self._augment = Augmenter(AUGMENTATIONS[kind]) if kind else None
        self.on_epoch_end()

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch."""
        self._epoch += 1
        rng = np.random.default_rng([self._run.seed, self._epoch])
        self._order = rng.permutation(len(self._digits.labels))

    def __len__(self) -> int:
        return -(-len(self._digits.labels) // self._run.batch)

    def __getitem__(self, place: int):
        size = self._run.batch
        chosen = self._order[place * size : (place + 1) * size]
        ink = self._digits.ink[chosen]
        if self._augment is not None:
            rng = np.random.default_rng([self._run.seed, self._epoch, place])
            ink = self._augment(ink, rng)
        return as_input(ink), self._truth[chosen]


def as_input(ink: np.ndarray) -> np.ndarray:
    """Pictures (n, 28, 28) uint8 as a network takes them: (n, 28, 28, 1) float32 in 0..1."""
    return ink[..., None].astype(np.float32) / 255


class _Clock(keras.callbacks.Callback):
    """Processor seconds of training, without building the graph and without validating."""

    def __init__(self):
        super().__init__()
        self._spent, self._batches, self._since = 0.0, 0, None

    def on_train_batch_end(self, batch, logs=None):
        now = time.process_time()
        if self._since is not None:
            self._spent, self._batches = self._spent + now - self._since, self._batches + 1
        self._since = now

    def on_test_begin(self, logs=None):
        self._since = None  # the batch after validation is not counted, as the first is not

    def seconds(self, batches: int) -> float:
        """Of `batches` at the pace of those that were counted."""
        return self._spent * batches / max(1, self._batches)


class _Watch(keras.callbacks.Callback):
    """Tells how far it is and what was learnt; `tell` may raise to stop."""

    def __init__(self, run: Run, tell, follow):
        super().__init__()
        self._run, self._tell, self._follow = run, tell, follow
        self._epoch, self.rows = 0, []

    def on_train_batch_end(self, batch, logs=None):
        done = (self._epoch + (batch + 1) / self.params["steps"]) / self._run.epochs
        self._tell(done)

    def on_epoch_end(self, epoch, logs=None):
        self._epoch = epoch + 1
        row = {"epoch": epoch + 1, "seen": (epoch + 1) * self._run.images}
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        row |= {name: round(float(logs[name]), 5) for name in names}
        self.rows.append(row)
        self._follow(row)


def train(
    run: Run,
    digits: Sets,
    tell: Callable[[float], None] = lambda share: None,
    follow: Callable[[dict], None] = lambda row: None,
) -> dict:
    """Do one run.

    Parameters
    ----------
    digits : as `experiments.sets` gives them for this run.
    tell : gets the share done after each batch; may raise to stop.
    follow : gets each epoch's row of the curve.

    Returns
    -------
    dict of "parameters", "curve" (a row an epoch: epoch, images seen, loss, accuracy, val_loss,
    val_accuracy), "test" (images, right), "train_seconds" and "predict_ms" (for one digit of a
    batch of 100), both of processor time on one thread, and with what it was made, and when.
    """
    _one_thread()
    keras.utils.set_random_seed(run.seed)
    network, recipe = architectures.build(run.architecture), RECIPES[run.recipe]
    batches = Batches(digits.train, run, network.output_shape[-1])
    network.compile(
        _optimiser(recipe, run, run.epochs * len(batches)),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.smoothing),
        metrics=["accuracy"],
        jit_compile=False,
    )
    clock, watch = _Clock(), _Watch(run, tell, follow)
    _fit(network, batches, digits.validation, recipe, run, [clock, watch])
    right, milliseconds = _read(network, digits.test)
    return {
        "parameters": network.count_params(),
        "curve": watch.rows,
        "test": {"images": len(digits.test.labels), "right": right},
        "train_seconds": round(clock.seconds(run.epochs * len(batches)), 2),
        "predict_ms": round(milliseconds, 4),
        "made": {
            "digitlab": __version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "finished": f"{datetime.now(UTC):%Y-%m-%d}",
        },
    }


def _fit(network, batches: Batches, validation: Digits, recipe: Recipe, run: Run, watching) -> None:
    truth = keras.utils.to_categorical(validation.labels, network.output_shape[-1])
    if recipe.plateau:
        slower = keras.callbacks.ReduceLROnPlateau(
            "val_accuracy", factor=0.5, patience=3, min_lr=1e-5, verbose=0
        )
        watching = [*watching, slower]
    network.fit(
        batches,
        epochs=run.epochs,
        validation_data=(as_input(validation.ink), truth),
        validation_batch_size=_READ_AT_ONCE,
        shuffle=False,  # the batches are shuffled already
        verbose=0,
        callbacks=watching,
    )


def _optimiser(recipe: Recipe, run: Run, steps: int) -> keras.optimizers.Optimizer:
    rate = run.learning_rate
    if recipe.cycle:
        rising = max(1, round(_WARM_UP * steps))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, steps - rising), alpha=0.01, warmup_target=rate, warmup_steps=rising
        )
    return {
        "sgd": lambda: keras.optimizers.SGD(rate, momentum=0.9),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate),
        "adam": lambda: keras.optimizers.Adam(rate),
        "adamw": lambda: keras.optimizers.AdamW(rate, weight_decay=0.02),
    }[recipe.optimiser]()


def _read(network: keras.Model, test: Digits) -> tuple[int, float]:
    """How many of the test set are read right, and processor milliseconds a digit."""
    read = tf.function(lambda ink: network(ink, training=False))
    ink = as_input(test.ink)
    read(ink[:_READ_AT_ONCE])  # the first call builds the graph
    began = time.process_time()
    logits = [read(ink[i : i + _READ_AT_ONCE]) for i in range(0, len(ink), _READ_AT_ONCE)]
    spent = time.process_time() - began
    answers = np.concatenate([part.numpy() for part in logits]).argmax(1)
    return int((answers == test.labels).sum()), 1000 * spent / len(ink)


def _one_thread() -> None:
    """Runs stand beside one another, one a processor; and one thread adds in one order."""
    with contextlib.suppress(RuntimeError):  # TensorFlow has begun to compute in this process
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
