"""Networks trained side by side: the runs of a grid, each leaving a file of its own.

A grid that was stopped goes on where it was, and can be made larger later. joblib spreads the
runs over processes, or over the machines of a Dask or Ray cluster.
"""

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from digitlab.datasets import Digits, load_mnist, mnist_test, rehearsal, split
from digitlab.errors import DataError, DigitLabError
from digitlab.experiment_grid import (
    DASK,
    LIVE_EPOCHS,
    LIVE_IMAGES,
    LOKY,
    MNIST,
    RAY,
    REHEARSAL,
    VALIDATION,
    Run,
    planned,
)

# Keras is imported where a network is trained, nowhere earlier.

CONNECT_SECONDS = 5  # so long a Dask scheduler may take to answer


@dataclass(frozen=True)
class Sets:
    """What a run learns from, watches itself on, and is measured on at the end."""

    train: Digits
    validation: Digits
    test: Digits


def sets(images: int, data: Path | None = None) -> Sets:
    """The first `images` training images, the validation images and the MNIST test set.

    Parameters
    ----------
    data : MNIST as .npz; the part of it that the repository carries if None.

    Raises
    ------
    DataError if a file is missing or damaged.
    """
    if data is None:
        ink, labels = rehearsal()
        last = len(ink) - VALIDATION[REHEARSAL]
        train, held = Digits(ink[:images], labels[:images]), Digits(ink[last:], labels[last:])
        return Sets(train, held, mnist_test())
    mnist = load_mnist(data)
    learn, held = split(len(mnist.train_ink), VALIDATION[MNIST])
    learn = learn[:images]
    return Sets(
        Digits(mnist.train_ink[learn], mnist.train_labels[learn]),
        Digits(mnist.train_ink[held], mnist.train_labels[held]),
        Digits(mnist.test_ink, mnist.test_labels),
    )


def result_file(folder: Path, run: Run) -> Path:
    """Where a run's result lies, or will."""
    return folder / f"{run.name}.json"


def missing(runs: Iterable[Run], folder: Path) -> list[Run]:
    """The runs that have no result yet, or one that can't be read."""
    return [run for run in runs if not _is_done(result_file(folder, run))]


def _is_done(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text()), dict)
    except (OSError, ValueError):
        return False


def write(folder: Path, run: Run, result: Mapping) -> None:
    """Keep a result, whole or not at all. Raises DataError if the folder can't be written."""
    file = result_file(folder, run)
    part = file.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({"run": asdict(run), **result}, indent=1) + "\n")
        part.replace(file)
    except OSError as error:
        raise DataError(f"{file} can't be written: {error.strerror}") from error


def execute(
    runs: Sequence[Run],
    folder: Path,
    jobs: int = 1,
    backend: str = LOKY,
    scheduler: str | None = None,
    data: Path | None = None,
    tell: Callable[[str], None] = print,
) -> int:
    """Train what has no result yet, and write a file for each as soon as it is done.

    Parameters
    ----------
    jobs : how many at a time; -1 for one a processor, or for all that a cluster has.
    backend : one of BACKENDS.
    scheduler : address of the Dask scheduler or the Ray cluster.
    data : MNIST as .npz, in the same place on every machine.
    tell : gets a line for each run.

    Returns
    -------
    How many runs were trained.

    Raises
    ------
    DataError, DigitLabError if the cluster can't be reached.
    """
    todo = missing(runs, folder)
    tell(f"{len(runs)} runs, {len(runs) - len(todo)} of them done before")
    if not todo:
        return 0
    with _cluster(backend, scheduler):
        done = _trained(todo, jobs, data, one_by_one=backend != RAY)
        for count, (run, result) in enumerate(done, 1):
            write(folder, run, result)
            tell(f"{count}/{len(todo)}  {run.name}  {account(result)}")
    return len(todo)


def _trained(
    todo: Sequence[Run], jobs: int, data: Path | None, one_by_one: bool
) -> Iterator[tuple[Run, dict]]:
    """Runs and what came of them, as soon as they are done."""
    from joblib import Parallel, delayed, effective_n_jobs

    calls = [delayed(train_one)(run, data) for run in todo]
    if one_by_one:
        yield from Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(calls)
        return
    # joblib has Ray's results only when all of a call are there: as many a call as there are
    # workers, so that little is lost when it is stopped.
    with Parallel(n_jobs=jobs, batch_size=1) as parallel:
        size = effective_n_jobs(jobs)
        for start in range(0, len(calls), size):
            yield from parallel(calls[start : start + size])


def account(result: Mapping) -> str:
    """One line about a result."""
    test = result["test"]
    return (
        f"{test['right'] / test['images']:.2%} of the test set, "
        f"{result['train_seconds']:.1f} s to train, {result['predict_ms']:.3f} ms a digit"
    )


def train_one(run: Run, data: Path | None = None) -> tuple[Run, dict]:
    """Train in whatever process this is called in; what joblib sends to its workers."""
    from digitlab.experiment_training import train

    return run, train(run, sets(run.images, data))


@contextmanager
def _cluster(backend: str, scheduler: str | None) -> Iterator[None]:
    """joblib's backend, connected to its cluster if it has one."""
    from joblib import parallel_config

    if backend == LOKY:
        with parallel_config(backend=LOKY, inner_max_num_threads=1):
            yield
        return
    connect = {DASK: _dask, RAY: _ray}[backend]
    with connect(scheduler), parallel_config(backend=backend):
        yield


@contextmanager
def _dask(scheduler: str | None) -> Iterator[None]:
    distributed = _imported("distributed", "cluster")
    if scheduler is None:
        raise DigitLabError("Dask needs the address of its scheduler: --scheduler tcp://HOST:8786")
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise DigitLabError(f"The Dask scheduler at {scheduler} can't be reached.") from error
    with client:
        yield


@contextmanager
def _ray(scheduler: str | None) -> Iterator[None]:
    ray = _imported("ray", "ray")
    try:
        ray.init(address=scheduler, log_to_driver=False)
    except (ConnectionError, ValueError) as error:
        raise DigitLabError(f"The Ray cluster at {scheduler} can't be reached.") from error
    importlib.import_module("ray.util.joblib").register_ray()
    try:
        yield
    finally:
        ray.shutdown()


def _imported(module: str, extra: str):
    try:
        return importlib.import_module(module)
    except ImportError:
        message = f'{module} is not installed: pip install -e ".[{extra}]"'
        raise DigitLabError(message) from None


def run(db, report, settings: Mapping) -> None:
    """The job "experiment": one run, told to `report` as it learns; nothing is kept but that.

    Parameters
    ----------
    settings : "architecture", "recipe", "seed", "images", "epochs" of `planned`.

    Raises
    ------
    DataError if the settings are wrong; Cancelled.
    """
    wanted = planned(**settings)
    if wanted.images > LIVE_IMAGES[1] or wanted.epochs > LIVE_EPOCHS:
        message = (
            f"A live experiment takes at most {LIVE_IMAGES[1]:,} images and {LIVE_EPOCHS} epochs."
        )
        raise DataError(message)
    report.stage("starting TensorFlow", 0.0)
    from digitlab.experiment_training import train

    def watch(share: float) -> None:
        report.stage("training" if share < 1 else "reading the test set", 0.95 * share)

    found = train(wanted, sets(wanted.images), watch, lambda row: report.point(**row))
    report.log(account(found))
    report.stage("done", 1.0, found=found)
