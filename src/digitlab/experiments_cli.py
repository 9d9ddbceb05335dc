"""The terminal's `digitlab experiment`: the grid of networks, optimisers and seeds."""

import argparse
from pathlib import Path

from digitlab import experiment_grid

# joblib and TensorFlow are imported where a network is trained alone.


def add_commands(commands, command) -> None:
    """Add `experiment`; arguments as of `store_cli.add_commands`."""
    added = command(
        commands,
        "experiment",
        _experiment,
        "train the grid of networks, optimisers and seeds",
        "Writes a file for each run. A run that has its file is not trained again: a grid that "
        "was stopped goes on when the same command is given. Needs TensorFlow. "
        f"All of MNIST: --data mnist.npz --images {experiment_grid.FULL['images']} "
        f"--epochs {experiment_grid.FULL['epochs']}.",
    )
    added.add_argument(
        "--grid", choices=experiment_grid.GRIDS, default="all", help="which runs (%(default)s)"
    )
    added.add_argument(
        "--out",
        type=Path,
        default=Path("experiments"),
        metavar="FOLDER",
        help="where the results go (%(default)s)",
    )
    added.add_argument(
        "--jobs",
        type=_at_a_time,
        default=1,
        metavar="N",
        help="runs at a time; -1 for one a processor (%(default)s)",
    )
    added.add_argument(
        "--backend",
        choices=experiment_grid.BACKENDS,
        default=experiment_grid.LOKY,
        help="joblib's: processes of this machine, or a cluster (%(default)s)",
    )
    added.add_argument(
        "--scheduler", metavar="ADDRESS", help="of the cluster, like tcp://10.0.0.5:8786"
    )
    added.add_argument(
        "--images",
        type=int,
        default=experiment_grid.IMAGES,
        metavar="N",
        help="to learn from (%(default)s)",
    )
    added.add_argument(
        "--epochs", type=int, default=experiment_grid.EPOCHS, metavar="N", help="(%(default)s)"
    )
    added.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="mnist.npz, for more than the images that come with the program; on a cluster, in "
        "the same place on every machine",
    )


def _at_a_time(text: str) -> int:
    if text != "-1" and (not text.isdecimal() or int(text) < 1):
        raise argparse.ArgumentTypeError(f"{text} is neither a whole number above 0 nor -1")
    return int(text)


def _experiment(arguments: argparse.Namespace) -> int:
    from digitlab import experiments

    a = arguments
    source = experiment_grid.REHEARSAL if a.data is None else experiment_grid.MNIST
    runs = experiment_grid.grid(a.grid, a.images, a.epochs, source)
    data = a.data.resolve() if a.data else None
    done = experiments.execute(runs, a.out, a.jobs, a.backend, a.scheduler, data, _tell)
    _tell(f"{done} trained; the results are in {a.out}")
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)
