"""Explanations point at the ink, the digits and the maps that they claim to."""

import numpy as np
import pytest
from handwriting import centred, on_white, written

from digitlab import datasets, explain
from digitlab.errors import DataError
from digitlab.recognizer import Recognizer, champion

EIGHT = next(i for i, label in enumerate(datasets.mnist_test().labels) if label == 8)


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return champion()


@pytest.fixture(scope="module")
def test_digits() -> datasets.Digits:
    return datasets.mnist_test()


def small_atlas(recognizer: Recognizer, known: int, mapped: int) -> explain.Atlas:
    """An atlas of the first digits only, on a map that is only a ring of the ten digits."""
    ink, test = datasets.rehearsal().ink[:known], datasets.mnist_test()
    turn = 2 * np.pi * test.labels[:mapped] / 10
    return explain.Atlas(
        recognizer.fingerprint,
        explain._direction_bytes(recognizer.classify(ink).embedding),
        explain._direction_bytes(recognizer.classify(test.ink[:mapped]).embedding),
        np.arange(mapped),
        np.stack([np.cos(turn), np.sin(turn)], 1).astype(np.float32),
    )


@pytest.fixture(scope="module")
def atlas(recognizer) -> explain.Atlas:
    return small_atlas(recognizer, known=1000, mapped=500)


def test_evidence_lies_on_the_ink(recognizer, test_digits):
    ink = test_digits.ink[0]
    found = explain.saliency(recognizer, ink)
    assert found.label == test_digits.labels[0]
    assert np.abs(found.evidence[ink > 0]).max() > 0
    assert not found.evidence[ink == 0].any()


def test_ink_that_speaks_for_the_answer_is_missed_more_than_ink_against_it(recognizer, test_digits):
    drawn = recognizer.recognize(on_white(centred(written("7")))).digits[0].ink
    for ink in (drawn, *test_digits.ink[:5]):
        found = explain.saliency(recognizer, ink)
        without = {}
        for name, place in (("for", found.evidence.argmax()), ("against", found.evidence.argmin())):
            row, column = np.unravel_index(place, ink.shape)
            rubbed = ink.copy()
            rubbed[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = 0
            scores = recognizer.logits(rubbed[None])[0].astype(float)
            others = np.logaddexp.reduce(np.delete(scores, found.label))
            without[name] = scores[found.label] - others
        assert without["for"] < without["against"]


def test_ink_that_is_only_in_the_way_speaks_against_the_answer(recognizer, test_digits):
    ones = test_digits.ink[test_digits.labels == 1][:20]
    beliefs = recognizer.classify(ones)
    ink = ones[beliefs.confidence.argmax()].copy()
    ink[4:10, 22:24] = 255  # a stroke beside a clear 1
    evidence = explain.saliency(recognizer, ink, label=1).evidence
    assert evidence[4:10, 22:24].mean() < 0


def test_without_the_spot_the_answer_is_less_believed(recognizer, test_digits):
    ink = test_digits.ink[EIGHT]
    before = float(recognizer.classify(ink[None]).confidence[0])
    found = explain.saliency(recognizer, ink)
    assert found.without[found.label] < before
    assert ink[found.spot] > 0 or ink[found.spot[0] - 2 : found.spot[0] + 3].any()


def test_blank_ink_has_no_evidence(recognizer):
    found = explain.saliency(recognizer, np.zeros((28, 28), np.uint8))
    assert not found.evidence.any()


def test_a_training_digit_is_its_own_nearest_neighbour(recognizer, atlas):
    known = datasets.rehearsal()
    embedding = recognizer.classify(known.ink[137:138]).embedding[0]
    first, second = atlas.neighbours(embedding, 2)
    assert first.index == 137
    assert first.similarity > 0.999 > second.similarity
    assert np.array_equal(first.ink, known.ink[137])


def test_neighbours_of_a_test_digit_carry_its_label(recognizer, atlas, test_digits):
    embeddings = recognizer.classify(test_digits.ink[:100]).embedding
    found = [atlas.neighbours(e, 5) for e in embeddings]
    agree = [
        n.label == t for ns, t in zip(found, test_digits.labels[:100], strict=True) for n in ns
    ]
    assert np.mean(agree) > 0.95
    for neighbours in found:
        similarities = [n.similarity for n in neighbours]
        assert similarities == sorted(similarities, reverse=True)


def test_a_digit_is_placed_among_its_like(recognizer, atlas, test_digits):
    chosen = slice(500, 600)  # none of them is on the map
    embeddings = recognizer.classify(test_digits.ink[chosen]).embedding
    ring = np.exp(2j * np.pi * np.arange(10) / 10)
    places = np.array([complex(*atlas.place(e)) for e in embeddings])
    nearest = np.abs(places[:, None] - ring).argmin(1)
    assert (nearest == test_digits.labels[chosen]).mean() > 0.95


def test_an_atlas_comes_back_from_its_file(tmp_path, atlas):
    atlas.save(tmp_path / "atlas.npz")
    again = explain.Atlas.load(tmp_path / "atlas.npz")
    assert again.fingerprint == atlas.fingerprint
    assert np.array_equal(again.training, atlas.training)
    assert np.array_equal(again.positions, atlas.positions)


@pytest.mark.parametrize("content", [b"", b"no npz at all"])
def test_a_damaged_atlas_is_refused(tmp_path, content):
    (tmp_path / "atlas.npz").write_bytes(content)
    with pytest.raises(DataError, match="atlas"):
        explain.Atlas.load(tmp_path / "atlas.npz")


def test_every_stage_of_the_network_is_shown(recognizer, test_digits):
    found = explain.stages(recognizer, test_digits.ink[0])
    assert [stage.side for stage in found] == [28, 14, 7]
    for stage in found:
        assert stage.maps.dtype == np.uint8
        assert stage.maps.shape == (explain.SHOWN_CHANNELS, stage.side, stage.side)
        assert (stage.maps.max((1, 2)) == 255).all()


def test_stages_differ_between_digits(recognizer, test_digits):
    one, other = (explain.stages(recognizer, test_digits.ink[i]) for i in (0, 1))
    assert not np.array_equal(one[-1].maps, other[-1].maps)


def test_reasons_take_few_runs_of_the_network(recognizer, atlas, test_digits, monkeypatch):
    """How long they take is measured in benchmarks/explanations.py; here, what makes them dear."""
    seen, run = [], Recognizer._run

    def counted(reader, ink):
        seen.append(len(ink))
        return run(reader, ink)

    monkeypatch.setattr(Recognizer, "_run", counted)
    explain.saliency(recognizer, np.full((28, 28), 255, np.uint8))  # no picture has more ink
    assert len(seen) == 1
    assert sum(seen) <= 200
    seen.clear()
    embedding = recognizer.classify(test_digits.ink[:1]).embedding[0]
    atlas.neighbours(embedding)
    atlas.place(embedding)
    assert seen == [1]
