import csv
import io
import shutil
import stat
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from corrections import drawn, mnist, same
from handwriting import centred, on_white, written
from PIL import Image

from digitlab import archives, samples, transfer
from digitlab.database import connect
from digitlab.datasets import mnist_test
from digitlab.errors import DataError, DigitLabError
from digitlab.recognizer import Recognizer
from digitlab.samples import NOT_A_DIGIT, Filter


@pytest.fixture
def filled(database):
    """A store with samples of every label, state and source, one without a prediction."""
    blank = replace(mnist(1, start=90)[0], probabilities=None, is_digit=None, version=None)
    many = [*mnist(25), drawn(4, said=9), replace(drawn(8), label=NOT_A_DIGIT), blank]
    samples.add_all(database, many)
    return database


@pytest.fixture
def other(tmp_path, migrated_file):
    """Another, empty store."""
    shutil.copy(migrated_file, tmp_path / "other.db")
    db = connect(f"sqlite:///{tmp_path}/other.db")
    yield db
    db.close()


@pytest.fixture
def untouched(database):
    """A store with three samples; none may be changed by the test."""
    samples.add_all(database, mnist(3))
    before = samples.page(database)
    yield database
    after = samples.page(database)
    assert after.total == before.total
    assert all(map(same, after.samples, before.samples))


def exported(db, form: str, wanted: Filter = samples.EVERYTHING) -> io.BytesIO:
    file = io.BytesIO()
    transfer.export(db, file, form, wanted)
    file.seek(0)
    return file


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def picture(sign: str) -> bytes:
    return png(on_white(centred(written(sign))))


def zipped(entries: dict, packing: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file


def patched(file: io.BytesIO, change) -> io.BytesIO:
    """A file with some of its bytes changed by hand."""
    data = bytearray(file.getvalue())
    change(data)
    return io.BytesIO(bytes(data))


def refused(db, file, message: str) -> None:
    with pytest.raises(DataError, match=message):
        transfer.import_file(db, file)


def test_zip_comes_back_equal(filled, other):
    done = transfer.import_file(other, exported(filled, "zip"))
    assert (done.added, done.updated, done.unchanged, done.skipped) == (28, 0, 0, ())
    before, after = list(samples.each(filled)), list(samples.each(other))
    assert all(map(same, after, before))
    assert [s.created for s in after] == [s.created for s in before]
    assert [s.loss for s in after] == [s.loss for s in before]
    assert {s.session for s in after} == {None}


@pytest.mark.parametrize("form", ["npz", "csv"])
def test_mnist_forms_come_back_equal(filled, other, form):
    done = transfer.import_file(other, exported(filled, form))
    assert done.added == 28
    before, after = list(samples.each(filled)), list(samples.each(other))
    assert np.array_equal([s.ink for s in after], [s.ink for s in before])
    assert [s.label for s in after] == [s.label for s in before]
    assert {(s.source, s.state) for s in after} == {("imported", "pending")}


@pytest.mark.parametrize("form", transfer.FORMATS)
def test_importing_an_export_into_the_same_store_changes_nothing(filled, form):
    before = list(samples.each(filled))
    done = transfer.import_file(filled, exported(filled, form))
    assert (done.added, done.updated, done.unchanged) == (0, 0, 28)
    assert all(map(same, samples.each(filled), before))


def test_export_of_the_export_is_the_same_file(filled, other):
    first = exported(filled, "zip")
    transfer.import_file(other, first)
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(exported(other, "zip")) as two:
        assert one.namelist() == two.namelist()
        assert all(one.read(name) == two.read(name) for name in one.namelist())


def test_zip_has_a_picture_in_a_folder_per_digit_and_a_table(filled):
    with zipfile.ZipFile(exported(filled, "zip", Filter(labels=(7, NOT_A_DIGIT)))) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("samples.csv").decode())))
        folders = {name.partition("/")[0] for name in archive.namelist() if "/" in name}
        crop = archive.read(rows[0]["file"])
    found = samples.get(filled, samples.ids(filled, Filter(labels=(7, NOT_A_DIGIT)))[::-1])
    assert folders == {"7", "not_a_digit"}
    assert [row["label"] for row in rows] == ["7"] * (len(found) - 1) + ["not_a_digit"]
    assert crop == found[0].crop
    assert float(rows[0]["confidence"]) == pytest.approx(found[0].confidence, abs=1e-6)
    assert rows[0]["source"] == found[0].source
    assert rows[0]["time"] == found[0].created.isoformat()
    assert "session" not in rows[0]


def test_npz_has_the_form_of_mnist(filled):
    with np.load(exported(filled, "npz"), allow_pickle=False) as arrays:
        assert sorted(arrays.files) == ["x", "y"]
        assert (arrays["x"].dtype, arrays["x"].shape) == (np.uint8, (28, 28, 28))
        assert (arrays["y"].dtype, arrays["y"].shape) == (np.uint8, (28,))


def test_csv_has_785_columns_with_the_label_first(filled):
    rows = list(csv.reader(io.StringIO(exported(filled, "csv").getvalue().decode())))
    assert {len(row) for row in rows} == {785}
    assert rows[0][:3] == ["label", "1x1", "1x2"]
    assert [int(row[0]) for row in rows[1:]] == [s.label for s in samples.each(filled)]


def test_only_what_is_asked_for_is_exported(filled, other):
    wanted = Filter(states=("accepted",))
    transfer.import_file(other, exported(filled, "zip", wanted))
    assert samples.counts(other)["state"] == samples.counts(filled, wanted)["state"]


def test_nothing_to_export_is_said(database):
    with pytest.raises(DataError, match="no samples"):
        exported(database, "zip")


def test_edited_label_in_the_table_corrects_the_sample(filled):
    (sample,) = samples.page(filled, limit=1).samples
    file = exported(filled, "zip")
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    rows = entries["samples.csv"].decode().splitlines()
    new = "3" if sample.label != 3 else "4"
    number = next(i for i, row in enumerate(rows) if f"/{sample.id:06d}.png" in row)
    fields = rows[number].split(",")
    rows[number] = ",".join([fields[0], new, *fields[2:]])
    entries["samples.csv"] = "\n".join(rows)
    done = transfer.import_file(filled, zipped(entries))
    assert (done.added, done.updated, done.unchanged) == (0, 1, 27)
    assert samples.get(filled, [sample.id])[0].label == int(new)


@pytest.mark.parametrize("wrapper", ["", "digits/", "home/digits/"])
def test_folders_of_pictures_are_read_as_a_picture_page_is(database, wrapper):
    entries = {
        f"{wrapper}3/": b"",
        f"{wrapper}3/a.png": picture("3"),
        f"{wrapper}5/b.png": picture("5"),
        f"{wrapper}not_a_digit/c.png": picture("1"),
        "__MACOSX/3/._a.png": b"rubbish of a file manager",
        f"{wrapper}3/.DS_Store": b"likewise",
    }
    done = transfer.import_file(database, zipped(entries), Recognizer.load())
    found = list(samples.each(database))
    assert done.added == 3
    assert [s.label for s in found] == [3, 5, NOT_A_DIGIT]
    assert [s.predicted for s in found[:2]] == [3, 5]
    assert np.array_equal(found[1].ink, drawn(5).ink)
    assert {s.source for s in found} == {"imported"}


def test_blank_pictures_are_left_out_and_named(database):
    blank = png(np.full((50, 50), 255, np.uint8))
    done = transfer.import_file(database, zipped({"1/a.png": blank, "1/b.png": picture("1")}))
    assert (done.added, done.skipped) == (1, ("1/a.png",))


def test_imported_digits_get_a_prediction_to_sort_by(database):
    ink, labels = mnist_test()
    wrong = labels[:40].copy()
    wrong[7] = (wrong[7] + 5) % 10  # a label mistake
    file = io.BytesIO()
    np.savez(file, x=ink[:40], y=wrong)
    transfer.import_file(database, file, Recognizer.load())
    worst = samples.page(database, sort=samples.MOST_WRONG).samples[0]
    assert np.array_equal(worst.ink, ink[7])


def test_mnist_as_keras_ships_it_is_read(database):
    ink, labels = mnist_test()
    file = io.BytesIO()
    np.savez(
        file,
        x_train=ink[:5],
        y_train=labels[:5].astype(np.int64),
        x_test=ink[5:8],
        y_test=labels[5:8],
    )
    assert transfer.import_file(database, file).added == 8


@pytest.mark.parametrize("header", [True, False])
def test_csv_of_others_is_read(database, header):
    ink, labels = mnist_test()
    rows = [",".join(map(str, [labels[i], *ink[i].ravel()])) for i in range(3)]
    names = [",".join(["label", *(f"pixel{i}" for i in range(784))])] if header else []
    file = io.BytesIO("\r\n".join([*names, *rows]).encode("utf-8-sig"))
    transfer.import_file(database, file)
    assert np.array_equal([s.ink for s in samples.each(database)], ink[:3])


def test_import_can_be_taken_back(filled, other):
    before = list(samples.each(filled))
    relabelled = replace(before[0], label=(before[0].label + 1) % 10)
    samples.add_all(other, [relabelled, *mnist(10, start=60)])
    done = transfer.import_file(filled, exported(other, "zip"))
    assert (done.added, done.updated) == (10, 1)
    assert samples.undo(filled, done.change) == 11
    assert all(map(same, samples.each(filled), before))
    assert samples.page(filled).total == 28


def test_progress_is_told_and_can_stop_the_import(untouched):
    entries = {f"1/{i}.png": picture("1") for i in range(60)}
    told = []

    def tell(done, total):
        told.append((done, total))
        if done == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        transfer.import_file(untouched, zipped(entries), tell=tell)
    assert told == [(0, 60), (50, 60)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../3/a.png", "leads out of it"),
        ("3/../../a.png", "leads out of it"),
        ("..\\3\\a.png", "leads out of it"),
        ("/3/a.png", "root of a disk"),
        ("\\3\\a.png", "root of a disk"),
        ("C:/3/a.png", "root of a disk"),
        ("3/a\n.png", "strange name"),
        ("3/" + "a" * 600 + ".png", "strange name"),
    ],
)
def test_path_that_leads_elsewhere_is_refused(untouched, name, message):
    refused(untouched, zipped({"3/good.png": picture("3"), name: picture("3")}), message)


def test_zero_byte_in_a_name_is_refused(untouched):
    file = zipped({"3/a.png?.exe": picture("3")})

    def change(data):
        while (at := data.find(b"?")) >= 0:
            data[at] = 0

    refused(untouched, patched(file, change), "strange name")


def test_link_is_refused(untouched):
    link = zipfile.ZipInfo("3/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(untouched, zipped({link: "/etc/passwd"}), "3/link.png.*is a link")


def test_encrypted_file_is_refused(untouched):
    def change(data):
        data[6] |= 1
        data[data.find(b"PK\x01\x02") + 8] |= 1

    refused(untouched, patched(zipped({"3/a.png": picture("3")}), change), "a.png.*is encrypted")


def test_unusual_packing_is_refused(untouched):
    refused(untouched, zipped({"3/a.png": picture("3")}, zipfile.ZIP_LZMA), "unusual way")


def test_file_that_is_there_twice_is_refused(untouched):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("3/a.png", picture("3"))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("3/a.png", picture("5"))
    refused(untouched, file, "3/a.png twice")


def test_bomb_is_refused_by_its_ratio(untouched):
    bomb = zipped({"3/a.png": bytes(50 * 2**20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb.getvalue()) < 100_000
    refused(untouched, bomb, "3/a.png.*would unpack to 50 MB")


def test_bomb_that_lies_about_its_size_is_not_unpacked(untouched):
    file = zipped({"3/a.png": bytes(200 * 2**20)}, zipfile.ZIP_DEFLATED)

    def change(data):
        struct.pack_into("<I", data, 22, 1000)
        struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 24, 1000)

    refused(untouched, patched(file, change), "3/a.png.*damaged")


def test_many_large_files_are_refused_by_what_they_unpack_to(untouched, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 3 * 2**20)
    noise = np.random.default_rng(0).bytes(2**20)
    file = zipped({f"3/{i}.png": noise for i in range(4)})
    refused(untouched, file, "unpack to more than 3 MB")


def test_bomb_inside_the_ink_of_a_zip_is_refused(untouched):
    inner = zipped({"x.npy": bytes(90 * 2**20), "y.npy": b""}, zipfile.ZIP_DEFLATED).getvalue()
    entries = {"3/a.png": picture("3"), "samples.csv": "file,label\n3/a.png,3\n", "ink.npz": inner}
    refused(untouched, zipped(entries), "x.npy.*would unpack to 90 MB")


def test_hundred_thousand_entries_are_refused_at_once(untouched):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"3/{number}.png"), b"")
    refused(untouched, file, "more than the 60,000 entries")


def test_more_entries_than_the_end_of_the_file_admits_are_refused(untouched, monkeypatch):
    monkeypatch.setattr(archives, "MOST_DIRECTORY", 1000)
    file = zipped({f"3/{i}.png": b"" for i in range(100)})

    def change(data):
        struct.pack_into("<HH", data, data.rfind(b"PK\x05\x06") + 8, 1, 1)

    refused(untouched, patched(file, change), "entries")


def test_pictures_with_too_many_pixels_are_refused(untouched):
    file = zipped({"3/a.png": png(np.full((5000, 5000), 255, np.uint8))})
    refused(untouched, file, "a.png has 25 million pixels")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_truncated_zip_is_refused(untouched, share):
    whole = zipped({"3/a.png": picture("3"), "5/b.png": picture("5")}).getvalue()
    refused(untouched, io.BytesIO(whole[: int(len(whole) * share)]), "incomplete")


def test_damaged_picture_is_refused_by_name(untouched):
    def change(data):
        data[200] ^= 255

    refused(untouched, patched(zipped({"3/a.png": picture("3")}), change), "3/a.png.*damaged")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "no samples"),
        ({"3/a.png": b"MZ a program"}, "3/a.png is no picture"),
        ({"3/a.txt": b"words"}, "3/a.txt is no picture"),
        ({"letters/x.png": b"", "3/a.png": b""}, "letters/x.png lies in no folder"),
        ({"a.png": b""}, "a.png lies in no folder"),
        ({"samples.csv": "file,label\n3/a.png,3\n"}, "3/a.png is either in samples.csv or"),
        ({"samples.csv": "file,label\n", "3/a.png": b""}, "3/a.png is either in samples.csv or"),
        ({"samples.csv": "name\nx\n", "3/a.png": b""}, "Row 2 of samples.csv"),
        ({"samples.csv": "file,label\n3/a.png,eleven\n", "3/a.png": b""}, "Row 2 of samples.csv"),
        ({"samples.csv": "file,label\n3/a.png,3,more\n", "3/a.png": b""}, "Row 2 of samples.csv"),
        ({"samples.csv": "file,label\na,3\na,3\n", "a": b""}, "names a file twice"),
        ({"samples.csv": b"\xff\xfe", "3/a.png": b""}, "samples.csv can't be read"),
        ({"samples.csv": 'file,label\n"' + "a" * 200_000, "3/a.png": b""}, "samples.csv can't be"),
        ({"ink.npz": b"nothing", "3/a.png": b""}, "incomplete"),
    ],
)
def test_zip_with_wrong_files_is_refused(untouched, entries, message):
    refused(untouched, zipped(entries), message)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("probabilities", "0.1 0.2", "ten numbers"),
        ("probabilities", " ".join(["nan"] * 10), "ten numbers"),
        ("probabilities", "many", "could not convert"),
        ("is_digit", "2", "ten numbers"),
        ("source", "=1+1", "no source"),
        ("state", "lost", "no state"),
        ("version", "=cmd|'/c calc'!A0", "no name"),
        ("time", "yesterday", "isoformat"),
        ("time", "0001-01-01T00:00:00", "no time"),
    ],
)
def test_table_with_a_wrong_value_is_refused_with_its_row(untouched, column, value, message):
    row = {
        "file": "3/a.png",
        "label": "3",
        "probabilities": " ".join(["0.1"] * 10),
        "is_digit": "1",
    }
    row[column] = value
    table = io.StringIO()
    writer = csv.DictWriter(table, row)
    writer.writeheader()
    writer.writerow(row)
    file = zipped({"samples.csv": table.getvalue(), "3/a.png": picture("3")})
    refused(untouched, file, rf"(?s)row of 3/a\.png.*{message}")


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def header_of(shape: tuple, descr: str = "|u1") -> bytes:
    """A .npy file that says what it is, and holds nothing."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


class Trap:
    """Would leave a trace if it were unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("the pickle ran",))


INK = np.zeros((2, 28, 28), np.uint8)
LABELS = np.array([1, 2], np.uint8)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (npy(np.array([Trap()], object)), npy(LABELS), "x.npy holds Python objects"),
        (npy(INK), npy(np.array([Trap(), Trap()], object)), "y.npy holds Python objects"),
        (header_of((10**9, 28, 28)), npy(LABELS), "x.npy says that it is"),
        (header_of((2**62, 2**62)), npy(LABELS), "x.npy says that it is"),
        (header_of((-1, 28, 28)), npy(LABELS), "x.npy"),
        (header_of((10**7, 0, 28)), npy(LABELS), "x.npy is uint8"),
        (npy(INK)[:-1], npy(LABELS), "x.npy says that it is"),
        (npy(INK.astype(np.float64)), npy(LABELS), "x.npy is float64"),
        (npy(INK[:, :27]), npy(LABELS), r"x.npy is uint8 \(2, 27, 28\)"),
        (npy(INK), npy(LABELS[:1]), "2 labels from 0 to 10"),
        (npy(INK), npy(LABELS + 10), "2 labels from 0 to 10"),
        (npy(INK), npy(LABELS / 2), "2 labels from 0 to 10"),
        (b"no array", npy(LABELS), "x.npy is no NumPy array"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 70_000, npy(LABELS), "x.npy is no NumPy array"),
        (b"", npy(LABELS), "x.npy is no NumPy array"),
    ],
)
def test_npz_that_is_not_in_order_is_refused(untouched, x, y, message):
    refused(untouched, zipped({"x.npy": x, "y.npy": y}), message)


def test_npz_without_labels_is_refused(untouched):
    refused(untouched, zipped({"x.npy": npy(INK)}), "no y with its labels")
    refused(untouched, zipped({"images.npy": npy(INK)}), "no arrays x and y")


def test_more_digits_than_can_be_kept_are_refused(untouched, monkeypatch):
    monkeypatch.setattr(transfer, "MOST_SAMPLES", 30)
    file = io.BytesIO()
    np.savez(file, x=np.zeros((31, 28, 28), np.uint8), y=np.zeros(31, np.uint8))
    refused(untouched, file, "31 samples; 30 can be read")
    line = ",".join(["1"] * 785)
    refused(untouched, io.BytesIO("\n".join([line] * 31).encode()), "more than 30 rows")


LINE = ",".join(["1"] * 785)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "empty"),
        (b"label,1x1\n3,0\n", "Line 1 has 2 columns"),
        (f"{LINE}\n3,0\n".encode(), "Line 2 has 2 columns"),
        (f"{LINE},5\n".encode(), "Line 1 has 786 columns"),
        (LINE.replace(",", ";").encode(), "Line 1 has 1 column;"),
        (f"{LINE}\n{LINE[:-1]}x\n".encode(), "no whole number"),
        (f"{LINE}\n{LINE[:-1]}0.5\n".encode(), "no whole number"),
        (f"{LINE}\n{LINE[:-1]}256\n".encode(), "About line 2: 256 in column 785"),
        (f"{LINE}\n{LINE[:-1]}-1\n".encode(), "About line 2: -1 in column 785"),
        (f"{LINE}\n{LINE[:-1]}{'9' * 40}\n".encode(), "whole number"),
        (f"{LINE}\n11{LINE[1:]}\n".encode(), "About line 2: 11 in column 1"),
        (f"{LINE}\n{'1,' * 10**6}\n".encode(), "Line 2 is too long"),
        (b"x" * 10**6, "Line 1 is too long"),
        (picture("3"), "no file of samples"),
        (bytes(1000), "no file of samples"),
        (b"%PDF-1.7 a letter\n", "Line 1 has 1 column;"),
    ],
)
def test_csv_that_is_not_in_order_is_refused(untouched, text, message):
    refused(untouched, io.BytesIO(text), message)


@pytest.mark.parametrize("form", transfer.FORMATS)
def test_damage_anywhere_gives_a_clear_error_or_does_no_harm(filled, other, form):
    """Bytes are changed at random; what is raised must be an error that we made, if any."""
    whole = exported(filled, form, Filter(states=("accepted",))).getvalue()
    rng = np.random.default_rng(3)
    refusals = 0
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[place] = rng.integers(0, 256)
        try:
            transfer.import_file(other, io.BytesIO(bytes(data)))
        except DigitLabError:
            refusals += 1
    assert refusals > 20
