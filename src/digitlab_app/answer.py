"""Shows one reading: the answer large, how sure, the probabilities and what else it may be."""

from bisect import bisect_right
from html import escape
from itertools import accumulate

import streamlit as st

from digitlab.charts import probability_bars
from digitlab.reading import Digit
from digitlab.wording import (
    account,
    chances,
    describe,
    doubtful,
    least_sure,
    percent,
)
from digitlab_app.feedback import Subject, ask
from digitlab_app.pictures import Answer

_SIZES = ((1, 7), (3, 5), (6, 3.5), (12, 2.25), (10_000, 1.5))
"""Up to how many signs in the longest line, and the height of the writing in rem."""


def show_answer(answer: Answer, key: str, subject: Subject | None = None) -> Digit | None:
    """The whole answer to one picture, and the question whether it is right.

    Parameters
    ----------
    key : keeps its widgets apart from another picture's.
    subject : what feedback is about; None where none can be kept.

    Returns
    -------
    The digit that is looked at; None if there are none.
    """
    if not answer.digits:
        st.info(
            "No digits found. Write larger and darker, leave some room at the edges, or take the "
            "picture closer and in more light."
        )
        return None
    words = account(answer)
    _show_large(words.headline, f"{words.headline}. {words.certainty}.")
    st.markdown(f"**{words.certainty}**")
    st.write(words.detail)
    if words.advice:
        st.info(words.advice)
    index = _choose(answer, key)
    if subject is not None:
        ask(subject, answer, index, key)
    _show_bars(answer.digits[index], key)
    st.caption(f"Read in {answer.milliseconds:.0f} ms by model version {answer.version}.")
    return answer.digits[index]


def _show_large(text: str, spoken: str) -> None:
    """The digit or the number, as large as it fits; a screen reader says how sure, too."""
    lines = text.split("\n")
    longest = max(2 * len(lines) - 1, *(len(line) for line in lines))  # a column is long, too
    size = next(rem for most, rem in _SIZES if longest <= most)
    style = f"font-size:{size}rem;line-height:1.1;font-weight:600;overflow-wrap:anywhere"
    st.html(
        f'<div role="status" aria-live="polite" aria-label="{escape(spoken)}" style="{style}">'
        f"{escape(text).replace(chr(10), '<br>')}</div>"
    )


def _choose(answer: Answer, key: str) -> int:
    """Which digit is looked at: the only one; of several, the one that is chosen."""
    if len(answer.digits) == 1:
        return 0
    first, count = _choose_line(answer, key)
    digits = answer.digits[first : first + count]
    index = 0
    if count > 1:
        names = _told_apart([str(digit.label) for digit in digits])
        index = st.segmented_control(
            "Which digit",
            range(count),
            default=least_sure(digits),
            required=True,
            format_func=names.__getitem__,
            # another number has other digits: the choice starts at its doubtful one
            key=f"{key}-digit-{first}-{answer.text}",
            help="In reading order. The one that is trusted least is chosen at first.",
            wrap=True,
        )
    st.write(describe(answer, first + index))
    return first + index


def _choose_line(answer: Answer, key: str) -> tuple[int, int]:
    """The first digit of the line that is looked at, and how many digits it has."""
    lines = answer.text.split("\n")
    starts = [0, *accumulate(len(line) for line in lines)]
    if len(lines) == 1:
        return 0, len(answer.digits)
    line = st.pills(
        "Which line",
        range(len(lines)),
        default=bisect_right(starts, doubtful(answer)) - 1,
        required=True,
        format_func=_told_apart(lines).__getitem__,
        key=f"{key}-line-{answer.text}",
        help="From the top. The one with the digit that is trusted least is chosen at first.",
        wrap=True,
    )
    return starts[line], len(lines[line])


def _told_apart(names: list[str]) -> list[str]:
    """The same names to the eye, each different to the page.

    Streamlit knows the choices of a control by what they are called: of two 8s in a number it
    would take the one for the other. A word joiner (U+2060) is not seen, nor read aloud.
    """
    return [name + "\u2060" * names[:i].count(name) for i, name in enumerate(names)]


def _show_bars(digit: Digit, key: str) -> None:
    """The probabilities of one digit."""
    shares = ", ".join(f"{i}: {percent(p)}" for i, p in enumerate(chances(digit)))
    st.plotly_chart(
        probability_bars(chances(digit), digit.label),
        key=f"{key}-bars",
        config={"displayModeBar": False},
        alt=f"Probability of each digit. {shares}",
    )
