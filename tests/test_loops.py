"""Where loops join: the stroke that two zeros share, and where a loop's own stroke ends."""

import cv2
import numpy as np
import pytest
from handwriting import written

from digitlab.loops import Joints, find_joints

TALL, PEN = 100, 10
ZERO = written("0", TALL, PEN).shape[1]


def joints_of(ink: np.ndarray, height: float = TALL) -> Joints:
    rows, along = np.nonzero(ink > 127)
    return find_joints(along, rows, height)


def joined(text: str, gap: float = -0.06) -> np.ndarray:
    """Neighbours overlap by less than a stroke."""
    return written(text, TALL, PEN, gap)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_zeros_that_touch_have_a_wall_between_each_two(count):
    ink = joined("0" * count)
    walls = joints_of(ink).walls
    step = (ink.shape[1] - ZERO) / (count - 1)
    expected = [(ZERO + step) / 2 + i * step for i in range(count - 1)]
    assert len(walls) == len(expected)
    assert np.abs(np.array([wall.middle for wall in walls]) - expected).max() < PEN


def test_wall_belongs_to_both_loops_and_each_loop_to_itself():
    ink = joined("00")
    rows, along = np.nonzero(ink > 127)
    (wall,) = find_joints(along, rows, TALL).walls
    along = along - along.min()
    assert set(wall.side[along < wall.middle - 2 * PEN]) == {0}
    assert set(wall.side[along > wall.middle + 2 * PEN]) == {2}
    level = np.abs(rows - rows.mean()) < 0.2 * TALL
    assert set(wall.side[level & (np.abs(along - wall.middle) < 2)]) == {1}


@pytest.mark.parametrize("label", "0123456789")
def test_lone_digit_has_no_wall(label):
    assert joints_of(written(label, TALL, PEN)).walls == ()


@pytest.mark.parametrize("lean", [0.0, 0.25, 0.5])
def test_slashed_zero_has_no_wall(lean):
    ink = written("0", TALL, PEN)
    middle, reach = np.array(ink.shape[::-1]) / 2, np.array([lean * TALL / 2, -TALL / 2])
    ends = [tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (1, -1)]
    cv2.line(ink, *ends, 255, PEN)
    assert joints_of(ink).walls == ()


def test_zeros_apart_have_no_wall():
    ink = written("00", TALL, PEN, 0.3)
    cv2.line(ink, (0, TALL // 8), (ink.shape[1] - 1, TALL // 8), 255, PEN)  # what connects them
    assert joints_of(ink).walls == ()


def test_loop_that_is_nearly_closed_counts():
    ink = joined("00")
    ink[: 2 * PEN, round(0.3 * TALL) : round(0.3 * TALL) + 5] = 0
    assert len(joints_of(ink).walls) == 1


def test_loop_ends_where_its_stroke_does():
    ink = joined("60", -0.03)
    foot = np.pad(ink, ((0, 0), (60, 60)))
    cv2.line(foot, (0, 60), (70, 60), 255, PEN)
    cv2.line(foot, (foot.shape[1] - 70, 60), (foot.shape[1] - 1, 60), 255, PEN)
    ends = joints_of(foot).ends
    assert min(abs(end - 62) for end in ends) < PEN
    assert min(abs(end - (foot.shape[1] - 62)) for end in ends) < PEN


def test_ink_without_a_loop_has_no_joints():
    assert joints_of(written("117", TALL, PEN, 0.0)) == Joints()
    assert joints_of(np.full((1, 1), 255, np.uint8)) == Joints()
