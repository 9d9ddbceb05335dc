"""What the network learns from: examples whose labels are true, made the same way each time."""

import numpy as np
import pytest
from handwriting import STROKES, on_white, photographed

from digitlab import corpus, quickdraw
from digitlab.corpus import (
    DOODLE,
    NOT_A_DIGIT,
    QUICKDRAW,
    SKIPPED,
    Examples,
    examples_of,
    label_candidate,
)
from digitlab.datasets import rehearsal
from digitlab.errors import DataError
from digitlab.hands import DIGIT_LIKE, UNTAUGHT, Drawing
from digitlab.recognizer import champion
from digitlab.synthesis import Writing, render, write_row


def drawing(label: str, source: str = "abc", page: str = "1") -> Drawing:
    paths = STROKES.get(label, [[(0, 0), (1, 1)], [(1, 0), (0, 1)]])  # else a cross
    return Drawing(label, source, page, tuple(np.array(p, np.float32) * 100 for p in paths))


def row_of(text: str, seed: int = 0, gap=(0.3, 0.5)) -> Writing:
    rng = np.random.default_rng(seed)
    return write_row([(c, render(drawing(c), rng, 80, 8)) for c in text], rng, gap)


def test_some_numbers_end_in_zeros_by_one_hand():
    rng = np.random.default_rng(0)
    drawings = [drawing(label) for label in "123456789"]
    blank = np.zeros((1, 28, 28), np.uint8)
    blank[0, 4:24, 12:16] = 255

    def ends(own: list[Drawing]) -> float:
        rows = [corpus.write_signs(own, blank, np.array([1]), rng, 4, 40.0) for _ in range(200)]
        return np.mean([[label for label, _ in row[-2:]] == ["0", "0"] for row in rows])

    assert ends(drawings) == 0
    assert 0.1 < ends([*drawings, drawing("0")]) < 0.35


def test_rare_signs_are_taken_more_often_than_they_were_drawn():
    drawings = [drawing("e")] * 90 + [drawing("x")] * 10
    chances = corpus.levelled(drawings)
    assert chances.sum() == pytest.approx(1)
    assert chances[90:].sum() == pytest.approx(0.25)  # 1 to 3, the root of 10 to 90


def test_symbols_are_taken_more_often_than_letters():
    letter, symbol = corpus.levelled([drawing("e"), drawing("?")])
    assert symbol == pytest.approx(corpus.SYMBOLS * letter)


def test_letters_that_resemble_a_digit_are_taken_more_often_than_others():
    other, tricky = corpus.levelled([drawing("e"), drawing("G")])
    assert tricky == pytest.approx(corpus.OFTEN * other)


def test_what_is_not_counted_is_not_taught_and_what_is_taught_often_is_taught():
    assert DIGIT_LIKE < UNTAUGHT
    assert not corpus.TRICKY & UNTAUGHT


@pytest.mark.parametrize("label", ["2", "4", "7"])
def test_miniature_is_a_digit_at_its_size(label):
    rng = np.random.default_rng(int(label))
    small = corpus._miniature(row_of(label), rng)
    assert 16 <= max(small.ink.shape) <= 36
    found = {found for _, found, _ in examples_of(small.ink, small, "drawn")}
    assert found - {NOT_A_DIGIT} == {int(label)}


# Labels -------------------------------------------------------------------------------------------


def test_box_of_a_digit_has_its_label():
    writing = row_of("407")
    assert [label_candidate(box, writing) for box in writing.boxes] == [4, 0, 7]


def test_part_of_a_digit_and_two_at_once_are_not_a_digit():
    writing = row_of("407")
    x, y, w, h = writing.boxes[0]
    assert label_candidate((x, y, w // 3, h), writing) == NOT_A_DIGIT
    assert label_candidate((x, y, w, h // 3), writing) == NOT_A_DIGIT
    right = writing.boxes[1, 0] + writing.boxes[1, 2]
    assert label_candidate((x, y, right - x, h), writing) == NOT_A_DIGIT


def test_nearly_a_digit_is_skipped():
    writing = row_of("407")
    x, y, w, h = writing.boxes[0]
    assert label_candidate((x, y, w, int(0.72 * h)), writing) == SKIPPED


def test_zero_with_the_one_that_it_touches_is_no_zero():
    zero, one = (30, 10, 70, 100), (18, 12, 15, 97)
    writing = Writing(np.zeros((120, 120), np.uint8), ("1", "0"), np.array([one, zero]))
    assert label_candidate((18, 10, 82, 100), writing) == NOT_A_DIGIT
    assert label_candidate((26, 10, 74, 100), writing) == 0  # cut through where they touch
    hidden = Writing(writing.ink, ("1", "0"), np.array([(28, 12, 15, 97), zero]))
    assert label_candidate((28, 10, 72, 100), hidden) == SKIPPED


def test_other_sign_is_not_a_digit_and_one_like_a_digit_is_skipped():
    for sign, expected in (("x", NOT_A_DIGIT), ("O", SKIPPED)):
        writing = row_of(sign)
        assert label_candidate(writing.boxes[0], writing) == expected


def test_thin_one_is_matched_although_a_pixel_counts_for_much():
    writing = row_of("1")
    x, y, w, h = writing.boxes[0]
    assert label_candidate((x - 2, y, w + 3, h), writing) == 1


@pytest.mark.parametrize("form", [on_white, photographed])
def test_examples_of_a_picture_carry_the_labels_of_what_was_written(form):
    writing = row_of("2075")
    found = list(examples_of(form(writing.ink), writing, "test"))
    assert {2, 0, 7, 5} <= {label for _, label, _ in found}
    digits = [(ink, label) for ink, label, _ in found if label != NOT_A_DIGIT]
    answers = champion().classify(np.stack([ink for ink, _ in digits])).probabilities.argmax(1)
    assert (answers == [label for _, label in digits]).mean() > 0.7
    assert {kind for *_, kind in found} == {"test"}


# Held-out writers ---------------------------------------------------------------------------------


def test_whole_site_and_some_writers_are_held_out():
    drawings = [drawing("1", source, str(page)) for source in ("uqb", "abc") for page in range(300)]
    learn, held = corpus.parted(drawings)
    assert len(learn) + len(held) == len(drawings)
    assert all(d.source != "uqb" for d in learn)
    assert 10 <= sum(d.source == "abc" for d in held) <= 60


def test_all_drawings_of_one_writer_are_on_the_same_side():
    drawings = [drawing(label, "abc", str(page)) for page in range(60) for label in "0123"]
    learn, held = ({d.page for d in part} for part in corpus.parted(drawings))
    assert not learn & held


# Examples -----------------------------------------------------------------------------------------


def some_examples(count: int, kind: str) -> Examples:
    ink, labels = rehearsal()
    return Examples(ink[:count], labels[:count].astype(np.int8), np.full(count, kind))


def test_examples_come_back_as_they_were_saved(tmp_path):
    both = Examples.join([some_examples(30, "mnist"), some_examples(20, "photo")])
    both.save(tmp_path / "examples.npz")
    found = Examples.load(tmp_path / "examples.npz")
    assert len(found) == 50
    assert np.array_equal(found.ink, both.ink)
    assert np.array_equal(found.labels, both.labels)
    assert found.kinds.tolist() == ["mnist"] * 30 + ["photo"] * 20


def test_examples_are_chosen_by_index_and_by_mask():
    both = Examples.join([some_examples(30, "mnist"), some_examples(20, "photo")])
    assert len(both[:7]) == 7
    assert both[both.kinds == "photo"].kinds.tolist() == ["photo"] * 20


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04 cut"])
def test_damaged_examples_are_a_data_error(tmp_path, content):
    if content is not None:
        (tmp_path / "examples.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"examples\.npz"):
        Examples.load(tmp_path / "examples.npz")


def test_stopped_saving_leaves_no_half_file(tmp_path):
    some_examples(10, "mnist").save(tmp_path / "examples.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["examples.npz"]


@pytest.mark.parametrize("height", [12, 40, 200])
def test_enlarged_mnist_digit_keeps_its_shape(height):
    ink = rehearsal().ink[3]
    found = corpus.enlarge_mnist(ink, height)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert found.dtype == np.uint8
    assert max(found.shape) == pytest.approx(height, abs=2)
    expected = (np.ptp(rows) + 1) / (np.ptp(columns) + 1)
    assert found.shape[0] / found.shape[1] == pytest.approx(expected, rel=0.15)


def test_scribbles_differ_and_many_are_refused(rng):
    doodles = [corpus.scribble(rng) for _ in range(60)]
    assert len({doodle.tobytes() for doodle in doodles}) > 50
    assert all(doodle.any() for doodle in doodles)
    readings = [champion().recognize(doodle) for doodle in doodles]
    refused = [not any(digit.accepted for digit in reading.digits) for reading in readings]
    assert np.mean(refused) > 0.3


# The recipes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arguments() -> tuple:
    """Drawings of digits and of other signs, MNIST's ink and labels."""
    mnist = rehearsal()
    own = [drawing(label, page=str(i)) for i, label in enumerate("0123456789" * 2)]
    other = [drawing("x", page=str(i)) for i in range(5)]
    return own, other, mnist.ink[:200], mnist.labels[:200]


@pytest.fixture(scope="module")
def made(arguments) -> Examples:
    """A small corpus."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_CHUNK", 24)
        return corpus.build(*arguments, 48, seed=1, processes=1)


def test_corpus_is_the_same_however_many_processes_make_it(arguments, monkeypatch):
    monkeypatch.setattr(corpus, "_CHUNK", 4)
    one, two = (corpus.build(*arguments, 8, seed=1, processes=n) for n in (1, 2))
    assert np.array_equal(one.ink, two.ink)
    assert np.array_equal(one.labels, two.labels)
    assert np.array_equal(one.kinds, two.kinds)


def test_corpus_has_every_digit_and_what_is_none_of_every_kind(made):
    assert set(made.kinds) == {"doodle", "drawn", "photo", "print", "scribble", "sign"}
    assert set(made.labels) == set(range(11))
    assert (made.labels[np.isin(made.kinds, ["doodle", "scribble", "sign"])] == NOT_A_DIGIT).all()
    assert made.ink.shape == (len(made), 28, 28)
    assert (made.ink.max((1, 2)) > 200).mean() > 0.99  # a hair of a torn sign may be fainter


def test_doodles_that_people_drew_take_the_place_of_half_of_those_made_up(
    arguments, made, monkeypatch
):
    monkeypatch.setattr(corpus, "_CHUNK", 24)
    people_s = quickdraw.sample().ink[:20]
    both = corpus.build(*arguments, 48, seed=1, processes=1, doodles=people_s)
    assert set(both.kinds) - set(made.kinds) == {QUICKDRAW}
    doodles = (made.kinds == DOODLE).sum()
    assert (both.kinds == DOODLE).sum() == pytest.approx(doodles / 2, rel=0.4)
    assert (both.labels[both.kinds == QUICKDRAW] == NOT_A_DIGIT).all()
    assert (both.kinds == QUICKDRAW).sum() > 30


def test_labels_of_the_corpus_are_mostly_what_the_shipped_model_reads(made):
    digits = made[made.labels != NOT_A_DIGIT]
    answers = champion().classify(digits.ink).probabilities.argmax(1)
    assert (answers == digits.labels).mean() > 0.85


def test_wrong_labels_are_doubtful():
    own = [drawing(label, page=str(i)) for i, label in enumerate("0123456789" * 2)]
    wrong = [Drawing("7", d.source, d.page, d.strokes) for d in own[:7]]
    found = corpus.doubtful([*wrong, *own], lambda ink: champion().classify(ink).probabilities)
    assert found[:7].all()
    assert not found[7:].any()
