"""A network that answers as one of other widths does: where its training begins.

Filters that are new listen at random, and nothing listens to them yet (after Chen, Goodfellow and
Shlens 2016, "Net2Net: accelerating learning via knowledge transfer"). Filters of the first
convolution that are too many are dropped, and the second learns to do without them (He, Zhang and
Sun 2017, "Channel pruning for accelerating very deep neural networks").
"""

import keras
import numpy as np
from keras import layers

from digitlab.errors import ModelError

SAMPLE = 2048  # pictures from which it is known how much a filter says


def grow(first: keras.Model, network: keras.Model, ink: np.ndarray) -> None:
    """Give a network weights with which it answers as another one does.

    Parameters
    ----------
    first : any of `networks.compact` and `networks.wide`.
    network : another, its first convolution no wider than that of `first`, its others no
        narrower; what is new in it keeps the weights it has.
    ink : (n, 28, 28, 1) float32 in 0..1, what such networks see.

    Raises
    ------
    ModelError if the one is not grown out of the other.
    """
    old, new = _weighted(first), _weighted(network)
    weights = [layer.get_weights() for layer in old]
    if [type(layer) for layer in old] != [type(layer) for layer in new]:
        raise ModelError(f"{network.name} can not begin with a network of other layers")
    filters = new[0].get_weights()[0].shape[-1]
    if filters < weights[0][0].shape[-1]:
        speaker = next(part for part in first.layers if isinstance(part, layers.Activation))
        _slim(weights, _outputs(first, speaker.output, ink), filters)
    for layer, own in zip(new, weights, strict=True):
        layer.set_weights([_put(a, b) for a, b in zip(own, layer.get_weights(), strict=True)])
        if isinstance(layer, layers.BatchNormalization):
            _settle(layer, len(own[0]), network, ink)


def _weighted(network: keras.Model) -> list:
    return [layer for layer in network.layers if layer.get_weights()]


def _put(own: np.ndarray, new: np.ndarray) -> np.ndarray:
    """New weights with the old ones in their corner; old filters hear nothing of new ones."""
    if any(a > b for a, b in zip(own.shape, new.shape, strict=True)):
        raise ModelError(f"weights of {own.shape} have no room in {new.shape}")
    new = new.copy()
    if own.ndim in (2, 4) and own.shape[-1] > 1:  # not of a depthwise convolution
        new[..., own.shape[-2] :, : own.shape[-1]] = 0
    new[tuple(slice(side) for side in own.shape)] = own
    return new


def _settle(part: layers.BatchNormalization, known: int, network: keras.Model, ink) -> None:
    """Let a normalization know mean and variance of what it gets from new filters."""
    gain, offset, means, variances = part.get_weights()
    if len(means) == known:
        return
    given = _outputs(network, part.input, ink).reshape(-1, len(means))[:, known:]
    means[known:], variances[known:] = given.mean(0), given.var(0)
    part.set_weights([gain, offset, means, variances])


def _outputs(network: keras.Model, tensor, ink: np.ndarray) -> np.ndarray:
    """What a layer within gives for pictures, float32."""
    found = keras.Model(network.input, tensor).predict(ink, verbose=0, batch_size=256)
    return found.astype(np.float32)


def _slim(weights: list[list[np.ndarray]], said: np.ndarray, filters: int) -> None:
    """Drop those filters of the first convolution that the second misses least, one by one.

    Parameters
    ----------
    weights : of each layer; those of the first convolution, its normalization and the second
        convolution are replaced.
    said : by the first convolution, (n, 28, 28, filters) float32.
    filters : how many are to be left.
    """
    kernel = weights[2][0]
    side, _, count, heard = kernel.shape
    products = _products(said, side)
    wanted = products @ kernel.reshape(-1, heard)

    def refitted(left: list[int]) -> tuple[np.ndarray, float]:
        rows = np.add.outer(np.arange(side**2) * count, left).ravel()
        return _least_squares(products[np.ix_(rows, rows)], wanted[rows])

    left = list(range(count))
    while len(left) > filters:
        gains = [refitted([f for f in left if f != each])[1] for each in left]
        left.pop(int(np.argmax(gains)))
    new, _ = refitted(left)
    weights[0] = [weights[0][0][..., left]]
    weights[1] = [vector[left] for vector in weights[1]]
    weights[2] = [new.reshape(side, side, filters, heard).astype(np.float32)]


def _products(said: np.ndarray, side: int) -> np.ndarray:
    """Sums over all places of products of what a convolution of `side` hears there; square."""
    edge = side // 2
    padded = np.pad(said, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    total = 0.0
    for page in padded:
        seen = np.lib.stride_tricks.sliding_window_view(page, (side, side), (0, 1))
        seen = seen.transpose(0, 1, 3, 4, 2).reshape(-1, side * side * said.shape[-1])
        total = total + (seen.T @ seen).astype(np.float64)
    return total


def _least_squares(products: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, float]:
    """The kernel (taps x filters, heard) that comes closest to what is wanted, and how close."""
    little = 1e-6 * np.trace(products) / len(products)
    kernel = np.linalg.solve(products + little * np.eye(len(products)), wanted)
    return kernel, float((wanted * kernel).sum())
