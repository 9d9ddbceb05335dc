"""Doodles as people drew them: which are learnt, which are kept, and what becomes of them."""

import gzip
import json

import numpy as np
import pytest
from handwriting import on_white

from digitlab import corpus, quickdraw
from digitlab.corpus import NOT_A_DIGIT, QUICKDRAW
from digitlab.doodles import sketches
from digitlab.errors import DataError
from digitlab.recognizer import champion


def pack(folder, kind: str, ink: np.ndarray) -> None:
    """One kind's file, as the package holds it."""
    with gzip.open(folder / f"{kind}.ndjson.gz", "wt") as lines:
        for doodle in ink:
            lines.write(json.dumps((doodle.ravel() / 255).round(3).tolist()) + "\n")


@pytest.fixture
def folder(tmp_path):
    """Two kinds to learn, one that is drawn like a digit, and twelve of each that is kept."""
    doodles = quickdraw.sample().ink
    for number, kind in enumerate(sorted(quickdraw.HELD_OUT)):
        pack(tmp_path, kind, np.roll(doodles, -number, 0)[:12])
    for kind in ("circle", "sun", "cloud"):
        pack(tmp_path, kind, doodles[:3])
    return tmp_path


def test_sample_has_ten_of_every_kind_that_no_training_saw():
    sample = quickdraw.sample()
    kinds, counts = np.unique(sample.kinds, return_counts=True)
    assert set(kinds) == quickdraw.HELD_OUT
    assert set(counts) == {quickdraw.SAMPLE_EACH}
    assert set(sample.kinds[:50]) == quickdraw.HELD_OUT  # the kinds take turns
    assert len({doodle.tobytes() for doodle in sample.ink}) == len(sample.ink) == 500
    assert (quickdraw.FOLDER / "doodles.npz").stat().st_size < 200_000


def test_kinds_that_are_kept_are_learnt_from_nowhere():
    assert not quickdraw.HELD_OUT & quickdraw.LIKE_DIGITS
    assert not quickdraw.HELD_OUT & set(sketches(held_out=False))


def test_kinds_are_parted_and_those_like_digits_left_out(folder):
    learn, held = quickdraw.load(folder).parted()
    assert set(learn.kinds) == {"sun", "cloud"}
    assert set(held.kinds) == quickdraw.HELD_OUT
    assert (len(learn.ink), len(held.ink)) == (6, 12 * len(quickdraw.HELD_OUT))
    np.testing.assert_allclose(learn.ink[:3], quickdraw.sample().ink[:3], atol=1)
    assert learn.ink.dtype == np.uint8


def test_sample_is_made_again_from_the_folder(folder, tmp_path):
    quickdraw.write_sample(folder, tmp_path / "data")
    made, held = quickdraw.sample(tmp_path / "data"), quickdraw.load(folder).parted()[1]
    assert made.kinds.tolist() == sorted(quickdraw.HELD_OUT) * quickdraw.SAMPLE_EACH
    first = held.ink[held.kinds == "anvil"][:10]
    np.testing.assert_array_equal(made.ink[made.kinds == "anvil"], first)


@pytest.mark.parametrize("damage", ["words", "short", "cut"])
def test_damaged_file_is_named(folder, damage):
    file = folder / "sun.ndjson.gz"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:40])
    else:
        file.write_bytes(gzip.compress(b'["a", "b"]\n' if damage == "words" else b"[0.1, 0.2]\n"))
    with pytest.raises(DataError, match=r"sun\.ndjson\.gz"):
        quickdraw.load(folder)


def test_folder_without_the_kinds_that_are_kept_or_without_others_is_refused(folder):
    (folder / "owl.ndjson.gz").unlink()
    with pytest.raises(DataError, match="does not hold the kinds"):
        quickdraw.load(folder)
    with pytest.raises(DataError, match="does not hold the kinds"):
        quickdraw.load(folder / "nowhere")


def test_missing_sample_is_named(tmp_path):
    with pytest.raises(DataError, match=r"doodles\.npz"):
        quickdraw.sample(tmp_path)


@pytest.mark.parametrize("tall", [40, 120, 260])
def test_enlarged_doodle_is_as_tall_as_asked_with_firm_strokes(tall):
    firm = []
    for number, ink in enumerate(quickdraw.sample().ink[::25]):
        drawn = quickdraw.enlarged(ink, np.random.default_rng(number), tall)
        rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert max(drawn.shape) == pytest.approx(tall * longest / quickdraw.SIDE, rel=0.15)
        assert drawn[[0, -1]].max(1).min() > 100  # cut to its ink
        firm.append((drawn > 200).sum() / (drawn > 60).sum())
    assert np.mean(firm) > {40: 0.3, 120: 0.55, 260: 0.75}[tall]


def test_doodle_so_faint_that_nothing_is_left_is_empty():
    faint = np.full((28, 28), 9, np.uint8)
    assert not (quickdraw.enlarged(faint, np.random.default_rng(0), 100) > 100).any()


def test_corpus_holds_them_as_no_digits():
    drawings = quickdraw.sample().ink
    found = corpus._quickdraw(3, drawings, None, None)
    assert len(found) > 150
    assert {label for _, label, _ in found} == {NOT_A_DIGIT}
    assert {kind for *_, kind in found} == {QUICKDRAW}


def test_most_are_refused():
    """By the shipped model, which has learnt none of these."""
    rng, accepted = np.random.default_rng(8), 0
    for ink in quickdraw.sample().ink[:150]:
        drawn = quickdraw.enlarged(ink, rng, rng.uniform(80, 200))
        read = champion().recognize(on_white(np.pad(drawn, 40)))
        accepted += any(digit.accepted for digit in read.digits)
    assert accepted <= 28
