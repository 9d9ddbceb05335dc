"""Samples out of the store and into it: a ZIP of pictures, and MNIST's own forms, npz and CSV."""

import csv
import io
import posixpath
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

import numpy as np
from PIL import Image

from digitlab import images, samples
from digitlab.archives import MOST_ENTRIES, open_archive, read_array, read_entry
from digitlab.database import Database
from digitlab.errors import DataError, ImageError
from digitlab.preprocess import prepare
from digitlab.recognizer import Recognizer
from digitlab.samples import EVERYTHING, NOT_A_DIGIT, Change, Filter, Sample

FORMATS = ("zip", "npz", "csv")

TABLE = "samples.csv"
INK = "ink.npz"
COLUMNS = (
    "file",
    "label",
    "predicted",
    "confidence",
    "probabilities",
    "is_digit",
    "source",
    "state",
    "confirmed",
    "version",
    "time",
)

MOST_SAMPLES = MOST_ENTRIES - 2  # beside the table and the ink
MOST_PIXELS = 16 * 10**6  # of one picture
MOST_PIXELS_IN_ALL = 8 * 10**9
PIXEL_COLUMNS = 785  # the label and 28x28 values from 0 to 255
LONGEST_LINE = 16_000  # bytes of a line of CSV; the header of one has about 6,000

_PICTURES = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # what Pillow reads by itself
_REFUSED = "not_a_digit"
_FOLDERS = {str(digit): digit for digit in range(10)} | {_REFUSED: NOT_A_DIGIT}
_RUBBISH = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # put in by file managers
_PART = 1000  # rows read or classified at a time

Tell = Callable[[int, int], None]
"""Gets how many are done, and of how many; what it raises stops the work."""


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes
    ----------
    added, updated, unchanged : samples that are new, have another label or state now, or were
        there already.
    skipped : pictures without any ink.
    change : takes all of it back with `samples.undo`.
    """

    added: int
    updated: int
    unchanged: int
    skipped: tuple[str, ...]
    change: Change


def export(
    db: Database, file: BinaryIO, form: str, wanted: Filter = EVERYTHING, tell: Tell | None = None
) -> int:
    """Write samples into a file.

    Parameters
    ----------
    file : open for writing.
    form : "zip", a PNG of each crop in one folder per label, samples.csv about them, and ink.npz
        with their ink in the order of its rows; "npz", x (n, 28, 28) uint8 and y (n,) uint8 as
        MNIST has them; "csv", 785 columns, the label first. What is no digit has label 10.

    Returns
    -------
    How many samples there were.

    Raises
    ------
    DataError if there are none, or more than MOST_SAMPLES; StoreError.
    """
    write = {"zip": _write_zip, "npz": _write_npz, "csv": _write_csv}.get(form)
    if write is None:
        raise DataError(f"Samples can't be written as {form!r}: use {', '.join(FORMATS)}.")
    total = samples.page(db, wanted, limit=0).total
    if not total:
        raise DataError("There are no samples to export: none matches.")
    if total > MOST_SAMPLES:
        raise DataError(
            f"{total:,} samples match, and a file holds {MOST_SAMPLES:,}. Export them in parts, "
            "by digit or by state."
        )
    return write(file, _counted(samples.each(db, wanted), total, tell))


def import_file(
    db: Database,
    file: BinaryIO,
    recognizer: Recognizer | None = None,
    tell: Tell | None = None,
) -> Imported:
    """Take the samples of a file into the store: all of them, or none if it is not in order.

    Parameters
    ----------
    file : one that `export` wrote; or a ZIP of pictures, each of one digit, in folders 0 to 9
        and not_a_digit; or an .npz or CSV file in MNIST's form. Its name does not matter.
    recognizer : says what it makes of samples that come without a prediction.

    Raises
    ------
    DataError or ImageError saying what is wrong; StoreError. The store is as before then.
    """
    found, skipped = read_file(file, tell)
    if recognizer is not None:
        found = _predicted(found, recognizer)
    change = samples.add_all(db, found)
    added, updated = len(change.created), len(change.before)
    return Imported(added, updated, len(change.ids) - added - updated, skipped, change)


def read_file(file: BinaryIO, tell: Tell | None = None) -> tuple[list[Sample], tuple[str, ...]]:
    """The samples of a file, as `import_file` would take them, without keeping them.

    Returns
    -------
    Samples, and the names of pictures without any ink.

    Raises
    ------
    DataError or ImageError saying what is wrong.
    """
    found, skipped = _read(file, tell)
    if not found:
        raise DataError("The file holds no samples.")
    return found, tuple(skipped)


def _counted(items: Iterable, total: int, tell: Tell | None) -> Iterator:
    for done, item in enumerate(items):
        if tell and done % 50 == 0:
            tell(done, total)
        yield item
    if tell:
        tell(total, total)


def _write_zip(file: BinaryIO, found: Iterator[Sample]) -> int:
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    ink, labels = [], []
    with zipfile.ZipFile(file, "w") as archive:
        for sample in found:
            row = _row(sample)
            writer.writerow(row)
            archive.writestr(_entry(row["file"], sample.created), sample.crop)
            ink.append(sample.ink)
            labels.append(sample.label)
        now = datetime.now()
        archive.writestr(_entry(TABLE, now), table.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(_entry(INK, now), _npz(ink, labels))
    return len(labels)


def _entry(name: str, moment: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
    entry.external_attr = 0o644 << 16
    return entry


def _row(sample: Sample) -> dict:
    """A sample as a row of the table; numbers are written so that they come back the same."""
    folder = _folder(sample.label)
    row = {
        "file": f"{folder}/{sample.id:06d}.png",
        "label": folder,
        "source": sample.source,
        "state": sample.state,
        "confirmed": "yes" if sample.confirmed else "no",
        "version": sample.version or "",
        "time": sample.created.isoformat(),
    }
    if sample.probabilities is not None:
        row |= {
            "predicted": _folder(sample.predicted),
            "confidence": f"{sample.confidence:.6f}",
            "probabilities": " ".join(map(repr, sample.probabilities)),
            "is_digit": repr(sample.is_digit),
        }
    return row


def _folder(label: int) -> str:
    return _REFUSED if label == NOT_A_DIGIT else str(label)


def _npz(ink: list[np.ndarray], labels: list[int]) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, x=np.stack(ink), y=np.array(labels, np.uint8))
    return packed.getvalue()


def _write_npz(file: BinaryIO, found: Iterator[Sample]) -> int:
    pairs = [(sample.ink, sample.label) for sample in found]
    file.write(_npz(*map(list, zip(*pairs, strict=True))))
    return len(pairs)


def _write_csv(file: BinaryIO, found: Iterator[Sample]) -> int:
    names = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]
    file.write((",".join(["label", *names]) + "\n").encode())
    count = 0
    for sample in found:
        values = [sample.label, *sample.ink.ravel().tolist()]
        file.write((",".join(map(str, values)) + "\n").encode())
        count += 1
    return count


def _read(file: BinaryIO, tell: Tell | None) -> tuple[list[Sample], list[str]]:
    """The samples of a file of any kind, and the names of pictures that have no ink."""
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if not start:
        raise DataError("The file is empty.")
    if start[:2] != b"PK":
        return _read_csv(file), []
    with open_archive(file) as archive:
        entries = {e.filename: e for e in archive.infolist() if not _is_rubbish(e)}
        if entries and all(name.endswith(".npy") for name in entries):
            return _read_npz(archive, entries), []
        return _read_zip(archive, _without_wrapper(entries), tell)


def _is_rubbish(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.split("/")
    return entry.is_dir() or any(part in _RUBBISH for part in parts) or parts[-1][:2] == "._"


def _without_wrapper(entries: dict) -> dict:
    """By their names inside the folder that all lie in, as ZIPs of a folder have one."""
    while entries:
        tops = {name.partition("/")[0] for name in entries}
        if len(tops) > 1 or tops & _FOLDERS.keys() or not all("/" in name for name in entries):
            break
        entries = {name.partition("/")[2]: entry for name, entry in entries.items()}
    return entries


def _read_zip(archive: zipfile.ZipFile, entries: dict, tell: Tell | None):
    rows = _read_table(archive, entries.pop(TABLE, None))
    ink = _read_ink(archive, entries.pop(INK, None))
    if rows is None:
        rows = [{"file": name, "label": _label_of_folder(name)} for name in entries]
    missing = {row["file"] for row in rows} ^ entries.keys()
    if missing:
        raise DataError(f"{min(missing)} is either in {TABLE} or in the ZIP file, but not in both.")
    if ink is not None and len(ink) != len(rows):
        raise DataError(f"{INK} holds {len(ink)} pieces of ink for {len(rows)} rows of {TABLE}.")
    found, skipped, pixels = [], [], 0
    for index, row in enumerate(_counted(rows, len(rows), tell)):
        entry = entries[row["file"]]
        crop = read_entry(archive, entry)
        pixels += _check_picture(crop, row["file"])
        if pixels > MOST_PIXELS_IN_ALL:
            raise DataError("The pictures of the ZIP file have too many pixels. Split it.")
        given = ink[index] if ink is not None else _ink_of(crop, row["file"])
        if given is None:
            skipped.append(row["file"])
        else:
            found.append(_sample(row, crop, given))
    return found, skipped


def _label_of_folder(name: str) -> str:
    folder = posixpath.basename(posixpath.dirname(name))
    if folder not in _FOLDERS:
        raise DataError(f"{name} lies in no folder that is named 0 to 9 or {_REFUSED}.")
    return folder


def _read_table(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None) -> list[dict] | None:
    if entry is None:
        return None
    try:
        text = read_entry(archive, entry).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), restkey="too many", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{TABLE} can't be read as a table in UTF-8: {error}.") from error
    for number, row in enumerate(rows, 2):
        if "too many" in row or not row.get("file") or row.get("label") not in _FOLDERS:
            raise DataError(
                f"Row {number} of {TABLE} is not in order: it needs a file and a label from 0 to "
                f"9 or {_REFUSED}, and no more columns than the header."
            )
    if len({row["file"] for row in rows}) < len(rows):
        raise DataError(f"{TABLE} names a file twice.")
    return rows


def _read_ink(archive: zipfile.ZipFile, entry: zipfile.ZipInfo | None) -> np.ndarray | None:
    if entry is None:
        return None
    with open_archive(io.BytesIO(read_entry(archive, entry))) as inner:
        return _arrays(inner, {e.filename: e for e in inner.infolist()})[0]


def _check_picture(data: bytes, name: str) -> int:
    """How many pixels a picture has, without decoding it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a large picture, which is checked here
            with Image.open(io.BytesIO(data), formats=_PICTURES) as image:
                pixels = image.width * image.height
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise DataError(f"{name} is no picture that can be read. Use PNG or JPEG.") from None
    if pixels > MOST_PIXELS:
        raise DataError(
            f"{name} has {pixels / 1e6:.0f} million pixels; a picture of one digit may have "
            f"{MOST_PIXELS // 10**6} million."
        )
    return pixels


def _ink_of(picture: bytes, name: str) -> np.ndarray | None:
    """The ink (28, 28) uint8 of the one digit in a picture; None if it is blank."""
    try:
        glyphs = prepare(images.decode(picture)).glyphs
    except ImageError as error:
        raise DataError(f"{name}: {error}") from error
    # One digit fills its picture: whatever covers the most of it is all of the digit.
    largest = max(glyphs, key=lambda glyph: glyph.box[2] * glyph.box[3], default=None)
    return None if largest is None else largest.ink


def _sample(row: dict, crop: bytes, ink: np.ndarray) -> Sample:
    """A row of the table as a sample; columns may be missing."""
    shares, time = row.get("probabilities"), row.get("time")
    try:
        sample = Sample(
            crop=crop,
            ink=ink,
            label=_FOLDERS[row["label"]],
            source=row.get("source") or "imported",
            probabilities=tuple(map(float, shares.split(" "))) if shares else None,
            is_digit=float(row["is_digit"]) if shares else None,
            version=row.get("version") or None,
            confirmed=row.get("confirmed") == "yes",
            state=row.get("state") or None,
            created=datetime.fromisoformat(time) if time else None,
        )
        samples.check(sample)
        return sample
    except (ValueError, KeyError, TypeError, DataError) as error:
        raise DataError(f"The row of {row['file']} in {TABLE} is not in order: {error}.") from error


def _read_npz(archive: zipfile.ZipFile, entries: dict) -> list[Sample]:
    return _samples_of_ink(*_arrays(archive, entries))


def _arrays(archive: zipfile.ZipFile, entries: dict) -> tuple[np.ndarray, np.ndarray]:
    """All ink (n, 28, 28) uint8 and labels (n,) of an .npz file: x and y, or x_train and so on."""
    ink, labels = [], []
    for name in sorted(n for n in entries if n.startswith("x")):
        other = f"y{name[1:]}"
        if other not in entries:
            raise DataError(f"The .npz file has {name[:-4]}, but no {other[:-4]} with its labels.")
        x = read_array(read_entry(archive, entries[name]), name)
        y = read_array(read_entry(archive, entries[other]), other)
        ink.append(_checked_ink(x, name))
        labels.append(_checked_labels(y, other, len(x)))
    if not ink:
        raise DataError("The .npz file has no arrays x and y.")
    return np.concatenate(ink), np.concatenate(labels)


def _checked_ink(x: np.ndarray, name: str) -> np.ndarray:
    if x.dtype != np.uint8 or x.ndim < 2 or x.size != len(x) * 784:
        raise DataError(f"{name} is {x.dtype} {x.shape}; bytes (n, 28, 28) are needed.")
    if len(x) > MOST_SAMPLES:
        raise DataError(
            f"{name} holds {len(x):,} samples; {MOST_SAMPLES:,} can be read. Split the file."
        )
    return x.reshape(-1, 28, 28)


def _checked_labels(y: np.ndarray, name: str, count: int) -> np.ndarray:
    if y.shape != (count,) or y.dtype.kind not in "iu" or not np.isin(y, samples.LABELS).all():
        raise DataError(f"{name} does not hold {count:,} labels from 0 to 10.")
    return y


def _read_csv(file: BinaryIO) -> list[Sample]:
    found: list[Sample] = []
    for first, lines in _parts(_lines(file)):
        values = _numbers(lines, first)
        found += _samples_of_ink(values[:, 1:].reshape(-1, 28, 28).astype(np.uint8), values[:, 0])
        if len(found) > MOST_SAMPLES:
            raise DataError(f"The CSV file has more than {MOST_SAMPLES:,} rows. Split it.")
    return found


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that hold a sample, with their numbers."""
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), 1):
        if len(line) > LONGEST_LINE:
            raise DataError(f"Line {number} is too long for a CSV file of 28x28 pictures.")
        text = _text(line)
        columns = text.count(",") + 1
        if text and columns != PIXEL_COLUMNS:
            raise DataError(
                f"Line {number} has {columns} column{'s' * (columns > 1)}; a CSV file of samples "
                f"has {PIXEL_COLUMNS}: the label, then 28x28 values from 0 to 255."
            )
        header = number == 1 and not text.partition(",")[0].strip().isdecimal()
        if text and not header:
            yield number, text


def _text(line: bytes) -> str:
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(
            "This is no file of samples. Use a ZIP of pictures, or MNIST's .npz or CSV form."
        )
    return text


def _parts(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Some lines at a time, with the number of the first."""
    part: list[str] = []
    first = 0
    for number, line in lines:
        first = first if part else number
        part.append(line)
        if len(part) == _PART:
            yield first, part
            part = []
    if part:
        yield first, part


def _numbers(lines: list[str], first: int) -> np.ndarray:
    """Lines of CSV as (n, 785) int16, in range."""
    try:
        values = np.loadtxt(lines, np.int16, delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        raise DataError(f"From line {first} on, a value is no whole number: {error}.") from error
    wrong = (values < 0) | (values > 255)
    wrong[:, 0] |= values[:, 0] > NOT_A_DIGIT
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"About line {first + row}: {values[row, column]} in column {column + 1} is out of "
            "range. Labels go from 0 to 10, values from 0 to 255."
        )
    return values


def _samples_of_ink(ink: np.ndarray, labels: np.ndarray) -> list[Sample]:
    return [
        Sample(b"", piece, int(label), "imported") for piece, label in zip(ink, labels, strict=True)
    ]


def _predicted(found: list[Sample], recognizer: Recognizer) -> list[Sample]:
    """With what the recogniser makes of those that come without a prediction."""
    found = list(found)
    unknown = [i for i, sample in enumerate(found) if sample.probabilities is None]
    for start in range(0, len(unknown), _PART):
        part = unknown[start : start + _PART]
        beliefs = recognizer.classify(np.stack([found[i].ink for i in part]))
        for row, index in enumerate(part):
            found[index] = replace(
                found[index],
                probabilities=tuple(map(float, beliefs.probabilities[row])),
                is_digit=float(beliefs.is_digit[row]),
                version=recognizer.version,
            )
    return found
