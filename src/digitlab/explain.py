"""Why the network answered so: the ink that decided, digits that look alike, what it sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from digitlab import datasets
from digitlab.errors import DataError
from digitlab.frame import SIDE
from digitlab.recognizer import SHIPPED, Recognizer

FILE = SHIPPED / "neighbours.npz"
"""The atlas of the shipped model."""

STRIDE = 2  # pixels between the middles of two patches
SOFT = 1.6  # pixels: standard deviation of a patch, about the width of a stroke
LEAST_INK = 24.0  # grey levels x pixels; a patch that covers less than this changes nothing
SHOWN_CHANNELS = 8
MAPPED = 3000  # test digits on the map
STEPS = 500  # by which they find their places there
_VOTERS = 6  # neighbours that say where on the map a new digit lies
_BATCH = 500
_ARRAYS = ("training", "test", "test_index", "positions")

Tell = Callable[[float, str], None]
"""Takes the share that is done, 0 to 1, and what is being done."""


# Which ink decided ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Saliency:
    """Which ink speaks for an answer and which against it.

    Attributes
    ----------
    label : the answer.
    evidence : (28, 28) float32, by how much the log-odds of the answer fall when the ink
        around a pixel is rubbed out: above 0 it speaks for the answer, below 0 against; 0
        where there is no ink.
    spot : row and column of the ink whose loss hurts the answer most.
    without : the ten probabilities (each that it is a digit and this one) without that ink.
    """

    label: int
    evidence: np.ndarray
    spot: tuple[int, int]
    without: tuple[float, ...]

    @property
    def answer_without(self) -> int:
        """What would be read without the ink that matters most."""
        return int(np.argmax(self.without))


def saliency(recognizer: Recognizer, ink: np.ndarray, label: int | None = None) -> Saliency:
    """Rub out small soft patches of the ink, one after the other, and see what changes.

    Occlusion after Zeiler and Fergus (2014), "Visualizing and understanding convolutional
    networks"; in log-odds, since the probability of a sure answer hardly moves.

    Parameters
    ----------
    ink : (28, 28) uint8 with some ink.
    label : the answer to explain, 0 to 9; the likeliest if None.
    """
    patches = _patches(ink)
    rubbed = np.rint(ink * (1 - patches)).astype(np.uint8)
    shares = _shares(recognizer, np.concatenate([ink[None], rubbed]))
    answer = int(shares[0, :10].argmax()) if label is None else label
    odds = _log_odds(shares, answer)
    effect = (odds[0] - odds[1:]).astype(np.float32)
    worst = int(effect.argmax())
    # A pixel under several patches takes their mean, each weighed by how much it covers.
    spread = np.tensordot(effect, patches, 1) / np.maximum(patches.sum(0), 1e-6)
    spot = np.unravel_index(patches[worst].argmax(), ink.shape)
    return Saliency(
        answer,
        np.where(ink > 0, spread, 0).astype(np.float32),
        (int(spot[0]), int(spot[1])),
        tuple(map(float, shares[worst + 1, :10])),
    )


def _patches(ink: np.ndarray) -> np.ndarray:
    """Soft round patches that cover some ink, (n, 28, 28) float32, 1 in the middle of each."""
    places = np.arange(SIDE, dtype=np.float32)
    middles = np.arange(STRIDE // 2, SIDE, STRIDE)
    bells = np.exp(-((places - middles[:, None]) ** 2) / (2 * SOFT**2))
    patches = np.einsum("ah,bw->abhw", bells, bells).reshape(-1, SIDE, SIDE)
    covered = (patches * ink).sum((1, 2)) >= LEAST_INK
    return patches[covered] if covered.any() else patches[:1]


def _shares(recognizer: Recognizer, ink: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of 0 to 9 and of "not a digit", (n, 11) float64."""
    scaled = recognizer.logits(ink).astype(np.float64) / recognizer.calibration.temperature
    shares = np.exp(scaled - scaled.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def _log_odds(shares: np.ndarray, label: int) -> np.ndarray:
    """Log-odds of one class, (n,); the rest is summed by itself, as 1 - p loses its digits."""
    rest = np.delete(shares, label, 1).sum(1)
    return np.log(np.maximum(shares[:, label], 1e-30)) - np.log(np.maximum(rest, 1e-30))


# What looks alike -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Neighbour:
    """A training digit that the network finds alike: its number in the rehearsal set, its label,
    its ink (28, 28) uint8, and the cosine similarity of the two, -1 to 1."""

    index: int
    label: int
    ink: np.ndarray
    similarity: float


@dataclass(frozen=True)
class Atlas:
    """Where one network places digits it knows: what is needed to find the like of a new one.

    Attributes
    ----------
    fingerprint : of the network, see `Recognizer.fingerprint`.
    training : (n, d) int8, directions of the rehearsal digits' embeddings.
    test : (m, d) int8, likewise of some test digits.
    test_index : (m,) int, which of the 10,000 they are.
    positions : (m, 2) float32, where they lie on a map that keeps neighbours together.
    """

    fingerprint: str
    training: np.ndarray
    test: np.ndarray
    test_index: np.ndarray
    positions: np.ndarray

    @classmethod
    def of(cls, fingerprint: str, arrays: Mapping[str, np.ndarray]) -> "Atlas":
        """An atlas from what `arrays` gave."""
        return cls(fingerprint, *(arrays[name] for name in _ARRAYS))

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it but the fingerprint."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def load(cls, path: Path = FILE) -> "Atlas":
        """Read a file that `save` wrote. Raises DataError if it is missing or damaged."""
        try:
            with np.load(path) as stored:
                return cls.of(str(stored["fingerprint"]), stored)
        except datasets.DAMAGE as error:
            raise DataError(f"{path} holds no atlas of digits: {error}") from error

    def save(self, path: Path) -> None:
        """Write everything to one compressed .npz file."""
        np.savez_compressed(path, fingerprint=self.fingerprint, **self.arrays())

    @cached_property
    def labels(self) -> np.ndarray:
        """(m,) uint8, labels of the digits on the map."""
        return datasets.mnist_test().labels[self.test_index]

    @cached_property
    def _known(self) -> datasets.Digits:
        return datasets.rehearsal()

    @cached_property
    def _training(self) -> np.ndarray:
        return _unit(self.training)

    @cached_property
    def _test(self) -> np.ndarray:
        return _unit(self.test)

    def neighbours(self, embedding: np.ndarray, count: int = 8) -> tuple[Neighbour, ...]:
        """The `count` training digits most like `embedding` (d,) float32, the likest first."""
        alike = self._training @ _unit(embedding[None])[0]
        known = self._known
        return tuple(
            Neighbour(int(i), int(known.labels[i]), known.ink[i], float(alike[i]))
            for i in _largest(alike, count)
        )

    def place(self, embedding: np.ndarray) -> tuple[float, float]:
        """Where on the map `embedding` (d,) belongs: between the digits most like it."""
        alike = self._test @ _unit(embedding[None])[0]
        chosen = _largest(alike, _VOTERS)
        # Far neighbours count little, so that a digit at a border stays on one of its sides.
        weights = np.exp((alike[chosen] - alike[chosen[0]]) / 0.05)
        x, y = (self.positions[chosen] * weights[:, None]).sum(0) / weights.sum()
        return float(x), float(y)


def make_atlas(recognizer: Recognizer, tell: Tell = lambda share, what: None) -> Atlas:
    """Embed the known digits and draw their map; some 20 s on two cores.

    The map is t-SNE (van der Maaten and Hinton 2008, "Visualizing data using t-SNE") of the
    cosine distances, from scikit-learn, the same each time for the same network.
    """
    test = datasets.mnist_test()
    index = np.sort(np.random.default_rng(0).permutation(len(test.labels))[:MAPPED])
    ink = np.concatenate([datasets.rehearsal().ink, test.ink[index]])
    parts = []
    for start in range(0, len(ink), _BATCH):
        tell(0.7 * start / len(ink), "Looking at known digits")
        parts.append(recognizer.classify(ink[start : start + _BATCH]).embedding)
    directions = _direction_bytes(np.concatenate(parts))
    tell(0.7, "Drawing the map")
    training, mapped = directions[:-MAPPED], directions[-MAPPED:]
    return Atlas(recognizer.fingerprint, training, mapped, index, _map(_unit(mapped)))


def _map(directions: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE  # heavy, and only to make an atlas

    # On the unit sphere Euclidean neighbours are cosine neighbours, and found faster. Twice as many
    # steps keep hardly more of them together: trustworthiness (of 10) 0.9881 instead of 0.9877.
    map_of = TSNE(init="pca", perplexity=40, random_state=0, max_iter=STEPS)
    positions = map_of.fit_transform(directions)
    return (positions / np.abs(positions).max()).astype(np.float32)


def _direction_bytes(embedding: np.ndarray) -> np.ndarray:
    """Embeddings (n, d) as int8, each scaled by its own largest value: only directions count."""
    largest = np.abs(embedding).max(1, keepdims=True)
    return np.rint(embedding * (127 / np.maximum(largest, 1e-12))).astype(np.int8)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (n, d) of length 1, float32."""
    vectors = vectors.astype(np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Places of the `count` largest values, the largest first."""
    chosen = np.argpartition(-values, count)[:count]
    return chosen[np.argsort(-values[chosen])]


# What the network sees --------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What one stage of the network sees.

    Attributes
    ----------
    side : pixels that the maps are wide and high.
    channels : maps that the stage has.
    maps : (k, side, side) uint8, the k that say most, white where the map is strongest.
    """

    side: int
    channels: int
    maps: np.ndarray


def stages(recognizer: Recognizer, ink: np.ndarray) -> tuple[Stage, ...]:
    """The maps at the end of each of the network's resolutions, for `ink` (28, 28) uint8."""
    last = {maps.shape[0]: maps for maps in recognizer.activations(ink)}
    return tuple(
        Stage(side, maps.shape[2], _telling(maps, SHOWN_CHANNELS)) for side, maps in last.items()
    )


def _telling(maps: np.ndarray, count: int) -> np.ndarray:
    """The `count` maps of (h, w, c) that vary most, as pictures (count, h, w) uint8."""
    chosen = np.argsort(-maps.std((0, 1)))[:count]
    pictures = np.moveaxis(maps[..., chosen], 2, 0).clip(0)
    largest = np.maximum(pictures.max((1, 2), keepdims=True), 1e-12)
    return np.rint(255 * pictures / largest).astype(np.uint8)
