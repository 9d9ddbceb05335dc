"""The plan of the experiments: which networks, trained how, on how much, with which seeds.

Nothing heavy is imported here: pages and the terminal's --help read it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from itertools import product

from digitlab.errors import DataError

REHEARSAL, MNIST = "rehearsal", "mnist"  # where the images are from
VALIDATION = {REHEARSAL: 1_500, MNIST: 6_000}
MOST = {REHEARSAL: 12_000, MNIST: 54_000}
"""Training images that there are, by where they are from; the others validate."""

IMAGES, EPOCHS = 3_000, 8  # of the committed grid
SEEDS = 5
FULL = {"images": MOST[MNIST], "epochs": 20}  # of a grid on all of MNIST

LIVE_IMAGES, LIVE_EPOCHS = (500, 5_000), 10  # least and most, and most, of a visitor's own run

BACKENDS = LOKY, DASK, RAY = "loky", "dask", "ray"  # joblib's: this machine, or a cluster


@dataclass(frozen=True)
class Architecture:
    """What a page says of a network; `architectures.build` makes it."""

    title: str
    layers: int  # convolutions
    note: str


ARCHITECTURES = {
    **{
        f"plain-{n}": Architecture(
            f"{n} layer{'s' * (n > 1)}", n, f"{n} convolution{'s' * (n > 1)} of 16 filters"
        )
        for n in range(1, 6)
    },
    "published-large": Architecture(
        "Published, 887,530", 4, "5x5 convolutions 32-32, 3x3 64-64, dense 256"
    ),
    "published-small": Architecture(
        "Published, 59,933", 2, "convolutions of 30 and 15 filters, dense 128 and 50"
    ),
    "compact": Architecture("Ours", 7, "of the kind that this app reads with, which is wider"),
}
PLAIN = tuple(name for name in ARCHITECTURES if name.startswith("plain-"))


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, besides on what and how long.

    Attributes
    ----------
    augmentation : None; "published", turned, zoomed and shifted as that recipe says; or "ours".
    plateau : halve the rate when three epochs bring nothing.
    cycle : let the rate rise and fall in one cycle.
    smoothing : share of each label spread over the others.
    """

    title: str
    optimiser: str
    learning_rate: float
    batch: int = 32
    augmentation: str | None = None
    plateau: bool = False
    cycle: bool = False
    smoothing: float = 0.0


RECIPES = {
    "sgd": Recipe("SGD with momentum", "sgd", 0.03),
    "rmsprop": Recipe("RMSprop", "rmsprop", 3e-3),
    "adam": Recipe("Adam", "adam", 3e-3),
    "adamw": Recipe("AdamW", "adamw", 3e-3),
    "large": Recipe("its recipe (RMSprop)", "rmsprop", 1e-3, 86, "published", plateau=True),
    "small": Recipe("its recipe (Adam)", "adam", 1e-3, 200),
    "ours": Recipe("our recipe (AdamW)", "adamw", 2e-3, 32, "ours", cycle=True, smoothing=0.03),
}
OPTIMISERS = ("sgd", "rmsprop", "adam", "adamw")
PUBLISHED = (("published-large", "large"), ("published-small", "small"), ("compact", "ours"))
RATES = {
    "sgd": (0.01, 0.03, 0.1),
    **dict.fromkeys(("rmsprop", "adam", "adamw"), (1e-3, 3e-3, 1e-2, 3e-2)),
}
RATES_SEEDS = (100, 101, 102, 103, 104)  # of the runs that choose the rates, not the grid's


@dataclass(frozen=True)
class Run:
    """One training: everything that decides what comes out of it."""

    architecture: str
    recipe: str
    seed: int
    images: int
    epochs: int
    learning_rate: float
    batch: int
    source: str = REHEARSAL

    @property
    def name(self) -> str:
        """What its file is called: readable, and another for every other run."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{self.architecture}_{self.recipe}_seed{self.seed}_{digest[:8]}"


def planned(
    architecture: str,
    recipe: str,
    seed: int,
    images: int = IMAGES,
    epochs: int = EPOCHS,
    source: str = REHEARSAL,
) -> Run:
    """A run by its recipe.

    Raises
    ------
    DataError if there are fewer images, or if there is no such architecture or recipe.
    """
    if architecture not in ARCHITECTURES or recipe not in RECIPES:
        raise DataError(f"There is no network {architecture} or no recipe {recipe}.")
    if not 100 <= images <= MOST[source]:
        more = "; give MNIST's own file with --data for more" if source == REHEARSAL else ""
        raise DataError(f"It takes 100 to {MOST[source]:,} training images, not {images:,}{more}.")
    if epochs < 1:
        raise DataError("It takes one epoch at least.")
    how = RECIPES[recipe]
    return Run(architecture, recipe, seed, images, epochs, how.learning_rate, how.batch, source)


def _depth(**scale) -> list[Run]:
    every = product(range(SEEDS), PLAIN, OPTIMISERS)  # by seed, so that a part is of use too
    return [planned(network, optimiser, seed, **scale) for seed, network, optimiser in every]


def _published(**scale) -> list[Run]:
    every = product(range(SEEDS), PUBLISHED)
    return [planned(*pair, seed, **scale) for seed, pair in every]


def _rates(**scale) -> list[Run]:
    return [
        replace(planned("plain-3", optimiser, seed, **scale), learning_rate=rate)
        for seed in RATES_SEEDS
        for optimiser in OPTIMISERS
        for rate in RATES[optimiser]
    ]


GRIDS = {
    "depth": _depth,
    "published": _published,
    "rates": _rates,
    "all": lambda **scale: _depth(**scale) + _published(**scale),
}
"""By name: five depths with four optimisers; the published networks and ours; what chooses the
learning rates; and the first two together."""


def grid(
    name: str, images: int = IMAGES, epochs: int = EPOCHS, source: str = REHEARSAL
) -> list[Run]:
    """The runs of a grid. Raises DataError if there are fewer images."""
    return GRIDS[name](images=images, epochs=epochs, source=source)
