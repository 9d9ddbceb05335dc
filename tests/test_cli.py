"""The terminal's way in, run as people run it: as a program of its own."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, written

KEYS = ["file", "text", "digits", "error"]
DIGIT_KEYS = ["label", "confidence", "probabilities", "box", "accepted"]


def digitlab(*words: object, folder: Path | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "digitlab.cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def objects(done: subprocess.CompletedProcess) -> list[dict]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """A folder with a drawing, a photograph, two lines, a blank page, and files that are none."""
    folder = tmp_path_factory.mktemp("pictures")
    lines = np.zeros((400, 420), np.uint8)
    for number, top in (("40", 40), ("75", 230)):
        ink = written(number, 120, 11)
        lines[top : top + ink.shape[0], 60 : 60 + ink.shape[1]] = ink
    for name, image in {
        "drawing.png": on_white(centred(written("7", 150, 13))),
        "photo.jpg": photographed(np.pad(written("407", 90, 9), 50)),
        "lines.webp": photographed(lines),
        "blank.bmp": np.full((200, 300, 3), 240, np.uint8),
    }.items():
        assert cv2.imwrite(str(folder / name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    (folder / "text.png").write_text("no picture at all")
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes((folder / "drawing.png").read_bytes()[:-300])
    return folder


# digitlab recognize -------------------------------------------------------------------------------


def test_json_lines_come_in_order_with_exactly_these_keys(pictures):
    names = ["photo.jpg", "drawing.png", "lines.webp", "drawing.png", "blank.bmp"]
    done = digitlab("recognize", *names, "--json", folder=pictures)
    assert done.returncode == 0
    found = objects(done)
    assert [list(entry) for entry in found] == [KEYS] * 5
    assert [entry["file"] for entry in found] == names
    assert [entry["text"] for entry in found] == ["407", "7", "40\n75", "7", ""]
    assert [len(entry["digits"]) for entry in found] == [3, 1, 4, 1, 0]
    assert all(entry["error"] is None for entry in found)
    assert done.stderr == ""


def test_json_digits_have_exactly_these_keys(pictures):
    (found,) = objects(digitlab("recognize", "--json", "photo.jpg", folder=pictures))
    height, width = cv2.imread(str(pictures / "photo.jpg")).shape[:2]
    assert [digit["label"] for digit in found["digits"]] == [4, 0, 7]
    for digit in found["digits"]:
        assert list(digit) == DIGIT_KEYS
        assert len(digit["probabilities"]) == 10
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-4)
        assert int(np.argmax(digit["probabilities"])) == digit["label"]
        assert 0 <= digit["confidence"] <= 1
        left, top, w, h = digit["box"]
        assert all(isinstance(side, int) for side in digit["box"])
        assert 0 <= left < left + w <= width
        assert 0 <= top < top + h <= height
        assert isinstance(digit["accepted"], bool)


@pytest.mark.parametrize("bad", ["text.png", "empty.png", "cut.png", "missing.png", "."])
def test_file_that_cannot_be_read_does_not_stop_the_rest(pictures, bad):
    names = ["drawing.png", bad, "photo.jpg"]
    done = digitlab("recognize", "--json", *names, folder=pictures)
    assert done.returncode == 1
    good, failed, last = objects(done)
    assert (good["text"], last["text"]) == ("7", "407")
    assert list(failed) == KEYS
    assert (failed["file"], failed["text"], failed["digits"]) == (bad, "", [])
    assert len(failed["error"]) > 10
    assert "Traceback" not in done.stderr


def test_words_go_to_standard_output_and_failures_to_standard_error(pictures):
    names = ["drawing.png", "text.png", "blank.bmp", "lines.webp"]
    done = digitlab("recognize", *names, folder=pictures)
    assert done.returncode == 1
    first, blank, lines = done.stdout.splitlines()
    assert re.fullmatch(r"drawing\.png: 7 \(.*%.*\)", first)
    assert blank == "blank.bmp: no digits found"
    assert lines.startswith("lines.webp: 40 / 75 (")
    assert re.fullmatch(r"text\.png: can't be read: .+\n", done.stderr)


def test_many_files_are_read_in_order_by_several_processes(pictures, tmp_path):
    names = []
    for number in range(70):
        name = tmp_path / f"{number}.png"
        digit = centred(written(str(number % 10), 150, 13))
        assert cv2.imwrite(str(name), 255 - digit)
        names.append(str(name))
    names[33] = str(pictures / "text.png")
    done = digitlab("recognize", "--json", *names)
    assert done.returncode == 1
    found = objects(done)
    assert [entry["file"] for entry in found] == names
    assert [i for i, entry in enumerate(found) if entry["error"]] == [33]
    right = [entry["text"] == str(i % 10) for i, entry in enumerate(found) if i != 33]
    assert all(right)
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux alone")
def test_file_with_an_odd_name_can_be_read_and_printed(pictures, tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9\n\xf0\x9f\x96\x8a.png"
    with open(name, "wb") as file:
        file.write((pictures / "drawing.png").read_bytes())
    for options in ([], ["--json"]):
        done = digitlab("recognize", os.fsdecode(name), *options)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr
    assert objects(done)[0]["text"] == "7"


def test_reader_that_stops_early_sees_no_traceback(pictures):
    names = ["drawing.png", "photo.jpg"] * 4
    command = [sys.executable, "-m", "digitlab.cli", "recognize", "--json", *names]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=pictures, text=True, **pipes) as program:
        assert json.loads(program.stdout.readline())["text"] == "7"
        program.stdout.close()
        assert "Traceback" not in program.stderr.read()
        assert program.wait(60) == 141


def test_missing_model_is_said_in_one_line(pictures):
    done = digitlab("recognize", "--model", "nowhere", "drawing.png", folder=pictures)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"digitlab: .*nowhere.*\n", done.stderr)


# Usage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["recognize"],
        ["recognize", "--nonsense", "drawing.png"],
        ["train", "--epochs", "0"],
        ["train", "--epochs", "many"],
        ["train", "--made", "2"],
        ["train", "--kept", "2"],
        ["train", "--kept", "0.5"],
        ["train", "--architecture", "broad"],
        ["train", "--data", "missing.npz"],
        ["train", "--strokes", "drawing.png"],
        ["train", "--doodles", "missing"],
        ["train", "--doodles", "."],
        ["train-ink"],
        ["train-strings"],
        ["train-strings", "--strokes", "drawing.png"],
        ["benchmark", "--set", "no-folder"],
        ["data", "extra"],
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_two_and_says_how_to_use_it(pictures, words):
    done = digitlab(*words, folder=pictures)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: digitlab")
    assert "Traceback" not in done.stderr


def test_help_names_every_command_and_each_explains_itself():
    from digitlab.cli import _parser

    done = digitlab("--help")
    assert done.returncode == 0
    (commands,) = (a.choices for a in _parser()._actions if a.choices)
    assert {"recognize", "train", "benchmark", "data"} <= set(commands)
    for name, command in commands.items():
        assert re.search(rf"^ +{re.escape(name)}\s+[a-z]", done.stdout, re.MULTILINE), name
        assert len(command.description) > 30
        for option in command._actions:
            assert option.choices or option.help, f"{name} {option.dest}"


def test_version_is_that_of_the_program():
    from digitlab import __version__

    assert digitlab("--version").stdout == f"digitlab {__version__}\n"


def test_installed_program_is_the_same(pictures):
    program = Path(sys.executable).parent / "digitlab"
    done = subprocess.run([program, "recognize", "drawing.png"], cwd=pictures, capture_output=True)
    assert done.returncode == 0
    assert done.stdout.startswith(b"drawing.png: 7 (")


@pytest.mark.parametrize(
    ("words", "seconds"), [(["--help"], 1.0), (["recognize", "drawing.png"], 2.5)]
)
def test_program_starts_soon(pictures, words, seconds):
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()  # processor time, since other programs may be running
    assert digitlab(*words, folder=pictures).returncode == 0
    assert spent() - before < seconds
