"""The networks that the experiments compare. Imported where they are trained alone.

All take ink (n, 28, 28, 1) float32 in 0..1 and give logits (n, 10 or 11) float32.
"""

import keras
from keras import layers

from digitlab import networks

DIGITS = 10
FILTERS = 16  # of every convolution of the plain networks: only their number differs
_STAGES = {1: (1, 0, 0), 2: (1, 1, 0), 3: (1, 1, 1), 4: (1, 2, 1), 5: (1, 2, 2)}


def plain(depth: int) -> keras.Model:
    """One to five 3x3 convolutions of 16 filters at 28, 14 and 7 pixels, and one dense layer.

    Whatever the depth, the dense layer sees 7x7x16 numbers, so that a difference is made by the
    convolutions alone. 8,010 parameters, and 2,320 more with each layer.
    """
    ink = keras.Input((28, 28, 1), name="ink")
    x = ink
    for stage, convolutions in enumerate(_STAGES[depth]):
        if stage:
            x = layers.MaxPooling2D()(x)
        for _ in range(convolutions):
            x = layers.Conv2D(FILTERS, 3, padding="same", activation="relu")(x)
    logits = layers.Dense(DIGITS)(layers.Flatten()(x))
    return keras.Model(ink, logits, name=f"plain-{depth}")


def published_large() -> keras.Model:
    """887,530 parameters: the network of Kaggle's much-read introduction to CNNs.

    Two 5x5 convolutions of 32, two 3x3 of 64, a pooling and a dropout after each pair, 256 dense
    units. The table is Yassine Ghouzam's, "Introduction to CNN Keras, 0.997 (top 6%)", 2017.
    """
    ink = keras.Input((28, 28, 1), name="ink")
    x = ink
    for filters, side in ((32, 5), (64, 3)):
        for _ in range(2):
            x = layers.Conv2D(filters, side, padding="same", activation="relu")(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dropout(0.5)(layers.Dense(256, activation="relu")(layers.Flatten()(x)))
    return keras.Model(ink, layers.Dense(DIGITS)(x), name="published-large")


def published_small() -> keras.Model:
    """59,933 parameters: a small network after LeNet.

    30 filters of 5x5 and 15 of 3x3, each with a pooling, then 128 and 50 dense units. The table
    is published with sudoku readers and tutorials; it tells where the dropout is but not how
    much: 0.2 is what those who use this network mostly take.
    """
    ink = keras.Input((28, 28, 1), name="ink")
    x = layers.Conv2D(30, 5, activation="relu")(ink)
    x = layers.Conv2D(15, 3, activation="relu")(layers.MaxPooling2D()(x))
    x = layers.Flatten()(layers.Dropout(0.2)(layers.MaxPooling2D()(x)))
    x = layers.Dense(50, activation="relu")(layers.Dense(128, activation="relu")(x))
    return keras.Model(ink, layers.Dense(DIGITS)(x), name="published-small")


def ours() -> keras.Model:
    """The narrower kind of the shipped network, "not a digit" included, which MNIST has none of."""
    network = networks.compact()
    return keras.Model(network.input, network.output["logits"], name="compact")


def build(name: str) -> keras.Model:
    """A new, untrained network. Raises KeyError for a name that is none of `experiments`'."""
    kinds = {
        "published-large": published_large,
        "published-small": published_small,
        "compact": ours,
    }
    if name.startswith("plain-"):
        return plain(int(name.removeprefix("plain-")))
    return kinds[name]()
