"""What is said about a reading."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from digitlab.reading import DISPUTED, DOTTED, RINGED, RUNNING, SCENERY, STRIPE, TORN, UNSURE, Digit
from digitlab.wording import account, describe, doubtful, is_sure, ordinal, percent, place


def digit(label=4, confidence=0.99, verdict="sure", accepted=True, second=9) -> Digit:
    shares = np.full(10, 0.001)
    shares[second] = 0.05
    shares[label] = 0.0
    shares[label] = 1 - shares.sum()
    box, ink = (0, 0, 10, 20), np.zeros((28, 28), np.uint8)
    return Digit(label, tuple(shares), confidence, box, accepted, verdict, ink)


@dataclass
class Said:
    text: str
    digits: tuple
    left_out: int = 0
    unread: tuple = ()


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.9999, "over 99.9 %"), (0.0001, "under 0.1 %"), (0.987, "98.7 %"), (0.5, "50.0 %")],
)
def test_percentage_never_claims_certainty(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st")],
)
def test_ordinals(number, words):
    assert ordinal(number) == words


def test_place_names_the_line_where_there_are_several():
    said = Said("12\n3", (digit(1), digit(2), digit(3)))
    assert place(said, 1) == "2nd digit in line 1"
    assert place(said, 2) == "1st digit in line 2"
    assert place(Said("12", said.digits[:2]), 1) == "2nd digit"


@pytest.mark.parametrize(("verdict", "accepted", "words"), [
    ("sure", True, "2nd digit: sure, 99.0 %. Then 9 ("),
    ("not sure: 4 or 9?", True, "2nd digit: not sure: 4 or 9? 99.0 %. Then 9 ("),
    ("not sure: 4 or 9?", False, "2nd digit: not sure: 4 or 9? It lies"),
    ("this may not be a digit", False, "2nd digit: this may not be a digit. It lies"),
])  # fmt: skip
def test_digit_of_a_number_is_described_in_whole_sentences(verdict, accepted, words):
    said = Said("14", (digit(1), digit(4, verdict=verdict, accepted=accepted)))
    assert describe(said, 1).startswith(words)


def test_sure_digit_needs_no_advice():
    words = account(Said("4", (digit(),)))
    assert words.headline == "4"
    assert words.certainty == "Sure, 99.0 %"
    assert "9 (" in words.detail
    assert words.advice == ""


def test_unsure_digit_names_both_and_advises():
    words = account(Said("4", (digit(confidence=0.6, verdict="not sure: 4 or 9?"),)))
    assert words.certainty.startswith("Not sure: 4 or 9?")
    assert words.advice


def test_refused_digit_has_a_question_mark_and_a_reason():
    refused = digit(confidence=0.1, verdict="this may not be a digit", accepted=False)
    words = account(Said("4", (refused,)))
    assert words.headline == "4?"
    assert words.certainty == "This may not be a digit"
    assert "like a digit" in words.detail


def test_refused_digit_says_what_speaks_against_it_where_its_shape_does_not():
    refused = digit(verdict="this may not be a digit", accepted=False)
    words = account(Said("4", (replace(refused, objection="a dot stands over it"),)))
    assert words.detail == "By itself it looks like 4, but a dot stands over it."


def test_digit_that_may_be_read_otherwise_with_its_neighbour_is_the_doubtful_one():
    disputed = digit(confidence=0.7, verdict=UNSURE, accepted=False)
    said = Said("14", (digit(1), replace(disputed, objection=DISPUTED)))
    words = account(said)
    assert words.detail.startswith("The doubtful one is the 2nd digit. By itself it looks like 4, ")
    assert "may not be a digit" not in words.detail
    assert describe(said, 1).startswith("2nd digit: not sure. By itself it looks like 4, but ")


def test_what_does_not_look_like_a_digit_is_not_said_to():
    refused = replace(digit(confidence=0.01, accepted=False), objection=DOTTED)
    detail = account(Said("4", (refused,))).detail
    assert detail.startswith("A dot or another mark stands")
    assert "looks like" not in detail


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("objection", "word"),
    [
        (DOTTED, "mark"),
        (RINGED, "high"),
        (RUNNING, "paper"),
        (SCENERY, "plain paper"),
        (STRIPE, "line"),
        (TORN, "space"),
        (DISPUTED, "space"),
    ],
)
def test_advice_meets_the_objection(objection, word, count):
    refused = replace(digit(accepted=False), objection=objection)
    words = account(Said("44"[:count], (refused,) * count))
    assert word in words.advice


def test_number_names_its_doubtful_digit():
    weak = digit(7, 0.55, "not sure: 7 or 1?", second=1)
    said = Said("47", (digit(), weak))
    assert doubtful(said) == 1
    words = account(said)
    assert words.headline == "47"
    assert "2nd digit: 7 or 1?" in words.detail
    assert not is_sure(weak)


@pytest.mark.parametrize(
    ("count", "words"), [(2, "98.0 % for both together"), (3, "97.0 % for all 3 together")]
)
def test_number_says_how_likely_the_whole_is(count, words):
    assert account(Said("444"[:count], (digit(),) * count)).certainty.endswith(words)


def test_number_without_any_digit_is_no_number():
    junk = digit(1, 0.05, "this may not be a digit", accepted=False)
    words = account(Said("11", (junk, junk)))
    assert words.headline == "11?"
    assert words.certainty == "This may not be a number"


@pytest.mark.parametrize(("count", "words"), [(1, "1 line was left out"), (2, "2 lines were")])
@pytest.mark.parametrize("digits", [1, 2])
def test_lines_that_were_left_out_are_named(digits, count, words):
    said = Said("44"[:digits], (digit(),) * digits)
    assert "left out" not in account(said).detail
    assert words in account(replace(said, left_out=count)).detail


@pytest.mark.parametrize(("count", "words"), [(1, "1 sign as high"), (2, "2 signs as high")])
@pytest.mark.parametrize("digits", [1, 2])
def test_signs_that_were_not_read_make_no_sure_number(digits, count, words):
    said = Said("44"[:digits], (digit(),) * digits)
    assert "read" not in account(said).certainty
    assert account(said).advice == ""
    found = account(replace(said, unread=((0, 0, 9, 9),) * count))
    assert f"; {words[:6]}" in found.certainty
    assert words in found.detail
    assert "write it again" in found.advice


@pytest.mark.parametrize("digits", [1, 2])
def test_signs_beside_what_is_no_digit_either_are_not_counted(digits):
    junk = digit(1, 0.05, "this may not be a digit", accepted=False)
    said = Said("11"[:digits], (junk,) * digits)
    assert account(replace(said, unread=((0, 0, 9, 9),))) == account(said)
