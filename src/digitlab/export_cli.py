"""The terminal's `digitlab export`: a version in a form that other programs load."""

import argparse
import os
import sys
from pathlib import Path

from digitlab.errors import DataError
from digitlab.export_formats import FORMATS, SHEET

# TensorFlow, SQLAlchemy and the browser are imported by what needs them alone.


def add_commands(commands, command) -> None:
    """Add `export`; arguments as of `store_cli.add_commands`."""
    export = command(
        commands,
        "export",
        _export,
        "write a model version as a file for other programs",
        f"Formats: {', '.join(FORMATS)}. Beside the file it writes {SHEET}, which says how to feed "
        "the model and how far to trust its answers. What was not made before takes TensorFlow "
        "and some seconds.",
    )
    export.add_argument(
        "--version", type=int, metavar="N", help="as `digitlab versions` lists it (the champion)"
    )
    export.add_argument("--format", choices=FORMATS, metavar="F", help="one of the formats above")
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (the format's usual name, here)"
    )
    export.add_argument(
        "--release",
        action="store_true",
        help="make and measure all formats of the model in --model again, into its exports folder",
    )
    export.add_argument(
        "--model", type=Path, metavar="FOLDER", help="for --release (the shipped model)"
    )


def _export(arguments: argparse.Namespace) -> int:
    if arguments.release == (arguments.format is not None):
        arguments.parser.error("give either --format or --release")
    return _release(arguments.model) if arguments.release else _write(arguments)


def _write(arguments: argparse.Namespace) -> int:
    from digitlab import export, versions
    from digitlab.cli import silent_stderr
    from digitlab.store_cli import _store

    name = arguments.format
    with _store() as db:
        number = arguments.version or versions.champion_number(db)
        exports = export.of_store(db, number)
        if exports.has(name):
            data = exports.data(name)
        else:
            print(f"converting version {number}", file=sys.stderr)
            with silent_stderr():  # TensorFlow tells of the processor
                data = export.Converter(exports.source).make(name)
        sheet = exports.source.sheet_file
    out = arguments.out or Path(FORMATS[name].file)
    try:
        out.write_bytes(data)
        (out.parent / SHEET).write_bytes(sheet)
    except OSError as error:
        raise DataError(f"{error.filename} can't be written: {error.strerror}") from error
    print(f"version {number}, {FORMATS[name].title}: {len(data) / 1000:,.0f} kB written to {out}")
    return 0


def _release(folder: Path | None) -> int:
    from digitlab import export
    from digitlab.export_browser import find_browser, measure_page
    from digitlab.recognizer import SHIPPED

    browser = find_browser(os.environ.get("DIGITLAB_BROWSER", ""))
    if browser is None:
        print("no Chromium found: LiteRT measures the web page instead of LiteRT.js")

    def in_browser(file, digits):
        return measure_page(file, digits, browser)

    export.release(folder or SHIPPED, _tell, in_browser if browser else None)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)
