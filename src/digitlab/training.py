"""Training the networks that ship. Takes TensorFlow, so the serving process never imports it."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import keras
import numpy as np

from digitlab import growing, networks
from digitlab.augment import Augmentation, Augmenter, vary_strips
from digitlab.corpus import NOT_A_DIGIT, OTHER_SIGNS, Examples
from digitlab.errors import ModelError
from digitlab.frame import STRIP, ends_of


@dataclass(frozen=True)
class Settings:
    """Everything that decides what comes out of a training, besides the examples."""

    architecture: str = "wide"
    epochs: int = 24
    batch: int = 128
    learning_rate: float = 2e-3  # at its peak; one cycle of warm-up and cosine decay
    weight_decay: float = 0.02
    smoothing: float = 0.03  # share of each label spread over the others
    averaging: float = 0.999  # of the weights, exponentially, a step
    made: float = 1.0  # made digits an epoch, as a share of MNIST's; drawn anew each epoch
    others: float = 0.28  # pieces and pairs of digits an epoch, as a share of the digits
    signs: float = 0.3  # letters, symbols, doodles and scribbles an epoch, likewise
    calm: float = 0.0  # share of the epochs, the last ones, in which ink is changed half as much
    kept: float = 0.0  # share of the weights it started from in the average that comes out
    seed: int = 0
    precision: str = "float32"  # "mixed_bfloat16" where the processor has bfloat16 instructions
    augmentation: Augmentation = field(default_factory=Augmentation)


INK_SETTINGS = Settings(epochs=10, batch=32, learning_rate=3e-3, averaging=0.998)
"""How the binarization network is trained unless somebody says otherwise."""

STRINGS_SETTINGS = Settings(epochs=8, averaging=0.998)
"""How the string reader is trained unless somebody says otherwise."""


class Batches(keras.utils.PyDataset):
    """Augmented batches of examples; which and how depends on seed, epoch and place alone."""

    def __init__(self, examples: Examples, settings: Settings):
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=16)
        self.examples, self.settings = examples, settings
        self._augmenters = [Augmenter(settings.augmentation)]
        if settings.calm:
            self._augmenters.append(Augmenter(settings.augmentation.weaker(0.5)))
        own = examples.kinds == "mnist"
        sign = np.isin(examples.kinds, OTHER_SIGNS)
        other = (examples.labels == NOT_A_DIGIT) & ~sign
        self._pools = [np.flatnonzero(m) for m in (own, ~own & ~other & ~sign, other, sign)]
        self.begin(0)

    def _counts(self) -> list[int]:
        """How many of each pool an epoch takes: MNIST, made digits, pieces and pairs, signs."""
        mnist, made, others, signs = (len(pool) for pool in self._pools)
        made = min(made, round(self.settings.made * mnist)) if mnist else made
        others = min(others, round(self.settings.others * (mnist + made)))
        return [mnist, made, others, min(signs, round(self.settings.signs * (mnist + made)))]

    def begin(self, epoch: int) -> None:
        """Choose and shuffle the examples of one epoch, and how strongly to change them."""
        self.epoch = epoch
        calm = epoch >= (1 - self.settings.calm) * self.settings.epochs
        self._augment = self._augmenters[-1 if calm else 0]
        rng = np.random.default_rng([self.settings.seed, epoch])
        chosen = [rng.permutation(p)[:n] for p, n in zip(self._pools, self._counts(), strict=True)]
        self._order = rng.permutation(np.concatenate(chosen))

    def __len__(self) -> int:
        return sum(self._counts()) // self.settings.batch

    def __getitem__(self, place: int):
        size = self.settings.batch
        chosen = self._order[place * size : (place + 1) * size]
        rng = np.random.default_rng([self.settings.seed, self.epoch, place])
        ink = self._augment(self.examples.ink[chosen], rng)
        truth = keras.utils.to_categorical(self.examples.labels[chosen], networks.CLASSES)
        return as_input(ink), truth


def as_input(ink: np.ndarray) -> np.ndarray:
    """Pictures (n, h, w) uint8 as a network takes them: (n, h, w, 1) float32 in 0..1."""
    return ink[..., None].astype(np.float32) / 255


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up over a twentieth of the steps, then half a cosine down to a hundredth."""

    def __init__(self, peak: float, steps: int):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        ops = keras.ops
        done = ops.cast(step, "float32") / self.steps
        rise = ops.minimum(done / 0.05, 1.0)
        fall = 0.5 * (1 + ops.cos(np.pi * ops.clip((done - 0.05) / 0.95, 0.0, 1.0)))
        return self.peak * rise * (0.01 + 0.99 * fall)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


class _Report(keras.callbacks.Callback):
    """A line an epoch to `tell`, its row to `follow`, and the history on disk so that it lasts."""

    def __init__(self, batches: Batches, folder: Path, tell: Callable[[str], None], follow):
        super().__init__()
        self.batches, self.file, self.tell = batches, folder / _HISTORY, tell
        self.follow = follow
        self.rows = history(folder)
        self.started = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.begin(epoch)
        self.began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.began, 1)}
        row |= {key: round(float(value), 5) for key, value in (logs or {}).items()}
        self.rows = [r for r in self.rows if r["epoch"] <= epoch] + [row]
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.rows, indent=1))
        part.replace(self.file)  # whole or not at all, whenever the run is stopped
        left = (self.params["epochs"] - epoch - 1) * row["seconds"] / 60
        (metric,) = (key for key in row if f"val_{key}" in row and key != "loss")
        self.tell(
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {row['loss']:.4f}  "
            f"{metric} {row[metric]:.2%}  validation {row[f'val_{metric}']:.2%}  "
            f"{row['seconds']:.0f} s, about {left:.0f} min left"
        )
        if self.follow is not None:
            self.follow(row)


def fit(
    train: Examples,
    validation: Examples,
    settings: Settings,
    folder: Path,
    tell: Callable[[str], None] = print,
    start: Path | None = None,
    watch: Callable[[float], None] | None = None,
    follow: Callable[[dict], None] | None = None,
) -> keras.Model:
    """Train a network from scratch, or go on where a stopped run in `folder` left off.

    Parameters
    ----------
    train, validation : examples; validation only measures, nothing is learnt from it.
    folder : for history.json and the state to resume from.
    start : a .keras file of the same architecture, whose weights to begin with, or of one that
        it can grow out of (`growing.grow`).
    watch : gets the share done after each batch; may raise to stop.
    follow : gets each epoch's row of the history.
    tell : gets one line an epoch.

    Returns
    -------
    The float32 network with the averaged weights; with `settings.kept`, averaged once more with
    those that it started from (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

    Raises
    ------
    ValueError if `settings.kept` is not 0 but there is no start.
    ModelError if the start is of another architecture that this one can not grow out of.
    """
    build = partial(networks.build, settings.architecture)
    network, first = _started(build, settings, folder, start, train.ink)
    batches = Batches(train, settings)
    trainee = keras.Model(network.input, network.output["logits"])
    trainee.compile(
        _optimizer(settings, len(batches)),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=settings.smoothing),
        metrics=["accuracy"],
    )
    truth = keras.utils.to_categorical(validation.labels, networks.CLASSES)
    checks = as_input(validation.ink), truth
    _run(trainee, batches, checks, settings, folder, tell, watch, follow)
    final = networks.build(settings.architecture)
    final.set_weights(_with_kept(network, first, settings))
    return final


def _started(
    build: Callable[..., keras.Model],
    settings: Settings,
    folder: Path,
    start: Path | None,
    ink: np.ndarray | None = None,
) -> tuple[keras.Model, list[np.ndarray] | None]:
    """A network to train, and the weights out of `start` that it begins with, None without one.

    Parameters
    ----------
    ink : (n, 28, 28) uint8, on which a network of other widths may be grown out of `start`.

    Raises
    ------
    ValueError if some are to be kept of none.
    ModelError if `start` is no network, or one that it can not grow out of.
    """
    if settings.kept and start is None:
        raise ValueError("without a start there are no weights to keep")
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(settings.seed)
    network = build(dtype=settings.precision)
    if start is None:
        return network, None
    first = load(start)
    if ink is None or _shapes(first) == _shapes(network):
        network.set_weights(first.get_weights())
    else:
        some = np.random.default_rng(settings.seed).permutation(len(ink))[: growing.SAMPLE]
        growing.grow(first, network, as_input(ink[some]))
    return network, network.get_weights()


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [array.shape for array in network.get_weights()]


def _with_kept(network: keras.Model, first, settings: Settings) -> list[np.ndarray]:
    """What was learnt, averaged with the first weights if a share of those is to be kept."""
    learnt = network.get_weights()
    return between(learnt, first, settings.kept) if settings.kept else learnt


def between(first: list[np.ndarray], last: list[np.ndarray], way: float) -> list[np.ndarray]:
    """Weights a share `way` of the way from the first ones to the last."""
    return [(1 - way) * a + way * b for a, b in zip(first, last, strict=True)]


def mean(networks: list[list[np.ndarray]]) -> list[np.ndarray]:
    """The mean of the weights of several networks of one architecture."""
    return [sum(arrays) / len(networks) for arrays in zip(*networks, strict=True)]


def weights_of(path: Path, architecture: str) -> list[np.ndarray]:
    """The weights in a .keras file. Raises ModelError if it holds none of that architecture."""
    network = load(path)
    if _shapes(network) != _shapes(networks.build(architecture)):
        raise ModelError(f"{path} holds a network of another architecture than {architecture}")
    return network.get_weights()


def _optimizer(settings: Settings, steps: int):
    """AdamW over one cycle of `steps` an epoch, keeping an average of the weights."""
    return keras.optimizers.AdamW(
        _Schedule(settings.learning_rate, settings.epochs * steps),
        weight_decay=settings.weight_decay,
        use_ema=True,
        ema_momentum=settings.averaging,
    )


def history(folder: Path) -> list[dict]:
    """A row for each epoch of the training in `folder`: its number, seconds and measures."""
    file = folder / _HISTORY
    return json.loads(file.read_text()) if file.exists() else []


class _Watch(keras.callbacks.Callback):
    """Tells the share of the batches that are done."""

    def __init__(self, watch: Callable[[float], None]):
        super().__init__()
        self.watch, self.epoch = watch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        done = self.epoch + (batch + 1) / self.params["steps"]
        self.watch(done / self.params["epochs"])


_HISTORY = "history.json"


def _run(
    trainee, batches, validation, settings: Settings, folder: Path, tell, watch=None, follow=None
) -> None:
    """Train, report and keep what is needed to go on after a stop."""
    trainee.fit(
        batches,
        epochs=settings.epochs,
        validation_data=validation,
        validation_batch_size=256,
        shuffle=False,  # the batches are shuffled already, the same way after a stop
        verbose=0,
        callbacks=[
            # First, so that it keeps the weights and their average before they are swapped.
            keras.callbacks.BackupAndRestore(str(folder / "resume")),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            _Report(batches, folder, tell, follow),
            *([] if watch is None else [_Watch(watch)]),
        ],
    )


class Windows(keras.utils.PyDataset):
    """Batches of windows of pages, ink a little darker or lighter each time."""

    def __init__(self, pages: np.ndarray, truth: np.ndarray, settings: Settings):
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=16)
        self.pages, self.truth, self.settings = pages, truth, settings
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Shuffle the windows for one epoch."""
        self.epoch = epoch
        rng = np.random.default_rng([self.settings.seed, epoch])
        self._order = rng.permutation(len(self.pages))

    def __len__(self) -> int:
        return len(self.pages) // self.settings.batch

    def __getitem__(self, place: int):
        size = self.settings.batch
        chosen = self._order[place * size : (place + 1) * size]
        rng = np.random.default_rng([self.settings.seed, self.epoch, place])
        gain = np.exp(rng.normal(0, 0.15, (size, 1, 1, 1))).astype(np.float32)
        pages = as_input(self.pages[chosen])
        return (pages - 0.25) * gain + 0.25, as_input(self.truth[chosen])


def overlap(truth, logits):
    """Dice's coefficient of soft ink and its truth."""
    ops = keras.ops
    truth, found = ops.cast(truth, "float32"), ops.sigmoid(ops.cast(logits, "float32"))
    return (2 * ops.sum(truth * found) + 1) / (ops.sum(truth) + ops.sum(found) + 1)


def fit_binarizer(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    folder: Path,
    side: int,
    tell: Callable[[str], None] = print,
    start: Path | None = None,
) -> keras.Model:
    """Train the binarization network, or go on where a stopped run in `folder` left off.

    Parameters
    ----------
    train, validation : windows (n, s, s) uint8 and their truth, as `pages_corpus.make` gives them.
    side : pixels of the square that the returned network takes; it learns on windows of s.
    start : a .keras file of such a network, whose weights to begin with.

    Returns
    -------
    As `fit` does; it raises the same.
    """
    build = partial(networks.binarizer, train[0].shape[1])
    network, first = _started(build, settings, folder, start)
    batches = Windows(*train, settings)
    trainee = keras.Model(network.input, network.output["ink"])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    trainee.compile(_optimizer(settings, len(batches)), loss, metrics=[overlap])
    checks = tuple(as_input(part) for part in validation)
    _run(trainee, batches, checks, settings, folder, tell)
    final = networks.binarizer(side)
    final.set_weights(_with_kept(network, first, settings))
    return final


class Strips(keras.utils.PyDataset):
    """Augmented batches of strips, each of about the same length, without the empty paper."""

    ALIKE, STEP, ROOM = 16, 16, 10  # batches that are sorted by length; pixels; pixels

    def __init__(self, strips: np.ndarray, truth: np.ndarray, settings: Settings):
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=16)
        self.strips, self.truth, self.settings = strips, truth, settings
        self._lengths = ends_of(strips)
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Shuffle the strips for one epoch, so that those of a batch are about as long."""
        self.epoch, size = epoch, self.settings.batch
        rng = np.random.default_rng([self.settings.seed, epoch])
        order = rng.permutation(len(self.strips))[: len(self) * size]
        alike = self.ALIKE * size
        groups = [order[i : i + alike] for i in range(0, len(order), alike)]
        order = np.concatenate([group[self._lengths[group].argsort()] for group in groups])
        chosen = rng.permutation(order.reshape(len(self), size))
        longest = self._lengths[chosen].max(1)
        # From the first two Keras learns that widths differ.
        ends = int(longest.argmin()), int(longest.argmax())
        self._chosen = np.concatenate([chosen[list(ends)], np.delete(chosen, ends, 0)])

    def __len__(self) -> int:
        return len(self.strips) // self.settings.batch

    def __getitem__(self, place: int):
        chosen = self._chosen[place]
        rng = np.random.default_rng([self.settings.seed, self.epoch, place])
        strips = vary_strips(self.strips[chosen], rng, self.settings.augmentation)
        width = -(-(int(self._lengths[chosen].max()) + self.ROOM) // self.STEP) * self.STEP
        return as_input(strips[:, :, :width]), _as_string(self.truth[chosen])


def _as_string(truth: np.ndarray) -> np.ndarray:
    """Signs (n, longest) with -1 behind the last as `_string_loss` takes them; int32."""
    return truth.astype(np.int32) + 1


def _string_loss(truth, columns):
    """Connectionist temporal classification (Graves et al. 2006), (n,) float32."""
    ops = keras.ops
    truth = ops.cast(truth, "int32")
    digits = ops.sum(ops.cast(truth > 0, "int32"), axis=1)
    lengths = ops.full(ops.shape(columns)[:1], ops.shape(columns)[1], "int32")
    return ops.ctc_loss(truth, columns, digits, lengths, mask_index=0)


def likelihood(truth, columns):
    """How probable the right string is, (n,) float32 in 0..1."""
    return keras.ops.exp(-_string_loss(truth, columns))


def fit_string_reader(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    folder: Path,
    tell: Callable[[str], None] = print,
    start: Path | None = None,
) -> keras.Model:
    """Train the string reader, or go on where a stopped run in `folder` left off.

    Parameters
    ----------
    train, validation : strips and what is written there, as `strings_corpus.make` gives them.
    start : a .keras file of such a network, whose weights to begin with.

    Returns
    -------
    As `fit` does; it raises the same.
    """
    network, first = _started(networks.string_reader, settings, folder, start)
    batches = Strips(*train, settings)
    trainee = keras.Model(network.input, network.output["columns"])
    trainee.compile(_optimizer(settings, len(batches)), _string_loss, metrics=[likelihood])
    strips, truth = validation
    _run(trainee, batches, (as_input(strips), _as_string(truth)), settings, folder, tell)
    final = networks.string_reader(STRIP[1])
    final.set_weights(_with_kept(network, first, settings))
    return final


def load(path: Path) -> keras.Model:
    """A network from a .keras file. Raises ModelError if it is missing or damaged."""
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path} is no .keras file that can be loaded: {error}") from error


def to_tflite(network: keras.Model) -> bytes:
    """The network for LiteRT, its weights in float16 (half the size, the same answers)."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
