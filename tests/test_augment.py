"""Augmented ink: different each time, the same for the same seed, and still the same digit."""

import cv2
import numpy as np
import pytest

from digitlab.augment import Augmentation, Augmenter, _with_gaps, vary_strips
from digitlab.datasets import mnist_test
from digitlab.recognizer import champion

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def ink() -> np.ndarray:
    return mnist_test().ink[:600]


def test_shape_and_dtype_stay(ink, rng):
    found = Augmenter()(ink[:7], rng)
    assert found.shape == (7, 28, 28)
    assert found.dtype == np.uint8


def test_same_seed_gives_the_same_and_another_seed_something_else(ink):
    one, same, other = (Augmenter()(ink[:50], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert (one != other).any((1, 2)).all()


def test_what_was_given_is_not_changed(ink, rng):
    before = ink[:20].copy()
    Augmenter()(ink[:20], rng)
    assert np.array_equal(before, ink[:20])


def test_without_strength_only_the_darkness_changes(ink, rng):
    found = Augmenter(STILL)(ink[:200], rng)
    same = (found == ink[:200]).all((1, 2))
    assert 0.6 < same.mean() < 0.95  # a fifth gets fainter or darker ink
    assert not found[ink[:200] == 0].any()


@pytest.mark.parametrize(
    "name",
    ["shift", "rotation", "scale", "shear", "elastic", "thickness", "blur", "gaps", "neighbour"],
)
def test_each_change_changes_something_by_itself(ink, name):
    strength = {"rotation": 15, "shear": 0.3}
    settings = Augmentation(**{**vars(STILL), name: strength.get(name, 1.0)})
    before, after = (
        Augmenter(chosen)(ink[:50], np.random.default_rng(0)) for chosen in (STILL, settings)
    )
    assert (before != after).any((1, 2)).mean() > 0.8


def test_weaker_changes_less_and_less_often(ink):
    usual, weak = Augmentation(), Augmentation().weaker(0.5)
    assert weak == Augmentation(0.8, 6.0, 0.065, 0.11, 0.65, 0.175, 0.1, 0.1, 0.04)
    much, little = (
        Augmenter(chosen)(ink[:100], np.random.default_rng(0)).astype(float) - ink[:100]
        for chosen in (usual, weak)
    )
    assert np.abs(little).mean() < 0.8 * np.abs(much).mean()


def test_thickness_goes_both_ways(ink, rng):
    found = Augmenter(Augmentation(**{**vars(STILL), "thickness": 1.0}))(ink[:200], rng)
    change = found.sum((1, 2), dtype=float) / ink[:200].sum((1, 2), dtype=float)
    assert change.min() < 0.85
    assert change.max() > 1.15


def test_gaps_take_a_little_ink_away_and_add_none(ink, rng):
    broken = [_with_gaps(picture, rng) for picture in ink[:200]]
    left = np.array([b.sum() / i.sum() for b, i in zip(broken, ink[:200], strict=True)])
    assert all((b <= i).all() for b, i in zip(broken, ink[:200], strict=True))
    assert left.max() < 1
    assert np.median(left) > 0.8
    nothing = np.zeros((28, 28), np.uint8)
    assert not _with_gaps(nothing, rng).any()


def test_digits_stay_readable(ink, rng):
    labels = mnist_test().labels[: len(ink)]
    found = champion().classify(Augmenter()(ink, rng)).probabilities.argmax(1)
    assert (found == labels).mean() > 0.9


def test_strips_vary_and_begin_near_the_left_end():
    strips = np.zeros((50, 32, 112), np.uint8)
    strips[:, 4:28, 4:7] = 255
    strips[:, 4:28, 60:63] = 255
    before = strips.copy()
    varied = vary_strips(strips, np.random.default_rng(1), Augmentation())
    assert np.array_equal(strips, before)
    assert varied.shape == strips.shape
    assert varied.dtype == np.uint8
    assert len({strip.tobytes() for strip in varied}) == 50
    starts = varied.any(1).argmax(1)
    assert starts.max() < 20
    ends = 112 - varied.any(1)[:, ::-1].argmax(1)
    assert ends.min() < 58 < 68 < ends.max() < 90  # squeezed and stretched
    again = vary_strips(strips, np.random.default_rng(1), Augmentation())
    assert np.array_equal(varied, again)


def test_strips_stay_as_they_are_but_for_size_without_strength():
    strips = np.zeros((20, 32, 112), np.uint8)
    strips[:, 4:28, 4:60] = 255
    still = vary_strips(strips, np.random.default_rng(1), Augmentation(0, 0, 0, 0, 0, 0, 0, 0))
    counts = [cv2.connectedComponents((strip > 100).astype(np.uint8))[0] for strip in still]
    assert counts == [2] * 20
