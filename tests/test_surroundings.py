"""What is around the strokes of a digit in a photograph: the same paper on both sides, or not."""

import cv2
import numpy as np
import pytest
from handwriting import placed, written

from digitlab.preprocess import prepare
from digitlab.reading import Digit
from digitlab.surroundings import Traces, strangeness, traces


def photographed(light: np.ndarray, seed: int = 5) -> np.ndarray:
    """Light (h, w) as a camera sees it, (h, w, 3) uint8."""
    rng = np.random.default_rng(seed)
    seen = cv2.GaussianBlur(light.astype(np.float32), (0, 0), 1.2) + rng.normal(0, 2, light.shape)
    return np.repeat(np.rint(seen.clip(0, 255)).astype(np.uint8)[..., None], 3, 2)


def number(ground) -> np.ndarray:
    ink = placed(written("374", 90, 9), (240, 420), 75, 70)
    return photographed(ground * (1 - 0.8 * ink / 255.0))


def found(picture: np.ndarray):
    preparation = prepare(picture)
    return [traces(preparation, glyph.box) for glyph in preparation.glyphs]


@pytest.mark.parametrize("dark", [False, True])
def test_ink_has_the_same_paper_on_both_sides(dark):
    shaded = np.linspace(120, 230, 420)[None].repeat(240, 0)
    picture = number(shaded)
    seen = found(255 - picture if dark else picture)
    assert len(seen) >= 3
    for trace in seen:
        assert trace.belief > 0.5
        assert trace.on_paper
        assert 0.03 < trace.width < 0.3


def edge(dark: int = 60, side: int = 130) -> np.ndarray:
    """A dark gap between two things, one of them darker than the other."""
    light = np.full((240, 420), 215.0)
    light[:, 200:] = side
    light[60:180, 195:206] = dark
    return photographed(light)


def as_read(label: int) -> Digit:
    shares = tuple(float(i == label) for i in range(10))
    return Digit(label, shares, 0.99, (0, 0, 9, 9), True, "sure", np.zeros((28, 28), np.uint8))


def test_a_gap_between_two_things_is_stranger_than_ink():
    (gap,) = found(edge(dark=70))
    assert gap.belief < 0.2
    assert not gap.on_paper
    assert strangeness(as_read(1), gap) > 0
    for trace in found(edge(dark=60)):  # the gap falls into pieces
        assert not trace.on_paper
        assert strangeness(as_read(1), trace) > 0
    for trace in found(number(220)):
        assert strangeness(as_read(1), trace) < -1.5


def test_what_is_lighter_on_one_side_alone_is_stranger():
    trace = Traces(0.7, 0.1, 0.9, 0.3)
    odds = [strangeness(as_read(1), trace._replace(between=share)) for share in (1.0, 0.6, 0.2)]
    assert odds == sorted(odds)
    assert odds[0] < 0 < odds[2]
    assert strangeness(as_read(4), trace) < strangeness(as_read(1), trace)


def test_a_drawing_says_nothing_about_paper():
    ink = placed(written("3", 90, 9), (240, 240), 75, 75)
    assert set(found(255 - ink)) == {None}
