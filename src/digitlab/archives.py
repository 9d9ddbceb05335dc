"""ZIP and NumPy files from strangers: looked at from outside before anything is unpacked."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from digitlab.errors import DataError

MOST_ENTRIES = 60_000
MOST_DIRECTORY = 16 * 2**20  # bytes of the list of entries
MOST_PACKED = 512 * 2**20  # bytes of the file
MOST_UNPACKED = 768 * 2**20  # bytes of all entries
MOST_RATIO = 200  # unpacked to packed, of an entry of a megabyte or more; a bomb has 1,000

_END = b"PK\x05\x06"
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """A ZIP file whose every entry is a plain file with a safe name and a bearable size.

    Parameters
    ----------
    file : may be sought in.

    Raises
    ------
    DataError naming what is wrong; nothing was unpacked by then.
    """
    _check_end(file)
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE as error:
        raise DataError(f"The ZIP file is incomplete or damaged: {error}.") from error
    with archive:
        _check_entries(archive.infolist())
        yield archive


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """An entry unpacked, no longer than the archive says. Raises DataError if it is damaged."""
    try:
        with archive.open(entry) as packed:
            # A read without a limit would first unpack all, whatever size was declared.
            return packed.read(entry.file_size + 1)
    except _DAMAGE as error:
        raise DataError(f"{_shown(entry.filename)} in the ZIP file is damaged: {error}.") from error


def read_array(data: bytes, name: str) -> np.ndarray:
    """The array of a .npy file, without running what it may hold; DataError if there is none."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
    except (ValueError, KeyError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise DataError(f"{name} is no NumPy array that can be read.") from error
    if dtype.hasobject:
        raise DataError(f"{name} holds Python objects, which could run a program; only numbers.")
    size = dtype.itemsize
    for side in shape:
        size *= side  # in Python's own numbers, which do not overflow
    if min(shape, default=1) < 0 or size != len(data) - file.tell():
        raise DataError(f"{name} says that it is {shape}, but does not hold as many numbers.")
    array = np.frombuffer(data, dtype, offset=file.tell())
    return array.reshape(shape, order="F" if fortran else "C")


def _check_end(file: BinaryIO) -> None:
    """How many entries there are, before Python makes an object of each."""
    size = file.seek(0, io.SEEK_END)
    if size > MOST_PACKED:
        raise DataError(f"The file has {_megabytes(size)}; {_megabytes(MOST_PACKED)} can be read.")
    file.seek(max(0, size - 2**16 - 42))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise DataError("The ZIP file is incomplete. Get it again, or make it again.")
    entries, directory = struct.unpack("<HI", tail[at + 10 : at + 16])
    large = tail[max(0, at - 20) :].startswith(b"PK\x06\x07")  # 64-bit: over 65,535 entries
    if large or entries > MOST_ENTRIES or directory > MOST_DIRECTORY:
        raise DataError(
            f"The ZIP file has more than the {MOST_ENTRIES:,} entries that can be read at once. "
            "Split it into several."
        )


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = set()
    for entry in entries:
        _check_name(entry)
        _check_kind(entry)
        if entry.filename in names:
            raise DataError(f"The ZIP file holds {_shown(entry.filename)} twice.")
        names.add(entry.filename)
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise DataError(
            f"The ZIP file would unpack to more than {_megabytes(MOST_UNPACKED)}. Split it."
        )


def _check_name(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename  # as it is in the file: Python cuts it at a zero byte
    parts = name.replace("\\", "/").split("/")
    if name[:1] in ("/", "\\") or name[1:2] == ":":
        raise DataError(f"The ZIP file holds {_shown(name)}, a path from the root of a disk.")
    if ".." in parts:
        raise DataError(f"The ZIP file holds {_shown(name)}, a path that leads out of it.")
    if any(not sign.isprintable() for sign in name) or len(name) > 500:
        raise DataError(f"The ZIP file holds an entry with a strange name: {_shown(name)}.")


def _check_kind(entry: zipfile.ZipInfo) -> None:
    name = _shown(entry.filename)
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{name} in the ZIP file is a link or a device, not a file.")
    if entry.flag_bits & 1:
        raise DataError(f"{name} in the ZIP file is encrypted. Make it without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{name} in the ZIP file is packed in an unusual way. Use plain ZIP.")
    if entry.file_size > max(2**20, MOST_RATIO * entry.compress_size):
        raise DataError(
            f"{name} in the ZIP file would unpack to {_megabytes(entry.file_size)} out of "
            f"{entry.compress_size:,} bytes, as no picture does."
        )


def _shown(name: str) -> str:
    """A name fit to be printed, whatever it is."""
    short = name if len(name) <= 80 else f"{name[:77]}…"
    return ascii(short) if any(not sign.isprintable() for sign in short) else short


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"
