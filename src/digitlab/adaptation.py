"""Learning from corrections without forgetting: fine-tuning with rehearsal and distillation.

The network learns the corrections while it rehearses what it knew: digits of MNIST, pieces and
pairs of digits, scribbles and doodles, on which it has to go on answering as it did before (Robins
1995, "Catastrophic forgetting, rehearsal and pseudorehearsal"; Li and Hoiem 2017, "Learning
without forgetting"). What comes of it lies between the weights before and after (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models"). TensorFlow lives here, too, so the serving process
never imports this module.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from digitlab import networks
from digitlab.augment import Augmentation, Augmenter
from digitlab.datasets import Digits, rehearsal
from digitlab.held_back import part
from digitlab.oddities import oddities
from digitlab.samples import Corrections
from digitlab.training import as_input, between

LEAST_BATCH = 16  # corrections in a batch, however few there are

Tell = Callable[[str, float, dict], None]


@dataclass(frozen=True)
class Settings:
    """What decides how corrections are learnt."""

    seed: int = 0
    seconds: float = 60.0  # of training, at most; the best step so far counts
    held_back: float = 0.25  # share of the corrections that only choose when to stop
    corrections: int = 32  # in a batch, at most: it holds each about twice
    rehearsal: int = 3  # signs that are rehearsed in a batch, for each correction
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    smoothing: float = 0.03  # share of each label spread over the others
    faithfulness: float = 2.0  # weight of answering as before, where nothing was corrected
    memory: float = 1.0  # weight of the labels of the digits that are rehearsed
    averaging: float = 0.95  # of the weights, exponentially, a step
    way: float = 0.6  # share of the way from the old weights to the new ones that is gone
    forgetting: float = 0.001  # share of the rehearsal digits that may be read worse
    check: int = 10  # steps between two looks at what was held back
    patience: int = 8  # looks without gain before it stops
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class Adapted:
    """What came of it.

    Attributes
    ----------
    network : the fine-tuned Keras network.
    learnt, held_back : the corrections it learnt, and those it has never learnt.
    history : a row for each look: "step", "seconds", "loss", "held_back_loss",
        "held_back_right" and "rehearsal_right" (shares).
    step : the row that was chosen; 0 if nothing was better than the start.
    """

    network: keras.Model
    learnt: Corrections
    held_back: Corrections
    history: list[dict]
    step: int


def fine_tune(
    network: keras.Model,
    corrections: Corrections,
    settings: Settings | None = None,
    tell: Tell | None = None,
    memory: Digits | None = None,
) -> Adapted:
    """Teach a network corrections, without forgetting what it knew.

    It learns most of the corrections and chooses by the others when to stop; a step at which it
    reads more than a few of its rehearsal digits worse than before is never chosen.

    Parameters
    ----------
    network : the champion, as `training.load` gives it; left as it is.
    corrections : accepted samples, labels 0 to 10.
    tell : gets what is done, the share of the work done if nothing gets better any more, and
        the newest row of history; may raise to stop.
    memory : digits to rehearse; the repository's if None.

    Raises
    ------
    DataError if there are too few corrections.
    """
    settings = settings or Settings()
    keras.utils.set_random_seed(settings.seed)
    learnt, held_back = part(corrections, settings.held_back, settings.seed)
    task = _Task(network, learnt, held_back, memory or rehearsal(), settings)
    history = [task.look(0, 0.0, 0.0)]
    best, weights, began, step = 0, None, time.monotonic(), 0
    while (spent := time.monotonic() - began) < settings.seconds:
        loss = task.learn()
        step += 1
        if tell is not None:
            tell("training", _done(spent, settings, history, best), history[-1])
        if step % settings.check:
            continue
        history.append(task.look(step, time.monotonic() - began, loss))
        least = history[0]["rehearsal_right"] - settings.forgetting
        if _rank(history[-1], least) < _rank(history[best], least):
            best, weights = len(history) - 1, task.between()
        if len(history) - 1 - best >= settings.patience:
            break
    if tell is not None:
        tell("training", 1.0, history[-1])
    return Adapted(task.finished(weights), learnt, held_back, history, history[best]["step"])


def _rank(row: dict, least: float) -> tuple[bool, float]:
    """Smaller is better: first of all nothing forgotten, then the loss on what was held back."""
    return row["rehearsal_right"] < least - 1e-9, row["held_back_loss"]


def _done(spent: float, settings: Settings, history: list[dict], best: int) -> float:
    """Share of the time that is over if nothing gets better: patience or the budget ends it."""
    looks = max(1, len(history) - 1)
    patience = (settings.patience - (len(history) - 1 - best)) * spent / looks
    left = max(0.0, min(settings.seconds - spent, patience))
    return spent / (spent + left) if spent else 0.0


class _Task:
    """The networks, the data and the one step of a fine-tuning."""

    CHECKED = 2000  # rehearsal digits that are never rehearsed: forgetting shows on them

    def __init__(self, network, learnt: Corrections, held_back: Corrections, memory, settings):
        self.settings = settings
        self.teacher = network
        self.student = keras.models.clone_model(network)
        self.student.set_weights(network.get_weights())
        self.learnt, self.held_back = learnt, held_back
        memory, self.checked = _halved(memory, self.CHECKED)
        self.memory = memory
        self.others = oddities(memory, len(memory.labels) // 6, settings.seed)
        self.rng = np.random.default_rng([settings.seed, 3])
        self.augment = Augmenter(settings.augmentation)
        self.optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.optimizer.build(self.student.trainable_variables)
        self.mean = [tf.Variable(v.value) for v in self.student.trainable_variables]
        self.first = [v.numpy() for v in self.student.trainable_variables]
        self._step = tf.function(self._step_of)

    def learn(self) -> float:
        """One step; its loss."""
        count = min(self.settings.corrections, max(LEAST_BATCH, 2 * len(self.learnt)))
        chosen = self.rng.integers(len(self.learnt), size=count)
        ink = self.augment(self.learnt.ink[chosen], self.rng)
        truth = keras.utils.to_categorical(self.learnt.labels[chosen], networks.CLASSES)
        known, labels = self._rehearsed(self.settings.rehearsal * count)
        parts = as_input(ink), truth.astype(np.float32), as_input(known), labels
        return float(self._step(*parts))

    def _rehearsed(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Digits as they are, digits changed, and oddities; of the digits, their labels too."""
        digits = self.rng.integers(len(self.memory.labels), size=count - count // 4)
        ink = self.memory.ink[digits]
        changed = slice(len(digits) // 2, None)
        ink[changed] = self.augment(ink[changed], self.rng)
        odd = self.others[self.rng.integers(len(self.others), size=count // 4)]
        labels = keras.utils.to_categorical(self.memory.labels[digits], networks.CLASSES)
        return np.concatenate([ink, self.augment(odd, self.rng)]), labels.astype(np.float32)

    def _step_of(self, ink, truth, known, labels):
        s = self.settings
        # Batch normalisation keeps the statistics of the whole training, not of a few writers.
        before = tf.nn.softmax(self.teacher(known, training=False)["logits"])
        with tf.GradientTape() as tape:
            logits = self.student(tf.concat([ink, known], 0), training=False)["logits"]
            count = tf.shape(ink)[0]
            learnt = keras.losses.categorical_crossentropy(
                truth, logits[:count], from_logits=True, label_smoothing=s.smoothing
            )
            kept = keras.losses.categorical_crossentropy(before, logits[count:], from_logits=True)
            kept -= keras.losses.categorical_crossentropy(before, before)  # Kullback-Leibler
            known_digits = logits[count : count + tf.shape(labels)[0]]
            remembered = keras.losses.categorical_crossentropy(
                labels, known_digits, from_logits=True, label_smoothing=s.smoothing
            )
            loss = tf.reduce_mean(learnt) + s.faithfulness * tf.reduce_mean(kept)
            loss += s.memory * tf.reduce_mean(remembered)
        variables = self.student.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 1.0)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for mean, variable in zip(self.mean, variables, strict=True):
            mean.assign(s.averaging * mean + (1 - s.averaging) * variable.value)
        return loss

    def between(self) -> list[np.ndarray]:
        """Weights on the way from the first ones to the averaged ones."""
        return between(self.first, [mean.numpy() for mean in self.mean], self.settings.way)

    def look(self, step: int, seconds: float, loss: float) -> dict:
        """How the weights in between do on what is never learnt."""
        current = [variable.numpy() for variable in self.student.trainable_variables]
        self._put(self.between())
        logits = self._logits(self.held_back.ink)
        right = self._logits(self.checked.ink)[:, :10].argmax(1) == self.checked.labels
        self._put(current)
        truth = keras.utils.to_categorical(self.held_back.labels, networks.CLASSES)
        losses = keras.losses.categorical_crossentropy(
            truth.astype(np.float32), logits, from_logits=True
        )
        return {
            "step": step,
            "seconds": round(seconds, 1),
            "loss": round(loss, 4),
            "held_back_loss": round(float(np.mean(losses)), 4),
            "held_back_right": float((logits.argmax(1) == self.held_back.labels).mean()),
            "rehearsal_right": float(right.mean()),
        }

    def finished(self, weights: list[np.ndarray] | None) -> keras.Model:
        """The student with the chosen weights; the teacher's if none were chosen."""
        if weights is None:
            return self.teacher
        self._put(weights)
        return self.student

    def _put(self, weights: list[np.ndarray]) -> None:
        for variable, value in zip(self.student.trainable_variables, weights, strict=True):
            variable.assign(value)

    def _logits(self, ink: np.ndarray) -> np.ndarray:
        parts = [self._forward(as_input(ink[i : i + 256])).numpy() for i in range(0, len(ink), 256)]
        return np.concatenate(parts)

    @tf.function(reduce_retracing=True)
    def _forward(self, ink):
        return self.student(ink, training=False)["logits"]


def _halved(digits: Digits, checked: int) -> tuple[Digits, Digits]:
    """Digits to rehearse, and the last `checked`; both balanced, as the digits take turns."""
    return (
        Digits(digits.ink[:-checked], digits.labels[:-checked]),
        Digits(digits.ink[-checked:], digits.labels[-checked:]),
    )
