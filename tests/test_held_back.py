"""Which corrections are never learnt."""

import numpy as np
import pytest

from digitlab.errors import DataError
from digitlab.held_back import LEAST, part
from digitlab.samples import Corrections


def corrections(labels) -> Corrections:
    n = len(labels)
    ids = np.arange(n)
    return Corrections(np.zeros((n, 28, 28), np.uint8), np.array(labels), ids, ids.astype("U64"))


@pytest.mark.parametrize("n", [LEAST, 10, 200])
def test_every_correction_is_in_exactly_one_part(n):
    learnt, held = part(corrections(np.arange(n) % 10), 0.25, seed=1)
    assert sorted([*learnt.ids, *held.ids]) == list(range(n))
    assert 0.15 * n <= len(held) <= 0.35 * n


def test_labels_have_about_the_same_share_of_both_parts():
    _, held = part(corrections([3] * 40 + [8] * 80), 0.25, seed=2)
    assert (held.labels == 3).sum() == 10
    assert (held.labels == 8).sum() == 20


def test_seed_decides_which():
    labels = np.arange(40) % 10
    one, again, other = (part(corrections(labels), 0.25, seed)[1].ids for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_too_few_say_how_many_are_needed():
    with pytest.raises(DataError, match=f"at least {LEAST}"):
        part(corrections([1] * (LEAST - 1)), 0.25, seed=0)
