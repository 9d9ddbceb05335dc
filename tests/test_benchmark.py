"""One table of how good and how fast a model is: its counts are true and its files complete."""

import gzip
import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from handwriting import centred, on_white, photographed, written

from digitlab import benchmark
from digitlab.benchmark import Plan, labelled, score
from digitlab.corpus import HELD_OUT_SOURCE
from digitlab.datasets import Digits, mnist_test
from digitlab.errors import DataError
from digitlab.evaluation import wilson_interval
from digitlab.recognizer import SHIPPED, champion

SMALL = Plan(ink=200, drawings=8, numbers=3, pages=3, others=5, calls=5, readings=2)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures named by what is in them; one is named wrongly, one can't be read."""
    found = tmp_path_factory.mktemp("set")
    (found / "more").mkdir()
    for name, number in (("7_a", "7"), ("more/407_b", "407"), ("3_wrong", "8")):
        (found / f"{name}.png").write_bytes(png(photographed(np.pad(written(number, 90, 9), 50))))
    (found / "5_broken.png").write_bytes(b"nothing")
    (found / "notes.txt").write_text("not a picture")
    (found / "x_1.png").write_bytes(b"no label")
    return found


@pytest.fixture(scope="module")
def report(folder):
    lines = []
    sets = [("my photos", folder)]
    found = benchmark.run(champion(), SHIPPED, sets, None, lines.append, SMALL)
    assert {"speed", "MNIST test", "my photos"} <= set(lines)
    return found


def test_files_are_labelled_by_their_names(folder):
    found = {path.relative_to(folder).as_posix(): label for path, label in labelled(folder)}
    assert found == {
        "7_a.png": "7",
        "more/407_b.png": "407",
        "3_wrong.png": "3",
        "5_broken.png": "5",
    }


def test_folder_without_labelled_pictures_is_refused(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(DataError, match="LABEL_ANYTHING"):
        labelled(tmp_path)


def test_given_set_counts_right_and_wrong_and_names_the_misses(report):
    (found,) = (s for s in report.scores if s.name == "my photos")
    assert (found.pictures, found.right) == (4, 2)
    assert found.interval == wilson_interval(2, 4)
    misses = {miss["file"]: miss for miss in found.misses}
    assert set(misses) == {"3_wrong.png", "5_broken.png"}
    assert misses["3_wrong.png"]["read"] == "8"
    assert "unreadable" in misses["5_broken.png"]["read"]
    assert found.refused >= 1
    assert 0 < found.p50 <= found.p95


def test_picture_without_digits_counts_as_refused_and_wrong():
    pictures = [("blank", "7", png(np.full((200, 200), 255, np.uint8)))]
    found = score("blank", champion(), iter(pictures))
    assert (found.right, found.refused) == (0, 1)


def test_lines_are_compared_as_one_number():
    page = np.vstack([np.pad(written("40", 90, 9), 40), np.pad(written("40", 90, 9), 40)])
    found = score("lines", champion(), iter([("two", "4040", png(photographed(page)))]))
    assert found.right == 1


def test_ready_made_ink_is_scored_by_the_network_alone(report):
    first = report.scores[0]
    assert (first.pictures, first.p50) == (200, None)
    beliefs = champion().classify(mnist_test().ink[:200])
    assert first.right == (beliefs.probabilities.argmax(1) == mnist_test().labels[:200]).sum()


def test_wrong_labels_make_a_wrong_score():
    ink, labels = mnist_test()
    turned = Digits(ink, (labels + 1) % 10)
    assert benchmark.score_ink("turned", champion(), turned, 100).right < 5


def test_papers_and_refusals_and_speeds_are_all_measured(report):
    names = [s.name for s in report.scores]
    assert [f"numbers, {paper}" for paper in benchmark.PAPERS] == [
        n for n in names if "numbers" in n
    ]
    assert names[len(benchmark.PAPERS) + 2] == "pages of three to six lines"
    assert [r.name for r in report.refusals] == [
        "blank paper",
        "noise",
        "textures",
        "things in a photograph",
        "scribbles",
        "doodles of unseen kinds",
        "people's doodles of unseen kinds",
    ]
    assert all(r.pictures == 5 and 0 <= r.refused <= 5 for r in report.refusals)
    assert len(report.speeds) == 3
    for speed in report.speeds:
        assert 0 < speed.least <= speed.p50 <= speed.greatest
        assert speed.p50 <= speed.p95


def test_letters_and_other_signs_are_counted_apart(tmp_path):
    """Held-out writers' alone; what looks like a digit is no fair question."""
    cross = [[[0, 0], [60, 100]], [[60, 0], [0, 100]]]
    signs = [("x", HELD_OUT_SOURCE), ("#", HELD_OUT_SOURCE), ("O", HELD_OUT_SOURCE)]
    file = tmp_path / "signs.gz"
    with gzip.open(file, "wt") as packed:
        for label, source in signs:
            entry = {"label": label, "source": source, "page": "1", "strokes": cross}
            packed.write(json.dumps(entry) + "\n")
    found = benchmark.run(champion(), SHIPPED, [], file, lambda line: None, SMALL)
    rows = {row.name: row.pictures for row in found.refusals}
    assert rows["letters"] == rows["symbols, punctuation"] == 1


def test_text_has_a_row_for_everything_measured(report):
    text = benchmark.as_text(report)
    for part in (*report.scores, *report.refusals, *report.speeds):
        assert part.name in text
    assert f"version {report.model}" in text


def test_markdown_is_a_table_whose_rows_have_all_columns(report):
    rows = [r for r in benchmark.as_markdown(report).splitlines() if r.startswith("|")]
    measured = len(report.scores) + len(report.refusals) + len(report.speeds)
    assert len(rows) == measured + 2
    assert len({row.count(" | ") for row in rows}) == 1
    mine = next(row for row in rows if "my photos" in row)
    assert "50.00 %" in mine
    assert re.search(r"\d+\.\d to \d+\.\d %", mine)


def test_unknown_memory_and_parameters_are_left_out(report):
    text = benchmark.as_markdown(replace(report, memory=None, parameters=None))
    assert "unknown amount of memory" in text
    assert "parameters" not in text


def test_both_files_are_written_and_the_json_has_every_miss(report, tmp_path):
    text, data = benchmark.write(report, tmp_path / "new" / "table.md")
    assert text.read_text(encoding="utf-8") == benchmark.as_markdown(report)
    assert data.name == "table.json"
    stored = json.loads(data.read_text(encoding="utf-8"))
    (mine,) = (s for s in stored["scores"] if s["name"] == "my photos")
    assert len(mine["misses"]) == 2


def test_canvas_digit_is_as_tall_as_asked_for():
    image = benchmark._on_canvas(mnist_test().ink[0], 180)
    rows = np.flatnonzero((image < 128).any(1))
    assert image.shape == (280, 280)
    assert np.ptp(rows) + 1 == pytest.approx(180, rel=0.12)
    assert champion().recognize(image).text == str(mnist_test().labels[0])


def test_resident_memory_is_that_of_a_program():
    assert 10**7 < benchmark.resident_bytes() < 10**11


def test_drawing_is_read_right_by_bytes():
    picture = [("four", "4", png(on_white(centred(written("4")))))]
    found = score("one", champion(), iter(picture))
    assert (found.right, found.refused, found.misses) == (1, 0, ())
