"""Pieces, pairs, scribbles and doodles that teach and test refusing."""

import numpy as np

from digitlab.datasets import rehearsal
from digitlab.oddities import oddities
from digitlab.recognizer import champion


def test_most_of_them_are_refused_by_the_shipped_model():
    found = oddities(rehearsal(), 200, seed=5)
    assert found.shape == (200, 28, 28)
    assert found.dtype == np.uint8
    assert (found.max((1, 2)) > 200).all()
    beliefs = champion().classify(found)
    assert (beliefs.confidence < champion().calibration.accept).mean() > 0.6


def test_seed_makes_the_same_again():
    one, again, other = (oddities(rehearsal(), 20, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
