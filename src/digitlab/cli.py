"""The terminal's way in: reading, training, measuring; `store_cli` has what concerns the store."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from digitlab import __version__, experiments_cli, export_cli, store_cli
from digitlab.errors import DigitLabError

# Everything heavy is imported by the command that needs it: --help answers at once.

FEW = 32  # files that one process has read by the time that others have started
PAGES = 14_000  # that the ink's training makes unless told
STRIPS = 220_000  # that the string reader's training makes unless told
AT_ONCE = 4  # files handed to a process together
MOST_PROCESSES = 8
PICTURES = 20_000  # drawings, and as many photographs, that training makes unless told
DECIMALS = 6  # of a probability in JSON

_INTERRUPTED = 130  # exit status after Ctrl-C, as shells have it
_PIPE_CLOSED = 141  # likewise, when the reader of our output has gone


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : the words after the program's name; those it was started with if None.

    Returns
    -------
    The exit status: 0 for success, 1 if something could not be done.

    Raises
    ------
    SystemExit with status 2 for bad usage, with 0 after --help and --version.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except DigitLabError as error:
        print(f"digitlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("digitlab: stopped", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more when it ends, which must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitlab",
        description="Reads handwritten digits in drawings and photographs.",
        epilog="digitlab COMMAND --help explains the options of one command.",
    )
    parser.add_argument("--version", action="version", version=f"digitlab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _add_recognize,
        _add_benchmark,
        _add_train,
        _add_train_ink,
        _add_train_strings,
        _add_data,
    ):
        add(commands)
    store_cli.add_commands(commands, _command)
    export_cli.add_commands(commands, _command)
    experiments_cli.add_commands(commands, _command)
    return parser


def _command(commands, name: str, run, summary: str, details: str) -> argparse.ArgumentParser:
    """A command with its one-line summary, and the details that its own --help adds."""
    command = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {details}",
    )
    command.set_defaults(run=run, parser=command)
    return command


def _add_recognize(commands) -> None:
    command = _command(
        commands,
        "recognize",
        _recognize,
        "read the digits in pictures, one line a file",
        "PNG, JPEG, WebP, BMP, GIF, TIFF and HEIC. Lines come in the order of the files. "
        "Exit status: 0 if all were read, 1 if some were not, 2 for bad usage.",
    )
    command.add_argument("files", metavar="FILE", nargs="+", help="a picture")
    command.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line: file, text, digits (label, confidence, probabilities, "
        "box as x, y, width and height in pixels, accepted), error",
    )
    _add_model(command)


def _add_benchmark(commands) -> None:
    command = _command(
        commands,
        "benchmark",
        _benchmark,
        "measure accuracy, calibration, refusals and speed in one table",
        "Measures on what comes with the program and on the sets that are given; prints the "
        "table and writes it as Markdown and as JSON.",
    )
    command.add_argument(
        "--set",
        metavar="NAME=FOLDER",
        type=_named_folder,
        action="append",
        default=[],
        dest="sets",
        help="a folder of pictures named LABEL_ANYTHING.EXT, LABEL being all digits in them; "
        "may be repeated",
    )
    command.add_argument(
        "--signs", type=_file, metavar="FILE", help="gzipped drawings of letters, to be refused"
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("benchmark.md"),
        metavar="FILE",
        help="where the table goes; the JSON lies beside it (%(default)s)",
    )
    _add_model(command)


def _add_train(commands) -> None:
    command = _command(
        commands,
        "train",
        _train,
        "train a model from scratch and write it as a version folder",
        "Takes hours and needs TensorFlow. A stopped run goes on where it was when the same "
        "command is given again.",
    )
    _add_training(command, drawings_needed=False)
    command.add_argument(
        "--calm",
        type=_share,
        metavar="X",
        help="share of the epochs, the last ones, in which ink is changed half as much (0)",
    )
    command.add_argument(
        "--made",
        type=_share,
        metavar="X",
        help="drawn and photographed digits an epoch, as a share of MNIST's (1)",
    )
    command.add_argument(
        "--architecture",
        choices=("wide", "compact"),  # those of `networks`, which takes TensorFlow
        help="wide is the usual one, and can begin with a compact start, out of which it grows",
    )
    _add_doodles(command)
    command.add_argument(
        "--average-with",
        type=_file,
        action="append",
        default=[],
        metavar="FILE",
        help="the .keras file of another training with the same start, whose weights are averaged "
        "with what was learnt; may be given more than once",
    )
    _add_amount(command, "--pictures", PICTURES, "drawings, and as many photographs, to make")


def _add_train_ink(commands) -> None:
    command = _command(
        commands,
        "train-ink",
        _train_ink,
        "train the network that finds the ink on a page, ink.tflite",
        "Takes an hour and needs TensorFlow. A stopped run goes on where it was when the same "
        "command is given again.",
    )
    _add_training(command, drawings_needed=True)
    _add_amount(command, "--pages", PAGES, "synthetic pages to make")


def _add_train_strings(commands) -> None:
    command = _command(
        commands,
        "train-strings",
        _train_strings,
        "train the network that reads digits that touch, strings.tflite",
        "Takes half an hour and needs TensorFlow. A stopped run goes on where it was when the same "
        "command is given again.",
    )
    _add_training(command, drawings_needed=True)
    _add_doodles(command)
    _add_amount(command, "--strips", STRIPS, "touching digits to make")


def _add_amount(command: argparse.ArgumentParser, name: str, usual: int, what: str) -> None:
    """How much a training makes to learn from."""
    command.add_argument(
        name, type=_positive, default=usual, metavar="N", help=f"{what} (%(default)s)"
    )


def _add_training(command: argparse.ArgumentParser, drawings_needed: bool) -> None:
    """What all trainings take: data, where to write, how long, how exactly."""
    _add_mnist(command)
    command.add_argument(
        "--strokes",
        type=_file,
        metavar="FILE",
        required=drawings_needed,
        help="gzipped drawings of digits to learn too",
    )
    command.add_argument(
        "--signs",
        type=_file,
        metavar="FILE",
        required=drawings_needed,
        help="likewise of letters: what is no digit",
    )
    command.add_argument(
        "--out", type=Path, default=Path("trained"), metavar="FOLDER", help="(%(default)s)"
    )
    command.add_argument("--epochs", type=_positive, metavar="N", help="passes over the examples")
    command.add_argument("--seed", type=int, metavar="N", help="of everything random")
    command.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        help="mixed_bfloat16 is faster where the processor has it, far slower elsewhere",
    )
    command.add_argument(
        "--start", type=_file, metavar="FILE", help="a .keras file whose weights to begin with"
    )
    command.add_argument(
        "--learning-rate", type=float, metavar="X", help="the largest; it rises and falls"
    )
    command.add_argument(
        "--kept",
        type=_share,
        metavar="X",
        help="share of the start's weights in the average that comes out (0)",
    )


def _add_data(commands) -> None:
    command = _command(
        commands,
        "data",
        _data,
        "make the data files that come with the program again",
        "Writes mnist_test.npz and rehearsal.npz; with --doodles, doodles.npz, too.",
    )
    _add_mnist(command)
    _add_doodles(command)
    command.add_argument(
        "--out", type=Path, metavar="FOLDER", help="(the program's own data folder)"
    )


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", type=Path, metavar="FOLDER", help="a version's folder (the shipped model)"
    )


def _add_mnist(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data", type=_file, metavar="FILE", help="mnist.npz (fetched with Keras' loader)"
    )


def _add_doodles(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--doodles",
        type=_folder,
        metavar="FOLDER",
        help="of Quick, Draw!'s doodles, a file KIND.ndjson.gz each: what is no digit",
    )


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return share


def _named_folder(text: str) -> tuple[str, Path]:
    name, separator, folder = text.partition("=")
    if not name or not separator or not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FOLDER with a folder that exists")
    return name, Path(folder)


def _recognize(arguments: argparse.Namespace) -> int:
    """Print a line for every file; 1 if one of them could not be read."""
    if hasattr(sys.stdout, "reconfigure"):
        # A file may be called anything, and its name has to be printable anywhere.
        sys.stdout.reconfigure(errors="backslashreplace")
    failed = False
    with closing(_read_all(arguments.files, arguments.model, arguments.json)) as lines:
        for line, error in lines:
            failed |= error
            stream = sys.stderr if error and not arguments.json else sys.stdout
            print(line, file=stream, flush=True)
    return int(failed)


def _read_all(files: list[str], model: Path | None, as_json: bool) -> Iterator[tuple[str, bool]]:
    """A line for each file, in order, and whether the file could not be read."""
    read = partial(_read, as_json=as_json)
    processes = min(MOST_PROCESSES, os.cpu_count() or 1, len(files) // FEW)
    if processes < 2:
        _start(model)
        yield from map(read, files)
        return
    try:
        yield from _read_by_several(files, read, model, processes)
    except BrokenProcessPool:
        message = "a process that read pictures ended (is there too little memory?)"
        raise DigitLabError(message) from None


def _read_by_several(files: Iterable[str], read, model: Path | None, processes: int) -> Iterator:
    _load(model)  # says what is wrong with the model once, not once a process
    # Started afresh and not forked: LiteRT and OpenCV may have threads running already.
    with ProcessPoolExecutor(processes, get_context("spawn"), _start_child, (model,)) as pool:
        yield from pool.map(read, files, chunksize=AT_ONCE)


def _start_child(model: Path | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends them
    _start(model)


_recognizer = None  # this process' own, set by _start


def _start(model: Path | None) -> None:
    """Load what reading needs; one processor thread for each process is the fastest."""
    global _recognizer
    import cv2

    cv2.setNumThreads(1)
    _recognizer = _load(model)


def _load(model: Path | None):
    import numpy as np

    from digitlab.recognizer import Recognizer

    recognizer = Recognizer.load(model) if model else Recognizer.load()
    with silent_stderr():  # LiteRT reports its delegate when it computes for the first time
        recognizer.classify(np.zeros((1, 28, 28), np.uint8))
    return recognizer


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Without what C++ code prints to the process' standard error."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _read(name: str, as_json: bool) -> tuple[str, bool]:
    """The line for one file, and whether the file could not be read."""
    try:
        reading = _recognizer.recognize(_picture(name))
    except OSError as error:
        return _failure(name, (error.strerror or str(error)).lower(), as_json), True
    except DigitLabError as error:
        return _failure(name, str(error), as_json), True
    except Exception as error:  # one odd picture must not cost the answers for the rest
        return _failure(name, f"reading failed: {error!r}", as_json), True
    return _as_json(name, reading) if as_json else _as_words(name, reading), False


def _picture(name: str):
    from digitlab.images import MAX_BYTES, decode

    with open(name, "rb") as file:
        return decode(file.read(MAX_BYTES + 1))  # a device or a film could go on for ever


def _failure(name: str, message: str, as_json: bool) -> str:
    if as_json:
        return json.dumps({"file": name, "text": "", "digits": [], "error": message})
    return f"{name}: can't be read: {message}"


def _as_json(name: str, reading) -> str:
    digits = [
        {
            "label": digit.label,
            "confidence": round(digit.confidence, DECIMALS),
            "probabilities": [round(p, DECIMALS) for p in digit.probabilities],
            "box": list(digit.box),
            "accepted": digit.accepted,
        }
        for digit in reading.digits
    ]
    return json.dumps({"file": name, "text": reading.text, "digits": digits, "error": None})


def _as_words(name: str, reading) -> str:
    """As in "scan.png: 407 (sure, 98.2 % for all 3 digits)"."""
    from digitlab.wording import account

    if not reading.digits:
        return f"{name}: no digits found"
    words = account(reading)
    certainty = words.certainty[:1].lower() + words.certainty[1:]
    return f"{name}: {words.headline} ({certainty})".replace("\n", " / ")


def _benchmark(arguments: argparse.Namespace) -> int:
    from digitlab import benchmark
    from digitlab.recognizer import SHIPPED

    folder, recognizer = arguments.model or SHIPPED, _load(arguments.model)
    report = benchmark.run(recognizer, folder, arguments.sets, arguments.signs, _tell)
    print(f"\n{benchmark.as_text(report)}\n")
    for path in benchmark.write(report, arguments.out):
        _tell(f"written to {path}")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    if (arguments.strokes is None) != (arguments.signs is None):
        arguments.parser.error("--strokes and --signs go together")
    if arguments.doodles and arguments.signs is None:
        arguments.parser.error("--doodles needs --strokes and --signs")
    _check_kept(arguments)
    from digitlab.release import train_version
    from digitlab.training import Settings

    a = arguments
    settings = Settings(**_chosen(a))
    files = a.data, a.strokes, a.signs
    others = a.start, a.doodles, a.average_with
    train_version(a.out, *files, settings, a.pictures, _tell, *others)
    return 0


def _check_kept(arguments: argparse.Namespace) -> None:
    if arguments.kept and arguments.start is None:
        arguments.parser.error("--kept needs --start: otherwise there are no weights to keep")


def _train_ink(arguments: argparse.Namespace) -> int:
    _check_kept(arguments)
    from digitlab.release import train_binarizer
    from digitlab.training import INK_SETTINGS

    a = arguments
    settings = replace(INK_SETTINGS, **_chosen(a))
    train_binarizer(a.out, a.data, a.strokes, a.signs, settings, a.pages, _tell, a.start)
    return 0


def _train_strings(arguments: argparse.Namespace) -> int:
    _check_kept(arguments)
    from digitlab.release import train_string_reader
    from digitlab.training import STRINGS_SETTINGS

    a = arguments
    settings = replace(STRINGS_SETTINGS, **_chosen(a))
    files = a.data, a.strokes, a.signs
    train_string_reader(a.out, *files, settings, a.strips, _tell, a.start, a.doodles)
    return 0


def _chosen(arguments: argparse.Namespace) -> dict:
    """The settings of a training that were given."""
    names = (
        "architecture",
        "epochs",
        "seed",
        "precision",
        "learning_rate",
        "made",
        "calm",
        "kept",
    )
    given = {name: getattr(arguments, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _data(arguments: argparse.Namespace) -> int:
    from digitlab import datasets, quickdraw

    folder = arguments.out or datasets.FOLDER
    datasets.write_data_files(arguments.data, folder)
    _tell(f"mnist_test.npz and rehearsal.npz written to {folder}")
    if arguments.doodles:
        quickdraw.write_sample(arguments.doodles, folder)
        _tell(f"doodles.npz written to {folder}")
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
