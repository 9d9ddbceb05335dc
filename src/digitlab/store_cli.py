"""The terminal's commands on the store: `versions`, `promote`, `corrections` and `retrain`."""

import argparse
import json
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from digitlab.errors import DataError

# SQLAlchemy is imported by the command that needs it, as everything heavy is.

FORMATS = ("zip", "npz", "csv")
STATES = ("pending", "accepted", "rejected")


def add_commands(commands, command) -> None:
    """Add the store's commands.

    Parameters
    ----------
    commands : of the argument parser.
    command : makes one, called with commands, name, function, summary and details.
    """
    _add_versions(commands, command)
    _add_promote(commands, command)
    _add_corrections(commands, command)
    _add_retrain(commands, command)


def _add_versions(commands, command) -> None:
    listing = command(
        commands,
        "versions",
        _versions,
        "list the model versions in the store",
        "The champion, which serves, is marked with a star.",
    )
    listing.add_argument(
        "--all", action="store_true", help="also those that somebody decided against"
    )
    listing.add_argument("--json", action="store_true", help="everything about them, as JSON")


def _add_promote(commands, command) -> None:
    promoting = command(
        commands,
        "promote",
        _promote,
        "make a version the champion",
        "Running apps read with it a second later. Promote the former one to go back.",
    )
    promoting.add_argument("number", type=int, metavar="N", help="as `digitlab versions` lists it")


def _add_corrections(commands, command) -> None:
    corrections = command(
        commands,
        "corrections",
        None,
        "take corrections out of the store or into it",
        "What people said about readings, with the pictures.",
    )
    ways = corrections.add_subparsers(title="commands", metavar="COMMAND", required=True)
    taking = command(
        ways,
        "import",
        _import,
        "take samples from a file into the store",
        "A ZIP, .npz or CSV file that was exported; or a ZIP of pictures in folders 0 to 9 and "
        "not_a_digit; or MNIST's own forms. All of it is taken, or nothing if it is not in order.",
    )
    taking.add_argument("file", metavar="FILE", type=Path)
    giving = command(
        ways,
        "export",
        _export,
        "write samples of the store to a file",
        "The file's ending chooses the form: .zip has a PNG of each and a table, .npz and .csv "
        "are MNIST's own.",
    )
    giving.add_argument("file", metavar="FILE", type=_exportable)
    giving.add_argument("--state", choices=STATES, help="only these (all)")


def _add_retrain(commands, command) -> None:
    retraining = command(
        commands,
        "retrain",
        _retrain,
        "teach the model the accepted corrections",
        "Makes a candidate from the champion, judges it and stores it as a version; it serves "
        "after `digitlab promote`. Needs TensorFlow. Ctrl-C cancels it.",
    )
    retraining.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="of learning, at most (as many as so many corrections usually need)",
    )
    retraining.add_argument(
        "--from-scratch", action="store_true", help="with all of MNIST, not from the champion"
    )
    retraining.add_argument(
        "--epochs", type=int, default=4, metavar="N", help="from scratch (%(default)s)"
    )
    retraining.add_argument(
        "--data", type=Path, metavar="FILE", help="MNIST as .npz, from scratch (fetched)"
    )
    retraining.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    retraining.add_argument(
        "--promote", action="store_true", help="make it the champion if it is recommended"
    )


def _exportable(text: str) -> Path:
    if Path(text).suffix[1:].lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text} does not end in .zip, .npz or .csv")
    return Path(text)


@contextmanager
def _store():
    """The store, with the shipped model in it."""
    from digitlab import versions
    from digitlab.cli import silent_stderr
    from digitlab.database import connect

    db = connect()
    try:
        with silent_stderr():  # LiteRT reports its delegate when it computes for the first time
            versions.ensure_shipped(db)
        yield db
    finally:
        db.close()


def _champion(db):
    """The recogniser that serves, started."""
    import numpy as np

    from digitlab.cli import silent_stderr
    from digitlab.versions import champion_recognizer

    recognizer = champion_recognizer(db)
    with silent_stderr():
        recognizer.classify(np.zeros((1, 28, 28), np.uint8))
    return recognizer


def _versions(arguments: argparse.Namespace) -> int:
    from digitlab import versions

    with _store() as db:
        found = versions.listed(db, discarded=arguments.all)
    if arguments.json:
        print(
            json.dumps([vars(version) for version in found], indent=1, default=datetime.isoformat)
        )
        return 0
    print(f"  {'version':>7}  {'kind':<10}  {'parent':>6}  {'stored (UTC)':<16}  MNIST test")
    for version in found:
        print(_line(version))
    return 0


def _line(version) -> str:
    accuracy = version.metrics.get("mnist_test", {}).get("accuracy")
    return (
        f"{'*' if version.champion else ' '} {version.number:>7}  {version.kind:<10}  "
        f"{version.parent or '':>6}  {version.created:%Y-%m-%d %H:%M}  "
        f"{'not measured' if accuracy is None else f'{accuracy:.2%}'}"
        f"{'  discarded' if version.discarded else ''}"
    )


def _promote(arguments: argparse.Namespace) -> int:
    from digitlab import versions

    with _store() as db:
        promotion = versions.promote(db, arguments.number, "the terminal")
    if promotion.before == promotion.after:
        print(f"version {promotion.after} is the champion already")
    else:
        print(f"version {promotion.after} is the champion now; it was {promotion.before}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from digitlab import transfer

    try:
        file = arguments.file.open("rb")
    except OSError as error:
        raise DataError(f"{arguments.file} can't be read: {error.strerror}") from error
    with file, _store() as db:
        done = transfer.import_file(db, file, _champion(db), _progress())
    print(f"{done.added} new, {done.updated} changed, {done.unchanged} known")
    for name in done.skipped:
        print(f"left out, there is no ink in it: {name}", file=sys.stderr)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from digitlab import transfer
    from digitlab.samples import Filter

    wanted = Filter(states=(arguments.state,) if arguments.state else ())
    # Beside its place first: a file that is there is replaced by a whole one or not at all.
    part = arguments.file.with_name(f"{arguments.file.name}.part")
    try:
        with _store() as db, part.open("wb") as file:
            form = arguments.file.suffix[1:].lower()
            count = transfer.export(db, file, form, wanted, _progress())
        part.replace(arguments.file)
    except OSError as error:
        raise DataError(f"{arguments.file} can't be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    print(f"{count} sample{'s' * (count != 1)} written to {arguments.file}")
    return 0


def _retrain(arguments: argparse.Namespace) -> int:
    from digitlab import jobs, versions
    from digitlab.retraining import FINE_TUNE, SCRATCH

    settings = {
        "method": SCRATCH if arguments.from_scratch else FINE_TUNE,
        "seconds": arguments.seconds,
        "epochs": arguments.epochs,
        "seed": arguments.seed,
        "data": str(arguments.data.resolve()) if arguments.data else None,
    }
    with _store() as db:
        job = _followed(db, jobs.start(db, "retrain", settings))
        if job.state != jobs.DONE:
            print(f"{job.state}{f': {job.error}' if job.error else ''}", file=sys.stderr)
            return 1
        recommended = versions.get(db, job.result).metrics["comparison"]["recommended"]
        print(f"version {job.result} is {'' if recommended else 'not '}recommended")
        if recommended and arguments.promote:
            versions.promote(db, job.result, "the terminal")
            print(f"version {job.result} is the champion now")
    return 0


def _followed(db, job):
    """A job when it has ended; its log is printed as it grows, and Ctrl-C cancels it."""
    from digitlab import jobs

    told = 0
    while True:
        try:
            lines = job.log.split("\n") if job.log else []
            for line in lines[told:]:
                print(line, flush=True)
            told = len(lines)
            if not job.active:
                return job
            time.sleep(0.5)
            job = jobs.get(db, job.id)
        except KeyboardInterrupt:
            print("cancelling", file=sys.stderr)
            jobs.cancel(db, job.id)


def _progress():
    """Shows how far it is, where a person looks on."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, total: int) -> None:
        end = "\n" if done == total else ""
        print(f"\r{done:,} of {total:,}", end=end, file=sys.stderr, flush=True)

    return tell
