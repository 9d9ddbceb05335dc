"""What the experiments found: results read from their files, and put together over the seeds."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from digitlab.errors import DataError
from digitlab.experiment_grid import RATES_SEEDS, Run

RESULTS = Path(__file__).resolve().parents[2] / "experiments" / "results"
"""Where the committed results lie."""


@dataclass(frozen=True)
class Result:
    """One run that was done.

    Attributes
    ----------
    curve : a row an epoch: epoch, images seen, loss, accuracy, val_loss, val_accuracy.
    right : how many of `images` test images it read right.
    train_seconds, predict_ms : processor time of one thread, to train and for one digit.
    """

    run: Run
    curve: tuple[dict, ...]
    right: int
    images: int
    parameters: int
    train_seconds: float
    predict_ms: float

    @property
    def accuracy(self) -> float:
        """Share of the test set that is read right."""
        return self.right / self.images

    @property
    def validation(self) -> float:
        """Share of the validation images that is read right after the last epoch."""
        return self.curve[-1]["val_accuracy"]


def parsed(run: Run, found: dict) -> Result:
    """A result as `experiment_training.train` gives it. Raises KeyError if it is none."""
    names = ("parameters", "train_seconds", "predict_ms")
    return Result(
        run,
        tuple(found["curve"]),
        found["test"]["right"],
        found["test"]["images"],
        **{name: found[name] for name in names},
    )


def load(folder: Path | None = None) -> list[Result]:
    """All results of a folder (the committed ones), none if it is not there.

    Raises
    ------
    DataError if a file is damaged.
    """
    return [_loaded(file) for file in sorted((folder or RESULTS).glob("*.json"))]


def _loaded(file: Path) -> Result:
    try:
        stored = json.loads(file.read_text())
        return parsed(Run(**stored["run"]), stored)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file.name} is no result of an experiment. Delete it and give the command of its "
            "grid again: what has a file is not trained anew."
        ) from error


@dataclass(frozen=True)
class Scale:
    """How much the runs of a grid learn from."""

    source: str
    images: int
    epochs: int


def by_scale(results: Iterable[Result]) -> dict[Scale, list[Result]]:
    """Results that can be compared, the largest scale first; runs that chose rates left out."""
    found: dict[Scale, list[Result]] = {}
    for result in results:
        if result.run.seed not in RATES_SEEDS:
            run = result.run
            found.setdefault(Scale(run.source, run.images, run.epochs), []).append(result)
    return dict(sorted(found.items(), key=lambda item: -item[0].images * item[0].epochs))


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over the seeds; the latter is 0 for one seed."""

    mean: float
    deviation: float


def spread(values: Sequence[float]) -> Spread:
    """Of some numbers, one at least."""
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0)


@dataclass(frozen=True)
class Summary:
    """A network with a recipe, over its seeds.

    Attributes
    ----------
    wrong : by images seen so far, share of the validation images that is read wrong.
    """

    architecture: str
    recipe: str
    seeds: int
    accuracy: Spread
    train_seconds: Spread
    predict_ms: Spread
    parameters: int
    wrong: dict[int, Spread]


def summaries(results: Iterable[Result]) -> list[Summary]:
    """One for each network and recipe, in the order in which they first come."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.run.architecture, result.run.recipe), []).append(result)
    return [_summary(*key, group) for key, group in sorted(groups.items())]


def _summary(architecture: str, recipe: str, group: Sequence[Result]) -> Summary:
    return Summary(
        architecture,
        recipe,
        len(group),
        spread([result.accuracy for result in group]),
        spread([result.train_seconds for result in group]),
        spread([result.predict_ms for result in group]),
        group[0].parameters,
        wrong_by_seen(group),
    )


def wrong_by_seen(group: Iterable[Result]) -> dict[int, Spread]:
    """Share of the validation images read wrong, by how many images had been learnt from."""
    points: dict[int, list[float]] = {}
    for result in group:
        for row in result.curve:
            points.setdefault(row["seen"], []).append(1 - row["val_accuracy"])
    return {seen: spread(values) for seen, values in sorted(points.items())}


def tried_rates(results: Iterable[Result]) -> dict[str, dict[float, Spread]]:
    """By optimiser, the learning rates that were tried and the validation accuracy of each."""
    found: dict[str, dict[float, list[float]]] = {}
    for result in results:
        run = result.run
        if run.seed in RATES_SEEDS:
            rates = found.setdefault(run.recipe, {})
            rates.setdefault(run.learning_rate, []).append(result.validation)
    return {
        name: {rate: spread(values) for rate, values in sorted(rates.items())}
        for name, rates in found.items()
    }
