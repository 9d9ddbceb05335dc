"""A reading put into words: how sure, what else it may be, which digit is in doubt, what to do."""

from dataclasses import dataclass
from math import prod

from digitlab.recognizer import Digit, Reading

_REDRAW = "Try it larger, in one clear stroke after the other, or with more light on the paper."


@dataclass(frozen=True)
class Account:
    """What to tell a person about an answer.

    Attributes
    ----------
    headline : the digit or the number, with a question mark if it may be none.
    certainty : how sure, words first, then the percentage.
    detail : the runners-up of one digit, or the doubtful digit of a number; "" if none.
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


def place(reading: Reading, index: int) -> str:
    """Where a digit stands: "3rd digit", or "3rd digit in line 2" where there are several."""
    lines = reading.text.split("\n")
    for line, text in enumerate(lines, 1):
        if index < len(text) or line == len(lines):
            break
        index -= len(text)
    where = f" in line {line}" if len(lines) > 1 else ""
    return f"{ordinal(index + 1)} digit{where}"


def doubtful(reading: Reading) -> int:
    """Index of the digit that is trusted least; the reading has at least one."""
    return min(range(len(reading.digits)), key=lambda i: reading.digits[i].confidence)


def is_sure(digit: Digit) -> bool:
    """Whether the digit is called sure or fairly sure: not to be looked at again."""
    return digit.accepted and not digit.verdict.startswith("not sure")


def account(reading: Reading) -> Account:
    """The words for a reading of at least one digit."""
    if len(reading.digits) == 1:
        return _account_of_one(reading.digits[0])
    return _account_of_many(reading)


def runners_up(digit: Digit) -> str:
    """The two next likeliest digits with their percentages."""
    second, third = digit.ranking[1:3]
    shares = digit.probabilities
    return f"{second} ({percent(shares[second])}) and {third} ({percent(shares[third])})"


def explain_doubt(digit: Digit) -> str:
    """Why a digit was not accepted: no digit at all, or between two."""
    first, second = digit.ranking[:2]
    likeness = digit.confidence / max(digit.probabilities[first], 1e-9)
    if likeness < digit.probabilities[first]:
        return (
            f"Its shape is only {percent(likeness)} like a digit. If it is one, then most "
            f"likely {first} ({percent(digit.probabilities[first])}), else {runners_up(digit)}."
        )
    return (
        f"It lies between digits: {first} ({percent(digit.probabilities[first])}), "
        f"then {runners_up(digit)}. {first} and {second} look most alike here."
    )


def _account_of_one(digit: Digit) -> Account:
    certainty = f"{_capital(digit.verdict)} {percent(digit.confidence)}"
    if digit.verdict[-1] != "?":
        certainty = f"{_capital(digit.verdict)}, {percent(digit.confidence)}"
    if not digit.accepted:
        return Account(f"{digit.label}?", _capital(digit.verdict), explain_doubt(digit), _REDRAW)
    advice = "" if is_sure(digit) else _REDRAW
    return Account(str(digit.label), certainty, f"Then {runners_up(digit)}.", advice)


def _account_of_many(reading: Reading) -> Account:
    digits, weakest = reading.digits, doubtful(reading)
    worst, where = digits[weakest], place(reading, weakest)
    whole = percent(prod(digit.confidence for digit in digits))
    if not any(digit.accepted for digit in digits):
        detail = f"None of its {len(digits)} pieces looks like a digit. {explain_doubt(worst)}"
        return Account(f"{reading.text}?", "This may not be a number", detail, _REDRAW)
    if not worst.accepted:
        detail = f"The {where} may not be a digit. {explain_doubt(worst)}"
        return Account(reading.text, f"Not sure, {whole} for all {len(digits)}", detail, _REDRAW)
    detail = f"Least sure: the {where}, {worst.label} ({percent(worst.confidence)})"
    if is_sure(worst):
        certainty = f"{_capital(worst.verdict)}, {whole} for all {len(digits)} digits"
        return Account(reading.text, certainty, f"{detail}.", "")
    certainty = f"Not sure, {whole} for all {len(digits)} digits"
    first, second = worst.ranking[:2]
    return Account(reading.text, certainty, f"The doubtful one is the {where}: {first} or {second}?", _REDRAW)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
