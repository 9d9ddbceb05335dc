"""A reading put into words: how sure, what else it may be, which digit is in doubt, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Protocol

from digitlab.preprocess import Box
from digitlab.reading import (
    DETAIL,
    DISPUTED,
    DOTTED,
    RINGED,
    RUNNING,
    SCENERY,
    STRIPE,
    TORN,
    UNSURE,
    Digit,
)

_REDRAW = "Try it larger, in one clear stroke after the other, or with more light on the paper."
_INSTEAD = {
    DETAIL: "If it is a digit, write it without the rest, or about as large.",
    DOTTED: "If it is a digit, write it without the mark.",
    RINGED: "If these are digits, write them about equally high.",
    RUNNING: "If it is a digit, leave some paper around it.",
    SCENERY: "If it is a digit, write it on plain paper and come closer.",
    STRIPE: "If it is a digit, write it away from the line that goes through it.",
    **dict.fromkeys((TORN, DISPUTED), "If these are digits, leave some space between them."),
}
"""What to do about an objection, which a clearer stroke would not meet."""


class Answer(Protocol):
    """What the words are about: a `Reading`, or whatever else has its text and digits."""

    text: str
    digits: tuple[Digit, ...]
    left_out: int
    unread: tuple[Box, ...]


@dataclass(frozen=True)
class Account:
    """What to tell a person about an answer.

    Attributes
    ----------
    headline : the digit or the number, with a question mark if it may be none.
    certainty : how sure, words first, then the percentage.
    detail : the runners-up of one digit, or the doubtful digit of a number, and what was left out.
    advice : what to do next; "" if there is nothing to do.
    """

    headline: str
    certainty: str
    detail: str
    advice: str


def percent(share: float) -> str:
    """A share between 0 and 1 as a percentage that never claims certainty."""
    if share >= 0.9995:
        return "over 99.9 %"
    if share < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th … 11th … 21st."""
    teen = 10 < number % 100 < 14
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def place(answer: Answer, index: int) -> str:
    """Where a digit stands: "3rd digit", or "3rd digit in line 2" where there are several."""
    lines = answer.text.split("\n")
    for line, text in enumerate(lines, 1):
        if index < len(text) or line == len(lines):
            break
        index -= len(text)
    where = f" in line {line}" if len(lines) > 1 else ""
    return f"{ordinal(index + 1)} digit{where}"


def doubtful(answer: Answer) -> int:
    """Index of the digit that is trusted least; the reading has at least one."""
    return least_sure(answer.digits)


def least_sure(digits: Sequence[Digit]) -> int:
    """Index of the one that is trusted least, of at least one."""
    return min(range(len(digits)), key=lambda i: digits[i].confidence)


def is_sure(digit: Digit) -> bool:
    """Whether the digit is called sure or fairly sure: not to be looked at again."""
    return digit.accepted and not digit.verdict.startswith(UNSURE)


def account(answer: Answer) -> Account:
    """The words for a reading of at least one digit."""
    one = len(answer.digits) == 1
    words = _account_of_one(answer.digits[0]) if one else _account_of_many(answer)
    if answer.unread and any(digit.accepted for digit in answer.digits):
        words = _with_unread(words, len(answer.unread))
    if not answer.left_out:
        return words
    lines = "1 line was" if answer.left_out == 1 else f"{answer.left_out} lines were"
    left = f"{lines} left out: nothing there looks like a digit."
    return replace(words, detail=f"{words.detail} {left}")


def describe(answer: Answer, index: int) -> str:
    """One digit of a number: where it stands, how sure, and what else it may be."""
    digit, where = answer.digits[index], _capital(place(answer, index))
    if digit.accepted:
        certainty = f"{_ended(digit.verdict, ',')} {percent(digit.confidence)}"
        return f"{where}: {certainty}. Then {runners_up(digit)}."
    return f"{where}: {_ended(digit.verdict, '.')} {explain_doubt(digit)}"


def chances(digit: Digit) -> tuple[float, ...]:
    """The probability of each of 0 to 9; what is missing to 1 is that it is no digit at all."""
    return tuple(share * digit.likeness for share in digit.probabilities)


def runners_up(digit: Digit) -> str:
    """The two next likeliest digits, and "no digit" where that is worth a word."""
    second, third = digit.ranking[1:3]
    shares = chances(digit)
    words = f"{second} ({percent(shares[second])}), {third} ({percent(shares[third])})"
    none = 1 - digit.likeness
    return f"{words}, no digit at all ({percent(none)})" if none >= 0.005 else words


def explain_doubt(digit: Digit) -> str:
    """Why a digit was not accepted: what stands around it, no digit at all, or between two."""
    if digit.objection and digit.likeness < 0.5:
        return f"{_capital(digit.objection)}."
    if digit.objection:
        return f"By itself it looks like {digit.label}, but {digit.objection}."
    shares = digit.probabilities
    first, second, third = (f"{i} ({percent(shares[i])})" for i in digit.ranking[:3])
    if digit.likeness < max(shares):
        return (
            f"Its shape is only {percent(digit.likeness)} like a digit. If it is one, then most "
            f"likely {first}, else {second} or {third}."
        )
    return f"It lies between digits: {first}, {second} and {third} look most alike here."


def _with_unread(words: Account, count: int) -> Account:
    """The words for a reading, and that some signs among its digits were not read."""
    signs = "1 sign" if count == 1 else f"{count} signs"
    why = "was not read, since it looks" if count == 1 else "were not read, since they look"
    return replace(
        words,
        certainty=f"{words.certainty}; {signs} not read",
        detail=f"{words.detail} {signs} as high as the digits {why} like none or cut off.",
        advice=words.advice or "If a digit is missing, show all of it or write it again, apart.",
    )


def _account_of_one(digit: Digit) -> Account:
    if not digit.accepted:
        advice = _advice(digit)
        return Account(f"{digit.label}?", _capital(digit.verdict), explain_doubt(digit), advice)
    advice = "" if is_sure(digit) else _REDRAW
    certainty = f"{_capital(_ended(digit.verdict, ','))} {percent(digit.confidence)}"
    return Account(str(digit.label), certainty, f"Then {runners_up(digit)}.", advice)


def _account_of_many(answer: Answer) -> Account:
    digits, weakest = answer.digits, doubtful(answer)
    worst, where = digits[weakest], place(answer, weakest)
    if not any(digit.accepted for digit in digits):
        detail = f"None of its {len(digits)} pieces is taken for a digit. {explain_doubt(worst)}"
        return Account(f"{answer.text}?", "This may not be a number", detail, _advice(worst))
    all_of_them = "both" if len(digits) == 2 else f"all {len(digits)}"
    whole = f"{percent(prod(digit.confidence for digit in digits))} for {all_of_them} together"
    if is_sure(worst):
        detail = f"The least sure is the {where}, {worst.label} ({percent(worst.confidence)})."
        certainty = f"{_capital(worst.verdict)} of each digit, {whole}"
        return Account(answer.text, certainty, detail, "")
    detail = f"The doubtful one is the {where}: {worst.ranking[0]} or {worst.ranking[1]}?"
    if worst.objection == DISPUTED:
        detail = f"The doubtful one is the {where}. {explain_doubt(worst)}"
    elif not worst.accepted:
        detail = f"The {where} may not be a digit. {explain_doubt(worst)}"
    return Account(answer.text, f"Not sure of every digit, {whole}", detail, _advice(worst))


def _advice(digit: Digit) -> str:
    """What to do about a doubtful digit."""
    return _INSTEAD.get(digit.objection, _REDRAW)


def _ended(verdict: str, mark: str) -> str:
    """A verdict before what follows it; one that asks has its mark already."""
    return verdict if verdict.endswith("?") else verdict + mark


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
