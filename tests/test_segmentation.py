"""Pieces of writing: which there are, in which order, and how they may join."""

import cv2
import numpy as np
import pytest
from handwriting import centred, placed, written

from digitlab.segmentation import MOST_JOINED, MOST_PIECES, segment


def masked(ink: np.ndarray) -> np.ndarray:
    return (ink > 127).astype(np.uint8)


def row_of(text: str, gap: float = 0.35, tall: int = 100) -> np.ndarray:
    ink = written(text, tall, 10, gap)
    return masked(placed(ink, (ink.shape[0] + 80, ink.shape[1] + 80), 40, 40))


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def parts(mask: np.ndarray) -> int:
    """Connected parts of the ink, the ground not counted."""
    return cv2.connectedComponents(mask)[0] - 1


def inside(segmentation, line, box) -> list:
    """The spans of a line whose ink lies just within a box (left, top, right, bottom)."""
    found = [(span, segmentation.mask(line, span)[0]) for span in line.spans]
    return [s for s, p in found if (p.left, p.top, p.right, p.bottom) == tuple(box)]


def boxes(segmentation) -> list[list[tuple[int, int, int, int]]]:
    return [
        [(p.left, p.top, p.right, p.bottom) for p in line.pieces] for line in segmentation.lines
    ]


def test_no_ink_has_no_lines():
    assert segment(np.zeros((90, 120), np.uint8)).lines == []


@pytest.mark.parametrize("label", "0123456789")
def test_some_span_of_a_lone_digit_holds_just_its_ink(label):
    mask = masked(centred(written(label, 100, 10), 200))
    segmentation = segment(mask)
    (line,) = segmentation.lines
    assert inside(segmentation, line, bounds(mask)) == [(0, len(line.pieces))]


def test_pieces_of_a_row_come_from_left_to_right():
    (line,) = segment(row_of("123678")).lines
    lefts = [piece.left for piece in line.pieces]
    assert len(lefts) >= 6
    assert lefts == sorted(lefts)


def test_each_digit_of_a_row_is_a_span_and_they_follow_each_other():
    mask = row_of("123678")
    segmentation = segment(mask)
    (line,) = segmentation.lines
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    assert count == 7
    place = 0
    for x, y, w, h, _ in sorted(stats[1:].tolist()):
        (span,) = inside(segmentation, line, (x, y, x + w, y + h))
        assert span[0] == place
        place = span[1]
    assert place == len(line.pieces)


def test_rows_come_from_top_to_bottom():
    rows = [row_of("123"), row_of("678")]
    width = max(row.shape[1] for row in rows)
    mask = np.vstack([placed(row, (row.shape[0], width), 0, 0) for row in rows])
    first, second = segment(mask).lines
    assert max(p.bottom for p in first.pieces) < rows[0].shape[0]
    assert min(p.top for p in second.pieces) > rows[0].shape[0]


def test_sloping_row_is_one_line():
    mask = row_of("23682368", tall=60)
    height, width = mask.shape
    slope = np.float32([[1, 0, 0], [0.12, 1, 0]])
    sloped = cv2.warpAffine(mask, slope, (width, height + int(0.12 * width)))
    (line,) = segment(sloped).lines
    assert line.pieces[0].left < 45
    assert line.pieces[-1].right > width - 45


def test_specks_are_dropped():
    mask = row_of("27")
    dirty = mask.copy()
    for x, y in np.random.default_rng(0).integers(2, 30, (25, 2)):
        dirty[y : y + 3, x : x + 3] = 1
    assert boxes(segment(dirty)) == boxes(segment(mask))


@pytest.mark.parametrize(
    ("width", "height", "lift"), [(12, 12, 0), (8, 26, -16), (30, 8, 50)],
    ids=["dot", "comma", "dash"],
)  # fmt: skip
def test_marks_between_digits_are_dropped(width, height, lift):
    mask = row_of("28", gap=0.9)
    foot = int(np.flatnonzero(mask.any(1))[-1]) + 1
    gap = int(np.flatnonzero(~mask[:, 60:].any(0))[0]) + 60
    marked = mask.copy()
    bottom = foot - lift
    marked[bottom - height : bottom, gap + 25 : gap + 25 + width] = 1
    assert marked.sum() > mask.sum()
    assert boxes(segment(marked)) == boxes(segment(mask))


@pytest.mark.parametrize(("closed", "kept"), [(360, 1), (290, 1), (0, 0)])
def test_small_zero_at_the_end_is_kept_and_a_blot_is_not(closed, kept):
    """`closed` is how far round its ring goes in degrees; at 0 it is filled."""
    mask = row_of("28")
    x, foot = int(np.flatnonzero(mask.any(0))[-1]) + 25, int(np.flatnonzero(mask.any(1))[-1])
    marked = np.pad(mask, ((0, 0), (0, 60)))
    place = ((x + 22, foot - 18), (22, 16), 0, 0, closed or 360, 1, 5 if closed else -1)
    cv2.ellipse(marked, *place)
    (line,), (longer,) = boxes(segment(mask)), boxes(segment(marked))
    assert len(longer) == len(line) + kept


def test_underline_is_dropped():
    mask = row_of("345")
    lined = mask.copy()
    lined[-30:-25, 30:-30] = 1
    assert boxes(segment(lined)) == boxes(segment(mask))


def detached_five() -> np.ndarray:
    """A 5 whose bar does not touch the rest."""
    mask = masked(centred(written("5", 120, 10), 200))
    top = int(np.flatnonzero(mask.any(1))[0])
    mask[top + 13 : top + 17] = 0
    assert parts(mask) == 2  # bar and body
    return mask


def test_detached_bar_of_a_five_is_joined_to_it():
    mask = detached_five()
    segmentation = segment(mask)
    (line,) = segmentation.lines
    (span,) = inside(segmentation, line, bounds(mask))
    assert segmentation.mask(line, span)[1].sum() == mask.sum()


def test_touching_digits_may_be_read_apart_or_as_one():
    mask = row_of("36", gap=-0.16)
    assert parts(mask) == 1
    (line,) = segment(mask).lines
    count = len(line.pieces)
    assert count >= 2
    assert count <= MOST_JOINED
    assert (0, count) in line.spans or line.pieces[-1].right - line.pieces[0].left > line.height
    three, six = (masked(written(label, 100, 10)).any(0).sum() for label in "36")
    overlap = three + six - mask.any(0).sum()
    shared = line.pieces[0].left + three - overlap / 2
    assert min(abs(piece.right - shared) for piece in line.pieces[:-1]) < 15


def test_zeros_that_touch_share_a_stroke_and_each_is_whole_with_it():
    mask = row_of("00", gap=-0.06)
    segmentation = segment(mask)
    (line,) = segmentation.lines
    (wall,) = [i for i, piece in enumerate(line.pieces) if piece.shared]
    left, _, right, _ = bounds(mask)
    zero = masked(written("0", 100, 10)).any(0).sum()
    for span, expected in (((0, wall + 1), left), ((wall, len(line.pieces)), right - zero)):
        assert span in line.spans
        piece, ink = segmentation.mask(line, span)
        assert abs(piece.left - expected) <= 10  # a stroke
        assert abs(piece.width - zero) <= 10
        holes = cv2.connectedComponents(1 - np.pad(ink.astype(np.uint8), 1), connectivity=4)[0] - 2
        assert holes == 1
    assert (wall, wall + 1) not in line.spans


@pytest.mark.parametrize("text", ["36", "00"])
def test_cut_pieces_hold_all_the_ink_once(text):
    mask = row_of(text, gap=-0.16)
    segmentation = segment(mask)
    (line,) = segmentation.lines
    assert len(line.pieces) > 1
    areas = [segmentation.mask(line, (i, i + 1))[1].sum() for i in range(len(line.pieces))]
    assert sum(areas) == mask.sum()


def test_every_piece_can_be_a_digit_and_no_span_is_too_long():
    (line,) = segment(row_of("1112345", gap=0.12)).lines
    assert {(i, i + 1) for i in range(len(line.pieces))} <= set(line.spans)
    assert all(0 < last - first <= MOST_JOINED for first, last in line.spans)
    assert all(last <= len(line.pieces) for _, last in line.spans)


@pytest.mark.parametrize(("label", "wide"), [("0", 1.6), ("2", 1.8), ("5", 2.0)])
def test_wide_digit_of_one_part_may_be_one(label, wide):
    ink = cv2.resize(written(label, 100, 10), (round(100 * wide), 100))
    mask = masked(placed(ink, (180, 300), 40, 40))
    (line,) = segment(mask).lines
    assert len(line.pieces) > 1
    assert (0, len(line.pieces)) in line.spans


def test_what_two_wide_parts_make_up_is_no_digit():
    mask = row_of("22", gap=0.15)
    (line,) = segment(mask).lines
    assert len(line.pieces) > 1
    assert (0, len(line.pieces)) not in line.spans


def test_mask_of_a_span_leaves_the_neighbours_out():
    mask = row_of("64")
    segmentation = segment(mask)
    (line,) = segmentation.lines
    piece, own = segmentation.mask(line, (0, 1))
    assert own.shape == (piece.height, piece.width)
    assert own.sum() == mask[:, : piece.right].sum()


def test_whole_picture_as_one_digit_keeps_everything_together():
    mask = row_of("88")
    segmentation = segment(mask, whole=True)
    (line,) = segmentation.lines
    assert len(line.pieces) == 1
    assert segmentation.mask(line, (0, 1))[1].sum() == mask.sum()


def test_lines_that_may_be_one_broken_digit_are_offered_as_one():
    mask = masked(centred(written("3", 100, 10), 200))
    assert segment(mask).whole is None
    mask[98:102] = 0
    segmentation = segment(mask)
    assert len(segmentation.lines) == 2
    (line,) = segmentation.whole.lines
    assert segmentation.whole.mask(line, (0, 1))[1].sum() == mask.sum()


@pytest.mark.parametrize(("texts", "gap"), [("11", 30), (["123", "456"], 4)])
def test_lines_far_apart_or_wide_are_no_broken_digit(texts, gap):
    rows = [written(text, 100, 10) for text in texts]
    wide = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, gap), (0, wide - row.shape[1]))) for row in rows]
    segmentation = segment(masked(np.pad(np.vstack(rows), 20)))
    assert len(segmentation.lines) == 2
    assert segmentation.whole is None


def test_side_of_a_neighbour_cut_off_by_the_edge_is_left_out():
    mask = masked(centred(written("8", 100, 10), 160))
    alone = boxes(segment(mask))
    cv2.line(mask, (-8, 30), (20, 130), 1, 10)
    assert 25 < mask[:, 0].sum() < 55  # it runs along the edge for a part of its height
    assert boxes(segment(mask)) == alone


def test_texture_gives_a_bounded_number_of_pieces():
    mask = np.zeros((600, 600), np.uint8)
    mask[::20, ::20] = 1
    mask = cv2.dilate(mask, np.ones((9, 9), np.uint8))
    assert parts(mask) > 500
    assert sum(len(line.pieces) for line in segment(mask).lines) <= 4 * MOST_PIECES
